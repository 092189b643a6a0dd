#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What our dt-validate says is what dt-validate says, whatever it knows of other trees."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LED, BUS = '/gpio-leds/status', '/soc@0/bus@30800000/i2c@30a20000'
# Changes to a board: what fdtput is told, and a word of what the schemas say then. Those of one
# tree are in nodes that do not have each other, or in the root, which has all
CHANGES = (
    {'a wrong value': (('-ts', LED, 'color', 'yellow'), 'color'),
     'a property that no schema has': (('-tx', f'{BUS}/pmic@25', 'colour', '2'), 'colour'),
     'a node that lacks what it needs': (('-d', '/', 'model'), 'model')},
    {'a number of another width': (('-tbx', LED, 'color', '2'), 'color'),
     'a parent that counts otherwise': (('-tx', BUS, '#size-cells', '1'), '#size-cells')})

sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import schema               # noqa: E402
import trees                # noqa: E402
from ktap import Tap        # noqa: E402
from tools import KERNEL, Wrong     # noqa: E402


def said(*command):
    """Return what a validator says."""
    return subprocess.run([*command], capture_output=True, text=True, check=False).stderr


# A validator that has found one thing and is killed.
KILLED = '''#!/bin/sh
echo "$5: /: failed to match any schema with compatible: ['x']" >&2
kill -9 $$
'''


def killed(tap, work, board):
    """One that was killed has not passed a tree, and nothing is kept of what it said."""
    stub = work / 'scripts/dt/validate'
    stub.parent.mkdir(parents=True)
    stub.write_text(KILLED)
    stub.chmod(0o755)
    schemas, top, cache = schema.schemas(KERNEL), schema.TOP, schema.CACHE
    made, schema.schemas = schema.schemas, lambda _: schemas
    schema.TOP, schema.CACHE = work, work / 'cache'
    (work / 'cache/dt').mkdir(parents=True)
    try:
        found = schema.validate([board])
    except Wrong as wrong:
        found = str(wrong)
    tap.result(found == 'dt-validate failed with status -9' and
               not [*(work / 'cache').rglob('*')][2:], 'a validator that is killed', found)
    schema.schemas, schema.TOP, schema.CACHE = made, top, cache


def colon(tap, work, board):
    """What is said of a tree is that tree's, whatever is in its name."""
    blob = pathlib.Path(shutil.copy(board, work / 'g: w.dtb'))
    subprocess.run(['fdtput', '-tx', blob, f'{BUS}/pmic@25', 'colour', '2'], check=True)
    try:
        found = schema.validate([blob])
    except Wrong as wrong:
        found = str(wrong)
    tap.result(found and isinstance(found, list) and
               all(one == blob and re.match(r'\S+ \(|/', text) for one, text in found),
               'a colon in the name', found)


def main():
    """One board, and what may be wrong with it, each after the board itself."""
    tap, schemas = Tap(), schema.schemas(KERNEL)
    with tempfile.TemporaryDirectory() as folder:
        known, work = pathlib.Path(folder) / 'known', pathlib.Path(folder)
        board = pathlib.Path(shutil.copy(trees.shipped('imx8mp-evk')[0].dtb, work))
        ours = (TOP / 'scripts/dt/validate', known, '-m', '-s', schemas)
        theirs = ('dt-validate', '-m', '-s', schemas)
        first, peer = said(*ours, board), said(*theirs, board)
        tap.result(first == peer, 'a board', first)
        tap.result(known.stat().st_size > 1000, 'nodes are known', known.stat())
        tap.result(said(*ours, board) == peer, 'the board again')
        for changes in CHANGES:
            blob = pathlib.Path(shutil.copy(board, work / 'changed.dtb'))
            for (option, *words), _ in changes.values():
                subprocess.run(['fdtput', option, blob, *words], check=True)
            mine, peer = said(*ours, blob), said(*theirs, blob)
            for name, (_, wanted) in changes.items():
                tap.result(mine == peer and re.search(rf'(?<!\w){wanted}(?!\w)', mine), name, f'{mine}\n{peer}')
        killed(tap, work, board)
        colon(tap, work, board)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
