#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The guard, started by Debian's systemd or by a script: it waits, goes back, or does nothing.

A first guest prepares a disk for each story. Then the story is a start from that disk, with
the trial installed as pending, or with one that it tries itself by kexec. The disk is an SD card,
which QEMU lets the guest wait for, so that all other waiting is free.
"""

import collections
import os
import pathlib
import subprocess
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
from power import MODULES, mkfs, view   # noqa: E402

KIND = 'raspberrypi4-64'
LIMIT = 30      # seconds in place of the unit's own
CARD = 128 << 20        # a size that cards may have
LOADED = ['sdhci-pci', *MODULES]
UNIT = f'{trimmed.SYSTEM[1:]}/dtb-swap-guard.service'
MOUNT = b'''[Unit]
DefaultDependencies=no
Before=local-fs.target
[Mount]
What=/dev/mmcblk0p1
Where=/mnt/boot
Type=vfat
'''
# Cards are found in any order.
NAME_AT = 440
CARDS = '''
until [ $(ls /dev/mmcblk?p1 | wc -l) = {count} ]; do
	sleep 1
done
card() {{
	for name in /dev/mmcblk?; do
		[ $(dd if=$name bs=1 skip=440 count=1 2>/dev/null) != $1 ] || echo $name
	done
}}
'''
PREPARE = '''
mount -t vfat $(card {letter})p1 /mnt/boot
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
{words}
umount /mnt/boot
'''
# As far as the tool can tell.
GUARDED = 'mkdir -p /etc/rcS.d; ln -sf /usr/bin/dtb-swap /etc/rcS.d/S40dtb-swap-guard'
PENDING = f'{GUARDED}; dtb-swap try --pending /trees/new.dtb'
BOOT_ID = '/proc/sys/kernel/random/boot_id'
ANOTHER_START = f'echo another >/start; mount --bind /start {BOOT_ID}'
BY_KEXEC = 'dtb-swap try /trees/new.dtb --kernel /boot/Image --initrd /boot/initrd'
# How the guard is started where there is no systemd, and how one sees that it runs.
SCRIPT = '''
until [ -b /dev/mmcblk0p1 ]; do
	sleep 1
done
mount -t vfat /dev/mmcblk0p1 {boot}
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
# QEMU takes no tree from the card.
STARTED = f'mount --bind /mnt/boot/swap-new-*.dtb /sys/firmware/fdt; {COMMIT}'
ACTIVE, HERE, STAYS = 'guard is active', 'still here', 'guard is inactive after all'
OLD, NEW = 'runs linux,dummy-virt', 'runs new'
# What is done to the disk and by the start before, then; what is said; what a cold start takes.
Story = collections.namedtuple('Story', 'name words trial then said after systemd boot',
                               defaults=(True, '/mnt/boot'))
STORIES = (
    Story('pending, and committed', PENDING, '', STARTED, (ACTIVE, 'committed', HERE, STAYS), 'new'),
    Story('pending, nobody commits', PENDING, '', '', (ACTIVE, HERE), None),
    Story('pending since a start that was cut off',
          f'{PENDING}; {ANOTHER_START}; timeout -s KILL 2 dtb-swap guard; umount {BOOT_ID}', '', '',
          (), None),
    Story('installed', 'dtb-swap install --untried /trees/new.dtb', '', '', (HERE, STAYS), 'new'),
    Story('by kexec, and committed', '', BY_KEXEC, COMMIT,
          (OLD, NEW, ACTIVE, 'committed', HERE, STAYS), 'new'),
    Story('by kexec, the guard is killed, and nobody commits', '', BY_KEXEC,
          'systemctl kill -s KILL dtb-swap-guard', (OLD, NEW, ACTIVE, HERE), None),
    Story('started by the script, and committed', PENDING, '', STARTED,
          (ACTIVE, 'committed', HERE, STAYS), 'new', False),
    Story('started by the script, nobody commits', PENDING, '', '', (ACTIVE, HERE), None, False,
          '/boot/firmware'),
    Story('by kexec, started by the script', '', BY_KEXEC, '', (OLD, NEW, ACTIVE, HERE), None,
          False),
)


def common(kernel, folder):
    """What both kinds of guest have."""
    own = guest.own_tree(guest.MACHINES['virt-dead'], folder)
    stage = guest.stage_modules(kernel, LOADED, [], OUT / 'stage/unit')
    return {
        'lib/modules': stage / 'lib/modules', 'usr/bin/dtb-swap': tool('arm64', musl=True),
        'boardpack/modules': '\n'.join([*LOADED, '']).encode(),
        'trees/new.dtb': Tree(own).text('/', 'model', 'new').write(folder / 'new.dtb')}


def boot(kernel, name, files, cards, **options):
    """Start a guest with SD cards."""
    drives = [word for number, card in enumerate(cards) for word in (
        '-device', f'sdhci-pci,id=host{number}',
        '-device', f'sd-card,drive=card{number},bus=pcie.0/host{number}/sd-bus',
        '-drive', f'if=none,id=card{number},format=raw,file={card}')]
    return guest.boot(kernel, guest.MACHINES[name], files, 1500, quiet=200, tag='unit', extra=drives,
                      **options)


def prepare(kernel, folder, files, stories):
    """Make the card of each story, all in one guest; return them."""
    base, cards = mkfs(folder, ('-F', '16')), []
    steps = [CARDS.format(count=len(stories))]
    for story, letter in zip(stories, 'abcdefghij'):
        cards.append(folder / f'{letter}.img')
        subprocess.run(['cp', '--sparse=always', base, cards[-1]], check=True)
        with open(cards[-1], 'r+b') as card:
            card.truncate(CARD)
            card.seek(NAME_AT)
            card.write(letter.encode())
        steps.append(PREPARE.format(letter=letter, kind=KIND, words=story.words))
    boot(kernel, 'virt-dead', {**files, 'mnt/boot/keep': b'',
                               'boardpack/run': '\n'.join(steps).encode()}, cards)
    return cards


def script(story):
    """What a start does."""
    stay = LIMIT if story.then or not story.after else 1
    text = (SYSTEMD if story.systemd else SCRIPT) + LOOK
    for name, value in (('trial', story.trial), ('then', story.then), ('stay', stay),
                        ('limit', LIMIT), ('boot', story.boot)):
        text = text.replace(f'{{{name}}}', str(value))
    return text.encode()


def with_systemd(folder):
    """The unit where an image has it, and what it comes after."""
    unit = (TOP / 'scripts/yocto/files/dtb-swap-guard.service').read_text(encoding='utf-8')
    wanted = trimmed.WANTED.format
    return {
        **trimmed.system(folder),
        UNIT: unit.replace('--limit 300', f'--limit {LIMIT}').encode(),
        'etc/systemd/system/mnt-boot.mount': MOUNT,
        wanted('local-fs.target', 'mnt-boot.mount'): cpio.Link('../mnt-boot.mount'),
        wanted('sysinit.target', 'dtb-swap-guard.service'): cpio.Link(f'/{UNIT}')}


def start(kernel, folder, files, story, card):
    """Start a story on its card; a trial finds the kernel and an initramfs like its own."""
    name = 'virt-systemd' if story.systemd else 'virt-dead'
    more = with_systemd(folder) if story.systemd else {
        'etc/init.d/dtb-swap-guard': TOP / 'scripts/dtb-swap/guard.init'}
    files = {**more, **files, f'{story.boot[1:]}/keep': b'', 'boardpack/run': script(story)}
    if story.trial:     # packed, since kexec looks at each page for each page
        guest.archive(guest.MACHINES[name], files, folder / 'initrd')
        subprocess.run(['zstd', '-q', '-f', folder / 'initrd'], check=True)
        files |= {'boot/Image': kernel.image, 'boot/initrd': folder / 'initrd.zst'}
    return boot(kernel, name, files, [card], append=userland.APPEND if story.systemd else '')


def judge(tap, story, outcome, card):
    """Whether it stays where it should, and what the next start is on."""
    words = outcome.verdict
    ended = not any(word in result.why for result in outcome.results
                    for word in ('time limit', 'not a byte', 'QEMU ended'))
    stays = ' after all' in words       # also where the guard is not there any more, but failed
    tap.result(ended and all(word in words for word in story.said) and
               (HERE in story.said or HERE not in words) and stays == (STAYS in story.said),
               f'{story.name}: the system {"stays" if STAYS in story.said else "is started again"}',
               words + outcome.console[-3000:])
    tree = view(KIND, card.read_bytes())
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
        cards = prepare(kernel, folder, files, stories)
        for story, card in zip(stories, cards):
            selected = view(KIND, card.read_bytes())
            tap.result(selected == ('new' if story.words else None),
                       f'{story.name}: the disk is as it should be', selected)
            outcome = start(kernel, folder, files, story, card)
            print(f'# {story.name}: {outcome.seconds:.0f} s', flush=True)
            judge(tap, story, outcome, card)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
