#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Pads that the pack's overlays ask for are held against all trees, and what is known is told."""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import boards                       # noqa: E402
import clashing                     # noqa: E402
import overlays                     # noqa: E402
from ktap import Tap                # noqa: E402
from tap import run                 # noqa: E402

CHECK, BUILD = TOP / 'scripts/dt/check', TOP / 'scripts/dt/build'
# Of each family in the table, one that is not in it; a board of balenaOS's where there is one.
FREE = {'rockchip': 'rk3399-rock-pi-4b', 'am335x': 'am335x-boneblack',
        'rk3328': 'rk3328-nanopi-r2s'}
# A bus that is off, whose pad a button has, with something at an address of a clock chip.
BOARD = '''/dts-v1/;

/ {
	pinctrl {
		bus_pins: bus-pins {
			pins = "a1";
		};

		key_pins: key-pins {
			pins = "a1";
		};
	};

	i2c1: i2c {
		#address-cells = <1>;
		#size-cells = <0>;
		pinctrl-0 = <&bus_pins>;
		status = "disabled";

		eeprom@68 {
			reg = <0x68>;
		};
	};

	keys {
		pinctrl-0 = <&key_pins>;
	};
};
'''


def table(tap, built):
    """A row too few and a row too many are found."""
    rows, true = overlays.table('clashing.tsv'), overlays.table
    gone, extra = rows[0], ['7.2', 'rk3328-rock64', 'rk3328', 'i2c1-xfer otp-pin']
    tap.result(not clashing.wrong(built), 'overlays/clashing.tsv is as it is found',
               clashing.wrong(built))
    for what, changed, words in (
            ('lacks a row', rows[1:], f'clashing.tsv lacks "{"	".join(gone)}"'),
            ('has one that is not so', [*rows, extra], f'clashing.tsv has "{"	".join(extra)}"')):
        overlays.table = lambda name, now=changed: now if name == 'clashing.tsv' else true(name)
        said = '\n'.join(clashing.wrong(built))
        overlays.table = true
        tap.result(words in said and said.count('\n') == 0, f'overlays/clashing.tsv {what}', said)


def agree(tap, built):
    """The verifier of users' files says the same of trees in the table and of others."""
    for family, free in FREE.items():
        blob = next(path for path in built[family] if path.stem == 'rtc-ds3231')
        taken = [(name, False) for name in overlays.clashing(family)[:1]]
        for tree, good in ((free, True), *taken):
            said = run(CHECK, '--base', tree, blob).stdout
            tap.result(re.search(rf'^{"" if good else "not "}ok \d+ \S+: pads', said, re.M),
                       f'{tree}: {"free" if good else "not free"}, says the verifier', said)


def refused(tap, work):
    """Where one chip's address is taken, another tells what the bus has."""
    (work / 'board.dts').write_text(BOARD, encoding='utf-8')
    subprocess.run(['dtc', '-q', '-@', '-o', work / 'board.dtb', work / 'board.dts'], check=True)
    blobs = [overlays.compile_source(overlays.FOLDER / f'{name}.dtso', work / f'{name}.dtbo',
                                     ['-DI2C_BUS=i2c1']) for name in ('rtc-ds3231', 'rtc-pcf8563')]
    for names, count in ((blobs[:1], 0), (blobs, 1)):
        said = clashing.look(names, [], [str(work / 'board.dtb')])
        tap.result(len(said) == count and all('pad a1 of /: /keys ' in row[2] for row in said),
                   f'{len(names)} of two chips on a bus with 0x68 taken: {count} pad', said)


def told(tap):
    """make overlays warns; boards with such a tree are not offered clock chips."""
    for words, trees in ((('rockchip',), overlays.clashing('rockchip')), (('rk3328',), []),
                         (('rk3328', 'I2C=i2c2'), ['rk3328-nanopi-r2c', 'rk3328-nanopi-r2s']),
                         (('rockchip', 'I2C=i2c7', 'BASE=rk3588-rock-5b'), []),
                         (('rockchip', 'BASE=rk3588-rock-5b'), ['rk3588-rock-5b'])):
        done = run(BUILD, *words)
        named = set(re.findall(r'(?<=[ ,])rk3[\w.-]+(?=[,\n])', done.stdout))
        tap.result(not done.returncode and set(trees) <= named and bool(trees) == bool(named),
                   f'{" ".join(words)}: trees are {"" if trees else "not "}named', done.stdout)
    for tree, good in (('rk3588-rock-5b', False), ('rk3399-rock-pi-4b', True)):
        words = boards.offered('rockchip', 'aarch64', tree).split()
        tap.result(('rtc-*' in words) == good and 'modem-slot' in words,
                   f'{tree}: clock chips are {"" if good else "not "}offered', words)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        built = overlays.build(work, [*overlays.families()])
        table(tap, built)
        agree(tap, built)
        refused(tap, work)
        told(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
