#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The guard, started by Debian's systemd or by a script: it waits, goes back, or does nothing.

A first guest prepares a disk for each story. Then the story is a start from that disk, with
the trial installed as pending, or with one that it tries itself by kexec.
"""

import collections
import os
import pathlib
import sys
import tempfile

import cpio
import guest
import userland
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from power import MODULES, mkfs, view   # noqa: E402

KIND = 'raspberrypi4-64'
LIMIT = 12      # seconds in place of the unit's own
# On a busy machine a guest's seconds pass more slowly, but while it waits for its disk they pass.
ICOUNT = '-icount shift=2,sleep=on'
LOADED = ['virtio_blk', *MODULES]
UNIT = 'usr/lib/systemd/system/dtb-swap-guard.service'
WANTED = 'etc/systemd/system/{}.wants/{}'
MOUNT = b'''[Unit]
DefaultDependencies=no
Before=local-fs.target
[Mount]
What=/dev/vda1
Where=/mnt/boot
Type=vfat
'''
PREPARE = '''
mount -t vfat /dev/{disk}1 /mnt/boot
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
{words}
umount /mnt/boot
'''
PENDING = 'dtb-swap try --pending /trees/new.dtb'
BY_KEXEC = 'dtb-swap try /trees/new.dtb --kernel /dev/vdb --initrd /dev/vdc'
# How the guard is started where there is no systemd, and how one sees that it runs.
SCRIPT = '''
mount -t vfat /dev/vda1 /mnt/boot
DTB_SWAP_LIMIT={limit} /etc/init.d/dtb-swap-guard start
state() { pidof dtb-swap >/dev/null && echo active || echo inactive; }
sleep 1
'''
SYSTEMD = '''
state() { systemctl show -P ActiveState dtb-swap-guard; }
'''
# The start of a story: what it says goes to the verdict port.
LOOK = '''
echo "runs $(tr -d '\\0' </proc/device-tree/model)"
if [ "{trial}" ] && ! grep -q dtb_swap.try= /proc/cmdline; then
	{trial}
	sleep 100
fi
echo "guard is $(state)"
{then}
sleep 8
echo "still here"
sleep {stay}
echo "guard is $(state) after all"
'''
COMMIT = 'dtb-swap commit && echo committed'
ACTIVE, HERE, STAYS = 'guard is active', 'still here', 'guard is inactive after all'
OLD, NEW = 'runs linux,dummy-virt', 'runs new'
# What is done to the disk and by the start before, then; what is said; what a cold start takes.
Story = collections.namedtuple('Story', 'name words trial then said after systemd',
                               defaults=(True,))
STORIES = (
    Story('pending, and committed', PENDING, '', COMMIT, (ACTIVE, 'committed', HERE, STAYS), 'new'),
    Story('pending, nobody commits', PENDING, '', '', (ACTIVE, HERE), None),
    Story('pending since a start that was cut off',
          f'{PENDING}; timeout -s KILL 2 dtb-swap guard', '', '', (), None),
    Story('installed', 'dtb-swap install /trees/new.dtb', '', '', (HERE, STAYS), 'new'),
    Story('by kexec, and committed', '', BY_KEXEC, COMMIT,
          (OLD, NEW, ACTIVE, 'committed', HERE, STAYS), 'new'),
    Story('by kexec, nobody commits', '', BY_KEXEC, '', (OLD, NEW, ACTIVE, HERE), None),
    Story('started by the script, and committed', PENDING, '', COMMIT,
          (ACTIVE, 'committed', HERE, STAYS), 'new', False),
    Story('started by the script, nobody commits', PENDING, '', '', (ACTIVE, HERE), None, False),
)


def common(kernel, folder):
    """What both kinds of guest have."""
    own = guest.own_tree(guest.MACHINES['virt-dead'], folder)
    stage = guest.stage_modules(kernel, LOADED, [], OUT / 'stage/unit')
    return {
        'lib/modules': stage / 'lib/modules', 'usr/bin/dtb-swap': tool('arm64', musl=True),
        'mnt/boot/keep': b'', 'boardpack/modules': '\n'.join([*LOADED, '']).encode(),
        'trees/new.dtb': Tree(own).text('/', 'model', 'new').write(folder / 'new.dtb')}


def boot(kernel, name, files, disks, **options):
    """Start a guest with disks."""
    drives = [word for number, disk in enumerate(disks) for word in (
        '-drive', f'if=none,id=disk{number},format=raw,file={disk}',
        '-device', f'virtio-blk-pci,drive=disk{number}')]
    return guest.boot(kernel, guest.MACHINES[name], files, 600, quiet=200, tag='unit', icount=ICOUNT,
                      extra=drives, **options)


def prepare(kernel, folder, files, stories):
    """Make the disk of each story, all in one guest; return them."""
    steps, disks = [], []
    for story, letter in zip(stories, 'abcdefghij'):
        place = folder / letter
        place.mkdir()
        disks.append(mkfs(place, ('-F', '16')))
        steps.append(PREPARE.format(disk=f'vd{letter}', kind=KIND, words=story.words))
    boot(kernel, 'virt-dead', {**files, 'boardpack/run': '\n'.join(steps).encode()}, disks)
    return disks


def script(story):
    """What a start does."""
    stay = LIMIT if story.then or not story.after else 1
    text = (SYSTEMD if story.systemd else SCRIPT) + LOOK
    for name, value in (('trial', story.trial), ('then', story.then), ('stay', stay),
                        ('limit', LIMIT)):
        text = text.replace(f'{{{name}}}', str(value))
    return text.encode()


def with_systemd():
    """The unit where an image has it, and what it comes after."""
    unit = (TOP / 'scripts/yocto/files/dtb-swap-guard.service').read_text(encoding='utf-8')
    return {
        **userland.system('arm64', 'util-linux-extra', 'chrony'),
        UNIT: unit.replace('--limit 300', f'--limit {LIMIT}').encode(),
        'etc/systemd/system/mnt-boot.mount': MOUNT,
        WANTED.format('local-fs.target', 'mnt-boot.mount'): cpio.Link('../mnt-boot.mount'),
        WANTED.format('sysinit.target', 'dtb-swap-guard.service'): cpio.Link(f'/{UNIT}')}


def start(kernel, folder, files, story, disk):
    """Start a story on its disk; a trial finds kernel and initramfs on two others."""
    name = 'virt-systemd' if story.systemd else 'virt-dead'
    more = with_systemd() if story.systemd else {
        'etc/init.d/dtb-swap-guard': TOP / 'scripts/dtb-swap/guard.init'}
    files = {**more, **files, 'boardpack/run': script(story)}
    guest.archive(guest.MACHINES[name], files, folder / 'initrd')
    with open(folder / 'initrd', 'r+b') as out:     # as long as a disk can be
        out.truncate((out.seek(0, os.SEEK_END) + 511) & ~511)
    return boot(kernel, name, files, [disk, f'{kernel.image},readonly=on',
                                      f'{folder}/initrd,readonly=on'],
                append=userland.APPEND if story.systemd else '')


def judge(tap, story, outcome, disk):
    """Whether it stays where it should, and what the next start is on."""
    words = outcome.verdict
    ended = not any(word in result.why for result in outcome.results
                    for word in ('time limit', 'not a byte', 'QEMU ended'))
    tap.result(ended and all(word in words for word in story.said) and
               all(word in story.said for word in (HERE, STAYS) if word in words),
               f'{story.name}: the system {"stays" if STAYS in story.said else "is started again"}',
               words + outcome.console[-3000:])
    tree = view(KIND, disk.read_bytes())
    tap.result(tree == story.after,
               f'{story.name}: the next start takes the {"new" if story.after else "old"} tree',
               tree)


def main():
    """All stories."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('FIELD_KERNEL', '6.12')].ensure()
    stories = [story for story in STORIES if not sys.argv[1:] or
               any(word in story.name for word in sys.argv[1:])]
    with tempfile.TemporaryDirectory(dir=OUT) as work:
        folder = pathlib.Path(work)
        files = common(kernel, folder)
        disks = prepare(kernel, folder, files, stories)
        for story, disk in zip(stories, disks):
            selected = view(KIND, disk.read_bytes())
            tap.result(selected == ('new' if story.words else None),
                       f'{story.name}: the disk is as it should be', selected)
            outcome = start(kernel, folder, files, story, disk)
            print(f'# {story.name}: {outcome.seconds:.0f} s', flush=True)
            judge(tap, story, outcome, disk)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
