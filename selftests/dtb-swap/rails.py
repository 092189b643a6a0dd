#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: what switches power, resets and clocks, and holds a watchdog, at a cold start."""

import sys

from bench import Device, Tree, perform, shipped
from kept import A, DISABLED, EQOS, GPIO2, PMIC, cells, evk, flags, kept, som, unsteady

PHY_RAIL = '/regulator-phy'


def change(made, alter):
    """The running tree of a device is changed."""
    running = Tree(made.root / 'sys/firmware/fdt')
    alter(running)
    running.write(made.root / 'sys/firmware/fdt')
    return made


def rail(tree, name, line, *names):
    """A supply that a line of the EVK's second GPIO controller switches."""
    tree.add('/', name, compatible='regulator-fixed', regulator_name=name)
    tree.cell(f'/{name}', 'gpio', tree.fdt.get_phandle(tree.node(GPIO2)), line, 0)
    return flags(tree, f'/{name}', 'enable-active-high', *names)


def powered(folder):
    """An EVK with a rail that is always on, and that nobody names."""
    return change(evk(folder), lambda t: rail(t, 'regulator-phy', 11, 'regulator-always-on'))


def renamed(tree, line=11, *names):
    """The rail has another name."""
    return rail(tree.drop(PHY_RAIL), 'regulator-3v3', line, *names)


def shared(tree, *high):
    """A rail of a modem has the line of the card's supply."""
    rail(tree, 'regulator-modem', 19)
    return tree if high else tree.drop('/regulator-modem', 'enable-active-high')


def cores(tree, *names):
    """CPUs lose properties."""
    for cpu in tree.children('/cpus'):
        for name in names:
            if cpu.startswith('cpu@') and tree.fdt.hasprop(tree.node(f'/cpus/{cpu}'), name):
                tree.drop(f'/cpus/{cpu}', name)


def cpu_rail(tree):
    """The path of what supplies the first CPU."""
    return tree.fdt.get_path(tree.fdt.node_offset_by_phandle(cells(tree, '/cpus/cpu@0', 'cpu-supply')[0]))


def lone(folder):
    """A board whose CPUs alone hold their rail."""
    return change(som(folder), lambda t: t.drop(cpu_rail(t), ON))


def slot(tree, host, status='okay'):
    """The board's 3.3 V are no more always on, and are the supply of a card."""
    unsteady(tree, ('BUCK4',))
    tree.cell(f'{PMIC}/BUCK4', 'phandle', 0x7001).text(host, 'status', status)
    return tree.cell(host, 'vmmc-supply', 0x7001)


def nano(folder):
    """A Jetson Nano with a modem."""
    made = Device(folder, shipped('7.2', 'tegra210-p3450-0000'))
    made.network('wwan0', 'up', '/usb@70090000')
    return made


def watched(folder):
    """A board with a watchdog that runs from power-on, and is fed by a line."""
    made = Device(folder, shipped('6.12', 'imx8mp-data-modul-edm-sbc'))
    change(made, lambda t: t.text(DOG, 'status', 'okay'))
    made.device('platform/dog', DOG)
    made.put('sys/devices/platform/dog/watchdog/watchdog1/state', 'inactive\n')
    made.link('sys/class/watchdog/watchdog1', 'sys/devices/platform/dog/watchdog/watchdog1')
    return made


def other_dog(tree, name='other'):
    """The watchdog has another name."""
    tree.add('/', name, compatible='linux,wdt-gpio', hw_algo='level')
    tree.cell(f'/{name}', 'gpios', *cells(tree, DOG, 'gpios')).cell(f'/{name}', 'hw_margin_ms', 1000)
    return flags(tree, f'/{name}', 'always-running').drop(DOG)


def phy(tree):
    """The PHY of an EVK."""
    return f'{EQOS}/mdio/{tree.children(f"{EQOS}/mdio")[0]}'


def reset_by(node, name):
    """The reset of the EVK's PHY is somewhere else, in the running tree, too."""
    def alter(tree):
        value = cells(tree, phy(tree), 'reset-gpios')
        return tree.drop(phy(tree), 'reset-gpios').cell(node, name, *value)
    return alter


def stmmac(folder):
    """An EVK whose Ethernet resets the PHY itself."""
    return change(evk(folder), reset_by(EQOS, 'snps,reset-gpio'))


def to_phy(tree):
    """It does so no more, but the PHY has the line."""
    value = cells(tree, EQOS, 'snps,reset-gpio')
    return tree.drop(EQOS, 'snps,reset-gpio').cell(phy(tree), 'reset-gpios', *value)


def xu4(folder):
    """An ODROID-XU4 of 6.1, whose network is on USB."""
    made = Device(folder, shipped('6.1-armhf', 'exynos5422-odroidxu4'))
    made.put('proc/cmdline', 'console=tty1')
    made.network('eth0', 'up', '/soc/usb3-1/usb@12400000')
    return made


def of_612(tree, offset=0):
    """The tree becomes that of 6.12, where the bus above has addresses of its own."""
    tree.fdt = Tree(shipped('6.12-armhf', 'exynos5422-odroidxu4')).fdt
    value = cells(tree, '/soc/usb@12400000', 'ranges')
    tree.cell('/soc/usb@12400000', 'ranges', value[0], value[1] + offset, *value[2:])


DOG = '/watchdog'
OTG_PORT = '/padctl@7009f000/ports/usb2-0'
NANO_PORT = '/padctl@7009f000/ports/usb2-1'
NO_PORT = f'network wwan0: {NANO_PORT}, the port of what it needs, is not in use'
ON = 'regulator-always-on'
OFF = f'supplies: a GPIO switches {PHY_RAIL} on now; in the new tree nothing does that'
# The device, what is done to its tree, the exit status, what is said.
CASES = (
    ('the rail of a PHY is gone', powered, lambda t: t.drop(PHY_RAIL), 5, OFF),
    ('it is off', powered, lambda t: t.text(PHY_RAIL, *DISABLED), 5, OFF),
    ('it has no line', powered, lambda t: t.drop(PHY_RAIL, 'gpio'), 5, OFF),
    ('its line is the other way round', powered, lambda t: t.drop(PHY_RAIL, 'enable-active-high'), 5, OFF),
    ('it is not always on', powered, lambda t: t.drop(PHY_RAIL, ON), 5, f'{PHY_RAIL} is on for good now'),
    ('it has another name', powered, lambda t: renamed(t, 11, ON), 0, 'fits'),
    ('another name, and nobody names it', powered, renamed, 5, OFF),
    ('it has another line', powered, lambda t: t.cell(PHY_RAIL, 'gpio', cells(t, PHY_RAIL, 'gpio')[0], 13, 0), 0,
     'fits'),
    ('another name and line', powered, lambda t: renamed(t, 12, ON), 5, OFF),
    ('its line is the reset of the PHY', powered, lambda t: t.drop(PHY_RAIL).cell(
        phy(t), 'reset-gpios', t.fdt.get_phandle(t.node(GPIO2)), 11, 1), 0, 'has another, or no, reset-gpios'),
    ('two rails have one line', evk, lambda t: shared(t, True), 0, 'fits'),
    ('CPUs have no supply', som, lambda t: cores(t, 'cpu-supply'), 0,
     'warning: cpus: /cpus/cpu@0 has no cpu-supply in the new tree'),
    ('nor frequencies', som, lambda t: cores(t, 'cpu-supply', 'operating-points-v2'), 0, 'fits'),
    ('one that follows another has none', som, lambda t: t.drop('/cpus/cpu@3', 'cpu-supply'), 0, 'fits'),
    ('nobody holds the rail of the CPUs', lone, lambda t: cores(t, 'cpu-supply', 'operating-points-v2'), 5,
     'cpus: '),
    ('a slot that nothing needs names a rail', evk, lambda t: slot(t, f'{A}/mmc@30b40000'), 0,
     f'warning: supplies: {PMIC}/BUCK4 is on for good now; in the new tree nobody who is needed asks for it'),
    ('that slot is off', evk, lambda t: slot(t, f'{A}/mmc@30b40000', 'disabled'), 5, 'nobody asks for it'),
    ('the port of a USB lane is off', nano, lambda t: t.text(NANO_PORT, *DISABLED), 5, NO_PORT),
    ('no ports', nano, lambda t: t.drop('/padctl@7009f000/ports'), 5, NO_PORT),
    ('the port is a device\'s', nano, lambda t: t.text(NANO_PORT, 'mode', 'peripheral'), 5, f'{NANO_PORT} is no host'),
    ('it is a host without a word', nano, lambda t: t.drop(NANO_PORT, 'mode'), 0, 'fits'),
    ('a port has no switch between host and device', nano, lambda t: t.drop(OTG_PORT, 'usb-role-switch'), 5,
     f'{OTG_PORT} is no host'),
    ('a port has no supply', nano, lambda t: t.drop(OTG_PORT, 'vbus-supply'), 0,
     f'warning: network wwan0: {OTG_PORT} has no vbus-supply'),
    ('its supply is off', nano, lambda t: t.text(t.fdt.get_path(t.fdt.node_offset_by_phandle(
        cells(t, OTG_PORT, 'vbus-supply')[0])), *DISABLED), 5, f'which {OTG_PORT} needs, is disabled'),
    ('nobody feeds the watchdog', watched, lambda t: t.text(DOG, *DISABLED), 5, 'watchdog watchdog1: it is'),
    ('there is none', watched, lambda t: t.drop(DOG), 5, 'watchdog watchdog1: it is'),
    *((f'the watchdog has no {name}', watched, lambda t, name=name: t.drop(DOG, name), 5,
       f'watchdog watchdog1: {DOG} has no {name}') for name in ('always-running', 'gpios', 'hw_margin_ms')),
    ('it has another name', watched, other_dog, 0, 'warning: watchdog watchdog1: it is'),
    ('the PHY has no reset by its old name', stmmac, lambda t: t.drop(EQOS, 'snps,reset-gpio'), 5,
     f'network eth0: {EQOS} has no snps,reset-gpio'),
    ('the PHY has it', stmmac, to_phy, 0, 'fits'),
    ('another line', stmmac, lambda t: to_phy(t).cell(phy(t), 'reset-gpios', *cells(
        t, '/regulator-usdhc2', 'gpio')), 5, f'{EQOS} has no snps,reset-gpio'),
    ('the Ethernet has it', evk, reset_by(EQOS, 'snps,reset-gpio'), 0, 'fits'),
    ('the bus has it', evk, reset_by(f'{EQOS}/mdio', 'reset-gpios'), 0, 'fits'),
    ('nobody has it', evk, lambda t: t.drop(phy(t), 'reset-gpios'), 5, 'has no reset-gpios'),
    ('a device that is not in use has it', evk, lambda t: reset_by('/x', 'reset-gpios')(
        t.add('/', 'x', compatible='x,y', status='disabled')), 5, 'has no reset-gpios'),
    ('a USB controller has another number on its bus', xu4, of_612, 0, 'fits'),
    ('and another address', xu4, lambda t: of_612(t, 0x1000000), 5, 'which the new tree does not have'),
    ('one of them the other way round', evk, shared, 5, 'both want it in the new tree'),
)


def rails(tap, folder):
    """One change each."""
    kept(tap, folder, CASES)


def main():
    """Run all."""
    return perform(rails)


if __name__ == '__main__':
    sys.exit(main())
