#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A tree is tried once, by kexec: only the commit makes it stay, whatever else happens.

Each story is a guest that starts on its old tree and tries another, until it is reset. Then
comes a cold start, on the tree that a bootloader finds on the disk. A kernel that hangs is
ended by a watchdog, and by nothing else.
"""

import collections
import dataclasses
import os
import pathlib
import sys
import tempfile

import guest
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from power import MODULES, mkfs, taken  # noqa: E402

TRIED = '6.12 7.2 6.1'      # the kernels; on the first all stories, on the others these
ELSEWHERE = ('a good tree, committed', 'a tree that hangs, and a watchdog')
KIND = 'raspberrypi4-64'        # all on one FAT partition
CARD = 128 << 20        # a size that cards may have
LIMIT, QUIET = 900, 400 # seconds of a start, and without a byte from it: nothing ends it
SCRIPT = '''
for _ in 1 2 3 4 5 6 7 8 9; do
	[ -b /dev/{disk}1 ] || sleep 1
done
mount -t vfat /dev/{disk}1 /mnt/boot
echo "# runs: $(tr -d '\\0' </proc/device-tree/model)"
if grep -q dtb_swap.try= /proc/cmdline; then
	{trial}
	exit
fi
[ ! -e /mnt/boot/config.json ] || exit
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
sync
{dog}
dtb-swap try /trees/new.dtb --kernel /boot/Image --initrd /boot/initrd {options}
echo "# try has ended: $?"
'''

# What a board has beside the machine: its disk and watchdog, and how QEMU is told. QEMU has the
# guest wait for an SD card, so that all other waiting can be free.
Board = collections.namedtuple('Board', 'machine model disk host dog options append icount',
                               defaults=(None,))
VIRT = Board('virt-dead', 'linux,dummy-virt', 'mmcblk0p', 'sdhci-pci', '',
             ['-drive', 'if=none,id=disk,format=raw,file={}', '-device', 'sdhci-pci',
              '-device', 'sd-card,drive=disk'], 'earlycon')
# A kernel that panics counts out its 10 s: one that executes less in that time takes us less.
SLOW = VIRT._replace(icount='-icount shift=6,sleep=off')
# Without a console what is said is seen all the same.
MUTE = VIRT._replace(append='earlycon keep_bootcon')
DOG = VIRT._replace(dog='i6300esb', append='watchdog.stop_on_reboot=0',
                    options=[*VIRT.options, '-device', 'i6300esb'])
EVK = Board('imx8mp-evk', 'NXP i.MX8MPlus EVK board', 'mmcblk2p', 'sdhci-esdhc-imx', 'imx2_wdt',
            ['-drive', 'if=sd,bus=2,unit=0,format=raw,file={}'], '')
# What is tried, what the trial does, words on the two ports, what a cold start takes.
Story = collections.namedtuple('Story', 'name change trial said shown after board options kind init',
                               defaults=(VIRT, '', KIND, None))


def same(_):
    """It is as the old one."""


def lose_console(tree):
    """The kernel makes no device of a serial port that is no primecell."""
    for node in [name for name in tree.children('/') if name.startswith('pl011@')]:
        tree.text(f'/{node}', 'compatible', 'arm,pl011')


def panic(tree):
    """A clock that nothing stands on is where nothing answers."""
    node = next(name for name in tree.children('/') if name.startswith('pl031@'))
    tree.cell(f'/{node}', 'reg', 0, 0xf110000, 0, 0x1000)


def hang(tree):
    """The timer's interrupts are others, which never come: the kernel waits for its first."""
    tree.cell('/timer', 'interrupts', *(1, 1, 0x104) * 4)


WAIT = 'dtb-swap guard --limit 5'
# That the timer's are others is refused, so that it has to be accepted.
HANGS = ('--watchdog /dev/watchdog0 --limit 20 '
         '--accept "arm,armv8-timer: it has other interrupts in the new tree"')
# The bench's own init would end without the console that it opens.
INIT = b'''#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DTB_SWAP_LIMIT=5
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
sh /etc/init.d/dtb-swap-guard start
while :; do
	sleep 9
done
'''
STORIES = (
    Story('a good tree, committed', same, 'dtb-swap commit && echo "# committed"',
          ('# runs: new', '# committed'), '', 'new'),
    Story('a good tree that nobody commits, and no known bootloader', same, WAIT, ('# runs: new',),
          'nobody has committed', None, kind='acme-box'),
    Story('a tree without console', lose_console, '', (), 'nobody has committed', None, MUTE, init=INIT),
    Story('a tree that panics', panic, WAIT, (), 'Rebooting in 10 seconds', None, SLOW),
    Story('a tree that hangs, and a watchdog', hang, WAIT, (), 'Starting new kernel', None, DOG, HANGS),
    Story('a tree that hangs, on an i.MX8M Plus', hang, WAIT, (), 'Starting new kernel', None, EVK, HANGS),
)


def old_tree(kernel, machine, folder):
    """The tree that the board starts with, without what QEMU takes out before a start."""
    if machine.tree == '-':
        return Tree(guest.own_tree(machine, folder))
    tree = Tree(kernel.dtb(machine.tree))
    return tree.text('/soc@0/bus@30800000/spi@30bb0000', 'status', 'disabled')


def boot(kernel, board, files, disk, tree=None):
    """Start a guest with a disk, on a tree or on its own; QEMU takes the last that it is told."""
    machine = guest.MACHINES[board.machine]
    if tree:
        machine = dataclasses.replace(machine, tree=str(tree))
    return guest.boot(kernel, machine, files, LIMIT, quiet=QUIET, tag='try', append=board.append,
                      icount=board.icount, extra=[word.format(disk) for word in board.options])


def start(kernel, folder, story):
    """Boot the old tree, let it try another, start cold where the disk has a tree; return the
    outcomes, and None for a start on the machine's own, which would read nothing of the disk.
    """
    board = story.board
    machine = guest.MACHINES[board.machine]
    mkfs(folder, ('-F', '16'))
    new = old_tree(kernel, machine, folder).text('/', 'model', 'new')
    story.change(new)
    modules = [board.host, *MODULES]
    stage = guest.stage_modules(kernel, [*modules, board.dog], [], OUT / 'stage/try')
    common = {
        'lib': stage / 'lib', 'bin/dtb-swap': tool('arm64', musl=True), 'mnt/boot/keep': b'',
        'etc/init.d/dtb-swap-guard': TOP / 'scripts/dtb-swap/guard.init',
        'boardpack/modules': '\n'.join(modules + ['']).encode(),
        'boardpack/run': SCRIPT.format(kind=story.kind, trial=story.trial, disk=board.disk,
                                       dog=board.dog and f'modprobe {board.dog}',
                                       options=story.options).encode()}
    guest.archive(machine, {**common, **({'init': story.init} if story.init else {})}, folder / 'initrd')
    disk = folder / 'disk.img'
    os.truncate(disk, CARD)
    first = boot(kernel, board, {
        **common, 'boot/Image': kernel.image, 'boot/initrd': folder / 'initrd',
        'trees/new.dtb': new.write(folder / 'new.dtb')}, disk)
    tree = taken(KIND, disk.read_bytes())
    if not tree:
        return first, None
    (folder / 'taken.dtb').write_bytes(tree)
    return first, boot(kernel, board, common, disk, folder / 'taken.dtb')


def ended(outcome):
    """Whether it was reset, and not waited for in vain."""
    return not any(words in result.why for result in outcome.results
                   for words in ('time limit', 'not a byte', 'QEMU ended'))


def judge(tap, name, story, first, second):
    """Both starts."""
    text, old = first.verdict, story.board.model
    tap.result(all(word in text for word in (f'# runs: {old}', *story.said)) and
               story.shown in first.console and '# try has ended' not in text and ended(first),
               f'{name}: it is started, and comes to an end', text + first.console[-3000:])
    said = second.verdict if second else ''
    tap.result(f'# runs: {story.after}\n' in said if story.after else not second,
               f'{name}: a cold start is on the {"new" if story.after else "old"} tree',
               said + second.console[-3000:] if second else 'nothing is selected')


def stories(number):
    """Those for a kernel, or what of them the words of the command line mean."""
    return [story for story in STORIES if (not number or story.name in ELSEWHERE) and
            (not sys.argv[1:] or any(word in story.name for word in sys.argv[1:]))]


def main():
    """All kernels, all stories."""
    tap = Tap()
    for number, release in enumerate(os.environ.get('TRY_KERNEL', TRIED).split()):
        kernel = KERNELS[release].ensure()
        for story in stories(number):
            name = f'{release}: {story.name}'
            with tempfile.TemporaryDirectory(dir=OUT) as work:
                first, second = start(kernel, pathlib.Path(work), story)
            print(f'# {name}: {first.seconds:.0f} s', flush=True)
            judge(tap, name, story, first, second)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
