#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: a pin of a needed device that another one wants, too."""

import sys

from bench import Device, Tree, perform, shipped
from kept import A, EVK_SD, cells, evk, hog, kept, raspberry

PADS = '/soc@0/bus@30000000/pinctrl@30330000'
BONE_UART = '/ocp/interconnect@44c00000/segment@200000/target-module@9000/serial@0'
PI_PADS, PI_UART = '/soc/gpio@7e200000', '/soc/serial@7e215040'
SUN_PADS = '/soc/pinctrl@1c20800'


def group(tree, device):
    """The first group of pins of a device, as a path."""
    return tree.fdt.get_path(tree.fdt.node_offset_by_phandle(cells(tree, device, 'pinctrl-0')[0]))


def led(tree, chip, *line):
    """An LED on a line of a controller."""
    tree.add('/', 'leds-x', compatible='gpio-leds').add('/leds-x', 'x')
    return tree.cell('/leds-x/x', 'gpios', tree.fdt.get_phandle(tree.node(chip)), *line)


def bank(tree, number):
    """One of Rockchip's controllers of GPIOs."""
    return '/pinctrl/' + [name for name in tree.children('/pinctrl') if name.startswith('gpio@')][number]


def wants(tree, *groups, status='okay'):
    """Another device comes up and wants groups of pins."""
    if 'other' not in tree.children('/'):
        tree.add('/', 'other', compatible='acme,other')
    tree.text('/other', 'status', status)
    return tree.cell('/other', 'pinctrl-0', *groups).text('/other', 'pinctrl-names', 'default')


def same_group(tree, device=EVK_SD, **how):
    """It names a group of a needed device."""
    return wants(tree, *cells(tree, device, 'pinctrl-0')[:1], **how)


def with_part(tree):
    """A part of the card's controller names its group, too, and so does another device."""
    groups = cells(tree, EVK_SD, 'pinctrl-0')[:1]
    tree.add(EVK_SD, 'part', compatible='acme,part').cell(f'{EVK_SD}/part', 'pinctrl-0', *groups)
    tree.cell('/sound-bt-sco', 'pinctrl-0', *groups)


def own_group(tree, pads, *properties):
    """It has a group of its own; properties are names with cells, or with text."""
    tree.add(pads, 'x').cell(f'{pads}/x', 'phandle', 0x7003)
    for name, *value in properties:
        if isinstance(value[0], str):
            tree.text(f'{pads}/x', name, value)
        else:
            tree.cell(f'{pads}/x', name, *value)
    return wants(tree, 0x7003)


def of_sd(tree, skip=0):
    """A group of i.MX's with one pad of the SD card's, otherwise configured."""
    pads = cells(tree, group(tree, EVK_SD), 'fsl,pins')
    return own_group(tree, PADS, ('fsl,pins', pads[0] + skip, *pads[1:3], 5, 0, 0x1c4))


def shared(folder):
    """An EVK on which another device has the SD card's pins, and all goes well."""
    made = evk(folder)
    same_group(Tree(made.root / 'sys/firmware/fdt')).write(made.root / 'sys/firmware/fdt')
    return made


def bone(folder):
    """A BeagleBone Black with a console."""
    made = Device(folder, shipped('6.12-armhf', 'am335x-boneblack'))
    made.put('proc/cmdline', 'console=ttyS0,115200')
    made.console('ttyS0', BONE_UART)
    return made


def of_bone(tree, skip=0):
    """A group of a BeagleBone's with a pin of its console."""
    path = group(tree, BONE_UART)
    pads = cells(tree, path, 'pinctrl-single,pins')
    return own_group(tree, path.rpartition('/')[0], ('pinctrl-single,pins', pads[0] + skip, *pads[1:3]))


def rock(folder):
    """A Rock Pi 4, whose card has pins by bank and number."""
    made = Device(folder, shipped('6.12', 'rk3399-rock-pi-4b'))
    made.disk(1, '/', '/mmc@fe320000')
    return made


def orange(folder):
    """An Orange Pi, whose pins have names."""
    made = Device(folder, shipped('6.12-armhf', 'sun8i-h3-orangepi-pc'))
    made.disk(1, '/', '/soc/mmc@1c0f000')
    return made


BOTH = 'both want the same in the new tree'
CASES = (
    ('a device takes the group of the card', evk, same_group, 5, BOTH),
    ('so does a part of the card\'s controller', evk, with_part, 5, f'{EVK_SD} and /sound-bt-sco {BOTH}'),
    ('it is not in use', evk, lambda t: same_group(t, status='disabled'), 0, 'fits'),
    ('a pad in a group of its own', evk, of_sd, 5, BOTH),
    ('another pad', evk, lambda t: of_sd(t, 0x400), 0, 'fits'),
    ('the group of a device that nothing needs', evk,
     lambda t: same_group(t, f'{A}/i2c@30a40000'), 0, 'fits'),
    ('a group is named for ever', evk, lambda t: wants(own_group(
        t, PADS, ('fsl,pins', *[1] * 6000)), *[0x7003] * 6000), 5, 'too often to look at all'),
    ('the running tree has it so', shared, lambda t: t, 0, 'fits'),
    ('so, and a third device takes them', shared, lambda t: t.cell(
        '/sound-bt-sco', 'pinctrl-0', *cells(t, EVK_SD, 'pinctrl-0')[:1]), 5, f'{EVK_SD} and /sound-bt-sco {BOTH}'),
    ('the console\'s pin', raspberry, lambda t: own_group(
        t, PI_PADS, ('brcm,pins', 14), ('brcm,function', 4)), 5, BOTH),
    ('which is pulled, and no more', raspberry, lambda t: own_group(
        t, PI_PADS, ('brcm,pins', 14), ('brcm,pull', 2)), 0, 'fits'),
    ('the pin beside', raspberry, lambda t: own_group(
        t, PI_PADS, ('brcm,pins', 16), ('brcm,function', 4)), 0, 'fits'),
    ('a pin by its register', bone, of_bone, 5, BOTH),
    ('another register', bone, lambda t: of_bone(t, 0x80), 0, 'fits'),
    ('the card\'s pin by bank and number', rock, lambda t: own_group(
        t, '/pinctrl', ('rockchip,pins', *cells(t, group(t, '/mmc@fe320000'), 'rockchip,pins')[:2], 0, 1)),
     5, BOTH),
    ('the same number of another bank', rock, lambda t: own_group(
        t, '/pinctrl', ('rockchip,pins', 1, cells(t, group(t, '/mmc@fe320000'), 'rockchip,pins')[1], 0, 1)),
     0, 'fits'),
    ('a name', orange, lambda t: own_group(
        t, SUN_PADS, ('pins', 'PA0', 'PF2'), ('function', 'gpio_out')), 5, BOTH),
    *((f'an LED on {what}', device, lambda t, line=line: led(t, *line(t)), status, words)
      for what, device, line, status, words in (
          ('the console\'s pin', raspberry, lambda t: (PI_PADS, 14, 0), 5, BOTH),
          ('the pin beside', raspberry, lambda t: (PI_PADS, 16, 0), 0, 'fits'),
          ('the clock of the card', rock, lambda t: (bank(t, 4), 12, 0), 5, BOTH),
          ('that number of another bank', rock, lambda t: (bank(t, 3), 12, 0), 0, 'fits'),
          ('the clock of the card', orange, lambda t: (SUN_PADS, 5, 2, 0), 5, BOTH),
          ('that number of another bank', orange, lambda t: (SUN_PADS, 6, 2, 0), 0, 'fits'),
          ('a pad that stays muxed', evk, lambda t: ('/soc@0/bus@30000000/gpio@30210000', 13, 0), 0, 'fits'))),
    ('a hog on the console\'s pin', raspberry, lambda t: hog(t, PI_PADS, 14), 5, BOTH),
    ('an LED on a pin that a group of a needed device makes a GPIO', raspberry, lambda t: led(t.cell(
        group(t, PI_UART), 'brcm,function', 1), PI_PADS, 14, 0), 0, 'fits'),
    ('names without a function', orange, lambda t: own_group(
        t, SUN_PADS, ('pins', 'PF2'), ('drive-strength', 30)), 0, 'fits'),
)


def pins(tap, folder):
    """One change each."""
    kept(tap, folder, CASES)


def main():
    """Run all."""
    return perform(pins)


if __name__ == '__main__':
    sys.exit(main())
