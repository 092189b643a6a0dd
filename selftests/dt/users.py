#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a user's overlays do is looked for on all their trees, and together."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
CHECK = TOP / 'scripts/dt/check'
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bases        # noqa: E402
import overlays     # noqa: E402
import pads         # noqa: E402
from tools import Wrong, dt_apply   # noqa: E402
from ktap import Tap                # noqa: E402
from tap import run                 # noqa: E402

SOC = 'fsl,imx8mp'
# A device that asks for a pad (SD1_DATA6, 0xac), as some boards of the SoC do.
BUSY = f'''/dts-v1/;
/plugin/;

/ {{
	compatible = "{SOC}";
}};

&iomuxc {{
	extragrp: extragrp {{
		fsl,pins = <0xac 0x30c 0x0 0x5 0x0 0x40>;
	}};
}};

&{{/}} {{
	extra {{
		compatible = "gpio-leds";
		pinctrl-0 = <&extragrp>;
		pinctrl-names = "default";
	}};
}};
'''
# A property that a UART of the first SoC can have, and none of the other.
UART = '''/dts-v1/;
/plugin/;

/ {
	compatible = "fsl,imx8mm", "rockchip,rk3399";
};

&uart1 {
	fsl,dte-mode;
	status = "okay";
};
'''
# A device with a pad of its own, by the name of the pad.
ONE = '''/dts-v1/;
/plugin/;

&gpio {{
	{name}_pins: {name}-pins {{
		pins = "{pad}";
	}};
}};

&{{/}} {{
	{name} {{
		compatible = "gpio-leds";
		pinctrl-0 = <&{name}_pins>;
		pinctrl-names = "default";
	}};
}};
'''
# An LED on a GPIO of a Raspberry Pi 4.
PI, LED = 'bcm2711-rpi-4-b', '''/dts-v1/;
/plugin/;

&{{/}} {{
	my-leds {{
		compatible = "gpio-leds";

		led-0 {{
			gpios = <&gpio {line} 0>;
		}};
	}};
}};
'''
# No room for trees with overlays.
FULL = '''import pathlib, resource, sys
sys.path.insert(0, 'scripts/dt')
import trees
trees.dt_apply = lambda: sys.argv[4]
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
print(trees.put_on([pathlib.Path(sys.argv[1])], [sys.argv[2]], pathlib.Path(sys.argv[3])))
'''
# A group of pads that is none, or not there.
GROUP = '''/dts-v1/;
/plugin/;

&uart1 {{
	pinctrl-names = "default";
	pinctrl-0 = <{}>;
	status = "okay";
}};
'''
# A clock chip, and a comment.
CHIP = '''/dts-v1/;
/plugin/;

// {}
&i2c3 {{
	#address-cells = <1>;
	#size-cells = <0>;

	rtc@51 {{
		compatible = "nxp,pcf85063a";
		reg = <0x51>;
	}};
}};
'''


def check(*words):
    """Run the verifier; return what it said about pads and together."""
    done = subprocess.run([CHECK, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.stdout


def busy():
    """Return the trees of the SoC, and those of them that use the pad."""
    found, using = [], []
    for base in bases.claimed([SOC]):
        nodes = pads.read(pathlib.Path(base.dtb).read_bytes())
        by_phandle = {node.words('phandle')[0]: node for node in nodes
                      if 'phandle' in node.properties}
        used = {pad for node in pads.enabled(nodes[0]) for _, pad, *_ in pads.pads(node, by_phandle)}
        found.append(base)
        using += [base] if '0xac' in used else []
    return found, using


def all_trees(tap, work):
    """A pad is found though the first tree leaves it free, and trees are counted."""
    source = work / 'busy.dtso'
    source.write_text(BUSY)
    found, using = busy()
    tap.result(using and found[0] not in using, 'the first tree leaves the pad free, others do not')
    said = check(source)
    lines = re.findall(r'^# (pad 0xac of .*/extra \(extragrp\).*)', said, re.M)
    tap.result(lines and f' {found[0].name}' not in ''.join(lines) and
               len(set(lines)) == len(lines) and
               re.search(r'^not ok \d+ \S+busy.dtso: pads', said, re.M), 'it is found', said)
    counts = [re.search(r'\(on \S+ \S+(?: and (\d+) more)?\)$', line) for line in lines]
    trees = sum(int(count[1] or 0) + 1 for count in counts if count)
    tap.result(all(counts) and trees >= len(using), f'{len(lines)} lines tell of {trees} trees', said)
    said = check('--base', found[0].name, source)
    tap.result(re.search(r'^ok \d+ \S+busy.dtso: pads', said, re.M), 'that one alone passes', said)


def each_soc(tap, work):
    """What the schemas say is looked for on a tree of each SoC."""
    source = work / 'uart.dtso'
    source.write_text(UART)
    said = check(source)
    tap.result(re.search(r"^not ok \d+ \S+: schemas\n# serial@\w+ .*'fsl,dte-mode' was "
                         r"unexpected.*\n.*\(on 6.12 rk3399-\S+\)$", said, re.M),
               'what is wrong on the second SoC alone is found', said)


def combinations(tap, work):
    """Two overlays that ask for one pad are found together, and not where they do not."""
    board = overlays.compile_source(TOP / 'scripts/dt/board.dts', work / 'board.dtb')
    for name, pad in (('one', 'gp1'), ('two', 'gp1'), ('three', 'gp3')):
        (work / f'{name}.dtso').write_text(ONE.format(name=name, pad=pad))
    for names, count in ((('one', 'two'), 1), (('one', 'three'), 0), (('one', 'two', 'three'), 1)):
        said = check('--base', board, *(work / f'{name}.dtso' for name in names))
        alone = re.findall(r'^ok \d+ \S+: pads$', said, re.M)
        lines = re.findall(r'^# pad gp1 of /gpio@1000: .* ask for it, only one gets it '
                           r'\(on \S+board.dtb\)$', said, re.M)
        wanted = 'not ok' if count else 'ok'
        tap.result(len(alone) == len(names) and len(lines) == count and
                   re.search(rf'^{wanted} \d+ overlays: together$', said, re.M),
                   f'{" and ".join(names)}: {count} pad twice', said)


def long_names(tap, work):
    """The same of two whose names are as long as that of a file may be."""
    board = overlays.compile_source(TOP / 'scripts/dt/board.dts', work / 'board.dtb')
    names = [work / f'{name * 120}.dtso' for name in 'xy']
    for path in names:
        path.write_text(ONE.format(name=path.name[0], pad='gp1'))
    said = check('--base', board, *names)
    tap.result(re.search(r'^not ok 13 overlays: together\n(#.*\n)?# pad gp1 of /gpio@1000: ', said, re.M),
               'two of long names: 1 pad twice', said)


def lost(tap, work):
    """Where what comes out finds no room, nothing is passed."""
    board = overlays.compile_source(TOP / 'scripts/dt/board.dts', work / 'board.dtb')
    (work / 'one.dtso').write_text(ONE.format(name='one', pad='gp1'))
    blob = overlays.compile_source(work / 'one.dtso', work / 'one.dtbo')
    for what, trap, said in (('is told', 'trap "" XFSZ\n', 'File too large: make room there'),
                             ('kills it', '', 'a worker died')):
        program = work / 'dt-apply'
        program.write_text(f'#!/bin/sh\n{trap}exec {dt_apply()} "$@"\n')
        program.chmod(0o755)
        done = run(sys.executable, '-c', FULL, blob, board, work / what, program)
        tap.result(re.search(rf'^tools.Wrong: what comes out of .*: .*{said}$', done.stdout, re.M),
                   f'no room for what comes out, which {what}', done.stdout)


def groups(tap, work):
    """A device is told that asks for pads by a node that has none, or that is not there."""
    uart = '/soc@0/bus@30800000/spba-bus@30800000/serial@30860000'
    for what, words in (('&i2c3', f'{uart}: pinctrl-0 leads to /soc@0/bus@30800000/i2c@30a40000, no pin group'),
                        ('0x9999', f'{uart}: pinctrl-0: no node has the phandle 39321'),
                        ('&pinctrl_uart1', '')):
        (work / 'group.dtso').write_text(GROUP.format(what))
        said = check('--base', 'imx8mp-evk', work / 'group.dtso')
        found = re.findall(r'^# (.*pinctrl-0.*) \(on 6\.12 imx8mp-evk and 1 more\)', said, re.M)
        tap.result(found == ([words] if words else []) and re.search(
            rf'^{"not ok" if words else "ok"} \d+ \S+: pads', said, re.M), f'pads by {what}', said)


def gpios(tap, work):
    """Where pads are numbered as GPIOs, one that is used as a GPIO is not for another device."""
    source = work / 'my.dtso'
    for line, wanted in ((14, 'serial@7e215040 (uart1-gpio14)'), (17, '')):
        source.write_text(LED.format(line=line))
        said = check('--base', PI, source)
        lines = re.findall(r'^# (pad .*)', said, re.M)
        tap.result(len(lines) == bool(wanted) and (not wanted or lines[0].startswith(
            f'pad gpio{line} of /soc/gpio@7e200000: /my-leds/led-0 (as a GPIO) and /soc/{wanted} '
            'ask for it')) and re.search(rf'^{"not ok" if wanted else "ok"} \d+ \S+: pads', said, re.M),
                   f'an LED on GPIO {line}: {wanted or "free"}', said)
    for line, count in ((2, 1), (5, 0)):
        slot = overlays.build(work, ['raspberrypi'], {'MODEM_POWER': f'gpio {line}'})['raspberrypi']
        said = check('--base', PI, next(path for path in slot if path.stem == 'modem-slot'))
        lines = re.findall(r'^# pad gpio2 of .* \(as a GPIO\) and \S+/i2c@7e804000 \(i2c1-gpio2\)',
                           said, re.M)
        tap.result(len(lines) == count and re.search(
            rf'^{"not ok" if count else "ok"} \d+ \S+: pads', said, re.M),
                   f'a modem on GPIO {line}: {count} pad of I2C1', said)


def one_name(tap, work):
    """Files of one name are refused: results are told apart by it."""
    (work / 'other').mkdir()
    for source in (work / 'one.dtso', work / 'other/one.dtso'):
        source.write_text(ONE.format(name='one', pad='gp1'))
    said = check(work / 'one.dtso', work / 'other/one.dtso')
    tap.result('have one name' in said and 'TAP' not in said, 'files of one name', said)
    shutil.copy(work / 'one.dtso', work / 'one.dts')
    said = check(work / 'one.dts', work / 'one.dtso')
    tap.result('have one name' in said and 'TAP' not in said, 'two overlays of one name', said)
    board = overlays.compile_source(TOP / 'scripts/dt/board.dts', work / 'board.dtb')
    said = check('--base', board, work / 'one.dtso', work / 'other/../one.dtso')
    tap.result('Traceback' not in said and said.count('one.dtso: apply') == 1 and
               'together' not in said, 'a file that is named twice', said)


def given(tap, work):
    """The base may be a source of the user's, too; what is none is told, as what is not UTF-8."""
    for name in ('board.dts', 'wrong.dts'):
        (work / name).write_text('/dts-v1/;\n\n#include <freescale/imx8mp-field.dts>\n')
    (work / 'wrong.dts').write_text('/dts-v1/;\n\n#include <freescale/imx8mp-field.dts>\n\n'
                                    '&i2c33 {\n};\n')
    (work / 'mine.dtso').write_text(CHIP.format('what for'), encoding='utf-8')
    for base, words in (('board.dts', '1 trees, 1 pairs, 1 applied'),
                        ('wrong.dts', 'wrong.dts:5.1-7 Label or path i2c33 not found'),
                        ('mine.dtso', 'mine.dtso: not a tree that overlays can be put on')):
        said = check('--base', work / base, work / 'mine.dtso')
        tap.result(words in said and 'Traceback' not in said, f'{base} as base: {words}', said)
    said = check('--base', 'imx8mp-fieldd', work / 'mine.dtso')
    tap.result('/; nearest: imx8mp-field' in said, 'a base that is misspelt', said)
    (work / 'mine.dtso').write_bytes(CHIP.format('w\xf6zu').encode('latin-1'))
    said = check('--base', 'imx8mp-evk', work / 'mine.dtso')
    tap.result('mine.dtso:4: not UTF-8' in said and 'Traceback' not in said, 'not UTF-8', said)
    (work / 'mine.dtso').write_text(CHIP.format('what for') + '#include "beside.dtsi"\n')
    (work / 'beside.dtsi').write_bytes('// w\xf6zu\n'.encode('latin-1'))
    said = check('--base', 'imx8mp-evk', work / 'mine.dtso')
    tap.result('2 applied' in said, 'though a file of others may be', said)


def header(tap, work):
    """An overlay whose header is in a file that it includes is not told that it has none."""
    (work / 'head.dtsi').write_text('/dts-v1/;\n/plugin/;\n')
    for what, text, words in (
            ('an #error', '#error "say which"\n', '#error "say which"'),
            ('a macro', '\n&i2c3 {\n\tclock-frequency = <I2C_SPEED>;\n};\n', 'I2C_SPEED is not defined'),
            ('an #error, a header of its own', '/plugin/;\n#error "say which"\n', '#error "say which"'),
            ('nothing', '\n&i2c3 {\n\tstatus = "okay";\n};\n', '')):
        source = work / 'header.dtso'
        source.write_text(f'#include "head.dtsi"\n{text}')
        said = check('--base', 'imx8mp-evk', source)
        tap.result('begins with' not in said and (words or 'header.dtso: apply') in said,
                   f'a header that is included, and {what}', said)


def bare(tap, work):
    """A tree without labels has those of the kernel's for the same board, one of another board is
    told what to do."""
    source, tree = work / 'bare.dtso', work / 'bare.dtb'
    source.write_text(CHIP.format('what for'), encoding='utf-8')
    shipped = next(base for base in bases.claimed(['fsl,imx8mm-evk']) if base.kernel == '6.12')
    shutil.copyfile(shipped.dtb, tree)
    tap.result(not bases.labelled(tree), f'{shipped.name} of 6.12 has no labels')
    said = check('--base', tree, source)
    tap.result('1 trees, 1 pairs, 1 applied' in said and re.search(r'^ok \d+ \S+: pads', said, re.M),
               'a copy of it is a base', said)
    subprocess.run(['fdtput', '-t', 's', tree, '/', 'compatible', 'acme,gateway', 'fsl,imx8mm'],
                   check=True)
    said = check('--base', tree, source)
    tap.result('nearest: none, the tree has no labels' in said and
               re.search(r'^# it was built without -@: say the name of the kernel\'s tree', said, re.M),
               'of another board it is not, and what to do is told', said)


def broken(tap, work):
    """What is no tree is said so."""
    good = overlays.compile_source(TOP / 'scripts/dt/board.dts', work / 'board.dtb').read_bytes()
    for name, data in (('empty', b''), ('cut off', good[:100]), ('no tree', b'\1' * 200)):
        path = work / 'broken.dtb'
        path.write_bytes(data)
        try:
            said = pads.twice(path)
        except Wrong as wrong:
            said = str(wrong)
        tap.result('broken.dtb: not a device tree' in said, f'a tree that is {name}', said)
    for name, data in (('a.dtbo', b''), ('b.dtbo', b'hello\n'), ('c.dtb', b'w\xf6zu\n'),
                       ('d.dtb', good[:-8]), ('e.dtb', good)):
        (work / name).write_bytes(data)
        said = check(work / name)
        lines = re.findall(r'^not ok \d+ (?:\S+): dtc\n# (.*)', said, re.M)
        words = f'{work / name}: not a whole tree' if data[:4] == good[:4] else f'{work / name}: not a tree'
        tap.result('Traceback' not in said and (lines and lines[0].startswith(words) if data != good
                                                else not lines), f'a file {name}', said)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        all_trees(tap, work)
        each_soc(tap, work)
        combinations(tap, work)
        long_names(tap, work)
        lost(tap, work)
        groups(tap, work)
        gpios(tap, work)
        one_name(tap, work)
        given(tap, work)
        header(tap, work)
        bare(tap, work)
        broken(tap, work)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
