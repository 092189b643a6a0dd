#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A GPIO whose pad another device has is found by gpio-ranges, on SoCs whose pads have numbers of
their own; which pad and which function are a GPIO's is what the kernel's headers say."""

import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bases                        # noqa: E402
import gpios                        # noqa: E402
import pads                         # noqa: E402
import trees                        # noqa: E402
from ktap import Tap                # noqa: E402
from tools import KERNEL, linux_source      # noqa: E402

FREESCALE = 'arch/arm64/boot/dts/freescale'
DEFINE = re.compile(r'^#define MX8M._IOMUXC_(\w+)\s+(0x\w+)\s+0x\w+\s+0x\w+\s+(0x\w+|\d+)\s', re.M)
# A GPIO that a board's tree has for something else, and one that it has not: tree, label of the
# controller, line, the other device and its group
BOARDS = (('imx8mp-evk', 'gpio5', 25, 'serial@30890000 (uart2grp)'),
          ('imx8mp-evk', 'gpio3', 19, 'pwm@30690000 (pwm4grp)'),
          ('imx8mp-evk', 'gpio3', 25, ''),
          ('imx8mm-evk', 'gpio1', 2, 'watchdog@30280000 (wdoggrp)'),
          ('rk3588-rock-5b', 'gpio0', 13, 'serial@feb50000 (uart2m0-xfer)'),
          ('rk3588-rock-5b', 'gpio4', 1, ''),
          ('rk3399-rock-pi-4b', 'gpio4', 19, 'serial@ff1a0000 (uart2c-xfer)'),
          ('rk3399-rock-pi-4b', 'gpio4', 29, ''),
          ('am335x-boneblack', 'gpio1', 10, 'serial@0 (uart0-pins)'),
          ('am335x-boneblack', 'gpio1', 28, ''),
          ('sun8i-h3-orangepi-pc', 'pio', '0 4', 'serial@1c28000 (uart0-pa-pins)'),
          ('sun8i-h3-orangepi-pc', 'r_pio', '0 11', 'ir@1f02000 (r-ir-rx-pin)'),
          ('sun8i-h3-orangepi-pc', 'pio', '0 9', ''))
LED = '''/dts-v1/;
/plugin/;

&{{/}} {{
	my-leds {{
		compatible = "gpio-leds";

		led-0 {{
			gpios = <&{chip} {line} 0>;
		}};
	}};
}};
'''


def chips(tree):
    """Return the GPIO controllers of an i.MX8M by their number."""
    nodes = pads.tree(pathlib.Path(tree))
    found = {node.name: node for node in nodes if 'gpio-controller' in node.properties}
    return pads.phandles(nodes), {number: found[f'gpio@302{number - 1}0000'] for number in range(1, 6)}


def headers(tap):
    """All pads of the four SoCs."""
    for soc in ('imx8mm', 'imx8mn', 'imx8mp', 'imx8mq'):
        base = next(base for base in bases.claimed([f'fsl,{soc}']) if base.kernel == '6.12')
        by_phandle, controllers = chips(base.dtb)
        text = (linux_source() / FREESCALE / f'{soc}-pinfunc.h').read_text(encoding='utf-8')
        found = [(name, int(mux, 16), int(mode, 0)) for name, mux, mode in DEFINE.findall(text)]
        lines = {mux: tuple(map(int, match.groups())) for name, mux, mode in found
                 for match in [re.search(r'_GPIO(\d)_IO(\d+)$', name)] if match}
        wrong = []
        for name, mux, mode in found:
            if mux not in lines:
                continue
            number, line = lines[mux]
            owner, pad = gpios.pad_of(controllers[number], 0, line, by_phandle)
            is_gpio = bool(re.search(r'_GPIO\d_IO\d+$', name))
            if pad != f'{mux:#x}' or is_gpio != gpios.makes_gpio(controllers[number], line, owner, mode):
                wrong.append(f'{name}: {pad} {mode}')
        tap.result(len(lines) > 100 and len(found) > 300 and not wrong,
                   f'{soc}: {len(lines)} GPIOs, {len(found)} functions of pads', '\n'.join(wrong))


def boards(tap, work):
    """An LED on a pad of another device's is found, on a free one nothing is."""
    for number, (tree, chip, line, wanted) in enumerate(BOARDS):
        source = work / f'{number}.dtso'
        source.write_text(LED.format(chip=chip, line=line), encoding='utf-8')
        mine = trees.File(source, tree, work / str(number), KERNEL)
        lines = mine.compile() or mine.pads()
        tap.result(lines and all(f'/my-leds/led-0 (as a GPIO) and ' in text and f'{wanted} ask for '
                                 'it' in text for text in lines) if wanted else lines == [],
                   f'{tree}, {chip} {line}: {wanted or "free"}', '\n'.join(lines))


def main():
    """Run all."""
    tap = Tap()
    headers(tap)
    with tempfile.TemporaryDirectory() as work:
        boards(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
