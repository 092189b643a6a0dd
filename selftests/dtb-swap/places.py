#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap where the folders are not what they seem: FAT's names, containers, other roots."""

import pathlib
import sys
import tempfile

from bench import Tap, shipped, swap
from install import DEVICES, device, digest, model, new_tree

ROWS = {row[0]: row for row in DEVICES}
ROW, FAT = ROWS['imx8mm-var-som'], ROWS['jetson-xavier']    # the supervisor lets FAT's trees go


def folded(tap, folder):
    """FAT finds a name in any case: of two that differ in nothing else there is one file."""
    made = device(folder / 'root', *FAT)
    root, trees = ('--root', made.root), made.root / FAT[3]
    one, two = (new_tree(folder, shipped(*FAT[1:3]), word) for word in ('one', 'two'))
    carrier = one.rename(folder / 'Carrier.dtb')
    said = [swap('install', carrier, *root) for _ in range(2)]
    names = [path.name for path in trees.glob('swap-*')]
    tap.result(len(names) == 1 and names[0] == names[0].lower() and
               'it was before' in said[1].stdout, 'a tree is kept in lower case', names)
    kept = (trees / names[0]).rename(trees / names[0].replace('carrier', 'Carrier'))
    done = swap('install', kept, *root)
    tap.result(not done.returncode and model(made, FAT[0]) == 'one',
               'one that was kept in another comes back so, too', done.stdout)
    (trees / names[0]).unlink()
    done = swap('install', two, *root)
    tap.result(not done.returncode and kept.exists(), 'its file is not what nobody needs',
               done.stdout)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        for test in (folded,):
            if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                test(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
