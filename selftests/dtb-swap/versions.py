#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A device that runs on a tree of an older kernel can live with that of 7.2 for the same board.

Its console, its first disk and its first Ethernet controller are in use. Each tenth board is
taken, with the word all each.
"""

import pathlib
import re
import sys
import tempfile

import libfdt

from bench import Device, Tap, Tree, bases, swap, tool

# The trees of 7.2 that do not have what is in use; why is for people who look at them.
OTHER = 'the board has another name'
MISFITS = {'6.12': {
    'armada-3720-gl-mv1000': 'enable-active-high of a supply that has no line',
    'armada-8040-puzzle-m801': OTHER,
    'k3-am625-sk': 'its eMMC may be taken out',
    'imx8mm-kontron-bl-osm-s': 'nobody drives the line of the second Ethernet\'s reset any more',
    'ipq5332-rdp441': 'a SPI controller wants the pins of the MMC controller',
    'ipq5332-rdp442': 'the MMC controller is disabled',
    'ipq5332-rdp468': 'as rdp441',
    'ipq5332-rdp474': 'as rdp441',
    'ipq9574-rdp418': 'the MMC controller is disabled',
    'ipq9574-rdp433': 'the MMC controller is disabled',
    'r9a08g045s33-smarc': 'another regulator has the name of the card\'s supply',
    'rk3399-roc-pc': 'LDO_REG5 is no more always on',
    'rk3399-roc-pc-mezzanine': 'as that',
    'sdm845-sony-xperia-tama-akari': 'serial0 is serial1',
    'sdm845-sony-xperia-tama-akatsuki': 'serial0 is serial1',
    'sdm845-sony-xperia-tama-apollo': 'serial0 is serial1',
}, '6.1': {
    'armada-8040-puzzle-m801': OTHER,
    'imx8mm-kontron-bl-osm-s': 'nobody drives the line of the second Ethernet\'s reset any more',
    'imx8mm-venice-gw72xx-0x-imx219': OTHER,
    'imx8mq-librem5-r2': 'a power-supply of the MMC controller that nothing reads',
    'imx8mq-librem5-r3': 'as r2',
    'imx8mq-librem5-r4': 'as r2',
    'imx8mq-thor96': 'a gpio of the power sequence that nothing reads',
    'meson-axg-jethome-jethub-j100': 'the NAND controller, in use, wants the pins of the eMMC',
    'meson-axg-jethome-jethub-j110-rev-2': 'as j100',
    'meson-axg-jethome-jethub-j110-rev-3': 'as j100',
    'meson-axg-s400': 'as j100',
    'rk3399-orangepi': OTHER,
    'rk3399-roc-pc': 'LDO_REG5 is no more always on',
    'rk3399-roc-pc-mezzanine': 'as that',
    'rk3568-bpi-r2-pro': OTHER,
    'rk3568-odroid-m1': OTHER,
    'sc7180-trogdor-lazor-limozeen-nots-r9': OTHER,
    'sc7180-trogdor-lazor-limozeen-r9': OTHER,
    'sc7180-trogdor-lazor-r9': OTHER,
    'sc7180-trogdor-lazor-r9-kb': OTHER,
    'sc7180-trogdor-lazor-r9-lte': OTHER,
    'sdm845-sony-xperia-tama-akari': 'serial0 is serial1',
    'sdm845-sony-xperia-tama-akatsuki': 'serial0 is serial1',
    'sdm845-sony-xperia-tama-apollo': 'serial0 is serial1',
}}
DISK = re.compile(r'(mmc|sdhci|ufshc?|sdcc|mshc)@')


def enabled(tree, path):
    """Whether a node is in use."""
    try:
        return tree.fdt.getprop(tree.node(path), 'status').as_str() in ('okay', 'ok')
    except libfdt.FdtException:
        return True


def full_path(tree, name, of='/aliases'):
    """The path of what a property has the path or the alias of, or None."""
    try:
        text = tree.fdt.getprop(tree.fdt.path_offset(of), name).as_str().split(':')[0]
        path = tree.fdt.get_path(tree.fdt.path_offset(text))
    except libfdt.FdtException:
        return None
    return path if enabled(tree, path) else None


def disks(tree, path='', depth=0):
    """Controllers by their names, for trees whose aliases have none."""
    try:
        names = tree.children(path or '/')
    except libfdt.FdtException:
        return
    for name in names:
        if DISK.match(name) and enabled(tree, f'{path}/{name}'):
            yield f'{path}/{name}'
        elif depth < 4 and not name.startswith(('__', 'cpus', 'reserved')):
            yield from disks(tree, f'{path}/{name}', depth + 1)


def device(root, path):
    """A device that runs on a tree, and how many of three things it stands on."""
    tree, made = Tree(path), Device(root, path)
    made.put('proc/cmdline', 'console=ttymxc1,115200\n')
    console = full_path(tree, 'stdout-path', '/chosen') or full_path(tree, 'serial0')
    aliases = [full_path(tree, f'mmc{number}') for number in range(4)]
    disk = next((path for path in (*aliases, *disks(tree)) if path), None)
    network = full_path(tree, 'ethernet0') or full_path(tree, 'ethernet1')
    if console:
        made.console('ttymxc1', console)
    if disk:
        made.disk(2, '/', disk)
    if network:
        made.network('eth0', 'up', network)
    return made, sum(map(bool, (console, disk, network)))


def compare(tap, older):
    """From an older kernel to 7.2."""
    old, new = ({base.name: base.dtb for base in bases.shipped(kernel)}
                for kernel in (older, '7.2'))
    names = sorted(set(old) & set(new))[::1 if sys.argv[1:] == ['all'] else 10]
    refused, wrong, stands = set(), [], 0
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            made, count = device(pathlib.Path(work) / 'root', old[name])
            stands += count
            done = swap('check', '--root', made.root, new[name])
            if done.returncode:
                refused.add(name)
            if done.returncode and name not in MISFITS[older] or \
                    older == '6.12' and 'interrupts' in done.stdout:
                wrong.append(f'{name}: {done.stdout}')
    print(f'# {stands} consoles, disks and networks of {len(names)} devices')
    tap.result(not wrong and stands > 2 * len(names),
               f'{len(names)} trees of 7.2 fit a device that runs on that of {older}',
               '\n'.join(wrong))
    missed = sorted(set(names) & set(MISFITS[older]) - refused)
    tap.result(not missed, f'{older}: but for those without what is in use', missed)


def main():
    """Run all."""
    tap = Tap()
    tool()
    for older in MISFITS:
        compare(tap, older)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
