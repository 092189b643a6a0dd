#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: voltages, frequencies and temperatures that are others, and memory that is taken away."""

import sys

import libfdt

from bench import Tree, perform, swap
from kept import A, PMIC, evk, flags, kept
from rails import change, lone

LOW = (0, 0x40000000, 0, 0xc0000000)      # of 6 GiB
REGIONS = '/reserved-memory'
CARD = '/regulator-usdhc2'
TRIPS = '/thermal-zones/cpu-thermal/trips'
IOMEM = '40000000-ffffffff : System RAM\n  48200000-49ffffff : Kernel code\n  4a000000-4a5fffff : reserved\n' \
        '  4a600000-4acfffff : Kernel data\n'


def volts(tree, path, least, most=None):
    """A rail has another range."""
    tree.cell(path, 'regulator-min-microvolt', least)
    return tree.cell(path, 'regulator-max-microvolt', most or least)


def all_rails(tree):
    """Each of the PMIC's has 3.3 V."""
    for name in tree.children(PMIC):
        volts(tree, f'{PMIC}/{name}', 3300000)


def loose(folder):
    """An EVK with a rail that may have any voltage."""
    return change(evk(folder), lambda t: t.drop(f'{PMIC}/BUCK1', 'regulator-min-microvolt').drop(
        f'{PMIC}/BUCK1', 'regulator-max-microvolt'))


def steady(folder):
    """An EVK with a rail that is always on, and nobody names it."""
    return change(evk(folder), lambda t: volts(flags(t.add('/', 'regulator-x', compatible='regulator-fixed'),
                                                     '/regulator-x', 'regulator-always-on'), '/regulator-x', 3300000))


def region(tree, *reg, **texts):
    """Memory is reserved."""
    return tree.add(REGIONS, f'x@{reg[1]:x}', **texts).cell(f'{REGIONS}/x@{reg[1]:x}', 'reg', *reg)


def entry(tree, at, size):
    """The same in the old form."""
    libfdt.fdt_add_mem_rsv(tree.fdt._fdt, at, size)         # pylint: disable=protected-access
    return tree


def sized(tree, size, high=0, name='pool', **texts):
    """Memory is reserved, wherever the kernel finds it."""
    return tree.add(REGIONS, name, **texts).cell(f'{REGIONS}/{name}', 'size', high, size)


def pooled(folder):
    """An EVK that has half of its memory reserved so now."""
    return change(evk(folder), lambda t: sized(t, LOW[3]))


def located(folder):
    """An EVK that says where its kernel is."""
    made = evk(folder)
    made.put('proc/iomem', IOMEM)
    return made


def hidden(folder):
    """The same to somebody who is not root."""
    made = evk(folder)
    made.put('proc/iomem', '00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n')
    return made


def uefi(folder):
    """The same whose kernel is elsewhere with each start."""
    made = located(folder)
    made.put('sys/firmware/efi/systab', '')
    return made


def reserving(folder):
    """The same that has most of its memory reserved now."""
    return change(located(folder), lambda t: region(t, *LOW))


def speed(tree, hertz):
    """The CPUs have a faster step."""
    tree.fdt.setprop(tree.node('/opp-table/opp-1800000000'), 'opp-hz', hertz.to_bytes(8, 'big'))


def trip(tree, degrees, kind='critical'):
    """The temperature at which something is done."""
    for name in tree.children(TRIPS):
        if tree.fdt.getprop(tree.node(f'{TRIPS}/{name}'), 'type').as_str() == kind:
            tree.cell(f'{TRIPS}/{name}', 'temperature', degrees * 1000)


COVERED = 'memory: the new tree reserves what the kernel is in, at'
# As CASES of kept.py.
CASES = (
    ('all rails have 3.3 V', evk, all_rails, 5, f'supplies: {PMIC}/BUCK1 has 3300000 to 3300000 uV in the new tree, '),
    ('a rail has a half', evk, lambda t: volts(t, f'{PMIC}/BUCK6', 550000), 5, f'{PMIC}/BUCK6 has 550000 to'),
    ('the card\'s supply', evk, lambda t: volts(t, CARD, 1800000), 5, f'{CARD} has 1800000 to 1800000 uV in the new tree, 3300000 to 3300000 now'),
    ('a rail that nothing sets', steady, lambda t: volts(t, '/regulator-x', 1800000), 0,
     'warning: supplies: /regulator-x has 1800000'),
    ('it is a little less', evk, lambda t: volts(t, CARD, 3000000), 0, f'warning: supplies: {CARD} has 3000000'),
    ('a rail is held tighter', evk, lambda t: volts(t, f'{PMIC}/BUCK1', 850000), 0,
     f'warning: supplies: {PMIC}/BUCK1 has 850000 to 850000 uV'),
    ('one that had no range', loose, lambda t: volts(t, f'{PMIC}/BUCK1', 850000), 0,
     f'warning: supplies: {PMIC}/BUCK1 has 850000 to 850000 uV in the new tree, any now'),
    ('that of the CPUs alone', lone, lambda t: volts(t, f'{A}/i2c@30a20000/pmic@4b/regulators/BUCK2', 3300000), 5,
     'BUCK2 has 3300000'),
    ('one that nobody needs', evk, lambda t: volts(t, '/regulator-can1-stby', 12000000), 0, 'fits'),
    ('CPUs get faster', evk, lambda t: speed(t, 3000000000), 0,
     'warning: cpus: /opp-table goes up to 3000000000 Hz in the new tree, to 1800000000 now'),
    ('one in 1000', evk, lambda t: speed(t, 1801000000), 0, 'fits'),
    ('they get more voltage', evk, lambda t: t.cell('/opp-table/opp-1800000000', 'opp-microvolt', 2000000), 0,
     'warning: cpus: /opp-table goes up to 2000000 uV in the new tree, to 1000000 now'),
    ('the board stops in summer', evk, lambda t: trip(t, 45), 0,
     'warning: temperature: in the new tree the kernel stops the board at 45 C of cpu-thermal'),
    ('it stops earlier', evk, lambda t: trip(t, 70), 0, 'at 70 C of cpu-thermal'),
    ('half of the RAM is reserved', evk, lambda t: region(t, *LOW), 5, 'memory: the new tree reserves 3072 MiB of 6144'),
    ('it is not to be mapped', evk, lambda t: flags(region(t, *LOW), f'{REGIONS}/x@40000000', 'no-map'), 5,
     'memory: the new tree reserves 3072 MiB of 6144'),
    ('in the old form', evk, lambda t: entry(t, LOW[1], LOW[3]), 5, 'memory: the new tree reserves 3072 MiB of 6144'),
    ('a part', evk, lambda t: region(t, 0, 0x60000000, 0, 0x10000000), 0, 'fits'),
    ('what the kernel may use', evk, lambda t: flags(region(t, *LOW), f'{REGIONS}/x@40000000', 'reusable'), 0, 'fits'),
    ('that is off', evk, lambda t: region(t, *LOW, status='disabled'), 0, 'fits'),
    ('by its size, wherever that is', evk, lambda t: sized(t, LOW[3]), 5,
     'memory: the new tree reserves 3072 MiB of 6144'),
    ('so, and it is off', evk, lambda t: sized(t, LOW[3], status='disabled'), 0, 'fits'),
    ('so, and the kernel may use it', evk, lambda t: flags(sized(t, LOW[3]), f'{REGIONS}/pool', 'reusable'), 0,
     'fits'),
    ('so, and it is now', pooled, lambda t: t, 0, 'fits'),
    ('so, and less is now', pooled, lambda t: t.cell(f'{REGIONS}/pool', 'size', 0, 0xf0000000), 0, 'fits'),
    ('so, and much less is now', pooled, lambda t: t.cell(f'{REGIONS}/pool', 'size', 1, 0x80000000), 5,
     'memory: the new tree reserves 3072 MiB of 6144'),
    ('so, and two are no less than one', evk, lambda t: sized(sized(t, LOW[3]), 2**32 - LOW[3], 2**32 - 1, 'other'), 5,
     'memory: the new tree reserves 17592186044415 MiB of 6144'),
    ('so, and of one there is more than there can be', evk, lambda t: sized(region(t, *LOW), 2**32 - LOW[3], 2**32 - 1),
     5, 'memory: the new tree reserves 17592186044415 MiB of 6144'),
    ('where the kernel is', located, lambda t: region(t, 0, 0x48000000, 0, 0x400000), 5, f'{COVERED} 0x48000000'),
    ('where its data is', located, lambda t: entry(t, 0x4ac00000, 0x1000), 5, f'{COVERED} 0x4ac00000'),
    ('between them', located, lambda t: region(t, 0, 0x4a000000, 0, 0x600000), 0, 'fits'),
    ('nobody says where it is', hidden, lambda t: region(t, 0, 0x48000000, 0, 0x400000), 0, 'fits'),
    ('it is elsewhere next time', uefi, lambda t: region(t, 0, 0x48000000, 0, 0x400000), 0, 'fits'),
    ('it is reserved now', reserving, lambda t: t, 0, 'fits'),
)


def saying(made, folder, alter):
    """What is said of a changed tree."""
    tree = Tree(made.root / 'sys/firmware/fdt')
    alter(tree)
    return swap('check', '--root', made.root, tree.write(folder / 'new.dtb')).stdout


def quiet(tap, folder):
    """What is no reason to say anything."""
    for name, device, alter in (
            ('one in 1000', evk, lambda t: speed(t, 1801000000)), ('a trip', evk, lambda t: trip(t, 90)),
            ('not critical', evk, lambda t: trip(t, 45, 'passive')),
            ('a rail that nobody needs', evk, lambda t: volts(t, '/regulator-can1-stby', 12000000)),
            ('memory that is reserved now', reserving, lambda t: t)):
        made = device(folder / 'root')
        before = saying(made, folder, lambda t: t)
        tap.result(saying(made, folder, alter) == before, f'nothing is said of: {name}', before)


def limits(tap, folder):
    """One change each."""
    kept(tap, folder, CASES)


def main():
    """Run all."""
    return perform(limits, quiet)


if __name__ == '__main__':
    sys.exit(main())
