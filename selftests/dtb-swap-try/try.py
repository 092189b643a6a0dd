#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A tree is tried once, by kexec: only the commit makes it stay, whatever else happens.

Each story is a guest that starts on its old tree and tries another. What a cold start would
take afterwards is read from its disk as a bootloader does.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import guest
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from power import MODULES, mkfs, view   # noqa: E402

KIND = 'raspberrypi4-64'        # all on one FAT partition
MACHINE = 'virt-dead'
SCRIPT = '''
mount -t vfat /dev/vda1 /mnt/boot
model=$(tr -d '\\0' </proc/device-tree/model)
echo "# runs: $model"
if grep -q dtb_swap.try= /proc/cmdline; then
	{trial}
	exit
fi
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
sync
dtb-swap try /trees/new.dtb --kernel /boot/Image --initrd /boot/initrd
echo "# try has ended: $?"
'''


def lose_console(tree):
    """The kernel makes no device of a serial port that is no primecell."""
    for node in [name for name in tree.children('/') if name.startswith('pl011@')]:
        tree.text(f'/{node}', 'compatible', 'arm,pl011')


def panic(tree):
    """The interrupt controller is where nothing is."""
    node = next(name for name in tree.children('/') if name.startswith('intc@'))
    tree.cell(f'/{node}', 'reg', 0, 0x3000000, 0, 0x10000, 0, 0x3010000, 0, 0x10000)


# What is tried, what the trial does, words on the verdict port, what a cold start takes.
STORIES = (
    ('a good tree, committed', lambda t: None, 'dtb-swap commit && echo "# committed"',
     ('# runs: linux,dummy-virt', '# runs: new', '# committed'), 'new'),
    ('a good tree that nobody commits', lambda t: None, 'dtb-swap guard --limit 5',
     ('# runs: linux,dummy-virt', '# runs: new'), None),
    ('a tree without console', lose_console, 'dtb-swap guard --limit 5', ('# runs: linux,dummy-virt',), None),
    ('a tree that panics', panic, 'dtb-swap commit', ('# runs: linux,dummy-virt',), None),
)


def start(kernel, folder, change, trial):
    """Boot the old tree and let it try another; return the outcome and the disk."""
    machine = guest.MACHINES[MACHINE]
    mkfs(folder, ('-F', '16'))
    old = folder / 'machine.dtb'
    subprocess.run([guest.BINARY['arm64'], *guest.qemu_options(machine, folder), '-machine',
                    f'dumpdtb={old}', '-display', 'none', '-serial', 'null',
                    '-serial', 'null'], check=True, capture_output=True)
    new = Tree(old).text('/', 'model', 'new')
    change(new)
    stage = guest.stage_modules(kernel, MODULES, [], OUT / 'stage/try')
    common = {
        'lib': stage / 'lib', 'bin/dtb-swap': tool('arm64', musl=True), 'mnt/boot/keep': b'',
        'boardpack/modules': '\n'.join(MODULES + ['']).encode(),
        'boardpack/run': SCRIPT.format(kind=KIND, trial=trial).encode()}
    guest.archive(machine, common, folder / 'initrd')
    disk = {'driver': 'file', 'node-name': 'disk', 'filename': str(folder / 'disk.img')}
    outcome = guest.boot(kernel, machine, {
        **common, 'boot/Image': kernel.image, 'boot/initrd': folder / 'initrd',
        'trees/new.dtb': new.write(folder / 'new.dtb')}, 600, quiet=600, tag='try', icount='',
        extra=['-blockdev', json.dumps(disk), '-device', 'virtio-blk-pci,drive=disk'])
    return outcome, (folder / 'disk.img').read_bytes()


def main():
    """All stories."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('TRY_KERNEL', '6.12')].ensure()
    for name, change, trial, words, after in STORIES:
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory(dir=OUT) as work:
            outcome, data = start(kernel, pathlib.Path(work), change, trial)
        text = outcome.verdict
        tap.result(all(word in text for word in words) and '# try has ended' not in text,
                   f'{name}: it is started', text + outcome.console[-3000:])
        taken = view(KIND, data)
        tap.result(taken == after,
                   f'{name}: a cold start takes the {"new" if after else "old"} tree', taken)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
