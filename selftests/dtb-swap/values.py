#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: names that drivers ask for, properties that are new, nodes that only drivers look for."""

import sys

from bench import perform
from bound import multimedia
from check import CCM, UART
from kept import DISABLED, EQOS, EVK_SD, GPR, NVME, cells, evk, flags, kept, orin, som, wired
from rails import change

ANATOP = '/soc@0/bus@30000000/clock-controller@30360000'
FUSES = '/bus@0/fuse@3810000'
SEEN = 'in the new tree, and not now'


def instead(tree, path, name, *names):
    """A list has the first names otherwise."""
    left = tree.fdt.getprop(tree.node(path), name).as_stringlist()[len(names):]
    return tree.text(path, name, [*names, *left])


def swapped(tree, path, name):
    """The first two names of a list have changed places."""
    one, two = tree.fdt.getprop(tree.node(path), name).as_stringlist()[:2]
    return instead(tree, path, name, two, one)


def turned(tree):
    """The console's clocks have changed places, and their names."""
    value = cells(tree, UART, 'clocks')
    return swapped(tree, UART, 'clock-names').cell(UART, 'clocks', *value[2:4], *value[:2], *value[4:])


def ufs(folder):
    """An EVK whose disk has the kernel's own UFS."""
    return change(evk(folder), lambda t: t.text(EVK_SD, 'compatible', ['fsl,imx8mp-usdhc', 'jedec,ufs-2.0']))


def usb(folder):
    """An EVK whose disk is on a USB of no special kind."""
    return change(evk(folder), lambda t: t.text(EVK_SD, 'compatible', ['fsl,imx8mp-usdhc', 'generic-xhci']).text(
        EVK_SD, 'phy-names', ['usb2', 'x']))


def qualcomm(folder):
    """An EVK whose disk is one of Qualcomm's."""
    return change(evk(folder), lambda t: t.text(EVK_SD, 'compatible', 'qcom,x'))


def dwc3(folder):
    """An EVK whose disk is on Qualcomm's USB."""
    return change(evk(folder), lambda t: t.text(EVK_SD, 'compatible', 'qcom,dwc3').text(
        EVK_SD, 'interrupt-names', ['hs_phy_irq', 'ss_phy_irq']))


def without(tree, path):
    """What has a number is gone, and the number stays."""
    return tree.cell(EQOS, 'intf_mode', tree.fdt.get_phandle(tree.node(path)), 4).drop(path)


def windows(tree, how):
    """The bridge has other windows; each has 3 cells, 2 and 2."""
    value = cells(tree, NVME, 'ranges')
    return tree.cell(NVME, 'ranges', *(how(number, at % 7) for at, number in enumerate(value)))


def padded(folder):
    """An Orin whose NVMe needs the USB pads."""
    return change(orin(folder), lambda t: t.cell(NVME, 'x-supply', 0x7001).cell(PADCTL, 'phandle', 0x7001))


PADCTL = '/bus@0/padctl@3520000'
# As CASES of kept.py.
CASES = (
    *((f'{what} {name} is others', evk, lambda t, path=path, name=name: instead(t, path, name, 'foo'), 5,
       f'{path} has no "{lost}" in its {name} in the new tree') for what, path, name, lost in (
           ('the console\'s', UART, 'clock-names', 'ipg'), ('the card\'s', EVK_SD, 'clock-names', 'ipg'),
           ('the Ethernet\'s', EQOS, 'clock-names', 'stmmaceth'), ('the clocks\'', CCM, 'clock-names', 'osc_32k'),
           ('the Ethernet\'s', EQOS, 'interrupt-names', 'macirq'))),
    ('a name with its clock is gone', evk, lambda t: t.text(UART, 'clock-names', 'ipg').cell(
        UART, 'clocks', *cells(t, UART, 'clocks')[:2]), 5, f'{UART} has no "per" in its clock-names'),
    ('another name has come', evk, lambda t: t.text(UART, 'clock-names', ['ipg', 'per', 'x']), 0, 'fits'),
    ('names have changed places', evk, lambda t: swapped(t, UART, 'clock-names'), 0,
     f'warning: console ttymxc1: {UART} has its clock-names in another order in the new tree'),
    ('names, with their clocks', evk, turned, 0, 'fits'),
    ('DMA has other names', evk, lambda t: instead(t, UART, 'dma-names', 'foo'), 0,
     f'warning: console ttymxc1: {UART} has another, or no, dma-names'),
    ('UFS takes what there is', ufs, lambda t: instead(t, EVK_SD, 'clock-names', 'foo'), 0,
     f'warning: storage of /: {EVK_SD} has no "ipg" in its clock-names'),
    ('USB takes what there is', usb, lambda t: t.text(EVK_SD, 'phy-names', 'x'), 0,
     f'warning: storage of /: {EVK_SD} has no "usb2" in its phy-names'),
    ('so does Qualcomm', qualcomm, lambda t: t.text(EVK_SD, 'clock-names', ['ipg', 'ahb']), 0,
     f'warning: storage of /: {EVK_SD} has no "per" in its clock-names'),
    ('and its USB any interrupt', dwc3, lambda t: t.text(EVK_SD, 'interrupt-names', ['pwr_event', 'ss_phy_irq']), 0,
     f'warning: storage of /: {EVK_SD} has no "hs_phy_irq" in its interrupt-names'),
    ('not what is called otherwise', qualcomm, lambda t: instead(t, EVK_SD, 'clock-names', 'foo'), 5,
     f'refused: storage of /: {EVK_SD} has no "ipg" in its clock-names'),
    ('the card\'s pins are never chosen', evk, lambda t: instead(t, EVK_SD, 'pinctrl-names', 'foo'), 5,
     f'{EVK_SD} has no "default" in its pinctrl-names'),
    ('the card\'s fast pins are not', evk, lambda t: t.text(EVK_SD, 'pinctrl-names', ['default', 'x', 'y']), 0,
     'fits'),
    *((f'the card\'s host has {name}', evk, lambda t, name=name: flags(t, EVK_SD, name), 0,
       f'warning: storage of /: {EVK_SD} has {name} in the new tree') for name in ('no-sd', 'no-mmc', 'cd-inverted')),
    ('that is known to have an MMC', multimedia, lambda t: flags(t, EVK_SD, 'no-sd'), 0, 'fits'),
    ('it has a frequency', evk, lambda t: t.cell(EVK_SD, 'max-frequency', 1), 0,
     f'warning: storage of /: {EVK_SD} has max-frequency {SEEN}'),
    ('the console has a clock', evk, lambda t: t.cell(UART, 'clock-frequency', 1), 0,
     f'warning: console ttymxc1: {UART} has clock-frequency {SEEN}'),
    ('a fixed link beside a PHY', evk, lambda t: t.add(EQOS, 'fixed-link'), 5,
     'network eth0: it has a fixed-link in the new tree, and not now'),
    ('the older form', evk, lambda t: t.cell(EQOS, 'fixed-link', 0, 1, 1000, 0, 0), 5, 'it has a fixed-link'),
    ('a fixed link in its place', evk, lambda t: t.drop(EQOS, 'phy-handle').add(EQOS, 'fixed-link'), 0,
     'warning: network eth0: it has a fixed-link'),
    ('the bridge has no windows', orin, lambda t: windows(t, lambda number, at: number if at < 5 else 0), 5,
     f'storage of /: {NVME} has no window in its ranges in the new tree'),
    ('none at all', orin, lambda t: t.cell(NVME, 'ranges'), 5, f'{NVME} has no window in its ranges'),
    ('smaller ones', orin, lambda t: windows(t, lambda number, at: number if at < 6 else 0x1000), 0,
     f'warning: storage of /: {NVME} has other ranges in the new tree'),
    ('what decides the mode is gone', wired, lambda t: without(t, GPR), 0,
     f'warning: network eth0: intf_mode of {EQOS} begins with the number of a node that is not there'),
    *((f'nobody has the PLLs, {device.__name__}', device, lambda t: t.drop(ANATOP), 5,
       f'anatop: the new tree has none, and {CCM} needs it') for device in (evk, som)),
    ('they are elsewhere', evk, lambda t: t.cell(ANATOP, 'reg', 0x30370000, 0x10000), 5,
     'fsl,imx8mp-anatop: it has another address in the new tree'),
    ('they are off, which nobody asks', evk, lambda t: t.text(ANATOP, *DISABLED), 0, 'fits'),
    ('no fuses, which the USB pads ask', padded, lambda t: t.drop(FUSES), 5,
     f'nvidia,tegra234-efuse: the new tree has none, and {PADCTL} needs it'),
    ('no fuses, and nobody asks', orin, lambda t: t.drop(FUSES), 0, 'fits'),
    ('the timer has other interrupts', evk, lambda t: t.cell('/timer', 'interrupts', *(1, 1, 0x104) * 4), 5,
     'arm,armv8-timer: it has other interrupts in the new tree'),
    ('it has one of them', evk, lambda t: t.cell('/timer', 'interrupts', *cells(t, '/timer', 'interrupts')[3:6]), 0,
     'fits'),
)


def values(tap, folder):
    """One change each."""
    kept(tap, folder, CASES)


def main():
    """Run all."""
    return perform(values)


if __name__ == '__main__':
    sys.exit(main())
