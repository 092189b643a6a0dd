#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap where the folders are not what they seem: FAT's names, containers, other roots, full."""

import pathlib
import re
import shutil
import subprocess
import sys

from bench import Tree, perform, program, run, shipped, swap
from install import DEVICES, device, digest, model, new_tree

ROWS = {row[0]: row for row in DEVICES}
ROW, FAT = ROWS['imx8mm-var-som'], ROWS['jetson-xavier']    # the supervisor lets FAT's trees go


def folded(tap, folder):
    """FAT finds a name in any case: of two that differ in nothing else there is one file."""
    made = device(folder / 'root', *FAT)
    root, trees = ('--root', made.root), made.root / FAT[3]
    one, two = (new_tree(folder, shipped(*FAT[1:3]), word) for word in ('one', 'two'))
    carrier = one.rename(folder / 'Carrier.dtb')
    said = [swap('install', carrier, *root) for _ in range(2)]
    names = [path.name for path in trees.glob('swap-*')]
    tap.result(len(names) == 1 and names[0] == names[0].lower() and
               'it was before' in said[1].stdout, 'a tree is kept in lower case', names)
    kept = (trees / names[0]).rename(trees / names[0].replace('carrier', 'Carrier'))
    done = swap('install', kept, *root)
    tap.result(not done.returncode and model(made, FAT[0]) == 'one',
               'one that was kept in another comes back so, too', done.stdout)
    done = swap('install', two, *root)
    tap.result(not done.returncode and kept.exists(), 'its file is not what nobody needs',
               done.stdout)


def renamed(tap, folder):
    """A tree of ours under another name: what a bootloader's shell would take for its own is not in it."""
    for number, stem in enumerate(('my tree', 'a;b', "a'$x", 'a\\b', 'a.b')):
        made = device(folder / f'plain{number}', *ROW)
        root, trees = ('--root', made.root), made.root / ROW[3]
        swap('install', new_tree(folder, shipped(*ROW[1:3]), 'one'), *root)
        ours = next(trees.glob('swap-*'))
        ours.rename(folder / f'swap-{stem}-{ours.stem.rpartition("-")[2]}.dtb')
        other = device(folder / f'other{number}', *ROW)
        done = swap('install', next(folder.glob('swap-*.dtb')), '--root', other.root)
        names = [path.name for path in (other.root / ROW[3]).glob('swap-*')]
        tap.result(not done.returncode and model(other, ROW[0]) == 'one' and len(names) == 1 and
                   re.fullmatch('[a-z0-9.-]*', names[0]), f'swap-{stem}-...: {names}', done.stdout)
        next(folder.glob('swap-*.dtb')).unlink()


MMC = '/soc@0/bus@30800000/mmc@30b60000'
# What is mounted where, whether that is a device with its host's root, what is said.
MOUNTS = (
    ('a device', '/ overlay\n/mnt/sysroot/active ext4\n/mnt/boot vfat', True, 0, 'selected in'),
    ('its root elsewhere, and folders in memory beside it',
     '/ ext4\n/mnt/sysroot/active/boot/other tmpfs\n/mnt/bo tmpfs', True, 0, 'selected in'),
    ('a container without the host\'s root', '/ overlay\n/mnt/boot vfat', False, 9,
     'no /mnt/sysroot/active/boot'),
    ('a container that has a folder of that name', '/ overlay\n/mnt/boot vfat', True, 9,
     '/mnt/sysroot/active/boot is on overlay (/), where no bootloader looks'),
    ('a tmpfs over it', '/ ext4\n/mnt/sysroot/active ext4\n/mnt/sysroot/active tmpfs', True, 9,
     'is on tmpfs'),
    ('a boot partition that is not mounted', '/ rootfs\n/mnt/sysroot/active ext4', True, 9,
     '/mnt/boot is on rootfs'))


def mounted(tap, folder):
    """A tree is put where a bootloader looks for it, or nothing is changed."""
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    for name, mounts, host, status, words in MOUNTS:
        made = device(folder / 'root', *ROW)
        (made.root / 'boot').mkdir()
        if not host:
            shutil.rmtree(made.root / 'mnt/sysroot')
        made.put('proc/self/mountinfo', ''.join(
            '2{0} 1 8:{0} / {1} rw shared:1 - {2} x rw\n'.format(number, *line.split())
            for number, line in enumerate(mounts.split('\n'))))
        before = digest(made.root)
        said = [swap(verb, one, '--root', made.root) for verb in ('check', 'install')]
        tap.result(said[1].returncode == status and words in said[1].stdout and
                   (not status or ('mend:' in said[1].stdout and words in said[0].stdout and
                                   digest(made.root) == before)),
                   f'where trees are: {name}', ''.join(done.stdout for done in said))


PI = ROWS['raspberrypi4-64']
# The folders that are there, what is mounted, whether there is a config.txt, the status.
FIRMWARE = (
    ('Debian', 'boot/firmware', '/ ext4\n/boot/firmware vfat', True, 0),
    ('an empty folder, where somebody mounts other things', 'mnt/boot boot/firmware',
     '/ ext4\n/boot/firmware vfat', True, 0),
    ('Debian, and no config.txt yet', 'boot/firmware', '/ ext4\n/boot/firmware vfat', False, 0),
    ('Debian, mounted by hand', 'mnt/boot', '/ ext4\n/mnt vfat', True, 0),
    ('Debian, not mounted', 'boot/firmware', '/ ext4', False, 9),
    ('Debian, not mounted, and its note of where config.txt is', 'boot/firmware boot', '/ ext4', True, 9),
    ('Debian, not mounted, and somebody has written one', 'boot/firmware', '/ ext4', True, 9),
    ('a folder that somebody has left', 'mnt/boot boot/firmware', '/ ext4\n/boot/firmware vfat', False,
     9))


def unmounted(tap, folder):
    """The Raspberry Pi's firmware does not read the root file system."""
    one = new_tree(folder, shipped(*PI[1:3]), 'one')
    for name, folders, mounts, config, status in FIRMWARE:
        made = device(folder / 'root', *PI)
        shutil.rmtree(made.root / 'mnt')
        for place in folders.split():
            made.put(f'{place}/keep', '')
        if config:
            made.put(f'{folders.split()[-1]}/config.txt', 'dtparam=audio=on\n')
        made.put('proc/self/mountinfo', ''.join(
            '2{0} 1 8:{0} / {1} rw - {2} x rw\n'.format(number, *line.split())
            for number, line in enumerate(mounts.split('\n'))))
        before = digest(made.root)
        said = [swap(verb, one, '--family', 'raspberrypi', '--root', made.root)
                for verb in ('check', 'install')]
        tap.result(all(done.returncode == status for done in said) and
                   (not status or (digest(made.root) == before and 'mend:' in said[1].stdout and
                                   'is on the file system of /' in said[1].stdout)),
                   f'the firmware\'s partition: {name}', ''.join(done.stdout for done in said))


def encrypted(tap, folder):
    """No bootloader looks behind dm-crypt; other device-mappers are none of that."""
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    for point in ('/mnt/boot', '/mnt/sysroot/active'):
        for uuid, status in (('CRYPT-LUKS2-0123-luks-boot', 9), ('LVM-0123', 0)):
            made = device(folder / 'root', *ROW)
            made.put('proc/self/mountinfo', f'20 1 8:1 / / rw - ext4 x rw\n21 1 253:0 / {point} rw - ext4 x rw\n')
            made.put('sys/dev/block/253:0/dm/uuid', f'{uuid}\n')
            before = digest(made.root)
            done = swap('install', one, '--root', made.root)
            tap.result(done.returncode == status and ('is encrypted, and no bootloader' in done.stdout) == bool(status)
                       and (digest(made.root) == before) == bool(status), f'{point} is {uuid}', done.stdout)


def absent(tap, folder):
    """A boot partition that is not mounted is no device type that nobody knows."""
    made = device(folder / 'root', *ROW)
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    (made.root / 'mnt/boot/config.json').unlink()
    done = swap('install', one, '--root', made.root)
    tap.result(done.returncode == 9 and 'no config.json says deviceType' in done.stdout and
               'mend: mount the boot partition' in done.stdout, 'an empty folder for the boot partition', done.stdout)


def updating(tap, folder):
    """Until an OS update is over nothing new is selected: the other root has not that tree."""
    one, two = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two'))
    for crumb in ('rollback-health-breadcrumb', 'rollback-altboot-breadcrumb'):
        made = device(folder / 'root', *ROW)
        root = ('--root', made.root)
        swap('install', one, *root)
        left, before = made.put(f'mnt/state/{crumb}', ''), digest(made.root)
        for words in (('install', two), ('try', '--pending', two), ('check', two)):
            done = swap(*words, *root)
            tap.result(done.returncode == 11 and crumb in done.stdout and 'mend:' in done.stdout and
                       digest(made.root) == before, f'{crumb}: no {words[0]}', done.stdout)
        said = [swap('check', '--modules', '/mnt', two, *root), swap('status', *root),
                swap('rollback', *root)]
        left.unlink()
        said.append(swap('install', two, *root))
        tap.result(not any(done.returncode for done in said) and model(made, ROW[0]) == 'two',
                   f'{crumb}: the hook, a look and the way back, and afterwards all',
                   ''.join(done.stdout for done in said))


# What may not be read, or written, and what that is asked for; a root whose rights are taken away
# is as good as another user.
NO_RIGHTS = ('setpriv', '--bounding-set=-all', '--inh-caps=-all')
RIGHTS = (('mnt/boot', ('status', 'list', 'check', 'install', 'rollback')),
          ('mnt/boot/extra_uEnv.txt', ('status', 'check', 'install')),
          ('mnt/boot/dtb-swap.state', ('status', 'check', 'install')),
          (ROW[3], ('install', 'list', 'status')))


def rights(tap, folder):
    """Where only root may read or write there is one refusal, and it says so."""
    one, two = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two'))
    for name, verbs in RIGHTS:
        made = device(folder / 'root', *ROW)
        swap('install', one, '--root', made.root)
        mode = (made.root / name).stat().st_mode
        for verb in verbs:
            (made.root / name).chmod(0)
            done = run(*NO_RIGHTS, *program(), verb, *([two] if verb in ('check', 'install') else []),
                       '--root', made.root)
            (made.root / name).chmod(mode)
            tap.result(done.returncode == 10 and done.stdout.count('refused: ') == 1 and
                       'Permission denied\n  mend: run it as root' in done.stdout and
                       'config.json' not in done.stdout and model(made, ROW[0]) == 'one',
                       f'{verb}: no right to {name}', f'{done.returncode}\n{done.stdout}')


def unknown(tap, folder):
    """A board that nobody knows needs --unproven; the Raspberry Pi's firmware is what it is."""
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    for text in ('{"deviceType": "acme-board"}', '{}'):
        made = device(folder / 'root', *ROW)
        made.put('mnt/boot/config.json', text)
        root, before = ('--family', 'imx8m', '--root', made.root), digest(made.root)
        refused = swap('install', one, *root)
        tap.result(refused.returncode == 9 and digest(made.root) == before and
                   'nobody has verified that the bootloader of this board heeds' in refused.stdout
                   and 'mend: ' in refused.stdout and '--unproven' in refused.stdout,
                   f'{text}: --family alone is refused', refused.stdout)
        said = [swap('install', one, '--unproven', *root), swap('status', '--root', made.root)]
        state = made.root / 'mnt/boot/dtb-swap.state'
        state.write_text(''.join(line for line in state.read_text(encoding='ascii').splitlines(True)
                                 if not line.startswith(('unproven=', 'checked=', 'sum='))))
        said.append(swap('rollback', '--root', made.root))
        tap.result(not any(done.returncode for done in said) and model(made, ROW[0]) is None,
                   f'{text}: with --unproven, and back where an older version has installed it',
                   ''.join(done.stdout for done in said))


def shown(tap, folder):
    """What is looked at is shown as it is: the second folder, CRs; a line that was printed is known."""
    row = ROWS['iot-gate-imx8plus']
    made = device(folder / 'root', *row)
    made.put('mnt/sysroot/active/boot/fleet.dtb', pathlib.Path(shipped(*row[1:3])).read_bytes())
    made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=fleet.dtb\n')
    done = swap('list', '--root', made.root)
    tap.result('fleet.dtb: fsl,imx8mp-evk, selected' in done.stdout, 'list has the trees of the second folder', done.stdout)
    made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=fleet.dtb\r\n')
    said = subprocess.run([*program(), 'status', '--root', made.root], capture_output=True,
                          check=False)
    tap.result(b'\r' not in said.stdout + said.stderr and b'lines that end with CR LF' in said.stderr,
               'status names a CR, and prints none', said)
    made = device(folder / 'root', *ROW)
    made.disk(2, '/', MMC)
    bad = Tree(shipped(*ROW[1:3])).text(MMC, 'status', 'disabled').write(folder / 'bad.dtb')
    done = swap('check', bad, '--root', made.root)
    line = next((line for line in done.stdout.splitlines() if line.startswith('refused: ')), '')
    again = swap('check', '--accept', line, bad, '--root', made.root)
    tap.result(done.returncode == 5 and not again.returncode, '--accept takes the line as it was printed',
               done.stdout + again.stdout)


# In a name space of its own: a folder becomes one in memory of so many KiB, with what is in it.
SMALL = """cp -r {0} {2} && python3 -c "import ctypes
exit(ctypes.CDLL(None).mount(b'x', b'{0}', b'tmpfs', 0, b'size={1}k'))" && cp -r {2}/. {0} && exec """


def crowded(tap, folder):
    """check says what install would of a disk that is full, and of one that leaves an update none."""
    raspberry = ROWS['raspberrypi4-64']
    for row, room, status, said in ((ROW, 128, 7, 'bytes left'),
                                    (raspberry, 600, 0, 'an OS update wants 524288'),
                                    (raspberry, 1200, 0, '')):
        for verb in ('check', 'install'):
            made = device(folder / f'{verb}-{room}', *row)
            one = new_tree(folder, shipped(*row[1:3]), 'one')
            done = run('unshare', '-rm', 'sh', '-c', SMALL.format(
                made.root / row[3], room, folder / f'{verb}-{room}-kept') +
                       ' '.join([*program(), verb, str(one), '--root', str(made.root)]))
            tap.result(done.returncode == status and said in done.stdout and
                       ('OS update' in done.stdout) == (room == 600),
                       f'{verb}: {room} KiB', done.stdout)


def main():
    """Run all."""
    return perform(folded, renamed, mounted, unmounted, encrypted, absent, updating, rights, unknown, shown,
                   crowded)


if __name__ == '__main__':
    sys.exit(main())
