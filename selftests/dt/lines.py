#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The pack's carriers leave no line to chance, and one that does is noticed."""

import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import gpios                        # noqa: E402
import overlays                     # noqa: E402
import pads                         # noqa: E402
import trees                        # noqa: E402
from ktap import Tap                # noqa: E402
from tools import sources           # noqa: E402

USB = re.compile(r'fsl,imx(7d|27)-usb')
SENSE = ('disable-over-current', 'over-current-active-low', 'over-current-active-high')
SENSED = re.compile(r'^#define MX8M._IOMUXC_\w+_USB\d_OTG_OC\s+(0x\w+)\s+0x\w+\s+0x\w+\s+(0x\w+)', re.M)
# GPIOs of a Raspberry Pi that are pulled up from the reset on (BCM2835 ARM Peripherals, 6.2)
UP = range(9)
UP_PAD = 0x140          # pull enable and pull up, in the configuration of an i.MX8M's pad
PI = re.compile(r'brcm,bcm2\d+-gpio|raspberrypi,rp1-gpio')
pads.WANTED.update(('dr_mode', 'enable-active-high', 'off-on-delay-us', *SENSE))


def overcurrent(nodes, kernel):
    """USB hosts that sense overcurrent on whatever pad there is."""
    by_phandle, text = pads.phandles(nodes), ''
    for path in (sources(kernel) / 'arch/arm64/boot/dts/freescale').glob('imx8m?-pinfunc.h'):
        if f'fsl,{path.name[:6]}' in nodes[0].strings('compatible'):
            text = path.read_text(encoding='utf-8')
    known = {(f'{int(pad, 16):#x}', int(mode, 16)) for pad, mode in SENSED.findall(text)}
    some = {(pad, mode) for node in pads.enabled(nodes[0])
            for _, pad, _, mode in pads.pads(node, by_phandle)}
    return [f'{node.path()}: overcurrent is sensed on no pad' for node in pads.enabled(nodes[0])
            if USB.search(' '.join(node.strings('compatible'))) and not known & some and
            node.strings('dr_mode') == ['host'] and not any(one in node.properties for one in SENSE)]


def switched(nodes):
    """Give the supplies that a GPIO which is high switches on, as (node, controller, bank, line)."""
    by_phandle = pads.phandles(nodes)
    for node in pads.enabled(nodes[0]):
        if 'enable-active-high' in node.properties:
            for line in gpios.named(node, 'gpio', by_phandle):
                yield node, *line


def pulled_up(nodes, _):
    """Supplies that are on before Linux, since their GPIO is pulled up."""
    return [f'{node.path()}: GPIO{line} is pulled up from the reset on'
            for node, chip, _, line in switched(nodes)
            if PI.search(' '.join(chip.strings('compatible'))) and line in UP]


def off_time(nodes, _):
    """Modems whose supply is switched off as its driver comes, and on again at once."""
    return [f'{node.path()}: is not off for 500 ms' for node, *_ in switched(nodes)
            if node.name == 'regulator-modem-power' and node.words('off-on-delay-us') != (500000,)]


def configured(nodes):
    """Return {pad: its configuration} of an i.MX8M."""
    by_phandle, found = pads.phandles(nodes), {}
    for node in pads.enabled(nodes[0]):
        for _, _, group in pads.groups(node, by_phandle):
            words = group.words('fsl,pins')
            found.update((f'{words[at]:#x}', words[at + 5]) for at in range(0, len(words), 6))
    return found


def pad_up(nodes, _):
    """Supplies whose pad is pulled up from when it is muxed, until their driver has the GPIO."""
    by_phandle, known = pads.phandles(nodes), configured(nodes)
    return [f'{node.path()}: its pad {pad} is pulled up' for node, *line in switched(nodes)
            for _, pad in [gpios.pad_of(*line, by_phandle)] if known.get(pad, 0) & UP_PAD == UP_PAD]


def led_pads(nodes, _):
    """LEDs whose pad is left to the bootloader, since only newer kernels look for it there."""
    return [f'{node.path()}: Debian\'s 5.10 and 6.1 do not mux the pad of an LED, but of all together'
            for node in pads.enabled(nodes[0])
            if node.parent and node.parent.strings('compatible') == ['gpio-leds'] and
            node.words('pinctrl-0')]


def defaults(tap):
    """Nor do overlays of the Raspberry Pi switch a modem on before Linux."""
    for name, row in overlays.families().items():
        if name.startswith('raspberrypi') and row.modem != '-':
            power, reset, _ = (int(gpio.split()[1]) for gpio in row.modem.split(','))
            tap.result(not {power, reset} & set(UP), f'{name}: no GPIO that is pulled up', row.modem)


# What a carrier is to be, where it is not, one that is made to be so, and what is said of it
RULES = (
    ('a USB host knows whether it senses overcurrent', overcurrent, 'imx8mm-var-som-field',
     '\tdisable-over-current;\n', '', 'usb@32e50000: overcurrent is sensed on no pad'),
    ('a supply is not on before Linux', pulled_up, 'bcm2711-rpi-cm4-field', 'MODEM_POWER\tgpio 16',
     'MODEM_POWER\tgpio 5', 'regulator-modem-power: GPIO5 is pulled up'),
    ('the pad of a supply is not pulled up', pad_up, 'imx8mp-field', 'GPIO5_IO01\t0x100',
     'GPIO5_IO01\t0x140', 'regulator-modem-reset: its pad 0x1cc is pulled up'),
    ('older kernels mux the pad of an LED, too', led_pads, 'imx8mp-field', '&leds_identify {',
     '&led_identify {', 'led-identify: Debian\'s 5.10 and 6.1 do not mux'),
    ('a modem has its supply cut for long enough', off_time, 'imx8mp-field',
     '&modem_power {\n', '&modem_power {\n\toff-on-delay-us = <1000>;\n', 'is not off for 500 ms'))


def compiled(source, work, kernel):
    """Return the nodes of a carrier."""
    return pads.tree(trees.compile_board(source, trees.board_blob(source, work, kernel), kernel=kernel))


def noticed(tap, work, carriers, rule):
    """A carrier that is wrong is."""
    _, look, name, old, new, words = rule
    text = carriers[name].read_text(encoding='utf-8')
    source = work / f'{look.__name__}.dts'
    source.write_text(text.replace(old, new), encoding='utf-8')
    kernel = trees.kernels_of(source)[0]
    said = look(compiled(source, work, kernel), kernel)
    tap.result(old in text and words in '\n'.join(said), f'{look.__name__}: noticed', said)


def main():
    """Each rule, on all carriers for all kernels."""
    tap = Tap()
    carriers = {path.stem: path for path in sorted((TOP / 'dts').rglob('*.dts'))}
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for kernel in trees.USED:
            (work / f'board-{kernel}').mkdir()
        found = {(name, kernel): compiled(path, work, kernel) for name, path in carriers.items()
                 for kernel in trees.kernels_of(path)}
        for rule in RULES:
            said = [f'{kernel}: {name}: {text}' for (name, kernel), nodes in found.items()
                    for text in rule[1](nodes, kernel)]
            tap.result(not said, f'{len(found)} trees: {rule[0]}', '\n'.join(said))
            noticed(tap, work, carriers, rule)
    defaults(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
