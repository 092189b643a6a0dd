#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A carrier of a maker passes as one of the pack does, and what is wrong with it is found."""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
CHECK = TOP / 'scripts/dt/check'
FIELD, CM4 = 'freescale/imx8mp-field', 'broadcom/bcm2711-rpi-cm4-field'
SOC = '#include <arm64/freescale/imx8mp.dtsi>'
# A name of the maker's own in place of the pack's.
OWN = {FIELD: ('balena,imx8mp-field', 'acme,gateway'),
       CM4: ('balena,bcm2711-rpi-cm4-field', 'acme,gateway')}
ENDS = 'behind it what a board of the kernel\'s with this SoM or SoC ends in'
# Carriers: the one that it is made of, what is replaced in it, and what the schemas then say
NAMES = {
    'soc': (FIELD, (), ''),
    'som': (CM4, (), ''),
    'revision': (FIELD, ('"acme,gateway"', '"acme,gateway-v2", "acme,gateway"'), ''),
    'wrong-soc': (FIELD, ('"fsl,imx8mp"', '"fsl,imx8mq"'), f'{ENDS}, such as fsl,imx8mp'),
    'no-soc': (FIELD, (', "fsl,imx8mp"', ''), ENDS),
    'wrong-som': (FIELD, ('"fsl,imx8mp"', '"variscite,var-som-mx8mm", "fsl,imx8mp"'), ENDS),
    'twice': (FIELD, ('"acme,gateway"', '"acme,gateway", "acme,gateway"'),
              'has non-unique elements'),
    'no-name': (FIELD, ('"acme,gateway", ', ''), 'a name of the maker\'s own'),
    'two-levels': (FIELD, (SOC, '#include "base.dtsi"'), '')}

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from ktap import Tap                # noqa: E402


def carrier(path, made_of, *changes):
    """Write a carrier that is made of one of the pack's."""
    text = (TOP / f'dts/{made_of}.dts').read_text(encoding='utf-8')
    for old, new in (OWN[made_of], *changes):
        if old not in text:
            raise SystemExit(f'{made_of} has no {old}')
        text = text.replace(old, new)
    path.write_text(text, encoding='utf-8')
    return path


def check(*files):
    """Run the verifier; return {(file, check): lines that it failed with, or nothing}."""
    done = subprocess.run([CHECK, *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    parts = re.split(r'^((?:not )?ok) \d+ (.*): (\w+)$', done.stdout, flags=re.M)
    return {(pathlib.Path(path).stem, name): said if state != 'ok' else ''
            for state, path, name, said in zip(*(iter(parts[1:]),) * 4)}


def names(tap, work):
    """The board has the name that its maker gives it, the SoM and the SoC have theirs."""
    (work / 'base.dtsi').write_text(f'{SOC}\n', encoding='utf-8')
    said = check(*(carrier(work / f'{name}.dts', made_of, *([change] if change else []))
                   for name, (made_of, change, _) in NAMES.items()))
    for name, (_, _, wanted) in NAMES.items():
        found = said.get((name, 'schemas'), 'no result')
        tap.result(wanted in found and found.count('\n# ') < 3 if wanted else not found,
                   f'{name}: {wanted or "the schemas are content"}', found)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        names(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
