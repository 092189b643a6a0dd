#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap on all of Debian's trees: sound ones pass, other boards do not.

With the word all, each board is held against each other, which takes minutes.
"""

import collections
import pathlib
import re
import sys
import tempfile
import time

import libfdt

from bench import Device, Tap, Tree, bases, run, shipped, swap, tool
from install import DEVICES, device, model

import overlays     # noqa: E402 pylint: disable=wrong-import-order

KERNELS = ('6.12', '6.12-armhf', '7.2')
AT_ONCE = 300


def sound(tap, found):
    """The structure of each."""
    start = time.monotonic()
    wrong = []
    for at in range(0, len(found), AT_ONCE):
        done = swap('check', '--structure', '--quiet', *(base.dtb for base in found[at:at + AT_ONCE]))
        wrong += [line for line in done.stdout.splitlines() if 'is sound' not in line]
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


def stub(folder, names):
    """A tree that has nothing but names."""
    tree = libfdt.Fdt.create_empty_tree(4096)
    tree.setprop(0, 'compatible', ''.join(f'{name}\0' for name in names).encode())
    path = folder / f'{names[0].replace("/", "-")}.dtb'
    tree.pack()
    path.write_bytes(bytes(tree.as_bytearray()))
    return path


def related(one, other):
    """Whether boards have a module or version in common, as far as names can tell."""
    return one[0] == other[0] or bool(set(one) & set(other) - {one[-1], other[-1]})


def boards(tap, found, folder, every):
    """Boards with all those that have any name in common with them, and with some others; or
    each with each."""
    lists = sorted({base.compatible for base in found if base.compatible})
    by_name = collections.defaultdict(set)
    for names in lists:
        for name in names:
            by_name[name].add(names)
    paths = {names: stub(folder, names) for names in {n[0]: n for n in lists}.values()}
    pairs, wrong, accepted = 0, [], 0
    for number, names in enumerate(paths):
        if number % 7 and not every:
            continue
        others = set().union(*(by_name[name] for name in names)) & set(paths)
        others |= set(paths if every else list(paths)[number % 11::97])
        others = sorted(others - {names})
        made = Device(folder / 'root', paths[names])
        done = swap('check', '--root', made.root, '--quiet', '--accept-board', 'none',
                    *(paths[other] for other in others))
        fits = set(re.findall(r'(\S+) is sound and fits', done.stdout))
        refused = set(re.findall(r'the tree is for "(\S+)"', done.stdout))
        for other in others:
            pairs += 1
            good = str(paths[other]) in fits
            accepted += good
            if good == (other[0] in refused) or (good and not related(names, other)):
                wrong.append(f'{names} {other}: {"accepted" if good else "refused"}')
    tap.result(not wrong and pairs > 1000,
               f'{pairs} pairs of boards: {pairs - accepted} refused, {accepted} have a module in common',
               '\n'.join(wrong[:9]))


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
    tap.result(done.returncode == 6 and 'is taken by' in done.stdout,
               'the same overlay again: the address is taken', done.stdout)
    bare = shipped('6.12', 'rk3399-rock-pi-4b')
    done = swap('merge', bare, rtc, '-o', folder / 'x.dtb')
    tap.result(done.returncode == 4 and 'not for this tree' in done.stdout,
               'an overlay for another family', done.stdout)


def differences(tap, folder):
    """diff follows references, so that numbers of phandles are none."""
    tree = shipped('6.12', 'imx8mp-evk')
    source = run('dtc', '-q', '-O', 'dts', tree).stdout
    shifted = re.sub(r'(phandle = <0x)([0-9a-f]+)', lambda m: f'{m[1]}{int(m[2], 16):x}', source)
    (folder / 'same.dts').write_text(shifted, encoding='utf-8')
    run('dtc', '-q', '-o', folder / 'same.dtb', folder / 'same.dts')
    done = swap('diff', tree, folder / 'same.dtb')
    tap.result(done.returncode == 0 and not done.stdout, 'no difference', done.stdout[:300])
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
        boards(tap, found, folder / 'stubs', sys.argv[1:] == ['all'])
        overlaid(tap, folder)
        differences(tap, folder)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
