#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""scripts/boards.tsv calls booted what ran with a tree or an overlay of the pack, no more; README
tells for how many boards a way to choose trees is."""

import pathlib
import re
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import boards                       # noqa: E402
from ktap import Tap                # noqa: E402

BOARD, LESS = 'raspberrypi3-64', 'raspberrypi3-64: proven has to be "applied"'


def without(work, name, pattern):
    """Say what is wrong with the table for a bench that lacks something; return it."""
    for table in ('boots.tsv', 'machines.tsv'):
        shutil.copy(TOP / 'selftests/qemu' / table, work)
    text = (work / name).read_text(encoding='utf-8')
    (work / name).write_text(re.sub(pattern, '', text, flags=re.M), encoding='utf-8')
    boards.BENCH = work
    boards.booted.cache_clear()
    return '\n'.join(boards.check()), (work / 'boots.tsv').read_text(encoding='utf-8')


def chosen(tap):
    """A selector that only some of a family's boards have is told with how many."""
    for line in boards.table().splitlines()[2:]:
        name, count, *_, word, _ = line.strip('| ').split(' | ')
        mine = [row.selector for row in boards.boards()
                if row.family == (name if name != 'others' else '-')]
        has = len(mine) - mine.count('none') - mine.count('-')
        said = re.fullmatch(r'(?:\S+|-)(?: for (\d+) of (\d+))?', word)
        told = 0 if word == '-' else int(said[1] or count)
        tap.result(told == has and said[2] in (None, count), f'{name}: chosen by {word}',
                   f'{has} have it')


def main():
    """Run all."""
    tap = Tap()
    chosen(tap)
    proven = next(row.proven for row in boards.boards() if row.slug == BOARD)
    tap.result(proven == 'booted', f'{BOARD} is booted')
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        said, _ = without(work, 'boots.tsv', '^nothing')
        tap.result(not said, 'by the bench as it is', said)
        said, boots = without(work, 'boots.tsv', r'^.*\traspi3b-overlays\t.*\n')
        tap.result(LESS in said and re.search(r'\traspi3b\t.*modules', boots),
                   'not by tests of modules alone', said)
        said, _ = without(work, 'boots.tsv', r'overlays$')
        tap.result(LESS in said, 'not by a row without tests of overlays', said)
        said, _ = without(work, 'machines.tsv', r'(?<=raspi3b.dts)\+raspberrypi/\S*')
        tap.result(LESS in said, 'not without an overlay', said)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
