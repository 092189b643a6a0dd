#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What an engineer does in the field: another tree, overlays, and back, with starts between.

Each start is a guest of its own on the same disk. The bootloader's part is played here: the
tree is the one that a reader of the disk finds selected. The kernel's drivers tell
whether it was the right one.
"""

import collections
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

import guest
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, bases, tool      # noqa: E402
from power import MODULES, mkfs, taken  # noqa: E402

import overlays     # noqa: E402 pylint: disable=wrong-import-order

CARD = 128 << 20
LIMIT = 400
HEAD = '''
for _ in 1 2 3 4 5 6 7 8 9; do
	[ -b /dev/{disk}2 ] || sleep 1
done
mount -t vfat /dev/{disk}1 /mnt/boot && mount -t ext4 /dev/{disk}2 /mnt/sysroot/active
[ -e /mnt/boot/config.json ] || {{
	echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
	cp /trees/own.dtb {trees}/own.dtb
}}
n=0
check() {{
	n=$((n + 1))
	said=$(eval "$2" 2>&1) && echo "ok $n $1" && return
	echo "$said" | sed 's/^/# /'
	echo "not ok $n $1"
}}
# status(number, command...) - whether it ends so
status() {{
	wanted=$1
	shift
	"$@"
	got=$?
	echo "status $got"
	[ $got = $wanted ]
}}
# blinks() - whether identify has borrowed the board's LED
blinks() {{
	echo 3 >/sys/class/leds/identify/identify
	sleep 1
	grep -F '[identify]' /sys/class/leds/*:status/trigger
}}
echo TAP version 13
for module in leds-gpio i2c-imx rtc-ds1307 fixed rfkill-gpio leds-identify rtc-seed; do
	modprobe $module
done
sleep 3
'''

# Name of the machine, device type, disk, folder of trees, modules of the disk.
Board = collections.namedtuple('Board', 'machine kind disk trees modules options')
EVK = Board('imx8mp-rtc', 'imx8mm-var-som', 'mmcblk2p', '/mnt/sysroot/active/boot',
            ('sdhci-esdhc-imx',), ('-drive', 'if=sd,bus=2,unit=0,format=raw,file={}'))
VIRT = Board('virt-dead', 'raspberrypi4-64', 'vda', '/mnt/boot', ('virtio_blk',),
             ('-drive', 'if=none,id=disk,format=raw,file={}',
              '-device', 'virtio-blk-pci,drive=disk', '-rtc', 'base=2031-02-03T04:05:06'))
# The labels that QEMU's tree has not, and what the overlays of a board without a family are for.
LABELS = 'gpio\t/pl061@9030000\nrtc\t/pl031@9010000\n'
GIVEN = {'RTC': 'rtc', 'MODEM_POWER': 'gpio 5', 'MODEM_RESET': 'gpio 6', 'MODEM_RADIO': 'gpio 7'}
DRIVERS = ['leds-gpio', 'i2c-imx', 'rtc-ds1307', 'fixed', 'rfkill-gpio']

LED = '[ -e /sys/class/leds/green:status ]'
CHIP = 'readlink /sys/bus/i2c/devices/2-0068/driver | grep rtc-ds1307'
IDENTIFY = 'blinks'
FIELD = (
    ('the LED\'s driver has its device', LED),
    ('identify blinks it', IDENTIFY),
    ('the clock chip\'s driver has its device', CHIP),
    ('the clock chip has the time',
     '[ $(cat /sys/class/rtc/rtc*/since_epoch | sort -n | tail -n 1) -gt 1927857900 ]'),
    ('the modem has its supply', 'grep modem-power /sys/class/regulator/*/name'),
    ('the modem has its radio switch', 'grep modem /sys/class/rfkill/*/name'))
SLOT = FIELD[-2:]
BARE = (('no clock chip is there', f'! {CHIP}'),
        ('no modem slot is there', '! [ -e /proc/device-tree/rfkill-modem ]'))

# What each start is on, and what is looked at and done there.
STARTS = {
    EVK: (
        ('own', BARE + (
            ('another board\'s tree is refused',
             'status 4 dtb-swap install /trees/field.dtb && ! [ -e /mnt/boot/extra_uEnv.txt ]'),
            ('one that has never run here is refused as long as it could be tried',
             'status 14 dtb-swap install --accept-board balena,imx8mp-field /trees/field.dtb && '
             '! [ -e /mnt/boot/extra_uEnv.txt ]'),
            ('the carrier\'s tree is installed, its board accepted by name',
             'status 0 dtb-swap install --untried --accept-board balena,imx8mp-field '
             '/trees/field.dtb'))),
        ('field', FIELD + (
            ('status says which tree is selected',
             'dtb-swap status | grep "selected *swap-field-"'),
            ('it is rolled back', 'status 0 dtb-swap rollback'))),
        ('own', BARE + (
            ('two overlays are installed on the board\'s own tree',
             'status 0 dtb-swap install --untried --labels /trees/own.labels --overlay '
             '/trees/rtc-ds1338.dtbo /trees/identify.dtbo'),)),
        ('overlays', (
            ('the clock chip\'s driver has its device', CHIP),
            ('identify blinks the LED', IDENTIFY),
            ('it is rolled back', 'status 0 dtb-swap rollback'))),
        ('own', BARE)),
    VIRT: (
        ('own', (('identify has no LED', f'! {IDENTIFY}'), BARE[1],
                 ('three overlays are installed',
                  'status 0 dtb-swap install --untried --labels /trees/own.labels --overlay '
                  '/trees/identify.dtbo /trees/rtc-prefer.dtbo /trees/modem-slot.dtbo'))),
        ('overlays', (('identify blinks the LED', IDENTIFY), *SLOT,
                      ('the tree names an RTC',
                       'cmp /proc/device-tree/rtc-seed/rtcs /proc/device-tree/pl031@9010000/phandle'),
                      ('the clock is set from that', 'grep rtc0 /sys/class/misc/rtc-seed/source'),
                      ('it is rolled back', 'status 0 dtb-swap rollback'))),
        ('own', (('identify has no LED', f'! {IDENTIFY}'),))),
}


def trees(kernel, board, folder):
    """The trees and overlays that the engineer has brought, and the board's own."""
    built = overlays.build(folder / 'overlays', ['generic'] if board is VIRT else
                           ['imx8m', 'generic'], GIVEN if board is VIRT else ())
    files = {path.name: path for family in built.values() for path in family}
    machine = guest.MACHINES[board.machine]
    if board is VIRT:
        machine = dataclasses.replace(machine, tree='-+virt-led.dts')
        (folder / 'own.labels').write_text(LABELS, encoding='ascii')
        return {'own.dtb': guest.device_tree(kernel, machine, folder),
                'own.labels': folder / 'own.labels', **files}
    base = next(b for b in bases.shipped(kernel.name) if b.name == 'imx8mp-evk')
    subprocess.run([TOP / 'scripts/dt/build', TOP / 'dts/freescale/imx8mp-field.dts'], check=True,
                   capture_output=True)
    return {'own.dtb': pathlib.Path(base.dtb), 'field.dtb': OUT / 'dts/imx8mp-field.dtb',
            'own.labels': bases.compiled([base])[base].with_suffix('.labels'), **files}


def script(board, steps):
    """What the guest does in one start."""
    lines = [HEAD.format(disk=board.disk, kind=board.kind, trees=board.trees)]
    lines += [f"check {quoted(name)} {quoted(what)}" for name, what in steps]
    return '\n'.join([*lines, 'umount /mnt/boot /mnt/sysroot/active', 'echo 1..$n\n'])


def quoted(text):
    """A word for the shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def start(kernel, board, folder, files, steps):
    """Start on the tree that the disk says, or on the board's own; return the results."""
    disk = folder / 'disk.img'
    tree = taken(board.kind, disk.read_bytes())
    (folder / 'selected.dtb').write_bytes(tree or files['own.dtb'].read_bytes())
    machine = dataclasses.replace(guest.MACHINES[board.machine], tree=str(folder / 'selected.dtb'))
    work, _ = kernel.build_pack()
    modules = [*board.modules, *MODULES]
    stage = guest.stage_modules(kernel, modules + DRIVERS, sorted(work.glob('drivers/**/*.ko')),
                                OUT / 'stage/field')
    return guest.boot(kernel, machine, {
        'lib': stage / 'lib', 'bin/dtb-swap': tool('arm64', musl=True), 'mnt/boot/keep': b'',
        'mnt/sysroot/active/keep': b'', **{f'trees/{name}': path for name, path in files.items()},
        'boardpack/modules': '\n'.join([*modules, '']).encode(),
        'boardpack/run': script(board, steps).encode()}, LIMIT, tag='field', icount='',
        extra=[word.format(disk) for word in board.options])


def story(tap, kernel, board):
    """All starts of a board, one after the other."""
    with tempfile.TemporaryDirectory(dir=OUT) as work:
        folder = pathlib.Path(work)
        mkfs(folder, ('-F', '16'))
        os.truncate(folder / 'disk.img', CARD)
        files = trees(kernel, board, folder)
        for number, (name, steps) in enumerate(STARTS[board], 1):
            where = f'{board.machine}, start {number}, on the {name} tree'
            selected = taken(board.kind, (folder / 'disk.img').read_bytes())
            tap.result(bool(selected) == (name != 'own'), f'{where}: that is what is selected')
            outcome = start(kernel, board, folder, files, steps)
            for result in outcome.results:
                tap.result(result.state == 'passed', f'{where}: {result.name}', result.why)
            done = sum(result.state == 'passed' for result in outcome.results)
            tap.result(done > len(steps), f'{where}: all was done', outcome.verdict)

def main():
    """Each board."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('FIELD_KERNEL', '6.12')].ensure()
    for board in STARTS:
        if not sys.argv[1:] or board.machine in sys.argv[1:]:
            story(tap, kernel, board)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
