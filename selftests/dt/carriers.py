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
DART = 'freescale/imx8mp-var-dart-field'        # of a module that only 7.3 has
SOC = '#include <arm64/freescale/imx8mp.dtsi>'
# A name of the maker's own in place of the pack's.
OWN = {FIELD: ('balena,imx8mp-field', 'acme,gateway'),
       CM4: ('balena,bcm2711-rpi-cm4-field', 'acme,gateway'),
       DART: ('balena,imx8mp-var-dart-field', 'acme,gateway')}
ENDS = 'behind it what a board of the kernel\'s with this SoM or SoC ends in'
RESETS = '''&{{/}} {{
	one {{
		{0}-gpios = <&gpio5 9 0>;
	}};

	two {{
		{0}-gpios = <&gpio5 9 0>;
	}};
}};

&i2c3 {{'''
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
HOG = '''&gpio5 {
	pair-hog {
		gpio-hog;
		gpios = <20 0>, <1 0>;
		output-low;
	};
};

&i2c3 {'''
# The same for pads and GPIOs.
GPIOS = {
    'plain': (FIELD, (), ''),
    'led-and-supply': (FIELD, ('MODEM_POWER\tgpio5 0', 'MODEM_POWER\tgpio3 16'),
                       'GPIO 0.16 of /soc@0/bus@30000000/gpio@30220000 is used by '),
    'reset-and-radio': (FIELD, ('MODEM_RADIO\tgpio5 2', 'MODEM_RADIO\tgpio5 1'),
                        'is used by /regulator-modem-reset and by /rfkill-modem'),
    'supply-and-reset': (FIELD, ('MODEM_RESET\tgpio5 1', 'MODEM_RESET\tgpio5 0'),
                         'is used by /regulator-modem-power and by /regulator-modem-reset'),
    'led-on-bus': (FIELD, ('IDENTIFY_LED\tgpio3 16', 'IDENTIFY_LED\tgpio5 19'),
                   '/leds/led-identify (as a GPIO) and /soc@0/bus@30800000/i2c@30a40000 (i2c3grp)'),
    'hog-of-two': (FIELD, ('&i2c3 {', HOG), 'is used by /soc@0/bus@30000000/gpio@30240000/pair-hog and by '),
    'two-supplies': (FIELD, ('MODEM_POWER\tgpio5 0', 'MODEM_POWER\tgpio1 14'), ''),
    'two-resets': (FIELD, ('&i2c3 {', RESETS.format('reset')), ''),
    'no-two-resets': (FIELD, ('&i2c3 {', RESETS.format('enable')),
                      'is used by /one and by /two')}

sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import gpios        # noqa: E402
import trees        # noqa: E402
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


def check(*words):
    """Run the verifier; return {(file, check): lines that it failed with, or nothing}."""
    done = subprocess.run([CHECK, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    parts = re.split(r'^((?:not )?ok) \d+ (.*): (\w+)$', done.stdout, flags=re.M)
    return {(pathlib.Path(path).stem, name): said if state != 'ok' else ''
            for state, path, name, said in zip(*(iter(parts[1:]),) * 4)}


def names(tap, work):
    """The board has the name that its maker gives it, the SoM and the SoC have theirs."""
    (work / 'base.dtsi').write_text(f'{SOC}\n', encoding='utf-8')
    found(tap, work, 'schemas', NAMES)


def found(tap, work, name, rows):
    """What is to be found in carriers is found, and nothing else."""
    said = check(*(carrier(work / f'{row}.dts', made_of, *([change] if change else []))
                   for row, (made_of, change, _) in rows.items()))
    for row, (_, _, wanted) in rows.items():
        text = said.get((row, name), 'no result')
        tap.result(wanted in text and text.count('\n# ') < 3 if wanted else not text,
                   f'{row}: {name}: {wanted or "nothing"}', text)


def theirs(tap, work):
    """What a tree of the kernel's has, too, is not the carrier's."""
    source = work / 'theirs.dts'
    source.write_text('/dts-v1/;\n\n#include <arm64/broadcom/bcm2711-rpi-400.dts>\n')
    said = check(source)
    for name in ('schemas', 'pads'):
        tap.result(said.get((source.stem, name)) == '', f'a board of the kernel\'s: {name}', said)
    tap.result(gpios.twice(trees.reference(source)), 'though two use a GPIO in it')


def newest(tap, work):
    """A module that only the newest source has is told with the kernel to say, and passes with it."""
    source = carrier(work / 'dart.dts', DART)
    told = check(source).get(('dart', 'dtc'), '')
    tap.result(re.search(r'dart\.dts:\d+: the source of 6\.12 has no arm64/freescale/imx8mp-var-dart'
                         r'\.dtsi, that of 7\.3 has it: say KERNELS=7\.3\n', told),
               'a module that 6.12 has not', told)
    said = check('--kernel', '7.3', source)
    for name in ('style', 'dtc', 'schemas', 'pads'):
        tap.result(said.get(('dart', name)) == '', f'and 7.3 has: {name}', said)
    source.write_text('/dts-v1/;\n\n#include <arm64/freescale/imx8mp-var-sum.dtsi>\n')
    told = check(source).get(('dart', 'dtc'), '')
    tap.result(re.search(r'dart\.dts:3: no file arm64/freescale/imx8mp-var-sum\.dtsi; nearest: '
                         r'imx8mp-var-som\.dtsi', told), 'a module that none has', told)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        names(tap, work)
        newest(tap, work)
        found(tap, work, 'pads', GPIOS)
        theirs(tap, work)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
