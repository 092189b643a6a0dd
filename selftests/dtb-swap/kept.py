#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: what a needed device would wait for in vain, lose, or be numbered otherwise by."""

import sys

from bench import Device, Tree, perform, shipped, swap
from check import GIC, UART

A = '/soc@0/bus@30800000'
GPIO2, PMIC = '/soc@0/bus@30000000/gpio@30210000', f'{A}/i2c@30a20000/pmic@25/regulators'
EQOS, EVK_SD = f'{A}/ethernet@30bf0000', f'{A}/mmc@30b50000'
EXPANDER, FUSES = f'{A}/i2c@30a30000/gpio@20', '/soc@0/bus@30000000/efuse@30350000'
PI_SD, PI_MAIL, PI_GPIO = '/emmc2bus/mmc@7e340000', '/soc/mailbox@7e00b880', '/soc/firmware/gpio'
PORTS = f'{EQOS}/mdio/switch@0/ports'
NVME, HSP = '/bus@0/pcie@141a0000', '/bus@0/hsp@3c00000'
GPR = '/soc@0/bus@30000000/syscon@30340000'
DISABLED = ('status', 'disabled')


def flags(tree, path, *names):
    """Set properties without a value."""
    for name in names:
        tree.fdt.setprop(tree.node(path), name, b'')
    return tree


def cells(tree, path, name):
    """The numbers of a property."""
    value = bytes(tree.fdt.getprop(tree.node(path), name))
    return [int.from_bytes(value[i:i + 4], 'big') for i in range(0, len(value), 4)]


def hog(tree, chip, *lines):
    """Lines that are taken when their controller comes up."""
    tree.add(chip, 'x-hog', line_name='x').cell(f'{chip}/x-hog', 'gpios', *(n for line in lines for n in (line, 0)))
    flags(tree, f'{chip}/x-hog', 'gpio-hog', 'output-low')


def led(tree, chip, line):
    """An LED on a line."""
    tree.add('/gpio-leds', 'x').cell('/gpio-leds/x', 'gpios', tree.fdt.get_phandle(tree.node(chip)), line, 0)


def between(tree, status, path, **texts):
    """Two more on the line of the card's supply, of which the second is not in its way."""
    number = tree.fdt.get_phandle(tree.node(GPIO2))
    tree.add('/', 'other', status=status).add('/other', path, **texts).cell(f'/other/{path}', 'gpio', number, 19, 0)
    flags(tree, f'/other/{path}', 'enable-active-high')
    tree.add('/', 'leds-x', compatible='gpio-leds').add('/leds-x', 'x').cell('/leds-x/x', 'gpios', number, 19, 0)


def renumber(tree, path):
    """A node gets another number, by which the Ethernet knows it then."""
    tree.cell(path, 'phandle', 0x7002).cell(EQOS, 'intf_mode', 0x7002, 4)


def unsteady(tree, names):
    """Rails of the PMIC that nobody holds."""
    for name in names:
        tree.drop(f'{PMIC}/{name}', 'regulator-always-on')


def with_consumer(tree):
    """A rail that is always on gets somebody who names it."""
    unsteady(tree, ('BUCK1',))
    tree.cell(f'{PMIC}/BUCK1', 'phandle', 0x7001).cell(UART, 'vdd-supply', 0x7001)


def evk(folder):
    """An i.MX8M Plus EVK on its SD card, with its second Ethernet."""
    made = Device(folder, shipped('6.12', 'imx8mp-evk'))
    made.console('ttymxc1', UART)
    made.disk(1, '/', EVK_SD)
    made.network('eth0', 'up', EQOS)
    return made


def lit(folder):
    """The same, and an LED has the line of the card's supply, and all goes well."""
    made = evk(folder)
    tree = Tree(made.root / 'sys/firmware/fdt')
    led(tree, GPIO2, 19)
    tree.write(made.root / 'sys/firmware/fdt')
    return made


def som(folder):
    """A Variscite i.MX8M Mini, whose PHY is reset by an expander."""
    made = Device(folder, shipped('6.12', 'imx8mm-var-som-symphony'))
    made.network('eth0', 'up', f'{A}/ethernet@30be0000')
    return made


def raspberry(folder, cmdline='console=ttyS1,115200 root=/dev/mmcblk0p2\n'):
    """A Raspberry Pi 4; its tree has no alias of its card, which is mmc0."""
    made = Device(folder, shipped('6.12', 'bcm2711-rpi-4-b'))
    made.put('proc/cmdline', cmdline)
    made.console('ttyS1', '/soc/serial@7e215040')
    made.device('platform/disk0', PI_SD)
    where = 'sys/devices/platform/disk0/mmc_host/mmc0/mmc0:0001/block/mmcblk0'
    (made.root / where).mkdir(parents=True)
    made.link('sys/dev/block/179:0', where)
    made.put('proc/self/mountinfo', '20 1 179:0 / / rw - ext4 /dev/x rw\n')
    return made


def silent(folder):
    """The same without console= on the command line."""
    return raspberry(folder, 'root=LABEL=x\n')


def orin(folder):
    """A Jetson AGX Orin on an NVMe."""
    made = Device(folder, shipped('7.2', 'tegra234-p3737-0000+p3701-0000'))
    made.disk(0, '/', NVME)
    return made


def wired(folder):
    """An EVK whose firmware has written the MAC address."""
    made = evk(folder)
    running = Tree(made.root / 'sys/firmware/fdt').text(EQOS, 'local-mac-address', 'abcde')
    running.text('/aliases', 'ethernet0', EQOS).write(made.root / 'sys/firmware/fdt')
    return made


def fixed(folder):
    """An EVK with a fixed link in the place of its PHY."""
    made = evk(folder)
    running = Tree(made.root / 'sys/firmware/fdt').drop(EQOS, 'phy-handle').add(EQOS, 'fixed-link')
    running.write(made.root / 'sys/firmware/fdt')
    return made


def switch(folder):
    """An EVK with a switch, of which the network is a port."""
    made = evk(folder)
    running = Tree(made.root / 'sys/firmware/fdt').add(f'{EQOS}/mdio', 'switch@0', compatible='acme,switch')
    running.cell(f'{EQOS}/mdio/switch@0', 'reg', 0).add(f'{EQOS}/mdio/switch@0', 'ports')
    running.cell(EQOS, 'phandle', 0x7002)
    for number in (2, 5):
        running.add(PORTS, f'port@{number}').cell(f'{PORTS}/port@{number}', 'reg', number)
    running.cell(f'{PORTS}/port@5', 'ethernet', 0x7002).write(made.root / 'sys/firmware/fdt')
    made.network('lan2', 'up', f'{PORTS}/port@2')
    return made


def bone(folder):
    """A BeagleBone Black, which has 32 bits."""
    return Device(folder, shipped('6.12-armhf', 'am335x-boneblack'))


# The device, what is done to its tree, the exit status, what is said.
CASES = (
    ('the expander of the PHY\'s reset is off', som, lambda t: t.text(EXPANDER, *DISABLED), 5,
     f'{EXPANDER}, which {A}/ethernet@30be0000/mdio/ethernet-phy@4 needs, is disabled'),
    ('its bus is off', som, lambda t: t.text(f'{A}/i2c@30a30000', *DISABLED), 5, 'network eth0: '),
    ('it is not there', som, lambda t: t.drop(EXPANDER), 5, 'refers to a node that is not there'),
    ('the fuses with the MAC address are off', som, lambda t: t.text(FUSES, *DISABLED), 5,
     f'network eth0: {FUSES}'),
    ('the reset of the PHY is left out', som, lambda t: t.drop(
        f'{A}/ethernet@30be0000/mdio/ethernet-phy@4', 'reset-gpios'), 5, 'has no reset-gpios'),
    ('the PHY has another address', som, lambda t: t.cell(
        f'{A}/ethernet@30be0000/mdio/ethernet-phy@4', 'reg', 5), 5, 'has another address on its bus'),
    ('the GPIOs of the card\'s supply have no interrupt', evk, lambda t: t.drop(GPIO2, 'interrupts'), 5,
     f'storage of /: {GPIO2} has no interrupt'),
    *((f'the card\'s supply has no {name}', evk, lambda t, name=name: t.drop('/regulator-usdhc2', name), 5,
       f'/regulator-usdhc2 has no {name}') for name in ('gpio', 'enable-active-high')),
    ('nothing tells of the card', evk, lambda t: t.drop(EVK_SD, 'cd-gpios'), 5, f'{EVK_SD} has no cd-gpios'),
    ('the card is looked for', evk, lambda t: flags(t.drop(EVK_SD, 'cd-gpios'), EVK_SD, 'broken-cd'), 0, 'fits'),
    ('a GPIO under its other name', evk, lambda t: t.cell('/regulator-usdhc2', 'gpios', *cells(
        t, '/regulator-usdhc2', 'gpio')).drop('/regulator-usdhc2', 'gpio'), 0, 'fits'),
    ('memory is one cell longer than the root says', evk, lambda t: t.cell('/', '#size-cells', 1), 5,
     'the cells of memory are not those of the root'),
    ('no alias for the MAC address', wired, lambda t: t.drop('/aliases', 'ethernet0'), 0,
     'warning: network eth0: it is ethernet0 now'),
    ('no fixed link', fixed, lambda t: t.drop(f'{EQOS}/fixed-link'), 5, 'it has no fixed-link in the new tree'),
    ('another port', switch, lambda t: t.cell(f'{PORTS}/port@2', 'reg', 3), 5, 'it is another port in the new tree'),
    ('the CPU\'s port is not in use', switch, lambda t: t.text(f'{PORTS}/port@5', *DISABLED), 5,
     f'the port to the CPU, {PORTS}/port@5, is not in the new tree'),
    ('the CPU\'s port leads nowhere', switch, lambda t: t.drop(f'{PORTS}/port@5', 'ethernet'), 5,
     f'the port to the CPU, {PORTS}/port@5'),
    ('the firmware\'s mailbox is off', raspberry, lambda t: t.text(PI_MAIL, *DISABLED), 5, PI_MAIL),
    ('its GPIOs, which switch the card\'s voltage, are off', raspberry, lambda t: t.text(PI_GPIO, *DISABLED),
     5, PI_GPIO),
    ('the GPIOs of the card\'s supply are off', evk, lambda t: t.text(GPIO2, *DISABLED), 5, f'storage of /: {GPIO2}'),
    ('a hog takes the line of the card\'s supply', evk, lambda t: hog(t, GPIO2, 19), 5, 'GPIO 0.19: '),
    ('a hog on another line', evk, lambda t: hog(t, GPIO2, 23), 0, 'fits'),
    ('a hog takes it as its second line', evk, lambda t: hog(t, GPIO2, 23, 19), 5, 'GPIO 0.19: '),
    ('a hog on two other lines', evk, lambda t: hog(t, GPIO2, 23, 24), 0, 'fits'),
    ('an LED takes it', evk, lambda t: led(t, GPIO2, 19), 5, 'both want it in the new tree'),
    ('an LED has it now', lit, lambda t: t, 0, 'fits'),
    ('an LED has it now, and a hog takes it', lit, lambda t: hog(t, GPIO2, 19), 5, 'x-hog and /regulator-usdhc2 both want it'),
    ('an LED takes it, and a device that is not in use has it', evk, lambda t: between(t, 'disabled', 'x'), 5,
     '/leds-x/x and /regulator-usdhc2 both want it in the new tree'),
    ('an LED takes it, and a supply shares it', evk, lambda t: between(
        t, 'okay', 'x', compatible='regulator-fixed'), 5, '/leds-x/x and /regulator-usdhc2 both want it'),
    ('an LED that is not in use takes it', evk, lambda t: led(t.text('/gpio-leds', *DISABLED), GPIO2, 19), 0,
     'fits'),
    ('names of interrupts are left out', evk, lambda t: t.drop(EQOS, 'interrupt-names'), 5,
     f'{EQOS} has no interrupt-names'),
    ('a rail is no more always on', evk, lambda t: unsteady(t, ('BUCK1',)), 5,
     f'supplies: {PMIC}/BUCK1 is on for good now'),
    ('a rail is no more always on, but somebody names it', evk, with_consumer, 0, 'fits'),
    ('the PMIC is not there', evk, lambda t: t.drop(f'{A}/i2c@30a20000/pmic@25'), 0, 'fits'),
    ('the card gets a number', raspberry, lambda t: t.text('/aliases', 'mmc1', PI_SD), 5,
     'it is mmc0 now, and mmc1 in the new tree'),
    ('the card gets the number that it has', raspberry, lambda t: t.text('/aliases', 'mmc0', PI_SD), 0, 'fits'),
    ('another gets its number', raspberry, lambda t: t.text('/aliases', 'mmc0', '/soc/mmc@7e300000'), 5,
     'in the new tree aliases give others numbers (mmc0)'),
    ('the console gets a number', raspberry, lambda t: t.text('/aliases', 'serial1', '/soc/serial@7e201000')
     .text('/aliases', 'serial0', '/soc/serial@7e215040'), 5, 'console ttyS1: it is serial1 now, and serial0'),
    ('stdout-path names another', silent, lambda t: t.text('/chosen', 'stdout-path', '/soc/serial@7e201000:9600'),
     5, 'in the new tree it is another than /soc/serial@7e215040'),
    ('stdout-path leads nowhere', silent, lambda t: t.text('/chosen', 'stdout-path', 'serial9'), 5,
     'the stdout-path of the new tree leads nowhere'),
    ('stdout-path is empty', silent, lambda t: t.text('/chosen', 'stdout-path', ''), 5, 'leads nowhere'),
    ('stdout-path names it by its path', silent, lambda t: t.text(
        '/chosen', 'stdout-path', '/soc/serial@7e215040'), 0, 'fits'),
    ('the SoC is not named, 64 bits', raspberry, lambda t: t.text('/', 'compatible', 'raspberrypi,4-model-b'), 0,
     'warning: root: the new tree is not for brcm,bcm2711'),
    ('the SoC is not named, 32 bits', bone, lambda t: t.text('/', 'compatible', 'ti,am335x-bone-black'), 5,
     'root: the new tree is not for ti,am33xx'),
    *((f'the bridge has no {name}', orin, lambda t, name=name: t.drop(NVME, name), 5,
       f'{NVME} has no {name}') for name in ('iommu-map', 'device_type', 'ranges', 'reg-names', 'phy-names')),
    *((f'the firmware has no {name}', orin, lambda t, name=name: t.drop('/bpmp', name), 5, f'/bpmp has no {name}')
      for name in ('mboxes', 'shmem')),
    ('the firmware\'s mailbox is off, too', orin, lambda t: t.text(HSP, *DISABLED), 5, HSP),
    ('the PHY is spoken to otherwise', wired, lambda t: t.text(EQOS, 'phy-mode', 'mii'), 0,
     f'warning: network eth0: {EQOS} has another, or no, phy-mode in the new tree'),
    ('the card has no width, and another start of tuning', evk, lambda t: t.drop(EVK_SD, 'bus-width')
     .cell(EVK_SD, 'fsl,tuning-start-tap', 1), 0, f'{EVK_SD} has another, or no, fsl,tuning-start-tap, bus-width'),
    ('a node has another number', wired, lambda t: renumber(t, GPR), 0, 'fits'),
    ('what decides the mode is elsewhere', wired, lambda t: t.cell(EQOS, 'intf_mode', t.fdt.get_phandle(
        t.node(GPIO2)), 4), 0, 'has another, or no, intf_mode'),
    ('the interrupt controller has another address', evk, lambda t: t.cell(GIC, 'reg', 0, 1, 2, 3), 5, GIC),
)


def kept(tap, folder, cases=CASES):
    """One change each."""
    for name, device, change, status, words in cases:
        made = device(folder / 'root')
        tree = Tree(made.root / 'sys/firmware/fdt')
        change(tree)
        done = swap('check', '--root', made.root, tree.write(folder / 'new.dtb'))
        tap.result(done.returncode == status and words in done.stdout and
                   ('another, or no' in done.stdout) <= ('another, or no' in words),
                   f'{device.__name__}: {name}',
                   f'status {done.returncode}\n{done.stdout}')
        same = swap('check', '--root', made.root, made.root / 'sys/firmware/fdt')
        if same.returncode:
            tap.result(False, f'{device.__name__}: the running tree', same.stdout)


def main():
    """Run all."""
    return perform(kept)


if __name__ == '__main__':
    sys.exit(main())
