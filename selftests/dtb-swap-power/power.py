#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The power fails at every write: the bootloader finds a whole, valid tree all the same.

A guest runs the tool on real FAT and ext4; QEMU records what reaches the disk. Then the
disk is put together as far as each write, and, since disks keep back and reorder what has not
been flushed, also without each single write since the last flush, and with chance subsets.
"""

import itertools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import libfdt

import guest
import userland
from disk import Damaged, Ext4, Fat, entries
from kernel import KERNELS, OUT, TOP

sys.path.insert(0, str(TOP / 'selftests/dtb-swap'))

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from install import EXTLINUX            # noqa: E402

FAT_AT, FAT_SIZE = 1 << 20, 40 << 20
EXT4_AT, EXT4_SIZE = FAT_AT + FAT_SIZE, 24 << 20
MODULES = ['virtio_pci', 'virtio_blk', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859-1', 'nls_utf8',
           'crc32c_generic', 'ext4']
# Device type, options of mkfs.vfat, how the root file system is mounted.
DEVICES = (('imx8mm-var-som', ('-F', '16'), 'ro'), ('jetson-nano', ('-F', '16'), 'rw'),
           ('raspberrypi4-64', ('-F', '32', '-s', '1'), 'ro'))
NO_CHECKPOINT = '5.10'       # ext4 empties its journal on demand from 5.14 on
BOOT_ID = '/proc/sys/kernel/random/boot_id'
# What is done, what is selected then, and where rollback leads from there. Another start of the
# device is another number of it.
STEPS = (
    ('install --untried one', 'one', None), ('install --untried two', 'two', 'one'),
    ('rollback', 'one', 'one'), ('install --untried three', 'three', 'one'),
    ('rollback', 'one', 'one'),
    ('try --pending two', 'two', 'one'), ('guard --limit 0', 'one', 'one'),
    ('try --pending three', 'three', 'one'), ('commit', 'three', 'one'),
    ('rollback --own', None, None),
)
# Commands that change neither come once.
PAIRS = [key for key, _ in itertools.groupby([(None, None), *(step[1:] for step in STEPS)])]
STORY = tuple(what for what, _ in PAIRS)
SCRIPT = '''
mount -t vfat /dev/vda1 /mnt/boot && mount -t ext4 -o {how} /dev/vda2 /mnt/sysroot/active
mount | sed 's/^/# /'
cp /trees/config.json /trees/extra_uEnv.txt /trees/config.txt /mnt/boot; sync
echo 100 >/proc/sys/vm/dirty_expire_centisecs; echo 50 >/proc/sys/vm/dirty_writeback_centisecs
mkdir -p /run/systemd/system /etc/rc5.d
ln -s /bin/dtb-swap /etc/rc5.d/S40dtb-swap-guard
echo 0 >/start && mount --bind /start {boot_id}
cp /sys/firmware/fdt /own && cp /own /running && mount --bind /running /sys/firmware/fdt
echo {begin} | dd of=/dev/vda bs=512 seek=8 conv=sync,fsync 2>/dev/null
n=0
echo TAP version 13
while read -r words; do
	n=$((n + 1))
	echo $n >/start
	name=$(cat /mnt/boot/extra_uEnv.txt /mnt/boot/config.txt | sed -n 's/.*=swap-/swap-/p')
	cat /own >/running
	[ -z "$name" ] || cat /mnt/boot/$name /mnt/sysroot/active/boot/$name >/running 2>/dev/null
	said=$(dtb-swap $words 2>&1 </dev/null) && echo "ok $n $words" || {{ echo "$said" | sed 's/^/# /'; echo "not ok $n $words"; }}
	sleep 3
done <<-EOF
{steps}
EOF
echo 1..$n
'''
SYSTEMCTL = b'#!/bin/sh\n'        # the guest does not start again
CHANCES = 8
BEGIN = 'the-story-begins'
PLAIN = b'''#!/bin/sh
for last; do :; done
[ -e "$last" ] || last=/trees/one.dtb
set -- install "$last"
name=$(cat "${2%.dtb}.name")
cp "$2" "/mnt/boot/$name"
echo "device_tree=$name" >/mnt/boot/config.txt
sync
'''


def mkfs(folder, options, roots=1):
    """A disk with a FAT partition and ext4 ones, empty but for what Jetsons start by."""
    tools = userland.unpacked('amd64', 'e2fsprogs', 'libext2fs2t64', 'dosfstools')
    env = {**os.environ, 'LD_LIBRARY_PATH': str(tools / 'usr/lib/x86_64-linux-gnu')}
    disk = folder / 'disk.img'
    (folder / 'root/boot/extlinux').mkdir(parents=True)
    (folder / 'root/boot/extlinux/extlinux.conf').write_text(EXTLINUX, encoding='ascii')
    for name, size, command in (
            ('fat.img', FAT_SIZE, ['mkfs.vfat', *options, '-n', 'resin-boot']),
            ('ext4.img', EXT4_SIZE, ['mke2fs', '-q', '-t', 'ext4', '-d', folder / 'root'])):
        with open(folder / name, 'wb') as out:
            out.truncate(size)
        subprocess.run([tools / 'usr/sbin' / command[0], *command[1:], folder / name], env=env,
                       check=True, capture_output=True)
    table = b''.join(bytes((0, 0, 2, 0, kind, 0, 2, 0)) + (at >> 9).to_bytes(4, 'little') +
                     (size >> 9).to_bytes(4, 'little')
                     for kind, at, size in ((0xc, FAT_AT, FAT_SIZE), *(
                         (0x83, EXT4_AT + i * EXT4_SIZE, EXT4_SIZE) for i in range(roots))))
    disk.write_bytes(bytes(446) + table.ljust(64, b'\0') + b'\x55\xaa' + bytes(FAT_AT - 512) +
                     (folder / 'fat.img').read_bytes() + (folder / 'ext4.img').read_bytes() * roots)
    return disk


def recorded(folder):
    """QEMU's arguments for that disk, with a log of what reaches it."""
    (folder / 'log.img').write_bytes(b'')
    files = ({'driver': 'file', 'filename': str(folder / name), 'cache': {'no-flush': True}}
             for name in ('disk.img', 'log.img'))
    disk = {'driver': 'blklogwrites', 'node-name': 'disk', 'log-sector-size': 512,
            'file': next(files), 'log': next(files)}
    return ['-blockdev', json.dumps(disk), '-device', 'virtio-blk-pci,drive=disk']


def record(kernel, folder, kind, how, program):
    """Let the tool do all of the story in a guest; return its results and the log."""
    machine = guest.MACHINES['virt-dead']
    tree = guest.own_tree(machine, folder)
    trees = {f'trees/{word}.dtb': Tree(tree).text('/', 'model', word).write(folder / word)
             for word in set(STORY) - {None}}
    names = {f'trees/{path.name}.name': f'swap-{path.name}-{fnv(path.read_bytes()):08x}.dtb'.encode()
             for path in trees.values()}
    stage = guest.stage_modules(kernel, MODULES, [], OUT / 'stage' / f'power-{kind}')
    base = (folder / 'disk.img').read_bytes()
    outcome = guest.boot(kernel, machine, {
        'lib': stage / 'lib', 'bin/dtb-swap': program, **trees, **names,
        'trees/config.json': json.dumps({'deviceType': kind}).encode(),
        'trees/extra_uEnv.txt': b'extra_os_cmdline=quiet_and_long_enough\n',
        'trees/config.txt': b'dtparam=i2c_arm=on\n',
        'mnt/boot/keep': b'', 'mnt/sysroot/active/keep': b'',
        'boardpack/modules': '\n'.join(MODULES + ['']).encode(),
        'bin/systemctl': SYSTEMCTL,
        'boardpack/run': SCRIPT.format(begin=BEGIN, how=how, boot_id=BOOT_ID, steps='\n'.join(
            re.sub(r'\b(one|two|three)$', r'/trees/\1.dtb', row[0]) for row in STEPS)).encode()},
        300, tag=f'power-{kind}', icount='', extra=recorded(folder))
    return outcome.results, base, (folder / 'log.img').read_bytes()


def fnv(data):
    """FNV-1a, which the tool puts into the names of trees."""
    total = 2166136261
    for byte in data:
        total = (total ^ byte) * 16777619 & 0xffffffff
    return total


def value_of(kind, boot):
    """The name that the bootloader takes from the selector."""
    file, key = ('config.txt', 'device_tree') if kind.startswith('rasp') else \
        ('extra_uEnv.txt', 'custom_fdt_file')
    text = boot.read(file)
    if text is None:
        return None
    if b'\0' in text:
        raise Damaged(f'{file} has NULs')
    found = re.findall(rf'^{key}=(\S+)$', text.decode(), re.M)
    return found[-1] if found else None


def taken(kind, data, root=EXT4_AT):
    """The tree that the bootloader takes, None for its own; whatever is wrong is raised."""
    boot = Fat(data, FAT_AT)
    boot.check()
    value = value_of(kind, boot)
    if value is None:
        return None
    tree = boot.read(value) if kind.startswith('rasp') else Ext4(data, root).read(f'boot/{value}')
    if tree is None:
        raise Damaged(f'{value} is selected and not there')
    if f'{fnv(tree):08x}.dtb' != value[-12:]:
        raise Damaged(f'{value} has another content')
    return tree


def view(kind, data, root=EXT4_AT):
    """The model of that tree."""
    tree = taken(kind, data, root)
    return tree and libfdt.Fdt(tree).getprop(0, 'model').as_str()


def lost(pending, chance):
    """Which writes since the last flush may be missing: each alone, all, some by chance."""
    yield ()
    yield from ((i,) for i in range(len(pending)))
    yield tuple(range(len(pending)))
    for _ in range(CHANCES if len(pending) > 2 else 0):
        yield tuple(i for i in range(len(pending)) if chance.random() < 0.5)


def apply(data, writes):
    """Put writes on the disk; return what was there."""
    before = []
    for place, content in writes:
        before.append((place, bytes(data[place:place + len(content)])))
        data[place:place + len(content)] = content
    return before


def cuts(base, log):
    """The disk after each write, in all its ways, and the number of the write."""
    chance = random.Random(1)
    data, pending = bytearray(base), []
    begun = False
    for number, write in enumerate(entries(log), 1):
        if write is None:
            apply(data, pending)
            pending = []
            continue
        if write[1].startswith(BEGIN.encode()):
            apply(data, pending)
            pending, begun = [], True
        pending.append(write)
        for missing in lost(pending, chance) if begun else ():
            before = apply(data, [w for i, w in enumerate(pending) if i not in missing])
            yield number, missing, data
            apply(data, reversed(before))
    apply(data, pending)
    yield -1, (), data


class Folder:
    """Files in a folder, read as those of a disk are."""

    def __init__(self, path):
        self.path = path

    def read(self, name):
        """The content of a file; None where there is none."""
        path = self.path / name
        return path.read_bytes() if path.exists() else None


def content(data):
    """All files of the boot partition and the trees of the other, but those that are cut short."""
    boot, root = Fat(data, FAT_AT), Ext4(data, EXT4_AT)
    found = {}
    for disk, folder, names in (
            (boot, 'mnt/boot', [name for name, _, size in boot.entries() if size]),
            (root, 'mnt/sysroot/active',
             [f'boot/{name}' for name in root.files('boot') if name.endswith('.dtb')])):
        for name in names:
            try:
                found[f'{folder}/{name}'] = disk.read(name)
            except Damaged:
                continue
    return found


def way_back(kind, files, folder):
    """The model of the tree that rollback leads to."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ('run', 'mnt/boot', 'mnt/sysroot/active/boot'):
        (folder / name).mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    subprocess.run([tool(), 'rollback', '--root', folder], check=False, capture_output=True)
    value = value_of(kind, Folder(folder / 'mnt/boot'))
    if value is None:
        return None
    place = 'mnt/boot' if kind.startswith('rasp') else 'mnt/sysroot/active/boot'
    return libfdt.Fdt((folder / place / value).read_bytes()).getprop(0, 'model').as_str()


def look(kind, base, log, folder):
    """Look at the disk after each cut: what is selected, what is wrong, and how many cuts.

    With a folder also where rollback leads: to where it did before the command that was cut
    short, or to where it does after it.
    """
    count = writes = at = 0
    wrong, seen, backs = [], [], {}
    for number, missing, data in cuts(base, log):
        count += 1
        writes = max(writes, number)
        try:
            what = view(kind, data)
            if not missing:
                seen.append(what)
            if not missing and what != PAIRS[at][0]:
                at = min(at + 1, len(PAIRS) - 1)
            files = content(data) if folder else {}
            key = hash(tuple(files.items()))
            if folder and key not in backs:
                backs[key] = way_back(kind, files, folder)
        except (Damaged, OSError, libfdt.FdtException, UnicodeDecodeError, KeyError) as error:
            wrong.append(f'write {number} without {missing}: {error!r}')
            continue
        if folder and (what, backs[key]) not in PAIRS[max(at - 1, 0):at + 2]:
            wrong.append(f'write {number} without {missing}: from {what}, rollback leads to '
                         f'{backs[key]}')
    return seen, wrong, f'{count} cuts in {writes} writes, {len(backs)} ways back'


def run(kernel, kind, options, how, program):
    """Record a guest and look at its disk; return also the guest's own results."""
    with tempfile.TemporaryDirectory(dir=OUT) as work:
        folder = pathlib.Path(work)
        mkfs(folder, options)
        results, base, log = record(kernel, folder, kind, how, program)
        bad = [f'{r.name}: {r.why}' for r in results if r.state != 'passed']
        return bad if len(results) > len(STEPS) else ['not all results'], \
            *look(kind, base, log, None if program == PLAIN else folder / 'back')


def main():
    """Each device; one on a kernel that has to be frozen; and a program that must not pass."""
    tap = Tap()
    kernel, older = (KERNELS[name].ensure() for name in
                     (os.environ.get('POWER_KERNEL', '6.12'), NO_CHECKPOINT))
    for there, (kind, options, how) in [*((kernel, row) for row in DEVICES), (older, DEVICES[0])]:
        name = f'{there.name}: {kind}'
        bad, seen, wrong, count = run(there, kind, options, how, tool('arm64'))
        tap.result(not bad, f'{name}: the tool does its work', '\n'.join(bad))
        tap.result(not wrong, f'{name}: a whole tree after each of {count}',
                   '\n'.join([str(len(wrong)), *wrong[:20]]))
        order = [key for key, _ in itertools.groupby(seen)]
        tap.result(tuple(order) == STORY, f'{name}: from one tree to the next, never back', order)
    _, _, wrong, count = run(kernel, *DEVICES[-1], PLAIN)
    tap.result(wrong, f'cp and echo would not have passed: {len(wrong)} of {count}')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
