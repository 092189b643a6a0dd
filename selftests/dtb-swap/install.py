#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap install, rollback, status, list: each family's selector, and its traps.

What the bootloader makes of the files is told by selector.py, which knows nothing of the tool.
"""

import hashlib
import json
import pathlib
import sys
import tempfile

from bench import Device, Tap, Tree, shipped, swap
from selector import chosen

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
    made.put('mnt/sysroot/active/boot/keep', '')
    made.put(f'{trees}/{name}.dtb', pathlib.Path(tree).read_bytes())
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
    ('long lines on Xavier', 'jetson-xavier', 'extra_os_cmdline=isolcpus=1\n', 0, '', 'one'),
    ('no newline at the end', 'imx8mm-var-som', 'extra_os_cmdline=isolcpus=1', 0, '', 'one'),
    ('the key twice', 'jetson-nano', 'custom_fdt_file=a.dtb\ncustom_fdt_file=b.dtb\n', 0, '', 'one'),
    ('line ends of DOS', 'jetson-tx2', 'a=b\r\n', 0, 'carriage return', 'one'),
    ('a NUL byte', 'jetson-tx2', 'a=b\0\n', 9, 'is damaged', None),
    ('a filter at the end', 'raspberrypi4-64', 'dtparam=i2c_arm=on\n[pi3]\ndevice_tree=x.dtb\n', 0,
     '', 'one'),
    ('os_prefix', 'raspberrypi4-64', 'os_prefix=a/\n', 9, 'os_prefix=a/', None),
    ('an included file', 'raspberrypi4-64', 'include more.txt\n', 0, 'more.txt was not looked at',
     'one'),
)


def selectors(tap, folder):
    """Selectors that were edited by people and by other programs."""
    kinds = {row[0]: row for row in DEVICES}
    for name, kind, text, status, words, after in SELECTORS:
        made = device(folder / 'root', *kinds[kind])
        file = 'config.txt' if kind.startswith('rasp') else 'extra_uEnv.txt'
        path = made.put(f'mnt/boot/{file}', text)
        one = new_tree(folder, shipped(*kinds[kind][1:3]), 'one')
        done = swap('install', one, '--root', made.root)
        good = done.returncode == status and words in done.stdout
        good &= model(made, kind) == after if after else path.read_bytes() == text.encode()
        kept = [line for line in text.split('\n') if line and 'fdt_file' not in line]
        good &= all(line in path.read_bytes().decode() for line in kept)
        tap.result(good, f'{kind}: {name}', f'{done.returncode}\n{done.stdout}{path.read_bytes()}')


def refusals(tap, folder):
    """What is refused changes nothing."""
    kinds = {row[0]: row for row in DEVICES}
    row = kinds['imx8mm-var-som']
    other = shipped('6.12', 'imx8mp-evk')
    good = new_tree(folder, shipped(*row[1:3]), 'one')
    for name, words, status, said, prepare in (
            ('another board', [other], 4, 'the tree is for', None),
            ('a device type without a selector', [good], 9, 'cannot be told',
             lambda d: d.put('mnt/boot/config.json', '{"deviceType": "rockpro64"}')),
            ('an unknown device type', [good], 9, 'is not known',
             lambda d: d.put('mnt/boot/config.json', '{}')),
            ('a selector that nobody has verified', [good], 9, 'nobody has verified',
             lambda d: d.put('mnt/boot/config.json', '{"deviceType": "beaglebone-black"}')),
            ('a family that is not there', [good, '--family', 'pdp11'], 2, 'no family', None),
            ('a write of fatrw that was cut short', [good], 9, 'cut short',
             lambda d: d.put('mnt/boot/.extra_uEnv.txt.ab.cd.md5sum', 'x')),
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


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for row in DEVICES:
            life(tap, folder, *row)
        selectors(tap, folder)
        refusals(tap, folder)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
