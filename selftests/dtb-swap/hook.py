#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The hostapp-update hook carries the selected tree into the new root, or stops the update."""

import os
import pathlib
import re
import sys
import tempfile

from bench import TOP, Tap, program, run, swap
from install import DEVICES, device, new_tree, shipped

HOOK = TOP / 'scripts/yocto/files/05-dtb-swap'
ROWS = {row[0]: row for row in DEVICES}


def hook(made):
    """Run it, and start the device again."""
    made.put('proc/sys/kernel/random/boot_id', 'first\n')
    done = run('sh', HOOK, env={**os.environ, 'DTB_SWAP': program()[0],
                                'DTB_SWAP_ROOT': str(made.root)})
    made.put('proc/sys/kernel/random/boot_id', 'second\n')
    return done


def carried(made):
    """The trees in the new root."""
    return sorted(path.name for path in (made.root / 'mnt/sysroot/inactive').rglob('*')
                  if path.is_file() and path.name != 'keep')


# The lists of the new OS's modules, whether the clock chip has a driver now, what is said.
NEW_KERNELS = (
    ('drives the clock chip', 'kernel/drivers/rtc/rtc-ds1307.ko:\n', '', True, ''),
    ('has its driver built in', '', 'kernel/drivers/rtc/rtc-ds1307.ko\n', True, ''),
    ('has not its driver, which is at work', 'kernel/x.ko:\n', 'kernel/y.ko\n', True,
     'kernel 6.18.0 has no module rtc-ds1307'),
    ('has not its driver, nor has this one', 'kernel/x.ko:\n', 'kernel/y.ko\n', False, ''),
    ('says nothing of its modules', '', None, True, ''))


def new_kernel(tap, folder, kind):
    """An update to a kernel that lacks what is at work is refused, and carries nothing over."""
    row = ROWS[kind]
    text = '/dts-v1/; /plugin/; &{/} { clock@68 { compatible = "dallas,ds1307"; reg = <0x68>; }; };'
    overlay, merged = folder / 'clock.dtbo', folder / 'clock.dtb'
    run('dtc', '-q', '-o', overlay, '-', input=text)
    swap('merge', shipped(*row[1:3]), overlay, '-o', merged)
    for name, dep, builtin, driven, words in NEW_KERNELS:
        made = device(folder / 'root', *row)
        made.put('mnt/sysroot/inactive/boot/keep', '')
        done = swap('install', merged, '--root', made.root)
        made.put('sys/bus/i2c/drivers/one/keep', '')
        for number, node in enumerate(('/clock@68', '/other@68')):
            made.device(f'i2c-{number}', node)
            made.link(f'sys/bus/i2c/devices/i2c-{number}', f'sys/devices/i2c-{number}')
            if driven or node == '/other@68':
                made.link(f'sys/devices/i2c-{number}/driver', 'sys/bus/i2c/drivers/one')
        made.put('lib/modules/6.18.0/modules.dep', dep)
        if builtin is not None:
            made.put('lib/modules/6.18.0/modules.builtin', builtin)
        done = hook(made)
        good = words in done.stdout and 'mend:' in done.stdout if words else not done.returncode
        tap.result(good and done.returncode == bool(words) and
                   bool(carried(made)) == (not words and kind.startswith('imx')),
                   f'{kind}: a new kernel that {name}', done.stdout)
        if words:
            done = swap('check', '--modules', '/lib/modules/6.18.0//', merged, '--root', made.root)
            tap.result(words in done.stdout, f'{kind}: its folder has a slash behind it', done.stdout)


# Folder of the modules, what is in it or None, the exit status, what is said, and what is not.
MODULES = (
    ('/lib/modules/6.18.0', ('dep', 'builtin'), 0, 'is sound and that kernel drives it', 'not looked'),
    ('/lib/modules/6.18.0', ('dep',), 0, 'drivers were not looked for', 'drives it'),
    ('/lib/modules/6.18.0', (), 0, 'drivers were not looked for', 'drives it'),
    ('/lib/modules/6.18.0', None, 1, 'No such file', 'is sound'),
    ('/proc/cmdline', None, 1, 'Not a directory', 'is sound'),
)


def modules(tap, folder):
    """Of a kernel without lists nothing is said, and one without its folder is none."""
    good = shipped(*ROWS['imx8mm-var-som'][1:3])
    for where, lists, status, words, never in MODULES:
        made = device(folder / 'root', *ROWS['imx8mm-var-som'])
        if lists is not None:
            made.put(f'{where}/keep'.strip('/'), '')
        made.modules('6.18.0', **{name: '' for name in lists or ()})
        done = swap('check', '--modules', where, good, good, '--root', made.root)
        tap.result(done.returncode == status and words in done.stdout and never not in done.stdout and
                   (not status or ('mend:' in done.stdout and done.stdout.count(words) == 1)),
                   f'check --modules, {where} has {lists}', f'{done.returncode}\n{done.stdout}')


def on_word(tap, folder):
    """A board whose selector is heeded on the user's word is updated as others are."""
    row = ('beaglebone-black', '6.12-armhf', 'am335x-boneblack', 'mnt/sysroot/active/boot')
    made = device(folder / 'root', *row)
    made.put('mnt/sysroot/inactive/boot/keep', '')
    done = swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), '--unproven', '--root',
                made.root)
    first, names = hook(made), carried(made)
    back = swap('rollback', '--root', made.root)
    second = hook(made)
    tap.result(not done.returncode and not first.returncode and len(names) == 1 and
               not back.returncode and not second.returncode,
               'a selector that nobody has verified: an update, back, and another update',
               done.stdout + first.stdout + back.stdout + second.stdout)


def of_the_user(tap, folder):
    """A tree of the user's own that is selected goes along, and one to go back to."""
    row = ROWS['imx8mm-var-som']
    for title, before, theirs, wanted in (
            ('is selected', 'my.dtb', False, ['my']),
            ('is selected, and the new OS brings it', 'my.dtb', True, []),
            ('is the one before', None, False, ['my', 'swap']),
            ('is in a folder', 'freescale/my.dtb', False, ['my']),
            ('has another ending', 'my.fdt', False, ['my'])):
        made, mine = device(folder / 'root', *row), before or 'my.dtb'
        made.put('mnt/sysroot/inactive/boot/keep', '')
        made.put(f'{row[3]}/{mine}', pathlib.Path(shipped(*row[1:3])).read_bytes())
        made.put('mnt/boot/extra_uEnv.txt', f'custom_fdt_file={mine}\n')
        if theirs:
            made.put('mnt/sysroot/inactive/boot/my.dtb', 'x')
        swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), '--root', made.root)
        if before:
            swap('rollback', '--root', made.root)
        for path in made.root.rglob('swap-*.dtb') if before else ():
            path.unlink()
        done = hook(made)
        names = [re.split('[-.]', name)[0] for name in carried(made)]
        theirs = theirs and (made.root / 'mnt/sysroot/inactive/boot/my.dtb').read_text() == 'x'
        tap.result(not done.returncode and names == (['my'] if theirs else wanted),
                   f'a tree of the user that {title}', f'{names} {done.stdout}')


def forgotten(tap, folder):
    """dtb-swap.state is lost: a tree of ours that is selected is none the less."""
    for kind in ('imx8mm-var-som', 'raspberrypi4-64'):
        row, done = ROWS[kind], []
        for spoil in (False, True):
            made = device(folder / 'root', *row)
            made.put('mnt/sysroot/inactive/boot/keep', '')
            swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), '--root', made.root)
            (made.root / 'mnt/boot/dtb-swap.state').unlink()
            if spoil:
                next(made.root.rglob('swap-one-*')).write_bytes(b'broken')
            done.append((hook(made), carried(made)))
        tap.result([one.returncode for one, _ in done] == [0, 1] and
                   len(done[0][1]) == kind.startswith('imx') and not done[1][1],
                   f'{kind}: what is remembered is lost: the tree goes along, or the update stops',
                   '\n'.join(f'{names} {one.stdout}' for one, names in done))


def other_ending(tap, folder):
    """Nor does an update go on without a tree of the user's that is not called .dtb."""
    row = ROWS['imx8mm-var-som']
    made = device(folder / 'root', *row)
    made.put(f'{row[3]}/my.fdt', pathlib.Path(shipped(*row[1:3])).read_bytes())
    made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=my.fdt\n')
    swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), '--root', made.root)
    swap('rollback', '--root', made.root)
    done = hook(made)
    tap.result(done.returncode == 1 and 'no folder boot' in done.stdout,
               'a tree of another ending, and a new root that is not there', done.stdout)


# The bootloader's file, whether it says that the OS is on trial, whether the hooks run by chroot,
# what is wrong, whether that stops.
TRIALS = (
    ('an OS on trial goes back', 'resinOS_uEnv.txt', 1, True, 'driver', False),
    ('an OS on trial goes back, as grub has it', 'EFI/BOOT/grubenv', 1, True, 'driver', False),
    ('an OS on trial goes back, and the tree is gone', 'resinOS_uEnv.txt', 1, True, 'tree', False),
    ('an OS that is settled is updated', 'resinOS_uEnv.txt', 0, False, 'driver', True),
    ('hooks run by hand', 'resinOS_uEnv.txt', 0, True, 'driver', True),
    ('an OS on trial is updated', 'resinOS_uEnv.txt', 1, False, 'driver', True),
    ('an OS on trial is updated, and the tree is gone', 'resinOS_uEnv.txt', 1, False, 'tree', True))


def goes_back(tap, folder):
    """rollback-health of a new OS runs the hooks of the old one, and nothing may stop it."""
    row, merged = ROWS['imx8mm-var-som'], folder / 'clock.dtb'
    run('dtc', '-q', '-o', folder / 'clock.dtbo', '-', input='/dts-v1/; /plugin/; &{/} { '
        'clock@68 { compatible = "dallas,ds1307"; reg = <0x68>; }; };')
    swap('merge', shipped(*row[1:3]), folder / 'clock.dtbo', '-o', merged)
    for title, file, trial, chroot, wrong, stops in TRIALS:
        made = device(folder / 'root', *row)
        made.put('mnt/sysroot/inactive/boot/keep', '')
        swap('install', merged, '--root', made.root)
        made.put(f'mnt/boot/{file}', f'resin_root_part=3\nupgrade_available={trial}\n')
        (made.root / 'proc/1').mkdir(parents=True, exist_ok=True)
        (made.root / 'proc/1/root').symlink_to('/' if chroot else made.root)
        made.device('i2c-0', '/clock@68')
        made.put('sys/bus/i2c/drivers/one/keep', '')
        made.link('sys/bus/i2c/devices/i2c-0', 'sys/devices/i2c-0')
        made.link('sys/devices/i2c-0/driver', 'sys/bus/i2c/drivers/one')
        if wrong == 'tree':
            next((made.root / row[3]).glob('swap-*')).unlink()
        else:
            made.put('lib/modules/5.10.0/modules.dep', 'kernel/x.ko:\n')
            made.put('lib/modules/5.10.0/modules.builtin', 'kernel/y.ko\n')
        done = hook(made)
        tap.result(done.returncode == stops and ('mend:' in done.stdout) == stops and
                   len(carried(made)) == (wrong == 'driver' and not stops),
                   title, done.stdout)


def spare(tap, folder):
    """A tree that is neither selected nor the one before stops nothing."""
    row = ROWS['imx8mm-var-som']
    for title, name, status in (('some other', 'swap-old-00000000.dtb', 0), ('the selected', None, 1)):
        made = device(folder / 'root', *row)
        made.put('mnt/sysroot/inactive/boot/keep', '')
        swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), '--root', made.root)
        (made.root / row[3] / 'swap-old-00000000.dtb').mkdir()
        name = name or next((made.root / row[3]).glob('swap-one-*')).name
        if status:      # something has its place in the new root
            made.put(f'mnt/sysroot/inactive/boot/{name}/keep', '')
        done = hook(made)
        tap.result(done.returncode == status and name in done.stdout and
                   len(carried(made)) == 1 - status, f'a tree that cannot be carried: {title}',
                   done.stdout)


# What the new root's extlinux.conf says; what is said of it.
NEW_FILES = (
    ('as the old one', 'LABEL one\n\tFDT default\n', ''),
    ('with an overlay that applies', 'LABEL one\n\tFDT default\n\tOVERLAYS /boot/fit.dtbo\n', ''),
    ('with one that does not', 'LABEL one\n\tFDT default\n\tOVERLAYS /boot/misfit.dtbo\n',
     'the bootloader will apply /boot/misfit.dtbo, and cannot'),
    ('with a tree of its own', 'LABEL one\n\tFDT /boot/new.dtb\n',
     'has FDT /boot/new.dtb, so that nothing else is taken'),
    ('that is not there', None, 'extlinux/extlinux.conf is not there'))


def new_file(tap, folder, kind, current):
    """The new OS has an extlinux.conf of its own, which may have no place for the tree."""
    row, boot = ROWS[kind], f'mnt/sysroot/inactive/{current}boot'
    for name, path in (('fit', '&{/}'), ('misfit', '&nolabel')):
        run('dtc', '-q', '-@', '-o', folder / f'{name}.dtbo', '-',
            input=f'/dts-v1/; /plugin/; {path} {{ x; }};')
    for title, text, words in NEW_FILES:
        if 'misfit' in words and kind == 'jetson-nano':
            words = ''      # its U-Boot applies no overlays
        made = device(folder / 'root', *row)
        swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), '--root', made.root)
        for name in ('fit', 'misfit'):
            made.put(f'{boot}/{name}.dtbo', (folder / f'{name}.dtbo').read_bytes())
        if text:
            made.put(f'{boot}/extlinux/extlinux.conf', text)
        before = carried(made)
        done = hook(made)
        good = words in done.stdout and 'update to another OS' in done.stdout and \
            carried(made) == before if words else len(carried(made)) == len(before) + 1
        tap.result(good and done.returncode == bool(words),
                   f'{kind}: an extlinux.conf in the new root {title}', done.stdout)


def main():
    """All ways."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for kind in ('imx8mm-var-som', 'raspberrypi4-64'):
            row = ROWS[kind]
            made = device(folder / 'root', *row)
            made.put('mnt/sysroot/inactive/current/boot/keep', '')
            one, two = (new_tree(folder, shipped(*row[1:3]), word) for word in ('one', 'two'))
            done = hook(made)
            tap.result(done.returncode == 0 and not carried(made), f'{kind}: nothing is installed',
                       done.stdout)
            three = new_tree(folder, shipped(*row[1:3]), 'three')
            for tree in (one, two, three):
                swap('install', tree, '--root', made.root)
            done = hook(made)
            names = [name.split('-')[1] for name in carried(made)]
            wanted = ['one', 'three', 'two'] if kind.startswith('imx') else []
            same = all((made.root / 'mnt/sysroot/active/boot' / name).read_bytes() ==
                       next((made.root / 'mnt/sysroot/inactive').rglob(name)).read_bytes()
                       for name in carried(made))
            tap.result(done.returncode == 0 and names == wanted and same,
                       f'{kind}: all trees go along', f'{names}\n{done.stdout}')
        for kind in ('imx8mm-var-som', 'raspberrypi4-64'):
            new_kernel(tap, folder, kind)
        for kind, current in (('jetson-agx-orin-devkit', ''), ('jetson-nano', 'current/')):
            new_file(tap, folder, kind, current)
        goes_back(tap, folder)
        spare(tap, folder)
        modules(tap, folder)
        on_word(tap, folder)
        of_the_user(tap, folder)
        other_ending(tap, folder)
        forgotten(tap, folder)
        made = device(folder / 'root', *ROWS['jetson-nano'])
        one = new_tree(folder, shipped(*ROWS['jetson-nano'][1:3]), 'one')
        for words in (('install', one), ('rollback',)):
            swap(*words, '--root', made.root)
        made.put('mnt/sysroot/inactive/boot/extlinux/extlinux.conf', 'LABEL a\n\tFDT default\n')
        made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=fleet-wide.dtb\n')
        done = hook(made)
        tap.result(not done.returncode and 'fleet-wide.dtb is selected, and is missing' in done.stdout,
                   'a selected tree that is not there, where the bootloader takes its own', done.stdout)
        made = device(folder / 'root', *ROWS['imx8mm-var-som'])
        one = new_tree(folder, shipped(*ROWS['imx8mm-var-som'][1:3]), 'one')
        swap('install', one, '--root', made.root)
        done = hook(made)
        tap.result(done.returncode == 1 and 'no folder boot' in done.stdout,
                   'a new root that is not there', done.stdout)
        made.put('mnt/sysroot/inactive/boot/keep', '')
        next((made.root / 'mnt/sysroot/active/boot').glob('swap-*')).write_bytes(b'broken')
        done = hook(made)
        tap.result(done.returncode == 1 and 'is missing or broken' in done.stdout and
                   'mend: dtb-swap rollback' in done.stdout and not carried(made),
                   'a tree that is broken stops the update', done.stdout)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
