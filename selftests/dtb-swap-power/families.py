#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each family's bootloader, as a reader of the disk, takes the tree that was installed.

A guest installs on a disk for each, beside lines that people have left there. Where nobody
has verified which variable a board's U-Boot heeds, this shows what it imports, no more.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import libfdt

import guest
from disk import Damaged, Ext4, Fat
from kernel import KERNELS, OUT, TOP
from power import EXT4_AT, FAT_AT, MODULES, mkfs

sys.path.insert(0, str(TOP / 'selftests/dtb-swap'))

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool   # noqa: E402
from selector import chosen         # noqa: E402

PROVEN = ('jetson-agx-orin-devkit', 'jetson-agx-thor-devkit', 'jetson-xavier', 'jetson-tx2',
          'jetson-nano', 'iot-gate-imx8plus', 'imx8mm-var-som', 'raspberrypi4-64', 'raspberrypi5',
          'bluechiptechnology-tm3')
UNPROVEN = ('beaglebone-black', 'orange-pi-zero', 'bananapi-m1-plus')
UENV = '''# what people have written here
#custom_fdt_file=old.dtb
extra_os_cmdline=quiet_and_long
'''
CONFIG = 'dtparam=i2c_arm=on\n[pi3]\ndevice_tree=old.dtb\n'
FIRST = (('install', 'install --untried /trees/one.dtb'),
         ('another', 'install --untried /trees/two.dtb'))
STEPS = (*FIRST, ('back', 'rollback'), ('again', 'install --untried /trees/two.dtb'))
DISK = '''
mount -t vfat /dev/{disk}1 /mnt/boot && mount -t ext4 /dev/{disk}2 /mnt/sysroot/active
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
cp /trees/extra_uEnv.txt /trees/config.txt /mnt/boot
'''
STEP = '''n=$((n + 1))
said=$(dtb-swap {words} 2>&1) && echo "ok $n {kind}: {name}" || {{
	echo "$said" | sed 's/^/# /'
	echo "not ok $n {kind}: {name}"
}}
'''


class Place:
    """A file or folder of a disk, with as much of pathlib as a bootloader's part needs."""

    def __init__(self, system, path=''):
        self.system, self.path = system, path

    def __truediv__(self, name):
        return Place(self.system, f'{self.path}/{name}'.strip('/'))

    def read_bytes(self):
        """The content; None where there is no such file."""
        return self.system.read(self.path)

    def exists(self):
        """Whether there is one."""
        return self.read_bytes() is not None


def model(kind, data):
    """The model of the tree that the bootloader takes; None for its own."""
    place = chosen(kind, Place(Fat(data, FAT_AT)), Place(Ext4(data, EXT4_AT)))
    return place and libfdt.Fdt(place.read_bytes()).getprop(0, 'model').as_str()


def script():
    """What the guest does, disk by disk."""
    lines = ['n=0', 'echo TAP version 13']
    for letter, kind in zip('abcdefghijklmnop', PROVEN + UNPROVEN):
        lines.append(DISK.format(disk=f'vd{letter}', kind=kind))
        word = ' --unproven' if kind in UNPROVEN else ''
        for name, words in STEPS:
            lines.append(STEP.format(words=words + word, kind=kind, name=name))
        lines.append('umount /mnt/boot /mnt/sysroot/active')
    return '\n'.join([*lines, 'echo 1..$n\n'])


def run(kernel, folder):
    """Let a guest do it; return its outcome and the disks."""
    machine = guest.MACHINES['virt-dead']
    base, disks, extra = mkfs(folder, ('-F', '16')), {}, []
    for kind in PROVEN + UNPROVEN:
        disks[kind] = folder / f'{kind}.img'
        subprocess.run(['cp', '--sparse=always', base, disks[kind]], check=True)
        disk = {'driver': 'file', 'node-name': f'd{len(disks)}', 'filename': str(disks[kind]),
                'cache': {'no-flush': True}}
        extra += ['-blockdev', json.dumps(disk), '-device', f'virtio-blk-pci,drive=d{len(disks)}']
    tree = guest.own_tree(machine, folder)
    trees = {f'trees/{word}.dtb': Tree(tree).text('/', 'model', word).write(folder / word)
             for word in ('one', 'two')}
    stage = guest.stage_modules(kernel, MODULES, [], OUT / 'stage/families')
    return guest.boot(kernel, machine, {
        'lib': stage / 'lib', 'bin/dtb-swap': tool('arm64', musl=True), **trees,
        'trees/extra_uEnv.txt': UENV.encode(), 'trees/config.txt': CONFIG.encode(),
        'mnt/boot/keep': b'', 'mnt/sysroot/active/keep': b'',
        'boardpack/modules': '\n'.join(MODULES + ['']).encode(),
        'boardpack/run': script().encode()}, 400, tag='families', icount='', extra=extra), disks


def main():
    """One guest, and then each disk."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('POWER_KERNEL', '6.12')].ensure()
    with tempfile.TemporaryDirectory(dir=OUT) as work:
        outcome, disks = run(kernel, pathlib.Path(work))
        bad = [f'{r.name}: {r.why}' for r in outcome.results if r.state != 'passed']
        tap.result(not bad and len(outcome.results) > len(STEPS) * len(disks),
                   f'{len(disks)} device types: the tool does its work', '\n'.join(bad))
        for kind, disk in disks.items():
            try:
                what = model(kind, disk.read_bytes())
            except (Damaged, OSError, libfdt.FdtException, UnicodeDecodeError) as error:
                what = repr(error)
            tap.result(what == 'two', f'{kind}: the bootloader takes the tree', what)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
