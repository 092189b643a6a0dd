#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The hostapp-update hook carries the selected tree into the new root, or stops the update."""

import os
import pathlib
import sys
import tempfile

from bench import TOP, Tap, program, run, swap
from install import DEVICES, device, new_tree, shipped

HOOK = TOP / 'scripts/yocto/files/90-dtb-swap'
ROWS = {row[0]: row for row in DEVICES}


def hook(made):
    """Run it."""
    return run('sh', HOOK, env={**os.environ, 'DTB_SWAP': program()[0],
                                'DTB_SWAP_ROOT': str(made.root)})


def carried(made):
    """The trees in the new root."""
    return sorted(path.name for path in (made.root / 'mnt/sysroot/inactive').rglob('*')
                  if path.is_file() and path.name != 'keep')


def main():
    """All ways."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for kind in ('imx8mm-var-som', 'raspberrypi4-64'):
            row = ROWS[kind]
            made = device(folder / 'root', *row)
            made.put('mnt/sysroot/inactive/current/boot/keep', '')
            one, two = (new_tree(folder, shipped(*row[1:3]), word) for word in ('one', 'two'))
            done = hook(made)
            tap.result(done.returncode == 0 and not carried(made), f'{kind}: nothing is installed',
                       done.stdout)
            swap('install', one, '--root', made.root)
            swap('install', two, '--root', made.root)
            done = hook(made)
            names = [name.split('-')[1] for name in carried(made)]
            wanted = ['one', 'two'] if kind.startswith('imx') else []
            same = all((made.root / 'mnt/sysroot/active/boot' / name).read_bytes() ==
                       next((made.root / 'mnt/sysroot/inactive').rglob(name)).read_bytes()
                       for name in carried(made))
            tap.result(done.returncode == 0 and names == wanted and same,
                       f'{kind}: the tree and the one before go along', f'{names}\n{done.stdout}')
        made = device(folder / 'root', *ROWS['imx8mm-var-som'])
        one = new_tree(folder, shipped(*ROWS['imx8mm-var-som'][1:3]), 'one')
        swap('install', one, '--root', made.root)
        done = hook(made)
        tap.result(done.returncode == 1 and 'no folder boot' in done.stdout,
                   'a new root that is not there', done.stdout)
        made.put('mnt/sysroot/inactive/boot/keep', '')
        next((made.root / 'mnt/sysroot/active/boot').glob('swap-*')).write_bytes(b'broken')
        done = hook(made)
        tap.result(done.returncode == 1 and 'not sound' in done.stdout and not carried(made),
                   'a tree that is broken stops the update', done.stdout)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
