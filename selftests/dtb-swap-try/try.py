#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A tree is tried once, by kexec: only the commit makes it stay, whatever else happens.

Each story is a guest that starts on its old tree and tries another. What a cold start would
take afterwards is read from its disk as a bootloader does. A kernel that hangs is ended by a
watchdog, and by nothing else.
"""

import collections
import os
import pathlib
import sys
import tempfile

import guest
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from power import MODULES, mkfs, view   # noqa: E402

KIND = 'raspberrypi4-64'        # all on one FAT partition
CARD = 128 << 20        # a size that cards may have
SCRIPT = '''
for _ in 1 2 3 4 5 6 7 8 9; do
	[ -b /dev/{disk}1 ] || sleep 1
done
mount -t vfat /dev/{disk}1 /mnt/boot
model=$(tr -d '\\0' </proc/device-tree/model)
echo "# runs: $model"
if grep -q dtb_swap.try= /proc/cmdline; then
	{trial}
	exit
fi
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
sync
dtb-swap try /trees/new.dtb --kernel /boot/Image --initrd /boot/initrd {options}
echo "# try has ended: $?"
'''

# What a board has beside the machine: its disk and watchdog, and how QEMU is told.
Board = collections.namedtuple('Board', 'machine model disk modules options append')
VIRT = Board('virt-dead', 'linux,dummy-virt', 'vda', ['virtio_blk'],
             ['-drive', 'if=none,id=disk,format=raw,file={}',
              '-device', 'virtio-blk-pci,drive=disk'], '')
DOG = Board('virt-dead', VIRT.model, 'vda', ['virtio_blk', 'i6300esb'],
            [*VIRT.options, '-device', 'i6300esb'], 'watchdog.stop_on_reboot=0')
Story = collections.namedtuple('Story', 'name change trial words after board options',
                               defaults=(VIRT, ''))


def lose_console(tree):
    """The kernel makes no device of a serial port that is no primecell."""
    for node in [name for name in tree.children('/') if name.startswith('pl011@')]:
        tree.text(f'/{node}', 'compatible', 'arm,pl011')


def panic(tree):
    """The interrupt controller is where nothing is."""
    node = next(name for name in tree.children('/') if name.startswith('intc@'))
    tree.cell(f'/{node}', 'reg', 0, 0x3000000, 0, 0x10000, 0, 0x3010000, 0, 0x10000)


def hang(tree):
    """The timer's interrupts are others, which never come: the kernel waits for its first."""
    tree.cell('/timer', 'interrupts', *(1, 1, 0x104) * 4)


WAIT = 'dtb-swap guard --limit 5'
STORIES = (
    Story('a good tree, committed', lambda t: None, 'dtb-swap commit && echo "# committed"',
          ('# runs: new', '# committed'), 'new'),
    Story('a good tree that nobody commits', lambda t: None, WAIT, ('# runs: new',), None),
    Story('a tree without console', lose_console, WAIT, (), None),
    Story('a tree that panics', panic, WAIT, (), None),
    Story('a tree that hangs, and a watchdog', hang, WAIT, (), None, DOG,
          '--watchdog /dev/watchdog0 --limit 20'),
)


def start(kernel, folder, story):
    """Boot the old tree and let it try another; return the outcome and the disk."""
    board = story.board
    machine = guest.MACHINES[board.machine]
    mkfs(folder, ('-F', '16'))
    new = Tree(guest.own_tree(machine, folder)).text('/', 'model', 'new')
    story.change(new)
    modules = [*board.modules, *MODULES]
    stage = guest.stage_modules(kernel, modules, [], OUT / 'stage/try')
    common = {
        'lib': stage / 'lib', 'bin/dtb-swap': tool('arm64', musl=True), 'mnt/boot/keep': b'',
        'boardpack/modules': '\n'.join(modules + ['']).encode(),
        'boardpack/run': SCRIPT.format(kind=KIND, trial=story.trial, disk=board.disk,
                                       options=story.options).encode()}
    guest.archive(machine, common, folder / 'initrd')
    disk = folder / 'disk.img'
    os.truncate(disk, CARD)
    outcome = guest.boot(kernel, machine, {
        **common, 'boot/Image': kernel.image, 'boot/initrd': folder / 'initrd',
        'trees/new.dtb': new.write(folder / 'new.dtb')}, 600, tag='try', icount='',
        append=board.append, extra=[word.format(disk) for word in board.options])
    return outcome, disk.read_bytes()


def ended(outcome):
    """Whether it was reset, and not waited for in vain."""
    return not any(words in result.why for result in outcome.results
                   for words in ('time limit', 'not a byte', 'QEMU ended'))


def main():
    """All stories."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('TRY_KERNEL', '6.12')].ensure()
    for story in STORIES:
        if sys.argv[1:] and not any(word in story.name for word in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory(dir=OUT) as work:
            outcome, data = start(kernel, pathlib.Path(work), story)
        text = outcome.verdict
        words = (f'# runs: {story.board.model}', *story.words)
        print(f'# {story.name}: {outcome.seconds:.0f} s')
        tap.result(all(word in text for word in words) and '# try has ended' not in text and
                   ended(outcome), f'{story.name}: it is started, and comes to an end',
                   text + outcome.console[-3000:])
        taken = view(KIND, data)
        tap.result(taken == story.after, f'{story.name}: a cold start takes the '
                   f'{"new" if story.after else "old"} tree', taken)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
