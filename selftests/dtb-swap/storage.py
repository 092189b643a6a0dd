#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check finds what file systems are on, through all that lies between."""

import sys
import pathlib
import tempfile

from bench import Device, Tap, Tree, shipped, swap
from check import BOARD, MMC

# How / is mounted: what is mounted, of which type, what it is made of; whether the disk is found.
STACKS = (
    ('device-mapper', '254:0', 'ext4 /dev/mapper/root', ('dm-0', 'mmcblk2p2'), True),
    ('device-mapper twice', '254:1', 'ext4 /dev/dm-1', ('dm-1', 'dm-0', 'mmcblk2p2'), True),
    ('btrfs', '0:31', 'btrfs /dev/mmcblk2p2', ('mmcblk2p2',), True),
    ('btrfs on device-mapper', '0:31', 'btrfs /dev/mapper/root', ('dm-0', 'mmcblk2p2'), True),
    ('btrfs on what is not in /dev', '0:31', 'btrfs /dev/root', ('mmcblk2p2',), False),
    ('a disk that no node brings', '254:0', 'ext4 /dev/mapper/root', ('dm-0',), False),
)


def stacked(folder, good, number, source, names):
    """A device with / on the last of some block devices, through all before."""
    made = Device(folder / 'root', good)
    made.device('platform/disk', MMC)
    for name, below in zip(names, (*names[1:], None)):
        where = f'sys/devices/virtual/block/{name}' if below else \
                'sys/devices/platform/disk/mmc_host/block/disk'
        if name.startswith('dm-') and not below:
            where = f'sys/devices/virtual/block/{name}'
        (made.root / where).mkdir(parents=True)
        if below:
            made.link(f'{where}/slaves/{below}', f'sys/class/block/{below}')
        made.link(f'sys/class/block/{name}', where)
        made.put(f'dev/{name}', '')
    made.link(f'sys/dev/block/{number}', f'sys/class/block/{names[0]}')
    made.link('dev/mapper/root', f'dev/{names[0]}')
    made.put('proc/self/mountinfo', f'21 1 {number} / / rw,noatime shared:1 - {source} rw\n')
    return made


def stacks(tap, folder, good):
    """Storage is found through what lies between a file system and its disk."""
    path = Tree(good).text(MMC, 'status', 'disabled').write(folder / 'new.dtb')
    for name, number, source, names, found in STACKS:
        made = stacked(folder, good, number, source, names)
        done = swap('check', '--root', made.root, path)
        words = f'storage of /: it is {MMC}, which is disabled' if found else \
                'warning: storage of /: no node of the tree was found behind it'
        tap.result(done.returncode == (5 if found else 0) and words in done.stdout,
                   f'storage on {name}', f'status {done.returncode}\n{done.stdout}')


# Folders of the overlay on /, where the disk is mounted, what is said.
LAYERS = (
    ('lowerdir=/media/rfs/ro,upperdir=/run/u,workdir=/run/w', '/media/rfs/ro', 'it is'),
    ('lowerdir=/run/x:/media/rfs/ro/sub,upperdir=/run/u', '/media/rfs/ro', 'it is'),
    ('lowerdir=/run/x,upperdir=/media/rw/u,workdir=/media/rw/w', '/media/rw', 'it is'),
    ('lowerdir=/media/other', '/media/oth', 'no node of the tree was found behind it'),
    ('lowerdir=/balena/l/X,upperdir=/balena/u', '/mnt/sysroot/active', 'active: it is'),
    ('size=1m', '/media/rfs/ro', ''),
)


def layers(tap, folder, good):
    """The root is an overlay: the disks that it lies on count."""
    path = Tree(good).text(MMC, 'status', 'disabled').write(folder / 'new.dtb')
    for options, point, words in LAYERS:
        made = Device(folder / 'root', good)
        made.disk(2, point, MMC)
        with open(made.root / 'proc/self/mountinfo', 'a', encoding='ascii') as mounts:
            mounts.write(f'30 1 0:25 / / rw - overlay overlay rw,{options}\n31 1 0:26 / /run rw - '
                         'tmpfs tmpfs rw\n')
        done = swap('check', '--root', made.root, path)
        tap.result(done.returncode == (5 if 'it is' in words else 0) and words in done.stdout and
                   ('storage of' in done.stdout) == bool(words), f'an overlay of {options}',
                   done.stdout)


# Where there is a boot partition, or something that the system can be without.
MOUNTS = (('/boot/firmware', True), ('/mnt/boot', True), ('/boot', True), ('/media/card', False))


def mounts(tap, folder, good):
    """The disks of the boot partition count, wherever it is, others do not."""
    path = Tree(good).text(MMC, 'status', 'disabled').write(folder / 'new.dtb')
    for point, vital in MOUNTS:
        made = Device(folder / 'root', good)
        made.disk(2, point, MMC)
        done = swap('check', '--root', made.root, path)
        tap.result(done.returncode == (5 if vital else 0) and
                   (f'storage of {point}: it is {MMC}' in done.stdout) == vital,
                   f'a disk on {point}: {"refused" if vital else "nothing needs it"}', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    good = shipped(*BOARD)
    with tempfile.TemporaryDirectory() as work:
        for part in (stacks, layers, mounts):
            part(tap, pathlib.Path(work), good)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
