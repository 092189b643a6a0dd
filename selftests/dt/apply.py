#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The lines with scripts/dt/apply, as README.md and overlays/README have them, do their work."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
APPLY = TOP / 'scripts/dt/apply'
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bases                        # noqa: E402
import overlays                     # noqa: E402
from ktap import Tap                # noqa: E402
from tap import run                 # noqa: E402
from tools import dt_apply          # noqa: E402

BOARD, NODE = 'imx8mm-evk', 'rtc@68 {'


def lines(name):
    """The commands of a text."""
    text = (TOP / name).read_text(encoding='utf-8')
    return re.findall(r'^    (scripts/dt/apply .*)$', text, re.M)


def prepare(work):
    """Put the files there that the lines name."""
    base = next(base for base in bases.shipped('6.12') if base.name == BOARD)
    shutil.copy(base.dtb, work / 'board.dtb')
    shutil.copy(bases.compiled([base])[base], work / 'with-labels.dtb')
    (work / 'scripts').symlink_to(TOP / 'scripts')
    for family, name in (('imx8m', 'rtc-ds3231.dtbo'), ('raspberrypi', 'other.dtbo')):
        overlays.compile_source(overlays.FOLDER / 'rtc-ds3231.dtso', work / name,
                                overlays.defines(family))


def follow(tap, work):
    """Each line does its work, in a folder of the user's."""
    found = lines('README.md')
    tap.result([line.split()[1] for line in found] == ['labels', 'merge'], 'README has two', found)
    for line in found:
        done = run('sh', '-c', line, cwd=work)
        tap.result(not done.returncode, line, done.stdout)
    tree = run('dtc', '-q', '-I', 'dtb', '-O', 'dts', work / 'new.dtb').stdout
    tap.result(NODE in tree and NODE not in run('dtc', '-q', '-I', 'dtb', '-O', 'dts',
                                                work / 'board.dtb').stdout,
               'the clock chip is in the new tree', tree)
    shutil.copy(work / 'with-labels.dtb', work / 'board.dtb')
    found = lines('overlays/README')
    (work / 'new.dtb').unlink(missing_ok=True)
    done = run('sh', '-c', found[0], cwd=work) if found else None
    tap.result(done and not done.returncode and (work / 'new.dtb').exists(),
               f'overlays/README: {found}', done and done.stdout)


def refused(tap, work):
    """What does not go is told, and nothing is written."""
    for what, names, words in (
            ('an overlay for another board', ('with-labels.dtb', 'out.dtb', 'other.dtbo'),
             'other.dtbo: it is for brcm,bcm2835, not for this tree'),
            ('an address that is taken', ('new.dtb', 'out.dtb', 'rtc-ds3231.dtbo'),
             'address 0x68 for rtc@68 is taken'),
            ('no tree', ('other', 'out.dtb', 'rtc-ds3231.dtbo'), 'other')):
        done = run(APPLY, 'merge', *names, cwd=work)
        tap.result(done.returncode == 1 and words in done.stdout and
                   not (work / 'out.dtb').exists(), f'{what} is refused', done.stdout)
    done = run(APPLY, cwd=work)
    tap.result(done.returncode == 2 and 'usage: ' in done.stdout, 'wrong use', done.stdout)


def first(tap, work):
    """What is told where nothing is in the cache yet is no part of a path."""
    for name in ('apply', 'package'):
        shutil.copy(TOP / 'scripts/dt' / name, work)
    (work / 'tools.py').write_text("""
def dt_apply():
    print('packages: fetching')
    return '/bin/echo'


def package(*words):
    print('packages: fetching')
    return '/packages/' + '/'.join(words)
""", encoding='ascii')
    for command, wanted in (((work / 'apply', 'labels', 'my.dtb'), 'labels my.dtb'),
                            ((work / 'package', 'arm64', 'libfdt-dev'), '/packages/arm64/libfdt-dev')):
        done = run(*command, stderr=subprocess.PIPE)
        tap.result(done.stdout.strip() == wanted and 'fetching' in done.stderr,
                   f'{command[0].name}, where all is fetched first', f'{done.stdout}{done.stderr}')


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        prepare(work)
        follow(tap, work)
        refused(tap, work)
        first(tap, work)
    said = run('readelf', '-l', dt_apply()).stdout
    tap.result('LOAD' in said and 'INTERP' not in said, 'it runs where no other library is', said)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
