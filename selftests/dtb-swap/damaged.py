#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a disk has damaged is seen, though it looks whole: a tree that is kept, and what is remembered."""

import sys
from pathlib import Path

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


def pending(folder):
    """A device that runs on a pending tree."""
    made = device(folder / 'root', *ROW)
    made.put(f'{NEW}/keep', '')
    made.put(BOOT_ID, 'first\n')
    told(made, 'try', '--pending', new_tree(folder, shipped(*ROW[1:3]), 'one'))
    booted(made)
    return made, made.root / 'mnt/boot/dtb-swap.state'


def flipped(data, at):
    """One bit is another."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def states(tap, folder):
    """The file of what is remembered: emptied, cut anywhere, a bit turned."""
    made, state = pending(folder)
    whole = state.read_bytes()
    missed = []
    for title, texts in (('cut', [whole[:at] for at in range(len(whole))]),
                         ('a bit turned', [flipped(whole, at) for at in range(len(whole))])):
        for text in texts:
            state.write_bytes(text)
            status, said, _ = told(made, 'status')
            if status != 1 or 'dtb-swap.state is damaged' not in said or 'mend:' not in said:
                missed.append(text)
        tap.result(not missed, f'{title} at each of {len(texts)} places: status says so', missed[:3])
    for title, text in (('emptied', b''), ('cut after 40 bytes', whole[:40]), ('zeroed', bytes(len(whole)))):
        made, state = pending(folder)
        state.write_bytes(text)
        done = hook(made)
        tap.result(done.returncode == 1 and 'is damaged' in done.stdout, f'{title}: no update', done.stdout)
        said = told(made, 'guard', '--limit', '1')
        tap.result(said[::2] == (1, 'one') and 'is damaged' in said[1] and
                   'mend: dtb-swap commit keeps the tree' in said[1],
                   f'{title}: guard says so, and ends as one that has failed', said)
        back = told(made, 'rollback')
        tap.result(back[::2] == (1, 'one') and 'is damaged' in back[1], f'{title}: no way back is known', back)
        for way, tree in ((('commit',), 'one'), (('rollback', '--own'), None)):
            state.write_bytes(text)
            ends = [told(made, *way), told(made, 'status'), told(made, 'guard', '--limit', '5')]
            tap.result([end[::2] for end in ends] == [(0, tree)] * 3 and
                       not any('damaged' in end[1] for end in ends), f'{title}: {" ".join(way)} mends it', ends)
        made, state = pending(folder)
        made.put('sys/firmware/fdt', Path(shipped(*ROW[1:3])).read_bytes())
        state.write_bytes(text)
        status, said, tree = told(made, 'commit')
        tap.result((status, tree) == (12, 'one') and 'another tree runs' in said,
                   f'{title}, and another tree runs: nothing to keep', said)
        told(made, 'install', new_tree(folder, shipped(*ROW[1:3]), 'two'))
        back = told(made, 'rollback')
        tap.result(back[::2] == (0, None), f'{title}: nor is it a way back', back)
        state.write_bytes(text)
        ends = [told(made, *words) for words in (('status',), ('guard', '--limit', '5'))]
        tap.result([end[::2] for end in ends] == [(0, None)] * 2 and 'warning:' in ends[0][1],
                   f'{title}, and nothing of ours is selected: a warning', ends)
    made, state = pending(folder)
    state.write_bytes(whole[:whole.index(b'selector=')])
    said = told(made, 'guard', '--limit', '1')
    tap.result(said[::2] == (0, None) and 'nobody has committed' in said[1],
               'what is left tells that it is pending: guard goes back', said)
    made, state = pending(folder)
    state.write_bytes(whole.replace(b'checked=yes\n', b'').partition(b'sum=')[0])
    status, said, _ = told(made, 'status')
    tap.result(not status and 'not committed' in said and 'damaged' not in said,
               'what an older version has written is read', said)


def main():
    """Run all."""
    return perform(trees, states)


if __name__ == '__main__':
    sys.exit(main())
