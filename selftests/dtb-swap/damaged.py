#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a disk has damaged is seen, though it looks whole: a tree that is kept."""

import sys

from bench import Tree, perform
from carry import NEW, hook
from install import DEVICES, device, digest, model, new_tree, shipped
from pending import BOOT_ID, booted, told

ROWS = {row[0]: row for row in DEVICES}
ROW = ROWS['imx8mm-var-som']


def damage(made, word):
    """One byte of a kept tree becomes another one: it is a sound tree, and not the one of its name."""
    kept = next(made.root.rglob(f'swap-{word}-*'))
    data = bytearray(kept.read_bytes())
    data[data.index(b'variscite')] ^= 1
    kept.write_bytes(data)
    Tree(kept)
    return kept


def two_trees(folder, row=ROW):
    """A device that has run on one, and runs on two."""
    made = device(folder / 'root', *row)
    made.put(f'{NEW}/keep', '')
    for number, word in enumerate(('one', 'two')):
        made.put(BOOT_ID, f'{number}\n')
        told(made, 'install', new_tree(folder, shipped(*row[1:3]), word))
        booted(made, row[0], f'{number} again\n')
    return made


def trees(tap, folder):
    """A kept tree is not what its name says."""
    made = two_trees(folder)
    damage(made, 'two')
    status, said, _ = told(made, 'status')
    tap.result(status == 3 and 'is damaged' in said and 'mend:' in said and ' sound' not in said,
               'status: what is selected is damaged', said)
    done = hook(made)
    tap.result(done.returncode == 1 and 'is damaged' in done.stdout and 'mend:' in done.stdout and
               not list((made.root / NEW).glob('swap-*')), 'the hook: no update with it', done.stdout)
    status, said, tree = told(made, 'rollback')
    tap.result((status, tree) == (0, 'one'), 'rollback leads away from it', said)
    made = two_trees(folder)
    damage(made, 'one')
    before = digest(made.root)
    status, said, tree = told(made, 'rollback')
    tap.result((status, tree) == (12, 'two') and 'is damaged' in said and 'mend:' in said and
               digest(made.root) == before, 'rollback to one is refused', said)
    done = hook(made)
    names = [path.name.split('-')[1] for path in (made.root / NEW).glob('swap-*')]
    tap.result(not done.returncode and names == ['two'] and 'is damaged' in done.stdout,
               'the hook: one that was before does not go along', done.stdout)
    for pending in (True, False):
        made = two_trees(folder)
        three = new_tree(folder, shipped(*ROW[1:3]), 'three')
        told(made, *(('try', '--pending') if pending else ('install',)), three)
        booted(made, number='third\n')
        kept = next(made.root.rglob('swap-three-*'))
        if not pending:
            told(made, 'rollback')
            made.put('proc/cmdline', f'quiet dtb_swap.try={kept.name}\n')
        damage(made, 'three')
        before = digest(made.root)
        status, said, tree = told(made, 'commit')
        tap.result(status == 12 and 'is damaged' in said and 'mend:' in said and
                   digest(made.root) == before and (pending or tree == 'two'),
                   f'commit of {"a pending one" if pending else "a trial"} is refused', said)
        status, said, _ = told(made, 'install', three)
        tap.result(not status and model(made, ROW[0]) == 'three' and not told(made, 'status')[0],
                   'to install it again mends that', said)


def main():
    """Run all."""
    return perform(trees)


if __name__ == '__main__':
    sys.exit(main())
