#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: lines that are others, what comes new into use, and what nobody misses."""

import sys

from bench import Device, Tree, perform, shipped
from kept import DISABLED, EQOS, EVK_SD, EXPANDER, PI_SD, cells, evk, flags, kept, raspberry, silent, som
from rails import change, phy

PI_HOST, SMMU, ZYNQ_SD = '/soc/mmc@7e202000', '/axi/iommu@fd800000', '/axi/mmc@ff170000'
PI_I2C = '/soc/i2c@7e804000'
PLAIN, NAMED = 'ethernet-phy-ieee802.3-c22', 'ethernet-phy-id001c.c916'
RAIL, CHIP = '/regulator-x', f'{PI_I2C}/pmic@8'


def turned(tree, path, name, *where):
    """The first line of a property has the other polarity, or is another."""
    value = cells(tree, path, name)
    return tree.cell(path, name, value[0], *(where or value[1:-1]), value[-1] ^ (not where))


def named(folder):
    """An EVK whose PHY the kernel knows without asking it."""
    return change(evk(folder), lambda t: t.text(phy(t), 'compatible', [NAMED, PLAIN]))


def awake(folder):
    """The same without a reset."""
    return change(named(folder), lambda t: t.drop(phy(t), 'reset-gpios'))


def zynq(folder):
    """A ZCU102 on its SD card."""
    made = Device(folder, shipped('6.12', 'zynqmp-zcu102-rev1.1'))
    made.disk(1, '/', ZYNQ_SD)
    return made


def guarded(folder):
    """The same with its IOMMU."""
    return change(zynq(folder), lambda t: t.text(SMMU, 'status', 'okay'))


def supplied(tree):
    """The Ethernet has a supply that nothing can switch."""
    tree.add('/', 'regulator-x', compatible='regulator-fixed', regulator_name='x')
    return tree.cell(RAIL, 'phandle', 0x7001).cell(EQOS, 'phy-supply', 0x7001)


def fixed(folder):
    """An EVK with that."""
    return change(evk(folder), supplied)


def switched(folder):
    """The same with a line that switches the supply."""
    return change(fixed(folder), lambda t: flags(t.cell(
        RAIL, 'gpio', *cells(t, '/regulator-usdhc2', 'gpio')[:1], 21, 0), RAIL, 'enable-active-high'))


def behind(folder):
    """An EVK whose supply hangs on another one, that can be switched."""
    return change(switched(folder), lambda t: t.add('/', 'regulator-y', compatible='regulator-fixed',
                                                    regulator_name='y').cell(
        '/regulator-y', 'phandle', 0x7003).cell('/regulator-y', 'vin-supply', 0x7001).cell(
        EQOS, 'phy-supply', 0x7003))


def pmic(tree, *held, **texts):
    """A PMIC comes to the tree."""
    tree.text(PI_I2C, 'status', 'okay').add(PI_I2C, 'pmic@8', compatible='acme,pmic', **texts)
    tree.cell(CHIP, 'reg', 8).add(CHIP, 'regulators')
    for name in ('buck1', 'buck2'):
        tree.add(f'{CHIP}/regulators', name, regulator_name=name)
        flags(tree, f'{CHIP}/regulators/{name}', *(['regulator-always-on'] if name in held else []))
    return tree


def powered(folder):
    """A Raspberry Pi that has a PMIC, and nobody holds a rail of it."""
    return change(raspberry(folder), pmic)


def client(tree):
    """Something has its interrupt from the expander."""
    tree.cell('/gpio-keys', 'interrupt-parent', tree.fdt.get_phandle(tree.node(EXPANDER)))
    return flags(tree, EXPANDER, 'interrupt-controller').cell(EXPANDER, '#interrupt-cells', 2)


def waiting(folder):
    """A board where that is so."""
    return change(som(folder), client)


# As CASES of kept.py.
CASES = (
    ('the PHY\'s reset is the other way round', evk, lambda t: turned(t, phy(t), 'reset-gpios'), 0,
     'mdio/ethernet-phy@1 has another, or no, reset-gpios'),
    ('the card is told of the other way round', evk, lambda t: turned(t, EVK_SD, 'cd-gpios'), 0,
     f'warning: storage of /: {EVK_SD} has another, or no, cd-gpios'),
    ('by another line', evk, lambda t: turned(t, EVK_SD, 'cd-gpios', 25), 0, 'has another, or no, cd-gpios'),
    ('the GPIOs have another number in the tree', evk, lambda t: t.cell(t.fdt.get_path(t.fdt.node_offset_by_phandle(
        cells(t, EVK_SD, 'cd-gpios')[0])), 'phandle', 0x7002).cell(EVK_SD, 'cd-gpios', 0x7002, *cells(
            t, EVK_SD, 'cd-gpios')[1:]), 5, 'refers to a node that is not there'),
    ('the PHY has to be asked', named, lambda t: t.text(phy(t), 'compatible', PLAIN), 0,
     'mdio/ethernet-phy@1 has no ethernet-phy-id in the new tree'),
    ('that is another', named, lambda t: t.text(phy(t), 'compatible', 'ethernet-phy-id0141.0dd4'), 0, 'fits'),
    ('one that answers', awake, lambda t: t.text(phy(t), 'compatible', PLAIN), 0, 'fits'),
    ('a host comes before the card\'s', raspberry, lambda t: t.text(PI_HOST, 'status', 'okay'), 5,
     f'storage of /: it is mmc0 now, and {PI_HOST} comes before it'),
    ('both have their numbers', raspberry, lambda t: t.text(PI_HOST, 'status', 'okay').text(
        '/aliases', 'mmc0', PI_SD).text('/aliases', 'mmc1', PI_HOST), 0, 'fits'),
    ('nobody counts them', silent, lambda t: t.text(PI_HOST, 'status', 'okay'), 0, 'fits'),
    ('an IOMMU that knows nothing of the card', zynq, lambda t: t.text(SMMU, 'status', 'okay'), 0,
     f'warning: storage of /: {SMMU} is new in use, and it has no iommus'),
    ('one that does', zynq, lambda t: t.text(SMMU, 'status', 'okay').cell(SMMU, 'phandle', 0x7002).cell(
        ZYNQ_SD, 'iommus', 0x7002, 0x870), 0, 'fits'),
    ('one that is on now, too', guarded, lambda t: t, 0, 'fits'),
    ('nobody holds a rail of a new PMIC', raspberry, pmic, 5,
     f'supplies: {CHIP}/regulators/buck2 is new, and nobody holds it or others'),
    ('somebody holds one', raspberry, lambda t: pmic(t, 'buck2'), 0, 'fits'),
    ('it is not in use', raspberry, lambda t: pmic(t, status='disabled'), 0, 'fits'),
    ('it is on now', powered, lambda t: t, 0, 'fits'),
    ('the expander has no interrupt', som, lambda t: t.drop(EXPANDER, 'interrupts'), 0,
     f'warning: network eth0: {EXPANDER} has no interrupt in the new tree'),
    ('another has its own from there', waiting, lambda t: t.drop(EXPANDER, 'interrupts'), 5,
     f'network eth0: {EXPANDER} has no interrupt in the new tree'),
    ('a supply that is on is not named', fixed, lambda t: t.drop(EQOS, 'phy-supply'), 0,
     f'warning: network eth0: {EQOS} has no phy-supply'),
    ('one that is switched is not', switched, lambda t: t.drop(EQOS, 'phy-supply'), 5,
     f'network eth0: {EQOS} has no phy-supply'),
    ('nor one that hangs on such', behind, lambda t: t.drop(EQOS, 'phy-supply'), 5,
     f'network eth0: {EQOS} has no phy-supply'),
)


def others(tap, folder):
    """One change each."""
    kept(tap, folder, CASES)


def main():
    """Run all."""
    return perform(others)


if __name__ == '__main__':
    sys.exit(main())
