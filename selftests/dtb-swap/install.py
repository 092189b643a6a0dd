#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap install, rollback, status, list: each family's selector, and its traps.

What the bootloader makes of the files is told by selector.py, which knows nothing of the tool.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

from bench import Device, Tap, Tree, program, run, shipped, swap
from selector import chosen, supervise

# Device type, kernel and tree of Debian's that runs there, folder of trees.
DEVICES = (
    ('imx8mm-var-som', '6.12', 'imx8mm-var-som-symphony', 'mnt/sysroot/active/boot'),
    ('iot-gate-imx8plus', '6.12', 'imx8mp-evk', 'mnt/boot'),
    ('jetson-nano', '6.12', 'tegra210-p3450-0000', 'mnt/sysroot/active/boot'),
    ('jetson-tx2', '7.2', 'tegra186-p2771-0000', 'mnt/sysroot/active/boot'),
    ('jetson-agx-orin-devkit', '7.2', 'tegra234-p3737-0000+p3701-0000', 'mnt/sysroot/active/boot'),
    ('jetson-xavier', '7.2', 'tegra194-p2972-0000', 'mnt/sysroot/active/boot'),
    ('raspberrypi4-64', '6.12', 'bcm2711-rpi-4-b', 'mnt/boot'),
)
GUARD = 'etc/rcS.d/S40dtb-swap-guard'
# As balenaOS has it for Jetsons.
EXTLINUX = '''DEFAULT primary
TIMEOUT 10
MENU TITLE Boot Options
LABEL primary
      MENU LABEL primary Image
      LINUX /boot/Image
      FDT default
      APPEND ${cbootargs} ${os_cmdline} rootwait
'''


def digest(root):
    """Sum of all files of a device but the lock."""
    sums = hashlib.sha256()
    for path in sorted(root.rglob('*')):
        if path.is_file() and path.name != 'dtb-swap.lock':
            sums.update(f'{path.relative_to(root)}\0'.encode() + path.read_bytes())
    return sums.hexdigest()


def device(folder, kind, kernel, name, trees):
    """A device of a type, with its own tree where the bootloader looks."""
    tree = shipped(kernel, name)
    made = Device(folder, tree)
    made.put('proc/cmdline', 'quiet\n')
    made.put('mnt/boot/config.json', json.dumps({'a': 1, 'deviceType': kind}))
    made.put('run/keep', '')
    made.put(GUARD, '').chmod(0o755)
    made.put('mnt/sysroot/active/boot/keep', '')
    made.put(f'{trees}/{name}.dtb', pathlib.Path(tree).read_bytes())
    if kind.startswith('jetson'):
        made.put('mnt/sysroot/active/boot/extlinux/extlinux.conf', EXTLINUX)
    return made


def new_tree(folder, tree, word):
    """Another tree for the same board."""
    return Tree(tree).text('/', 'model', word).write(folder / f'{word}.dtb')


def model(made, kind):
    """The model of the tree that the bootloader would take; None for its own."""
    path = chosen(kind, made.root / 'mnt/boot', made.root / 'mnt/sysroot/active')
    return path and Tree(path).fdt.getprop(0, 'model').as_str()


def life(tap, folder, kind, kernel, name, trees):
    """Install, again, another, back."""
    made = device(folder / kind, kind, kernel, name, trees)
    root = ('--root', made.root)
    one, two = (new_tree(folder, shipped(kernel, name), word) for word in ('one', 'two'))
    said = []

    def step(*words):
        said.append(swap(*words, *root))
        return said[-1].returncode
    good = model(made, kind) is None and step('status') == 0
    good &= step('install', one) == 0 and model(made, kind) == 'one'
    before = digest(made.root)
    good &= step('install', one) == 0 and digest(made.root) == before
    good &= 'it was before' in said[-1].stdout
    good &= step('install', two) == 0 and model(made, kind) == 'two'
    good &= step('status') == 0 and 'swap-one' in said[-1].stdout
    good &= step('list') == 0 and 'selected' in said[-1].stdout
    good &= step('rollback') == 0 and model(made, kind) == 'one'
    good &= step('rollback') == 12 and model(made, kind) == 'one'
    tap.result(good, f'{kind}: install, the same again, another, back',
               '\n'.join(one.stdout for one in said) + str(model(made, kind)))
    made = device(folder / kind, kind, kernel, name, trees)
    good = step('install', one) == 0 and step('rollback') == 0 and model(made, kind) is None
    tap.result(good, f'{kind}: back to the bootloader\'s own', said[-1].stdout)


def own_tree(tap, folder, kind, kernel, name, trees):
    """Back to the bootloader's own tree, from where rollback does not lead there."""
    one, two = (new_tree(folder, shipped(kernel, name), word) for word in ('one', 'two'))
    for way, steps in (
            ('after two trees', (('install', one), ('install', two))),
            ('after going back once', (('install', one), ('install', two), ('rollback',))),
            ('where the supervisor has taken it back', (('install', one), ('try', '--pending', two))),
            ('from a pending tree', (('install', one), ('try', '--pending', two)))):
        made = device(folder / kind, kind, kernel, name, trees)
        root = ('--root', made.root)
        done = [swap(*step, *root) for step in steps]
        for path in made.root.rglob('swap-one-*' if way == 'after two trees' else 'nothing'):
            path.unlink()
        for selector in ('extra_uEnv.txt', 'config.txt') if 'supervisor' in way else ():
            for path in made.root.rglob(selector):
                path.write_text('')
        done += [swap('rollback', '--own', *root)]
        good = not any(step.returncode for step in done) and model(made, kind) is None
        before = digest(made.root)
        status, again = swap('status', *root), swap('rollback', '--own', *root)
        good &= again.returncode == 12 and 'mend:' in again.stdout and digest(made.root) == before
        good &= 'not committed' not in status.stdout and 'own tree' in status.stdout
        good &= swap('guard', '--limit', '9', *root).stdout == '' and model(made, kind) is None
        tap.result(good, f'{kind}: rollback --own {way}, and once more: nothing to do',
                   '\n'.join(step.stdout for step in [*done, status, again]))


EMPTY = 'device_tree=\n'       # somebody's own, and no tree

# What is in the selector before, device type, exit status, what is said, what is chosen after.
SELECTORS = (
    ('a comment with the key', 'jetson-agx-orin-devkit',
     '# note\n#custom_fdt_file=old.dtb\noverlay_files=\n', 0, '', 'one'),
    ('the key behind ours', 'jetson-agx-orin-devkit',
     'custom_fdt_file=a.dtb\nx=1\n  # custom_fdt_file=b.dtb\n', 0, '', 'one'),
    ('a comment that the supervisor revives', 'imx8mm-var-som',
     'a=1\n#custom_fdt_file=old.dtb\n', 0, 'will take the # off', 'one'),
    ('a short line on Xavier', 'jetson-xavier', 'isolcpus=1\n', 9, 'reads nothing of it', None),
    ('an empty line on Xavier', 'jetson-xavier', '\n', 9, 'reads nothing of it', None),
    ('a line of 20 bytes on Xavier', 'jetson-xavier', 'extra_os_cmdline=abc\n', 9, 'too short (21)',
     None),
    ('a line of 21 bytes on Xavier', 'jetson-xavier', 'extra_os_cmdline=abcd\n', 0, '', 'one'),
    ('long lines on Xavier', 'jetson-xavier', 'extra_os_cmdline=isolcpus=1\n', 0,
     'only the first line is sure to be', 'one'),
    ('line ends of DOS on Xavier', 'jetson-xavier', 'extra_os_cmdline=abc\r\n', 9, 'too short (21)', None),
    ('line ends of DOS on Orin', 'jetson-agx-orin-devkit', 'a=b\r\ncustom_fdt_file=a.dtb\r\n', 0, '', 'one'),
    ('no newline at the end', 'imx8mm-var-som', 'extra_os_cmdline=isolcpus=1', 0, '', 'one'),
    ('the key twice', 'jetson-nano', 'custom_fdt_file=a.dtb\ncustom_fdt_file=b.dtb\n', 0, '', 'one'),
    ('the key alone, which unsets it', 'imx8mm-var-som',
     'custom_fdt_file=a.dtb\ncustom_fdt_file\n', 0, '', 'one'),
    ('a line that goes on in the next one', 'imx8mm-var-som', 'extra_os_cmdline=a\\\n', 9,
     'goes on in the next line', None),
    ('one that does not, as nothing does on Orin', 'jetson-agx-orin-devkit',
     'extra_os_cmdline=a\\\n', 0, '', 'one'),
    ('a value without a name', 'imx8mm-var-som', 'a=b\n =x\n', 9, 'has no name', None),
    ('one behind ours', 'jetson-nano', 'custom_fdt_file=a.dtb\n==\n', 9, 'has no name', None),
    ('neither name nor value', 'imx8mm-var-som', 'a=b\n=\n\n', 0, '', 'one'),
    ('a value without a name, for who looks for ours only', 'jetson-agx-orin-devkit', '=x\n', 0, '',
     'one'),
    ('a variable that counts more', 'imx8mm-var-som', 'fdt_file=a.dtb\n', 9, 'counts more than', None),
    ('line ends of DOS', 'jetson-tx2', 'a=b\r\n', 0, 'carriage return', 'one'),
    ('a NUL byte', 'jetson-tx2', 'a=b\0\n', 9, 'is damaged', None),
    ('a filter at the end', 'raspberrypi4-64', 'dtparam=i2c_arm=on\n[pi3]\ndevice_tree=x.dtb\n', 0,
     '', 'one'),
    ('os_prefix', 'raspberrypi4-64', 'os_prefix=a/\n', 9, 'os_prefix=a/', None),
    ('os_prefix under a filter', 'raspberrypi4-64', '[pi4]\nos_prefix=a/ \n[all]\n', 9, 'os_prefix=a/,',
     None),
    ('os_prefix that is empty, or under none', 'raspberrypi4-64',
     'os_prefix=\n[none]\nos_prefix=a/\n[all]\n', 0, '', 'one'),
    ('the kernel of others', 'raspberrypi4-64', 'upstream_kernel=1\n', 9, 'trees in upstream/', None),
    ('not so', 'raspberrypi4-64', 'upstream_kernel=0\nboot_ramdisk=0\n', 0, '', 'one'),
    ('no tree at all', 'raspberrypi4-64', f'{EMPTY}dtparam=spi=on\n', 0, '', 'one'),
    ('no tree behind one', 'raspberrypi4-64', f'[pi3]\ndevice_tree=x.dtb\n[all]\n{EMPTY}', 0, '',
     'one'),
    ('secure boot', 'raspberrypi4-64', 'boot_ramdisk=1\n', 9, 'takes all from boot.img', None),
    ('an included file', 'raspberrypi4-64', 'include more.txt\n', 0, 'more.txt was not looked at',
     'one'),
)


def selectors(tap, folder):
    """Selectors that were edited by people and by other programs; and back to what they say."""
    kinds = {row[0]: row for row in DEVICES}
    for name, kind, text, status, words, after in SELECTORS:
        made = device(folder / 'root', *kinds[kind])
        file = 'config.txt' if kind.startswith('rasp') else 'extra_uEnv.txt'
        path = made.put(f'mnt/boot/{file}', text)
        one = new_tree(folder, shipped(*kinds[kind][1:3]), 'one')
        for word in ('a', 'b', 'old', 'x'):
            new_tree(made.root / kinds[kind][3], one, word)
        before, files_before = model(made, kind), digest(made.root)
        foreseen = swap('check', one, '--root', made.root)
        good = foreseen.returncode == status and words in foreseen.stdout
        good &= digest(made.root) == files_before
        done = swap('install', one, '--root', made.root)
        good &= done.returncode == status and words in done.stdout
        good &= model(made, kind) == after if after else path.read_bytes() == text.encode()
        kept = [line for line in text.split('\n') if line and 'fdt_file' not in line]
        good &= all(line in path.read_bytes().decode() for line in kept)
        good &= bool(status) or (swap('rollback', '--root', made.root).returncode == 0 and
                                 model(made, kind) == before)
        good &= bool(status) or EMPTY not in text or path.read_text(encoding='ascii') == text
        tap.result(good, f'{kind}: {name}', f'{foreseen.returncode} {foreseen.stdout}\n'
                   f'{done.returncode}\n{done.stdout}{path.read_bytes()}')


def padding(size):
    """Something for a tree to have that makes it larger."""
    def change(tree):
        tree.fdt.resize(tree.fdt.totalsize() + size + 4096)
        tree.fdt.setprop(0, 'acme,padding', bytes(size))
        return tree
    return change


def sizes(tap, folder):
    """A tree that does not fit where the bootloader loads it, and one that just does."""
    for kind, kernel, name, limit, options in (
            ('jetson-nano', '6.12', 'tegra210-p3450-0000', 1 << 20, ()),
            ('beaglebone-black', '6.12-armhf', 'am335x-boneblack', 512 << 10, ('--unproven',)),
            ('imx8mm-var-som', '6.12', 'imx8mm-var-som-symphony', None, ())):
        tree = shipped(kernel, name)
        room = (limit or 1536 << 10) - pathlib.Path(tree).stat().st_size
        for what, size, status in (('just fits', room - (16 << 10), 0),
                                   ('is too large', room + (1 << 10), 7 if limit else 0)):
            made = device(folder / 'root', kind, kernel, name, 'mnt/sysroot/active/boot')
            large = padding(size)(Tree(tree)).write(folder / 'large.dtb')
            before = digest(made.root)
            done = [swap(verb, large, *options, '--root', made.root) for verb in ('check', 'install')]
            good = all(step.returncode == status for step in done)
            good &= not status or (all(f'has room for {limit}' in step.stdout for step in done) and
                                   digest(made.root) == before)
            tap.result(good, f'{kind}: a tree that {what if limit else "may be as large"}',
                       '\n'.join(step.stdout for step in done))


def refusals(tap, folder):
    """What is refused changes nothing."""
    kinds = {row[0]: row for row in DEVICES}
    row = kinds['imx8mm-var-som']
    other = shipped('6.12', 'imx8mp-evk')
    good = new_tree(folder, shipped(*row[1:3]), 'one')
    for name, words, status, said, prepare in (
            ('another board', [other], 4, 'the tree is for', None),
            ('a device type without a selector', [good], 9, 'mend: build it into the OS image',
             lambda d: d.put('mnt/boot/config.json', '{"deviceType": "rockpro64"}')),
            ('an unknown device type', [good], 9, 'is not known',
             lambda d: d.put('mnt/boot/config.json', '{}')),
            ('a selector that nobody has verified', [good], 9, 'nobody has verified',
             lambda d: d.put('mnt/boot/config.json', '{"deviceType": "beaglebone-black"}')),
            ('a board without a selector, of a family that has one', [good], 9, 'nobody has verified',
             lambda d: d.put('mnt/boot/config.json', '{"deviceType": "advantech-ecu1370"}')),
            ('a family that is not there', [good, '--family', 'pdp11'], 2, 'no family', None),
            ('another family', [good, '--family', 'raspberrypi'], 2, 'whose family is', None),
            ('another variable', [good, '--variable', 'x'], 2, 'and no other is read', None),
            ('no variable', [good, '--variable', 'a=b', '--family', 'u-boot', '--unproven'], 2,
             'is no name of a variable', None),
            ('a write of fatrw that was cut short', [good], 9, 'cut short',
             lambda d: d.put('mnt/boot/.extra_uEnv.txt.ab.cd.md5sum', 'x')),
            ('no /run', [good], 1, 'see that /run is mounted',
             lambda d: shutil.rmtree(d.root / 'run')),
            ('two trees', [good, good], 2, 'one tree at a time', None)):
        made = device(folder / 'root', *row)
        if prepare:
            prepare(made)
        before = digest(made.root)
        done = swap('install', *words, '--root', made.root)
        tap.result(done.returncode == status and said in done.stdout and 'mend:' in done.stdout and
                   digest(made.root) == before, f'refused, nothing changed: {name}',
                   f'{done.returncode}\n{done.stdout}')
    made = device(folder / 'root', *row)
    done = swap('install', good, '--root', made.root, '--family', 'u-boot', '--variable',
                'fdt_file', '--unproven')
    text = (made.root / 'mnt/boot/extra_uEnv.txt').read_text(encoding='ascii')
    tap.result(done.returncode == 0 and text.startswith('fdt_file=swap-one-'),
               'any U-Boot, on the user\'s word', done.stdout)
    made = device(folder / 'root', *row)
    swap('install', good, '--root', made.root)
    value = next((made.root / 'mnt/sysroot/active/boot').glob('swap-*.dtb'))
    value.write_bytes(b'\0' * 10)
    done = swap('status', '--root', made.root)
    tap.result(done.returncode == 3 and 'the device will not boot' in done.stdout,
               'status: the selected tree is broken', done.stdout)
    done = swap('install', good, '--root', made.root)
    tap.result(done.returncode == 0 and model(made, row[0]) == 'one',
               'installing it again mends it', done.stdout)


def linked(tap, folder):
    """A selector that is a symbolic link stays one."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    made = device(folder / 'root', *row)
    one, two = (new_tree(folder, shipped(*row[1:3]), word) for word in ('one', 'two'))
    swap('install', one, '--root', made.root)
    (made.root / 'mnt/boot/extra_uEnv.txt').rename(made.root / 'mnt/boot/real.txt')
    made.link('mnt/boot/extra_uEnv.txt', 'mnt/boot/real.txt')
    before = digest(made.root)
    for words in (('install', two), ('rollback',), ('rollback', '--own')):
        done = swap(*words, '--root', made.root)
        tap.result(done.returncode == 9 and 'is a symbolic link' in done.stdout and
                   (made.root / 'mnt/boot/extra_uEnv.txt').is_symlink() and
                   digest(made.root) == before, f'{words[0]} {words[-1]}: the selector is a link',
                   f'{done.returncode}\n{done.stdout}')


def looks(tap, folder):
    """status and list, where the bootloader cannot be told: what runs and what there is."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    for kind in ('rockpro64', 'beaglebone-black', 'nonsense'):
        made = device(folder / 'root', *row)
        made.put('mnt/boot/config.json', f'{{"deviceType": "{kind}"}}')
        status, found = (swap(word, '--root', made.root) for word in ('status', 'list'))
        tap.result(not status.returncode and not found.returncode and 'running ' in status.stdout
                   and 'warning: ' in status.stdout and f'{row[2]}.dtb' in found.stdout,
                   f'{kind}: status and list say what can be said', status.stdout + found.stdout)
        made.put('mnt/boot/dtb-swap.state', 'installed=x.dtb\nprevious=\nselector=a:b\n')
        done = swap('status', '--root', made.root)
        tap.result(done.returncode == 9 and 'refused: ' in done.stdout,
                   f'{kind}: not where a tree was installed', done.stdout)


def files(made, name='swap-*.dtb'):
    """The trees that the tool has put there."""
    return sorted(path.name for path in (made.root / 'mnt/sysroot/active/boot').glob(name))


def kept(tap, folder):
    """Of all trees that were installed the last two are there, under names of their own."""
    row = {row[0]: row for row in DEVICES}['jetson-xavier']
    made = device(folder / 'root', *row)
    root = ('--root', made.root)
    for word in ('one', 'two', 'three'):
        path = new_tree(folder, shipped(*row[1:3]), word).rename(folder / 'same.dtb')
        swap('install', path, *root)
    names = files(made)
    tap.result(len(names) == 2 and model(made, row[0]) == 'three' and files(made, f'{row[2]}.dtb'),
               'three trees from files of one name: the last two are kept', files(made, '*'))
    data = (made.root / 'mnt/sysroot/active/boot' / names[0]).read_bytes()
    room = len(data) - int.from_bytes(data[12:16], 'big') - int.from_bytes(data[32:36], 'big')
    tap.result(room >= 8192, 'with 8 KiB for what the bootloader adds', room)
    last = chosen(row[0], made.root / 'mnt/boot', made.root / 'mnt/sysroot/active').name
    (made.root / 'mnt/sysroot/active/boot' / next(n for n in names if n != last)).unlink()
    done = swap('rollback', *root)
    tap.result(done.returncode == 12 and 'is no more' in done.stdout and
               model(made, row[0]) == 'three', 'no way back to a tree that is no more', done.stdout)


# Device type, and the variable by which the supervisor selects a tree there.
SUPERVISED = {'imx8mm-var-som': 'BALENA_HOST_EXTLINUX_fdt',
              'iot-gate-imx8plus': 'BALENA_HOST_EXTLINUX_fdt',
              'jetson-nano': 'BALENA_HOST_EXTLINUX_fdt',
              'jetson-tx2': 'BALENA_HOST_EXTLINUX_fdt',
              'jetson-agx-orin-devkit': 'BALENA_HOST_EXTLINUX_fdt', 'jetson-xavier': None,
              'raspberrypi4-64': 'BALENA_HOST_CONFIG_device_tree'}


def supervised(tap, folder, row):
    """The supervisor keeps a selection if its variable is what the tool says, and strands nobody."""
    kind, variable = row[0], SUPERVISED[row[0]]
    made = device(folder / 'root', *row)
    root = ('--root', made.root)
    boot = made.root / 'mnt/boot'
    said, asked = '', {}
    for word in ('one', 'two', 'three'):
        done = swap('install', new_tree(folder, shipped(*row[1:3]), word), *root)
        said += done.stdout
        asked[word] = re.search(r'unless (\w+) is (swap-[\w-]+\.dtb), the balena', done.stdout)
    if not variable:
        tap.result(not any(asked.values()), f'{kind}: the supervisor leaves it alone', said)
        return
    good = all(match and match[1] == variable for match in asked.values())
    for word in ('three', 'one') if good else ():
        supervise(kind, boot, asked[word][2])
        good = good and model(made, kind) == word
    tap.result(good, f'{kind}: the supervisor selects what it is told, an old tree, too', said)
    done = swap('install', new_tree(folder, shipped(*row[1:3]), 'four'), *root)
    supervise(kind, boot, None)
    tap.result(model(made, kind) is None, f'{kind}: without a word it takes the selection back',
               done.stdout)
    made = device(folder / 'root', *row)
    done = swap('try', '--pending', new_tree(folder, shipped(*row[1:3]), 'one'), *root)
    name = chosen(kind, boot, made.root / 'mnt/sysroot/active').name
    tap.result(f'as {variable} is not {name}' in done.stdout and 'set it now' not in done.stdout and
               'only after the commit' in done.stdout and done.returncode == 0,
               f'{kind}: a pending tree, the variable has to wait for the commit', done.stdout)
    made = device(folder / 'root', *row)
    swap('install', new_tree(folder, shipped(*row[1:3]), 'one'), *root)
    done = swap('rollback', *root)
    tap.result(f'while {variable} is set' in done.stdout and done.returncode == 0,
               f'{kind}: back to the bootloader\'s own, the variable has to go', done.stdout)


def heavy(tap, folder):
    """The kernel takes 2 MiB, with the room that is added on the way."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    for left, status in ((127, 7), (129, 0)):
        made, tree = device(folder / 'root', *row), Tree(shipped(*row[1:3]))
        tree.fdt.resize(4 << 20)
        used = tree.fdt.size_dt_struct() + tree.fdt.size_dt_strings()
        tree.fdt.setprop(0, 'x', bytes((2 << 20) - (left << 10) - used))
        tree.fdt.pack()
        one = tree.write(folder / 'one.dtb')
        said = [swap(verb, one, '--root', made.root) for verb in ('check', 'install')]
        kept = list(made.root.rglob('swap-one-*'))
        said += [swap('check', path, '--root', made.root) for path in kept]
        tap.result([done.returncode for done in said] == [status] * (2 if status else 3) and
                   (not status or 'the kernel takes 2097152' in said[1].stdout),
                   f'a tree that leaves {left} KiB of 2 MiB', ''.join(x.stdout for x in said))


def untold(tap, folder):
    """Where the bootloader cannot be told, check says so, and a tree can be tried."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    made = device(folder / 'root', *row)
    made.put('mnt/boot/config.json', '{"deviceType": "rockpro64"}')
    done = swap('check', new_tree(folder, shipped(*row[1:3]), 'one'), '--root', made.root)
    tap.result(done.returncode == 0 and 'it can be tried, not installed: the bootloader of '
               'rockpro64 cannot be told' in done.stdout, 'check without a selector', done.stdout)


# What fatrw read does with the file of a write that was cut short, and one that cannot.
FATRW = '''#!/bin/sh
[ "$1" = read ] && mv "${2%/*}/.${2##*/}."*.md5sum "$2" && cat "$2"
'''
BROKEN = '#!/bin/sh\nexit 1\n'


def unfinished(tap, folder):
    """A write of fatrw that was cut short is ended by fatrw before anything is read or written."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    one = new_tree(folder, shipped(*row[1:3]), 'one')
    (folder / 'bin').mkdir(exist_ok=True)
    env = {**os.environ, 'PATH': f'{folder}/bin:{os.environ["PATH"]}'}
    for verb, how, status, words in (
            ('check', FATRW, 0, 'warning: a write of extra_uEnv.txt by fatrw was cut short'),
            ('status', FATRW, 0, 'warning: a write of extra_uEnv.txt by fatrw was cut short'),
            ('install', FATRW, 0, 'selected in'),
            ('install', BROKEN, 9, 'fatrw cannot end it')):
        made = device(folder / 'root', *row)
        selector = made.put('mnt/boot/extra_uEnv.txt', 'extra_os_cmdline=old\n')
        left = made.put('mnt/boot/.extra_uEnv.txt.ab.cd.md5sum', 'extra_os_cmdline=new\n')
        (folder / 'bin/fatrw').write_text(how, encoding='ascii')
        (folder / 'bin/fatrw').chmod(0o755)
        words_of = (verb,) if verb == 'status' else (verb, one)
        done = run(*program(), *words_of, '--root', made.root, env=env)
        ended = verb == 'install' and not status
        good = done.returncode == status and words in done.stdout and left.exists() != ended
        good &= ('cmdline=new' if ended else 'cmdline=old') in selector.read_text(encoding='ascii')
        good &= 'cmdline' not in done.stdout and model(made, row[0]) == ('one' if ended else None)
        tap.result(good, f'{verb}: fatrw {"ends" if ended else "does not end"} a write of its own',
                   done.stdout + selector.read_text(encoding='ascii'))


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for row in DEVICES:
            life(tap, folder, *row)
            supervised(tap, folder, row)
            own_tree(tap, folder, *row)
        selectors(tap, folder)
        sizes(tap, folder)
        refusals(tap, folder)
        looks(tap, folder)
        linked(tap, folder)
        kept(tap, folder)
        heavy(tap, folder)
        untold(tap, folder)
        unfinished(tap, folder)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
