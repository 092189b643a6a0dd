#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The pack's overlays go on the trees of Debian's older kernels, with the labels of 6.12."""

import os
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
import overlays                     # noqa: E402
from ktap import Tap                # noqa: E402
from tap import run                 # noqa: E402
from tools import dt_apply          # noqa: E402

# What fails on trees of a kernel: in 5.10 the GPIO controllers of Rockchip's have other paths;
# those of the Raspberry Pi have labels of their own in 6.1 for armhf, and their LED none
SLOT = r'/rk3[\w.-]+\.dtb: FAILED: modem-slot\.dtbo: no label "gpio2"'
LED = r'/bcm2[\w.-]+\.dtb: FAILED: identify-led\.dtbo: no label "led_act"'
KNOWN = {'6.1': 'nothing', '6.1-armhf': LED, '5.10': SLOT, '5.10-armhf': SLOT}
VERSIONS = ('5.10', '6.1', '6.12', '7.2')
COUNTS = re.compile(r'(\d+) trees, (\d+) pairs, (\d+) applied, 0 combined, (\d+) refused, '
                    r'(\d+) failed')


def lines(kernel):
    """The trees of a kernel; those of families have the labels of the same tree of 6.12."""
    families = {name for row in overlays.families().values() for name in row.compatible.split()}
    newest = '6.12-armhf' if kernel.endswith('-armhf') else '6.12'
    newer = {base.name: base for base in bases.shipped(newest) if families & set(base.compatible)}
    found, without = [], []
    maps = {base.name: tree.with_suffix('.labels') for base, tree in
            bases.compiled([newer[base.name] for base in bases.shipped(kernel)
                            if base.name in newer]).items()}
    for base in bases.shipped(kernel):
        if base.name in maps:
            found.append(f'{base.dtb}\t{maps[base.name]}')
        elif families & set(base.compatible):
            without.append(base.name)
        else:
            found.append(base.dtb)
    return found, without


def main():
    """Each kernel, and an overlay for a label that is not there."""
    tap = Tap()
    every = {*bases.KERNELS, *KNOWN}
    tap.result(every == {f'{version}{arch}' for version in VERSIONS for arch in ('', '-armhf')},
               f'{" ".join(VERSIONS)}: for arm64 and for armhf', every)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        blobs = [path for paths in overlays.build(work).values() for path in paths]
        bad = overlays.compile_source(overlays.FOLDER / 'rtc-ds3231.dtso', work / 'bad.dtbo',
                                      ['-DBASES="fsl,imx8mm", "ti,am33xx"', '-DI2C_BUS=i2c99'])
        for kernel, known in KNOWN.items():
            trees, without = lines(kernel)
            tap.result(len(without) < 3,
                       f'{kernel}: {len(trees)} trees, {len(without)} without labels', without)
            for mine, more in ((blobs, 0), ([*blobs, bad], 1)):
                said = run(dt_apply(), 'check', '-j', os.cpu_count(), *mine,
                           input='\n'.join(trees) + '\n').stdout
                counts = COUNTS.search(said)
                failed = re.findall('.*: FAILED: .*', said)
                other = [line for line in failed if not re.search(known, line)]
                tap.result(counts and int(counts[1]) == len(trees) and
                           int(counts[5]) == len(failed) and
                           int(counts[3]) > 10 * int(counts[4]) and bool(other) == bool(more) and
                           all('bad.dtbo: no label "i2c99"' in line for line in other),
                           f'{kernel}: {"a bad label is found" if more else "all others go on"}',
                           f'{other}\n{counts and counts[0]}')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
