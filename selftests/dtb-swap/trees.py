#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap on all of Debian's trees: sound ones pass, other boards do not.

Each sixth board is held against each other; with the word all each is, which takes minutes.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import libfdt

from bench import Device, Tap, Tree, bases, program, run, shipped, swap, tool
from install import DEVICES, device, model

import overlays     # noqa: E402 pylint: disable=wrong-import-order

KERNELS = ('6.12', '6.12-armhf', '7.2')
AT_ONCE = 300
LINKED = '''/dts-v1/;

/ {
	chip: chip {
		phandle = <%d>;
		#clock-cells = <0>;
		#gpio-cells = <2>;
	};

	seed {
		clocks = <&chip>;
		enable-gpios = <&chip 1 0>;
		leds = <&chip>;
		rtcs = <&chip>;
	};
};
'''


def sound(tap, found):
    """The structure of each."""
    start = time.monotonic()
    wrong = []
    for at in range(0, len(found), AT_ONCE):
        done = swap('check', '--structure', '--quiet', *(base.dtb for base in found[at:at + AT_ONCE]))
        lines = done.stdout.splitlines()
        wrong += [line for line in lines if 'is sound' not in line]
        if done.returncode or len(lines) != len(found[at:at + AT_ONCE]):
            wrong.append(f'from {found[at].name}: status {done.returncode}, {len(lines)} lines')
    seconds = time.monotonic() - start
    print(f'# {len(found)} trees, {len(found) / seconds:.0f} a second')
    tap.result(not wrong and len(found) > 1600, f'{len(found)} trees are sound', '\n'.join(wrong[:9]))


def own_needs(tap, found, folder):
    """A device can live with the tree that it runs on: no need is seen that is not there."""
    wrong = []
    chosen = found[::25]
    for base in chosen:
        tree = Tree(base.dtb)
        try:
            out = tree.fdt.getprop(tree.node('/chosen'), 'stdout-path').as_str().split(':')[0]
            path = tree.fdt.get_path(tree.fdt.path_offset(out))
        except libfdt.FdtException:
            path = None
        made = Device(folder / 'root', base.dtb)
        if path:
            made.console('ttymxc1', path)
        done = swap('check', '--root', made.root, base.dtb)
        if done.returncode:
            wrong.append(f'{base.name}: {done.stdout}')
    tap.result(not wrong, f'{len(chosen)} devices can live with their own trees', '\n'.join(wrong[:5]))


def stub(path, names):
    """A tree that has nothing but names."""
    tree = libfdt.Fdt.create_empty_tree(4096)
    tree.setprop(0, 'compatible', ''.join(f'{name}\0' for name in names).encode())
    tree.pack()
    path.write_bytes(bytes(tree.as_bytearray()))
    return path


def relatives(boards):
    """For each the numbers of those that have a module or version in common with it, as far as
    names can tell: one that is the last of neither, and no SoC's, which many vendors' boards have."""
    by_name, vendors = collections.defaultdict(set), collections.defaultdict(set)
    for number, names in enumerate(boards):
        for name in names[:-1]:
            by_name[name].add(number)
            vendors[name].add(names[0].split(',')[0])
    return [set().union(*(by_name[name] for name in names[:-1] if len(vendors[name]) < 4)) - {number}
            for number, names in enumerate(boards)]


def verdicts(root, names, paths, numbers):
    """What a device says to many trees: the numbers of those that fit, and of those refused."""
    done = subprocess.run([*program(), 'check', '--root', root, '--quiet', *paths], check=False,
                          capture_output=True, text=True)
    fits = {int(pathlib.PurePath(line.split()[1]).stem) for line in done.stdout.splitlines()
            if line.endswith(' is sound and fits this device')}
    refused = set()
    for line in done.stderr.splitlines():
        if line.startswith('refused: the tree is for "') and f'this is "{names[0]}"' in line:
            refused.add(numbers[line.split('"')[1]])
    return fits, refused


def pairs(tap, found, folder, step):
    """Boards are held against each other one: none is taken for another."""
    boards = list({base.compatible[0]: base.compatible for base in
                   sorted(found, key=lambda base: base.compatible) if base.compatible}.values())
    numbers = {names[0]: number for number, names in enumerate(boards)}
    paths = [stub(folder / f'{number}.dtb', names) for number, names in enumerate(boards)]
    everyone, wrong, accepted, count = set(numbers.values()), [], 0, 0
    start = sum(os.times()[:4])
    for number, names, family in list(zip(range(len(boards)), boards, relatives(boards)))[::step]:
        count += len(boards) - 1
        root = Device(folder / 'root', paths[number]).root
        fits, refused = verdicts(root, names, paths, numbers)
        accepted += len(fits) - 1
        if fits & refused or fits | refused != everyone or not fits <= family | {number}:
            wrong.append(f'{names}: fits {[boards[i][0] for i in fits - family]}, '
                         f'no word of {len(everyone - fits - refused)}')
        if number not in fits:
            wrong.append(f'{names}: its own tree is refused')
    print(f'# {count} pairs, {sum(os.times()[:4]) - start:.0f} s of the CPU')
    tap.result(not wrong and len(boards) > 1600,
               f'{count} pairs of {len(boards)} boards: {count - accepted} refused, {accepted} '
               'have a module in common', '\n'.join(wrong[:9]))


def overlaid(tap, folder):
    """install --overlay merges into the device's own tree, then into the selected one."""
    row = {row[0]: row for row in DEVICES}['raspberrypi4-64']
    made = device(folder / 'root', *row)
    built = overlays.build(folder / 'pi', ['raspberrypi'], {})['raspberrypi']
    rtc = next(path for path in built if path.stem == 'rtc-ds3231')
    done = swap('install', '--overlay', rtc, '--root', made.root)
    name = next((made.root / 'mnt/boot').glob('swap-*.dtb'))
    text = run('dtc', '-q', '-O', 'dts', name).stdout
    tap.result(done.returncode == 0 and 'maxim,ds3231' in text and model(made, row[0]),
               'install --overlay', done.stdout)
    done = swap('install', '--overlay', rtc, '--root', made.root)
    tap.result(done.returncode == 0 and 'it was before' in done.stdout,
               'the same overlay again: it was before', done.stdout)
    other = next(path for path in built if path.stem == 'rtc-ds1307')
    done = swap('install', '--overlay', other, '--root', made.root)
    tap.result(done.returncode == 6 and 'is taken by' in done.stdout,
               'another one there: the address is taken', done.stdout)
    bare = shipped('6.12', 'rk3399-rock-pi-4b')
    done = swap('merge', bare, rtc, '-o', folder / 'x.dtb')
    tap.result(done.returncode == 4 and 'not for this tree' in done.stdout,
               'an overlay for another family', done.stdout)


def differences(tap, folder):
    """diff follows references, so that numbers of phandles are none."""
    tree = shipped('6.12', 'imx8mp-evk')
    one, two = (folder / f'{number}.dtb' for number in (1, 77))
    for path in one, two:
        run('dtc', '-q', '-o', path, '-', input=LINKED % int(path.stem))
    done = swap('diff', one, two)
    tap.result(done.returncode == 0 and not done.stdout, 'no difference', done.stdout[:300])
    done = swap('diff', one, Tree(two).text('/seed', 'rtcs', 'x').write(folder / 'other.dtb'))
    tap.result(done.stdout.startswith('- /seed: rtcs = <&{/chip}>;\n'), 'a node is named', done.stdout)
    new = Tree(tree).text('/', 'model', 'x').write(folder / 'new.dtb')
    done = swap('diff', tree, new)
    tap.result(done.stdout.splitlines() == ['- /: model = "NXP i.MX8MPlus EVK board";',
                                            '+ /: model = "x";'], 'one difference', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    tool()
    found = [base for kernel in KERNELS for base in bases.shipped(kernel)]
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        sound(tap, found)
        own_needs(tap, found, folder)
        (folder / 'stubs').mkdir()
        pairs(tap, found, folder / 'stubs', 1 if sys.argv[1:] == ['all'] else 6)
        overlaid(tap, folder)
        differences(tap, folder)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
