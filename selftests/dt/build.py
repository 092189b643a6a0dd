#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make overlays builds what a user names, and refuses what no tree has."""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = TOP / 'scripts/dt/build'
SLOT = ('MODEM_POWER=gpio5 1', 'MODEM_RESET=gpio5 2', 'MODEM_RADIO=gpio5 23')
# What a user types, the overlay that it is about, and the text that this has to have.
GOOD = (
    (('imx8m', 'LED=led_identify'), 'identify-led', 'led_identify = "/fragment'),
    (('raspberrypi', 'LED=led_act'), 'identify-led', 'led_act = "/fragment'),
    (('am62', 'RTC=wkup_rtc0'), 'rtc-prefer', 'wkup_rtc0 = "/fragment'),
    (('imx8m', 'I2C=i2c2'), 'rtc-ds3231', 'i2c2 = "/fragment'),
    (('imx8m', 'I2C={/soc@0/bus@30800000/i2c@30a40000}'), 'rtc-ds3231',
     'target-path = "/soc@0/bus@30800000/i2c@30a40000"'),
    (('imx8m', *SLOT), 'modem-slot', 'gpio5 = "/fragment'),
    (('imx8m', 'LED=led_identify', 'BASE=imx8mp-field'), 'identify-led',
     'led_identify = "/fragment'),
    (('imx8m', 'LED=led_identify', f'BASE={TOP}/dts/freescale/imx8mp-field.dts'), 'identify-led',
     'led_identify = "/fragment'),
    (('generic', 'I2C={/soc/i2c@12c80000}', 'BASE=exynos5422-odroidxu4'), 'rtc-ds3231',
     'target-path = "/soc/i2c@12c80000"'),
    (('generic', *SLOT, 'BASE=imx8mp-evk'), 'modem-slot', 'compatible = "fsl,imx8mp-evk"'),
    (('generic', 'RTC=snvs_rtc', '--base', 'imx8mp-evk'), 'rtc-prefer', 'snvs_rtc = "/fragment'),
    (('raspberrypi', 'MODEM_POWER=gpio 23'), 'modem-slot', 'gpio = <0xffffffff 0x17 0x00>'))
# What some trees of the family lack, the overlay that is about it, and how these are told.
PARTLY = ((('raspberrypi', 'LED=led_act'), 'identify-led', 'not apply to'),
          (('rockchip', 'RTC=rk808'), 'rtc-prefer', 'apply to no others than'),
          (('imx8m', 'LED=led_identify'), 'identify-led', 'apply to no others than'))
# No room for a file of so many bytes.
FULL = '''import pathlib, resource, runpy, sys, tempfile
sys.path.insert(0, 'scripts/dt')
import overlays
with tempfile.TemporaryDirectory() as folder:
    overlays.build(pathlib.Path(folder), sys.argv[2:])      # into the cache
room = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
runpy.run_path('scripts/dt/build', run_name='__main__')
'''
# What is refused, and the words that say why.
BAD = (
    (('imx8m', 'I2C=i2c99'), 'I2C="i2c99": no label "i2c99", in any tree of imx8m; nearest: i2c'),
    (('imx8m', 'I2C={/foo}'), 'I2C="{/foo}": no node /foo'),
    (('imx8m', 'I2C=i2c 2'), 'I2C="i2c 2": not a label'),
    (('imx8m', 'LED={/gpio-leds/status}'), 'not a label; only a bus can be a path'),
    (('am62', 'RTC=rtc0'), 'no label "rtc0", in any tree of am62; nearest: '),
    (('imx8m', 'LED=led', 'BASE=imx8mp-evk'), 'no label "led", in imx8mp-evk'),
    (('imx8m', 'LED=led', 'BASE=nowhere'), 'no tree nowhere'),
    (('imx8m', 'LED=led', 'BASE=/nowhere/no.dtb'), 'no tree /nowhere/no.dtb'),
    (('imx8m', 'LED=led', 'BASE=imx8mp-field'), 'no label "led", in imx8mp-field; nearest: '),
    (('imx8m', 'LED=led', 'BASE=imx8mp-evkk'), 'no tree imx8mp-evkk: give a .dtb or a .dts, or the '
     'name of one of the kernel\'s or of dts/; nearest: imx8mp-evk'),
    (('imx8m', 'LED=led', f'BASE={TOP}/overlays/README'), 'README: not a tree that overlays can be'),
    (('imx8m', SLOT[0]), 'needs all three of MODEM_POWER=, MODEM_RESET= and MODEM_RADIO=; '
                         'given: MODEM_POWER'),
    (('imx8m', 'MODEM_POWER=gpio5', *SLOT[1:]), 'MODEM_POWER="gpio5": not a GPIO'),
    (('imx8m', 'MODEM_POWER=gpio99 1', *SLOT[1:]), 'no label "gpio99"'),
    (('imx8m', 'MODEM_POWER=gpio5 1 2', *SLOT[1:]), 'gpio5 takes 1 number, not 2'),
    (('imx8m', 'MODEM_POWER=i2c2 1', *SLOT[1:]), 'i2c2 has no GPIOs'),
    (('generic', 'LED=led_act'), 'generic is for any tree: with LED= say BASE=, that of the board'),
    (('generic', 'I2C={/soc/no}', 'BASE=exynos5422-odroidxu4'), 'no node /soc/no'),
    (('generic', SLOT[0], 'BASE=imx8mp-evk'), 'needs all three of MODEM_POWER='),
    (('generic', 'BASE=/none.dtb'), 'no tree /none.dtb'),
    (('imx8m', 'BASE=imx8mp-evkk'), 'no tree imx8mp-evkk'),
    (('generic', f'BASE={TOP}/overlays/README'), 'README: not a tree that overlays can be'),
    (('BASE=imx8mp-evk',), 'BASE= is of one board: say FAMILY=, too'),
    (('imx8m', 'am62', 'BASE=imx8mp-evk'), 'BASE= is of one board: say FAMILY=, too'),
    (('imx8m', '--base'), '--base is followed by a tree'),
    (('LED=led_act',), 'LED= is of one family: say FAMILY=, too'),
    (('imx8m', 'LEDS=x'), 'there is no LEDS=: there are I2C LED'))

sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import given                        # noqa: E402
from tools import dt_apply          # noqa: E402
from ktap import Tap                # noqa: E402


def build(*words):
    """Run the builder; return its status and what it said."""
    done = subprocess.run([BUILD, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def good(tap):
    """What is named is in the overlay that is about it."""
    for words, name, text in GOOD:
        status, said = build(*words)
        blob = TOP / f'out/overlays/{words[0]}/{name}.dtbo'
        found = subprocess.run(['dtc', '-q', '-I', 'dtb', '-O', 'dts', blob], check=False,
                               capture_output=True, text=True).stdout if not status else ''
        tap.result(name in said.split() and text in found, f'{" ".join(words)}: {name}',
                   said + found)


def partly(tap):
    """A warning tells to which trees of the family an overlay does not apply."""
    for words, name, form in PARTLY:
        status, said = build(*words)
        match = re.search(r'^build: warning: .* in (\d+) of (\d+) trees of (\S+); it will '
                          rf'{form}\n((?:    .*\n)+)', said, re.M)
        blobs = given.blobs(words[0])
        applied = subprocess.run(
            [dt_apply(), 'check', TOP / f'out/overlays/{words[0]}/{name}.dtbo'], check=False,
            capture_output=True, text=True, input='\n'.join(map(str, blobs)) + '\n').stdout
        failed = {pathlib.Path(path) for path in re.findall(r'^(.*): FAILED: ', applied, re.M)}
        wanted = failed if form.startswith('not') else set(blobs) - failed
        told = {text.split()[-1] for text in match[4].split(',')} if match else set()
        tap.result(match and not status and (int(match[1]), int(match[2])) ==
                   (len(failed), len(blobs)) and told == {blob.stem for blob in wanted},
                   f'{" ".join(words)}: a warning, as dt-apply finds it', said + applied)
    status, said = build('imx8m', 'I2C=i2c2')
    tap.result(not status and 'warning' not in said, 'none where all have it', said)


def pads(tap):
    """A warning tells that a GPIO's pad is another device's, be it the clocks' bus."""
    for line, bus in ((2, '/soc/i2c@7e804000 (i2c1-gpio2)'), (0, '/i2c-mux0 (i2c0-gpio0)')):
        status, text = build('raspberrypi', f'MODEM_POWER=gpio {line}')
        tap.result(not status and re.search(
            rf'^build: warning: MODEM_POWER="gpio {line}": {re.escape(bus)} has that pad, in \d+ of '
            r'\d+ trees of raspberrypi; only one gets it$', text, re.M), f'the pad of {bus}', text)
    status, text = build('imx8m', 'MODEM_POWER=gpio5 19', *SLOT[1:])
    tap.result(not status and re.search(
        r'^build: warning: MODEM_POWER="gpio5 19": /soc@0/bus@30800000/i2c@30a40000 \(i2c3grp\) has '
        r'that pad, in \d+ of \d+ trees of imx8m; only one gets it$', text, re.M) and
        text.count('only one gets it') == text.count('warning: MODEM_'), 'a pad by gpio-ranges', text)
    status, text = build('raspberrypi', 'MODEM_POWER=gpio 23')
    tap.result(not status and 'warning' not in text, 'a free pad', text)


def gone(tap):
    """What was built of other words is not taken for what is built of these."""
    for family in sorted({words[0] for words, _, _ in GOOD}):
        status, said = build(family)
        there = sorted(path.stem for path in (TOP / f'out/overlays/{family}').glob('*.dtbo'))
        tap.result(not status and there == sorted(said.split()[1:]) and
                   'identify-led' not in there, f'{family}: there is what is told', said)


def bad(tap):
    """What no tree has is refused."""
    for words, why in BAD:
        status, said = build(*words)
        tap.result(status == 2 and why in said, f'{" ".join(words)}: refused', said)


def plain(tap, work):
    """A tree that was built without labels is refused as what it is."""
    blob = pathlib.Path(work) / 'plain.dtb'
    subprocess.run(['dtc', '-q', '-O', 'dtb', '-o', blob, '-'], check=True, text=True,
                   input='/dts-v1/; / { };')
    status, said = build('imx8m', 'LED=led', f'BASE={blob}')
    tap.result(status == 2 and 'has no labels: compile it with dtc -@' in said,
               'a tree without labels is refused', said)
    for name, data in (('empty', b''), ('cut', blob.read_bytes()[:-8]), ('rest', b'\xd0\x0d\xfe\xedrest')):
        blob.write_bytes(data)
        for words in (('generic',), ('imx8m', 'LED=led')):
            status, said = build(*words, f'BASE={blob}')
            tap.result(status == 2 and re.fullmatch(rf'build: {blob}: not a (whole )?tree\b.*\n', said),
                       f'{name}, {" ".join(words)}: refused', said)


def misled(tap, work):
    """A tree in which a device asks for pads by a node that it has not is refused."""
    blob, uart = pathlib.Path(work) / 'misled.dtb', '/soc@0/bus@30800000/spba-bus@30800000/serial@30860000'
    blob.write_bytes(next(path for path in given.blobs('generic', 'imx8mp-evk')).read_bytes())
    subprocess.run(['fdtput', '-tx', blob, uart, 'pinctrl-0', '9999'], check=True)
    subprocess.run(['fdtput', '-ts', blob, uart, 'status', 'okay'], check=True)
    status, said = build('generic', *SLOT, f'BASE={blob}')
    tap.result(status == 2 and said == f'build: {blob}: {uart}: pinctrl-0: no node has the phandle '
               '39321\n', 'a tree with a phandle of no node: refused', said)


def no_room(tap):
    """Where there is no room for all, what was there stays as it was."""
    build('raspberrypi', 'LED=led_act')
    folder = TOP / 'out/overlays/raspberrypi'

    def there():
        return sorted(folder.parent.iterdir()), {path.name: path.read_bytes() for path in folder.iterdir()}

    before = there()
    for room in (0, 1200, 1600):
        done = subprocess.run([sys.executable, '-c', FULL, str(room), 'raspberrypi'], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP)
        tap.result(done.returncode == 2 and re.fullmatch(r'build: \S+\.dtbo: File too large\n', done.stdout) and
                   there() == before, f'room for {room} bytes: refused, and the old ones stay',
                   f'{done.stdout}{[*there()[1]]}')


def killed(tap):
    """What one that was killed has left is gone after the next; one that is at work keeps what it has."""
    folder = TOP / 'out/overlays'
    left = folder / 'tmpkilled' / 'imx8m'
    left.mkdir(parents=True)
    (left / 'rtc.dtbo').write_bytes(b'')
    command = [BUILD, 'imx8m', 'raspberrypi']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as other:
        status, said = build(*command[1:])
        more = other.communicate()[0]
    tap.result(not status and not other.returncode and not list(folder.glob('tmp*')),
               'two at once, after one that was killed: nothing is left', said + more)


def any_board(tap, work):
    """Overlays for a board of no family apply to its tree, also without labels, and to no other."""
    tree, slot = pathlib.Path(work) / 'mine.dtb', TOP / 'out/overlays/generic/rtc-ds3231.dtbo'
    for board, path, words in (('mine,board', '/bus/i2c', '1 applied'),
                               ('other,board', '/bus/i2c', 'it is for mine,board')):
        subprocess.run(['dtc', '-q', '-O', 'dtb', '-o', tree, '-'], check=True, text=True,
                       input=f'/dts-v1/; / {{ compatible = "{board}"; bus {{ i2c {{ }}; }}; }};')
        if board == 'mine,board':
            status, said = build('generic', f'I2C={{{path}}}', '--base', str(tree))
            tap.result(not status and 'rtc-ds3231' in said.split(), 'a tree of no family', said)
        said = subprocess.run([TOP / 'scripts/dt/check', '--base', tree, slot], text=True,
                              capture_output=True, check=False).stdout
        tap.result(words in said, f'the overlay on {board}: {words}', said)


def on_carrier(tap, work):
    """A carrier of the pack is a tree that overlays can be checked against."""
    source = pathlib.Path(work) / 'clock.dtso'
    for unit, applied in (('51', 1), ('68', 0)):        # it has a clock chip at 0x68
        source.write_text('/dts-v1/;\n/plugin/;\n\n#define I2C_BUS i2c3\n'
                          f'#define RTC_CHIP "nxp,pcf8563"\n#define RTC_UNIT {unit}\n'
                          '#include <blocks/battery-rtc.dtsi>\n')
        said = subprocess.run([TOP / 'scripts/dt/check', '--base', 'imx8mp-field', source],
                              text=True, capture_output=True, check=False).stdout
        tap.result(f'1 trees, 1 pairs, {applied} applied' in said,
                   f'imx8mp-field as base, a chip at 0x{unit}', said)


def main():
    """Run all."""
    tap = Tap()
    good(tap)
    partly(tap)
    pads(tap)
    bad(tap)
    no_room(tap)
    killed(tap)
    with tempfile.TemporaryDirectory() as work:
        plain(tap, work)
        on_carrier(tap, work)
        misled(tap, work)
        any_board(tap, work)
    gone(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
