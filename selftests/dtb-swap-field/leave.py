#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Debian's systemd ends a start whose next one is on the other root: the unit carries the tree.

A supervisor that selects another tree when it is stopped is the last who does so.
"""

import collections
import os
import pathlib
import sys
import tempfile

import cpio
import guest
import trimmed
import userland
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from disk import Damaged     # noqa: E402
from power import EXT4_AT, EXT4_SIZE, MODULES, mkfs, view   # noqa: E402

KIND, NEW_AT = 'imx8mm-var-som', EXT4_AT + EXT4_SIZE
NAME = 'dtb-swap-carry.service'
UNIT = f'usr/lib/systemd/system/{NAME}'
SUPERVISOR = b'''[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'sleep 2; echo custom_fdt_file=$$(cat /fleet) >/mnt/boot/extra_uEnv.txt'
'''
SCRIPT = '''
old=/mnt/sysroot/active new=/mnt/sysroot/inactive
mount -t vfat /dev/vda1 /mnt/boot && mount -t ext4 /dev/vda2 $old && mount -t ext4 /dev/vda3 $new
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
dtb-swap install --untried /trees/fleet.dtb && ls $old/boot | grep swap-fleet >/fleet
dtb-swap install --untried /trees/one.dtb && echo installed
printf 'resin_root_part=3\\nupgrade_available=1\\n' >/mnt/boot/resinOS_uEnv.txt
{words}
sync
systemctl start balena-supervisor && echo leaves
systemctl --no-block reboot
sleep 100
'''
# What is done before, whether the unit is there; the tree that the new OS is started with.
Story = collections.namedtuple('Story', 'name words unit after', defaults=('', True, 'fleet'))
STORIES = (
    Story('an update without the hook'),
    Story('the same without the unit', unit=False, after='stops'),
    Story('the way back, and no place for the tree', 'sed -i s/available=1/available=0/ /mnt/boot/resinOS_uEnv.txt; '
          'mkdir $new/boot/$(cat /fleet)', after=None))


def start(kernel, folder, story):
    """The start that ends; returns what it said."""
    machine = guest.MACHINES['virt-systemd']
    stage = guest.stage_modules(kernel, MODULES, [], OUT / 'stage/leave')
    tree = guest.own_tree(machine, folder)
    wanted = {f'etc/systemd/system/basic.target.wants/{NAME}': cpio.Link(f'/{UNIT}')} if story.unit else {}
    return guest.boot(kernel, machine, {
        **trimmed.system(folder), **wanted,
        UNIT: TOP / 'scripts/yocto/files' / NAME,
        'etc/systemd/system/balena-supervisor.service': SUPERVISOR,
        'lib/modules': stage / 'lib/modules', 'usr/bin/dtb-swap': tool('arm64', musl=True),
        **{f'trees/{word}.dtb': Tree(tree).text('/', 'model', word).write(folder / word)
           for word in ('one', 'fleet')},
        **{f'mnt/{name}/keep': b'' for name in ('boot', 'sysroot/active', 'sysroot/inactive')},
        'boardpack/modules': '\n'.join([*MODULES, '']).encode(),
        'boardpack/run': SCRIPT.format(kind=KIND, words=story.words).encode()},
        300, tag='leave', icount='', append=userland.APPEND,
        extra=['-drive', f'if=none,id=disk,format=raw,file={folder}/disk.img',
               '-device', 'virtio-blk-pci,drive=disk'])


def main():
    """All stories."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('FIELD_KERNEL', '6.12')].ensure()
    for story in STORIES:
        with tempfile.TemporaryDirectory(dir=OUT) as work:
            folder = pathlib.Path(work)
            mkfs(folder, ('-F', '16'), 2)
            outcome = start(kernel, folder, story)
            try:
                after = view(KIND, (folder / 'disk.img').read_bytes(), NEW_AT)
            except Damaged:
                after = 'stops'
        print(f'# {story.name}: {outcome.seconds:.0f} s', flush=True)
        tap.result('installed' in outcome.verdict and 'leaves' in outcome.verdict and after == story.after,
                   f'shutdown: {story.name}: the new OS is started with {story.after or "its own tree"}',
                   f'{after}\n{outcome.verdict}{outcome.console[-3000:]}')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
