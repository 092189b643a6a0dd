#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""At shutdown: whatever is selected is in the root that is started next, or is selected no more."""

import pathlib
import sys

from bench import TOP, perform, program, run, shipped, swap
from carry import NEW, ROWS, hook, prepared, restart
from faults import compile_injector
from install import new_tree

IMX, FAT, NANO = (ROWS[kind] for kind in ('imx8mm-var-som', 'raspberrypi4-64', 'jetson-nano'))
UNIT = TOP / 'scripts/yocto/files/dtb-swap-carry.service'
ENV = 'mnt/boot/resinOS_uEnv.txt'
DISK = 'sys/devices/platform/disk9/mmc_host/block/disk'


def updated(folder, row, env, partition=2):
    """A device with three trees, and what the bootloader is told of its next start."""
    made = prepared(folder, row)
    made.disk(9, '/mnt/sysroot/active', '/disk')
    made.put(f'{DISK}/partition', f'{partition}\n')
    made.put(ENV, env)
    (made.root / 'proc/1').mkdir()      # an update runs in a container, whose root is that of its first process
    (made.root / 'proc/1/root').symlink_to(made.root)
    return made


def unit():
    """The words of what the unit does."""
    return next(line for line in UNIT.read_text().splitlines() if line.startswith('ExecStop=/')).split()[1:]


def last(made):
    """Do it."""
    return swap(*unit(), '--root', made.root)


def by_hand(made, row):
    """The supervisor selects a tree of its fleet, after the hook."""
    hook(made)
    made.put(f'{row[3]}/fleet.dtb', pathlib.Path(new_tree(made.root, shipped(*row[1:3]), 'fleet')).read_bytes())
    made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=fleet.dtb\n')


def no_room(made, _row):
    """Something has the place of the new root's folder."""
    (made.root / NEW / 'keep').unlink()
    (made.root / NEW).rmdir()


def broken(made, row):
    """The selected tree cannot be read any more."""
    next((made.root / row[3]).glob('swap-three-*')).write_bytes(b'broken')


def in_place(made, row):
    """Something has the place of the tree in the other root."""
    (made.root / NEW / next((made.root / row[3]).glob('swap-three-*')).name).mkdir()


def nothing(_made, _row):
    """An update by an OS without the hook."""


B, A = 'resin_root_part=3\nupgrade_available=1\n', 'resin_root_part=2\nupgrade_available=0\n'
BACK, STAYS = B.replace('=1', '=0'), A.replace('=0', '=1')
# What the bootloader is told, what happens before; the trees that went along, the model of the
# next start, the exit status.
STORIES = (
    ('an update to an OS without the hook', IMX, B, nothing, 3, 'three', 0),
    ('the way back to the OS before', IMX, BACK, nothing, 3, 'three', 0),
    ('an OS on trial, from which the bootloader may go back', IMX, STAYS, nothing, 3, 'three', 0),
    ('no update', IMX, A, nothing, 0, 'stops', 0),
    ('nobody tells of the root', IMX, '', nothing, 0, 'stops', 0),
    ('the supervisor selects after the hook', IMX, B, by_hand, 4, 'fleet', 0),
    ('an update, and nothing can be written: the bootloader goes back', IMX, B, in_place, 3, 'broken', 13),
    ('the way back, and nothing can be written', IMX, BACK, in_place, 3, None, 13),
    ('the way back, and there is no OS', IMX, BACK, no_room, 0, 'stops', 1),
    ('the way back, and the tree is broken', IMX, BACK, broken, 2, None, 3),
    ('the way back of a bootloader that takes its own', NANO, BACK, no_room, 0, None, 1),
    ('trees on the boot partition', FAT, B, nothing, 0, 'three', 0))


def stories(tap, folder):
    """What the next start finds."""
    for title, row, env, before, count, model, status in STORIES:
        made = updated(folder, row, env)
        before(made, row)
        done = last(made)
        try:
            seen = restart(made, row[0])
        except FileNotFoundError:
            seen = 'stops'
        except OSError:
            seen = 'broken'
        there = len(list((made.root / NEW).glob('*.dtb')))
        tap.result(done.returncode == status and there == count and seen == model and
                   ('mend:' in done.stdout) == bool(status), f'shutdown: {title}',
                   f'{done.returncode} {there} {seen}\n{done.stdout}')


def numbers(tap, folder):
    """U-Boot's numbers of partitions are hexadecimal."""
    for partition, env, count in ((12, 'c', 0), (12, 'd', 3), (16, '10', 0), (10, '10', 3)):
        made = updated(folder, IMX, f'resin_root_part={env}\n', partition)
        last(made)
        tap.result(len(list((made.root / NEW).glob('swap-*'))) == count,
                   f'shutdown: on partition {partition}, and {env} is started next')


def letters(tap, folder):
    """balena's own bootloader is told the root by its letter; what U-Boot was told counts no more."""
    for title, letter, old, links, count, status in (
            ('the other root', 'B', A, 'AB', 3, 0), ('the same', 'A', B, 'AB', 0, 0),
            ('nothing', '', B, 'AB', 0, 0), ('a root that nobody knows', 'B', A, 'A', 0, 1)):
        made = updated(folder, IMX, old)
        made.put('mnt/boot/bootenv', '# GRUB Environment Block\n' + f'resin_root_part={letter}\n' * bool(letter) +
                 '#' * 64)
        for number, name in enumerate(links, 2):
            made.put(f'dev/mmcblk2p{number}', '')
            made.put(f'sys/class/block/mmcblk2p{number}/partition', f'{number}\n')
            made.link(f'dev/disk/by-state/resin-root{name}', f'dev/mmcblk2p{number}')
        done = last(made)
        there = len(list((made.root / NEW).glob('*.dtb')))
        tap.result((there, done.returncode) == (count, status) and ('mend:' in done.stdout) == bool(status),
                   f'shutdown: bootenv says {title}', f'{done.returncode} {there}\n{done.stdout}')


def told(tap, folder):
    """The status says what lacks before, and nothing of it after."""
    made = updated(folder, IMX, B)
    before, done, after = swap('status', '--root', made.root), last(made), swap('status', '--root', made.root)
    words = 'the next start may be on the other root, which has not swap-three'
    tap.result(words in before.stdout and 'carry --last' in before.stdout and not done.returncode and
               words not in after.stdout and not after.returncode, 'status: an update without the hook',
               before.stdout + after.stdout)
    made = updated(folder, IMX, BACK)
    in_place(made, IMX)
    last(made)
    done = swap('status', '--root', made.root)
    undo = swap('rollback', '--root', made.root)
    tap.result("the bootloader's own tree" in done.stdout and not done.returncode and not undo.returncode and
               'swap-three' in undo.stdout, 'rollback after a shutdown that could not carry',
               done.stdout + undo.stdout)


def failing(tap, folder):
    """Each call fails once: the next start finds a whole tree, or one is told."""
    injector, made = compile_injector(folder), updated(folder, IMX, BACK)
    command = (*program(), *unit(), '--root', made.root)
    selector = made.root / 'mnt/boot/extra_uEnv.txt'
    before, total = selector.read_bytes(), int(run(injector, 0, 0, *command).stdout.splitlines()[-1])
    wrong, silent = [], []
    for call in range(1, total + 1):
        for path in (made.root / NEW).iterdir():
            path.unlink()
        selector.write_bytes(before)
        done = run(injector, call, 5, *command)
        try:
            seen = restart(made)
        except FileNotFoundError:
            seen = 'stops'
        if seen not in ('three', None) and not done.returncode:
            silent.append(f'call {call}: {seen} {done.stdout}')
        last(made)
        try:
            restart(made)
        except FileNotFoundError:
            wrong.append(f'call {call}: {seen} {done.stdout}')
    tap.result(not silent and total > 50, f'shutdown: EIO at each of {total} calls: what is wrong is told', silent)
    tap.result(not wrong and UNIT.read_text().count('ExecStop=') == 2,
               'shutdown: the second go finds a whole tree for the next start', wrong)


def main():
    """Run all."""
    return perform(stories, numbers, letters, told, failing)


if __name__ == '__main__':
    sys.exit(main())
