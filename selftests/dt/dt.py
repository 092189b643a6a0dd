#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The device trees are right, and the verifiers find each bad one.

The line "expect:" in a bad input is the check that has to fail, and what it says.
"""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

import libfdt

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
CHECK = TOP / 'scripts/dt/check'
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bases        # noqa: E402
import boards       # noqa: E402
import overlays     # noqa: E402
import params       # noqa: E402
import readme       # noqa: E402
import style        # noqa: E402
import trees        # noqa: E402
from tools import Wrong, dt_apply    # noqa: E402
from ktap import Tap                # noqa: E402

# Trees that Debian builds without labels, a vendor each.
BARE = {'6.12': ('imx8mm-evk', 'rk3399-rock-pi-4b', 'sun50i-h5-orangepi-pc2'),
        '6.12-armhf': ('am335x-boneblack', 'sun7i-a20-bananapi')}
OVERLAY = {'imx8mm-evk': 'imx8m', 'rk3399-rock-pi-4b': 'rockchip',
           'sun50i-h5-orangepi-pc2': 'allwinner-h3', 'am335x-boneblack': 'am335x',
           'sun7i-a20-bananapi': 'allwinner-a20'}


def run(*command, **options):
    """Run a tool; return its status and what it said."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, cwd=TOP,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    return done.returncode, done.stdout


def blocks(text):
    """Return what each failed line of TAP is followed by."""
    found, name = {}, None
    for line in text.splitlines():
        match = re.match(r'(not )?ok \d+ (.*)', line)
        if match:
            name = match[2] if match[1] else None
        elif name:
            found[name] = found.get(name, '') + line[2:] + '\n'
    return found


def ours(tap):
    """The pack's own sources."""
    status, said = run(CHECK)
    for line in said.splitlines():
        match = re.match(r'(not )?ok \d+ (.*)', line)
        if match:
            tap.result(not match[1], match[2], said)
    tap.result(not status and re.search(r'^1\.\.[1-9]', said, re.M), 'the exit status of all', said)


def bad_files(tap, board):
    """Each bad input is found for the reason in its name."""
    files = sorted(HERE.glob('bad-*.dts*'))
    status, said = run(CHECK, '--base', board, *files)
    found = blocks(said)
    for path in files:
        expect = re.search(r'expect: (\w+): (.*)', path.read_text(encoding='utf-8'))
        text = found.get(f'{path.relative_to(TOP)}: {expect[1]}', '')
        tap.result(expect[2] in text, path.name, text or f'{expect[1]} has passed')
    tap.result(status == 1, 'the exit status tells', said)
    status, said = run(CHECK, HERE / 'bad-style-hex.dtso')
    tap.result(status and 'for which boards? say --base' in said,
               'an overlay that says for no board needs one', said)
    wrong = f'{(HERE / "bad-apply-base.dtso").relative_to(TOP)}: '
    tap.result(all('it is for fsl,imx8mq' in found.get(wrong + name, '')
                   for name in ('schemas', 'pads')),
               'nothing is said of a tree that is not its', said)
    source = HERE / 'bad-apply-board.dtso'
    said = blocks(run(CHECK, source)[1])
    for name in ('apply', 'schemas', 'pads'):
        text = said.get(f'{source.relative_to(TOP)}: {name}', '')
        tap.result(re.search(r'bad-apply-board.dtso:\d+: no tree is for fsl,imx8mp-evkk; nearest: '
                             r'fsl,imx8mp-evk, .*; for a board of your own .* BASE=', text),
                   f'an overlay for a board that no tree is for: {name}', text or said)
    status, said = run(CHECK, '--base', 'no-such', HERE / 'bad-style-hex.dtso')
    tap.result(status and 'no tree no-such' in said, 'an unknown board is named', said)
    status, said = run(CHECK, '--kernel', '5.10', HERE / 'bad-style-hex.dtso')
    tap.result(status == 2 and said.count('\n') == 1 and 'no kernel 5.10 for device trees' in said,
               'a kernel whose sources are not used is named', said)


def included(tap, work):
    """A line that includes a file is a whole one, and the next is looked at."""
    source = work / 'included.dts'
    for line in ('#include "k.dtsi"', '/include/ "k.dtsi"'):
        source.write_text(f'/dts-v1/;\n{line}\n\n&i2c3 {{\n  status = "okay";\n\treg = <0xA>;\n}};\n')
        said = style.style(source)
        tap.result([text.partition(': ')[2] for text in said] == [
            'indent with 1 tab', 'hexadecimal numbers are in lower case', 'reg belongs before status'],
                   f'style: {line}', '\n'.join(said))


def bad_readme(tap, work):
    """Each defect of the database is found."""
    text = (TOP / 'overlays/README').read_text(encoding='utf-8')
    source = overlays.FOLDER / 'rtc-ds3231.dtso'
    blob = overlays.compile_source(source, work / 'rtc.dtbo', overlays.defines('raspberrypi'))
    broken = work / 'README'
    for name, old, new, words in (
            ('no entry', 'Name:   rtc-ds3231', 'Name:   rtc-ds32', 'has no entry'),
            ('a source that is not there', '', 'Name:   ghost\nInfo:   x\n\n', 'no ghost.dtso'),
            ('a tab', 'Info:   Maxim', 'Info:   Maxim\t', 'a tab'),
            ('an unknown field', 'Load:   dtoverlay=rtc-ds3231', 'Lode:   x', 'no field "Lode:"'),
            ('a parameter too few', '        wakeup-source', '        sleep-source',
             'wakeup-source is not described'),
            ('a wrong address', 'I2C 0x68', 'I2C 0x69', 'Pins: has to be "I2C 0x68"'),
            ('a wrong module', 'rtc-ds1307 rtc-seed', 'rtc-ds1307', 'Modules: has to be')):
        broken.write_text(text.replace(old, new) if old else text + '\n' + new)
        said = '\n'.join(readme.readme(broken, {source: blob}))
        tap.result(words in said, f'README: {name}', said)


def bad_pins(tap, work):
    """What an overlay uses and does not tell, and the other way, is found."""
    for name, line, cases in (
            ('rtc-ds3231', 'pins = "i2c1 0x68";', (
                ('as they are', 'pins = "i2c1 0x68";', []),
                ('another bus', 'pins = "i2c7 0x68";',
                 ['pins: it uses "i2c1 0x68", which is not told',
                  'pins: it does not use "i2c7 0x68"']),
                ('another address', 'pins = "i2c1 0x69";',
                 ['pins: it uses "i2c1 0x68", which is not told',
                  'pins: it does not use "i2c1 0x69"']),
                ('none', '', ['pins: it uses "i2c1 0x68", which is not told']))),
            ('modem-slot', '"gpio 24"', (
                ('as they are', '"gpio 24"', []),
                ('another GPIO', '"gpio 7"', ['pins: it uses "gpio 24", which is not told',
                                              'pins: it does not use "gpio 7"'])))):
        text = re.sub('^#.*', '', overlays.preprocess(
            overlays.FOLDER / f'{name}.dtso', overlays.defines('raspberrypi')), flags=re.M)
        for what, new, wanted in cases:
            run('dtc', '-q', '-@', '-O', 'dtb', '-o', work / 'pins.dtbo', '-',
                input=text.replace(line, new))
            said = readme.used(libfdt.Fdt((work / 'pins.dtbo').read_bytes()))
            tap.result(said == wanted and line in text,
                       f'metadata of what {name} uses: {what}', said)


def parameters(tap, work):
    """What config.txt sets is what was meant, and a parameter that sets nothing is found."""
    source = overlays.FOLDER / 'modem-slot.dtso'
    blob = overlays.compile_source(source, work / 'slot.dtbo', overlays.defines('raspberrypi'))
    tree = libfdt.Fdt(bytearray(blob.read_bytes()))
    for name, number in (('power', 23), ('reset', 27), ('radio', 25), ('delay', 300000)):
        params.put(tree, name, number)
    set_to = work / 'set.dtbo'
    set_to.write_bytes(tree.as_bytearray())
    text = run('dtc', '-q', '-I', 'dtb', '-O', 'dts', set_to)[1]
    wanted = {'gpio = <0xffffffff 0x17': 'power', 'gpio = <0xffffffff 0x1b': 'reset',
              'shutdown-gpios = <0xffffffff 0x19': 'radio',
              'startup-delay-us = <0x493e0>': 'delay'}
    for words, name in wanted.items():
        tap.result(text.count(words) == 1, f'modem-slot: {name} sets what it says', text)
    text = overlays.preprocess(source, overlays.defines('raspberrypi'))
    for what, old, new, words in (
            ('past the end', '"gpio:4"', '"gpio:12"', 'gpio of regulator-modem-power ends at'),
            ('no such property', '"startup-delay-us:0"', '"start-delay-us:0"',
             'has no start-delay-us'),
            ('no form', '"shutdown-gpios:4"', '"shutdown-gpios=4"', 'is not "property:byte"')):
        broken = work / 'broken.dtso'
        broken.write_text(re.sub('^#.*', '', text.replace(old, new, 1), flags=re.M))
        run('dtc', '-q', '-@', '-O', 'dtb', '-o', work / 'broken.dtbo', broken)
        said = params.wrong(libfdt.Fdt((work / 'broken.dtbo').read_bytes()))
        tap.result(len(said) == 1 and words in said[0], f'a parameter: {what}', said)


def bad_boards(tap, work):
    """Each defect of the table of boards is found."""
    text = (TOP / 'scripts/boards.tsv').read_text(encoding='utf-8')
    broken = work / 'boards.tsv'
    row = next(line for line in text.splitlines() if line.startswith('raspberrypi4-64'))
    for name, new, words in (
            ('a family that is not there', row.replace('\traspberrypi\t', '\trasp\t'),
             'no family "rasp"'),
            ('a tree that is not there', row.replace('bcm2711-rpi-4-b', 'bcm2711-rpi-9'),
             'no tree bcm2711-rpi-9'),
            ('a tree of another family', row.replace('bcm2711-rpi-4-b', 'imx8mm-evk'),
             'imx8mm-evk is not of family raspberrypi'),
            ('a board that is there twice', f'{row}\n{row}', 'is there 2 times'),
            ('an unknown selector', row.replace('config.txt', 'floppy'), 'selector "floppy"'),
            ('a carrier that is not there', row.replace('bcm2711-rpi-4-b\t-',
                                                        'bcm2711-rpi-4-b\tghost'),
             'no ghost.dts'),
            ('a malformed list of LEDs', row.replace('ACT,led0', 'ACT,,led0'), 'leds "ACT,,led0"'),
            ('an unsorted row', f'{row}\n#'.replace('raspberrypi4-64', 'aaa'), 'not sorted')):
        broken.write_text(text.replace(row, new))
        said = '\n'.join(boards.check(broken))
        tap.result(words in said, f'boards.tsv: {name}', said)
    broken.write_text(text.replace('\tti,am3352-rtc\t', '\t-\t'))
    said = '\n'.join(boards.check(broken))
    tap.result('beaglebone-black: rtcs has to be "ti,am3352-rtc"' in said,
               'boards.tsv: an RTC of its tree is missing', said)
    booted = next(line for line in text.splitlines() if line.startswith('raspberrypi3-64'))
    for name, old, new, words in (
            ('something offered that is not', row, row.replace('identify modem-slot', 'identify'),
             'raspberrypi4-64: offered has to be "identify modem-slot rtc-*"'),
            ('a boot that never was', row, row.replace('\tapplied', '\tbooted'),
             'raspberrypi4-64: proven has to be "applied"'),
            ('a boot that is not told', booted, booted.replace('\tbooted', '\t-'),
             'raspberrypi3-64: proven has to be "booted"'),
            ('a carrier without a row', 'imx8mp-var-som-field', 'its name',
             'dts/ has imx8mp-var-som-field, which no row has')):
        broken.write_text(text.replace(old, new))
        said = '\n'.join(boards.check(broken))
        tap.result(words in said, f'boards.tsv: {name}', said)
    tap.result({one.proven for one in boards.boards()} == set(boards.PROOFS),
               'boards.tsv: some are compiled, some applied, some booted, of some nothing is known')
    broken.write_text(text.replace(row, row.replace('\tconfig.txt', '')))
    try:
        said = '\n'.join(boards.check(broken))
    except Wrong as wrong:
        said = str(wrong)
    tap.result('18 columns' in said, 'boards.tsv: a column is missing', said)


def lacking(tap, work):
    """A tree that lacks what a family's overlays need is known to, and one that does not is found."""
    loader = importlib.machinery.SourceFileLoader('check', str(CHECK))
    check = importlib.util.module_from_spec(importlib.util.spec_from_loader('check', loader))
    loader.exec_module(check)
    built = overlays.build(work, ['raspberrypi5', overlays.GENERIC])
    for kernel, words in (('6.12', ''), ('7.2', 'bcm2712-rpi-5-b lacks nothing')):
        base = next(b for b in bases.shipped(kernel) if b.name == 'bcm2712-rpi-5-b')
        said = '\n'.join(check.apply_rest(base, 'raspberrypi5', built))
        tap.result(words in said if words else not said, f'lacking.tsv: {kernel}', said)


def lookup(tree, label):
    """Return the path of a label."""
    return tree.getprop(tree.path_offset('/__symbols__'), label).as_str()


def labels(tap, work):
    """Labels for a tree that has none are those that dtc -@ would have given it."""
    for kernel, names in BARE.items():
        for base in (b for b in bases.shipped(kernel) if b.name in names):
            with_labels = bases.compiled([base])[base]
            out = work / f'{base.name}.dtb'
            status, said = run(dt_apply(), 'merge', '-l', with_labels.with_suffix('.labels'),
                               base.dtb, out)
            mine = sorted(run(dt_apply(), 'labels', out)[1].splitlines())
            wanted = sorted(there(base, run(dt_apply(), 'labels', with_labels)[1]))
            tap.result(not status and mine == wanted and mine,
                       f'{base.name}: {len(wanted)} labels, as dtc -@ gives them',
                       said or '\n'.join(sorted(set(mine) ^ set(wanted))))
            phandles(tap, base, out)
            peers(tap, base, out, work)
            if base.name == names[0]:
                together(tap, base, out, work / base.name)


def there(base, text):
    """Return the labels of nodes that a tree has: without -@ dtc leaves out those that
    are marked /omit-if-no-ref/."""
    tree = libfdt.Fdt(pathlib.Path(base.dtb).read_bytes())
    return [line for line in text.splitlines()
            if tree.path_offset(line.split('\t')[1], quiet=(libfdt.NOTFOUND,)) >= 0]


def phandles(tap, base, blob):
    """Each label's node can be referred to, by a number of its own."""
    tree = libfdt.Fdt(blob.read_bytes())
    seen = {}
    for line in run(dt_apply(), 'labels', blob)[1].splitlines():
        path = line.split('\t')[1]
        seen.setdefault(tree.get_phandle(tree.path_offset(path)), set()).add(path)
    tap.result(0 not in seen and all(len(paths) == 1 for paths in seen.values()),
               f'{base.name}: one phandle a node',
               [paths for number, paths in seen.items() if not number or len(paths) > 1])


def peers(tap, base, labelled, work):
    """An overlay gives what fdtoverlay makes of it, and what was asked for."""
    overlay = overlays.compile_source(overlays.FOLDER / 'rtc-ds3231.dtso', work / 'x.dtbo',
                                      overlays.defines(OVERLAY[base.name]))
    mine, theirs = work / 'mine.dtb', work / 'theirs.dtb'
    run(dt_apply(), 'merge', labelled, mine, overlay)
    run('fdtoverlay', '-i', labelled, '-o', theirs, overlay)
    text = [run('dtc', '-q', '-s', '-I', 'dtb', '-O', 'dts', path)[1] for path in (mine, theirs)]
    tap.result(text[0] == text[1] and 'maxim,ds3231' in text[0],
               f'{base.name}: merged as fdtoverlay does it', '')
    tree = libfdt.Fdt(mine.read_bytes())
    rtcs = tree.getprop(tree.path_offset('/rtc-seed'), 'rtcs').as_uint32()
    tap.result(tree.path_offset(lookup(tree, 'battery_rtc')) ==
               tree.node_offset_by_phandle(rtcs), f'{base.name}: the clock is the preferred one')


def together(tap, base, tree, work):
    """Overlays that are applied one after the other give what fdtoverlay makes of each."""
    family = OVERLAY[base.name]
    blobs = {f'{source.stem}.dtbo': overlays.compile_source(
                 source, work / f'{source.stem}.dtbo', overlays.defines(family))
             for source in overlays.sources() if family in overlays.served(source)}
    folder = work / 'kept'
    folder.mkdir(parents=True)
    status, said = run(dt_apply(), 'check', '-c', '-o', folder, *blobs.values(),
                       input=f'*{tree}\n')
    kept = sorted(folder.iterdir())
    wrong = [path.name for path in kept if not same(path, tree, [
        blobs[name] for name in path.name.split('+')[1:]], work / 'theirs.dtb')]
    several = sum(path.name.count('+') > 1 for path in kept)
    tap.result(not status and not wrong and several and len(kept) > several,
               f'{base.name}: {len(kept)} trees with overlays are as fdtoverlay makes them',
               said + '\n'.join(wrong))


def order(tap, board, work):
    """Where a node is, changes with what is added before it."""
    blobs, folder = [], work / 'changed'
    for what, text, nodes in (('properties', 'x{};', ('led', 'gpio', '{/i2c}', 'gpio')),
                              ('nodes', 'x{} {{}};', ('gpio', '{/i2c}', 'gpio', 'led'))):
        source = work / f'{what}.dts'
        source.write_text('/dts-v1/; /plugin/;\n' + ''.join(
            f'&{node} {{ {text.format(i)} }};\n' for i, node in enumerate(nodes)))
        blobs.append(work / f'{what}.dtbo')
        run('dtc', '-q', '-@', '-O', 'dtb', '-o', blobs[-1], source)
    folder.mkdir()
    status, said = run(dt_apply(), 'check', '-o', folder, *blobs, input=f'{board}\n')
    for blob in blobs:
        tap.result(not status and same(folder / f'{board.name}+{blob.name}', board, [blob],
                                       work / 'theirs.dtb'),
                   f'{blob.stem} are added to four nodes as fdtoverlay does it', said)


def same(path, tree, blobs, theirs):
    """Whether a tree with overlays is what fdtoverlay makes of it."""
    run('fdtoverlay', '-i', tree, '-o', theirs, *blobs)
    one, other = (run('dtc', '-q', '-s', '-I', 'dtb', '-O', 'dts', name)[1]
                  for name in (path, theirs))
    return one == other


def broken(tap, board, work):
    """Files that are no trees, and maps that do not fit, are refused by name."""
    good = board.read_bytes()
    for name, data in (('cut off', good[:len(good) // 2]), ('empty', b''),
                       ('no tree', b'hello' * 100),
                       ('offset past the end', good[:8] + b'\x7f' + good[9:])):
        path = work / 'broken.dtb'
        path.write_bytes(data)
        status, said = run(dt_apply(), 'merge', path, work / 'out.dtb')
        tap.result(status == 1 and 'broken.dtb: not a device tree' in said,
                   f'a tree that is broken: {name}', said)
    plain = work / 'plain.dtb'
    run('dtc', '-q', '-I', 'dtb', '-O', 'dtb', '-o', plain, board)
    run('fdtput', '-r', plain, '/__symbols__')
    for name, text, status, words in (
            ('malformed', 'i2c /i2c\n', 1, ':1: not "label<tab>/path"'),
            ('for another tree', 'gone\t/soc/gone\n', 0, '')):
        path = work / 'bad.labels'
        path.write_text(text)
        got, said = run(dt_apply(), 'merge', '-l', path, plain, work / 'out.dtb')
        tap.result(got == status and words in said, f'a label map: {name}', said)
    tap.result(run(dt_apply(), 'labels', work / 'out.dtb')[1].strip() == '',
               'no label stands for a node that is not there')


def combined(tap, board, work):
    """Overlays that exclude each other are not combined, others are looked at together."""
    def overlay(name, exclusive, line):
        source = work / f'{name}.dts'
        source.write_text(f'''/dts-v1/; /plugin/;
/ {{ metadata {{ exclusive = "{exclusive}"; }}; }};
&{{/}} {{ {name} {{ compatible = "rfkill-gpio"; shutdown-gpios = <&gpio {line} 0>; }}; }};
''')
        out = work / f'{name}.dtbo'
        run('dtc', '-q', '-@', '-O', 'dtb', '-o', out, source)
        return out

    one, two, three = overlay('one', 'a', 7), overlay('two', 'a', 7), overlay('three', 'b', 7)
    status, said = run(dt_apply(), 'check', '-c', one, two, input=f'*{board}\n')
    tap.result(not status and '2 applied, 0 combined, 0 refused' in said,
               'overlays that exclude each other are not combined', said)
    status, said = run(dt_apply(), 'check', '-c', '-v', one, three, input=f'*{board}\n')
    tap.result('one.dtbo + three.dtbo: GPIO 0.7 of /gpio@1000 is used by' in said,
               'two overlays on one GPIO are refused', said)


def pairs(tap, board, work):
    """What a user gives together is looked at together."""
    def overlay(name, unit, claim='', exclusive=''):
        source = work / f'{name}.dtso'
        source.write_text(f'''/dts-v1/;
/plugin/;
{f'/ {{ metadata {{ exclusive = "{exclusive}"; }}; }};' if exclusive else ''}
{f'/ {{ compatible = "{claim}"; }};' if claim else ''}
&i2c {{ #address-cells = <1>; #size-cells = <0>;
{name}: rtc@{unit} {{ compatible = "maxim,ds3231"; reg = <0x{unit}>; }}; }};
''')
        return source

    for what, files, words in (
            ('that go together pass', (overlay('a', 68), overlay('b', 51)),
             '^# 1 trees, 2 pairs, 2 applied, 1 combined.*\nok 13 overlays: together$'),
            ('at one address do not', (overlay('a', 68), overlay('c', 68)),
             '^not ok 13 overlays: together\n.*refused: a.dtbo [+] c.dtbo: address 0x68 for '
             'rtc@68 is taken by /i2c/rtc@68'),
            ('that exclude each other are skipped',
             (overlay('d', 68, exclusive='x'), overlay('e', 51, exclusive='x')),
             '^ok 13 overlays: together # SKIP no two of them apply, or'),
            ('of which one is for another board are skipped',
             (overlay('a', 68), overlay('f', 51, 'no,board')),
             '^ok 13 overlays: together # SKIP no two of them apply, or')):
        said = run(CHECK, '--base', board, *files)[1]
        tap.result(re.search(words, said, re.M), f'overlays {what}', said)


def carriers(tap):
    """Each carrier has what a field carrier has."""
    for source in sorted((TOP / 'dts').rglob('*.dts')):
        blob = trees.carrier(source.stem)
        tree = libfdt.Fdt(blob.read_bytes())
        lacks = [path for path in ('/identify', '/rtc-seed', '/regulator-modem-reset', '/rfkill-modem')
                 if tree.path_offset(path, quiet=(libfdt.NOTFOUND,)) < 0]
        text = run('dtc', '-q', '-I', 'dtb', '-O', 'dts', blob)[1]
        dogs = re.findall(r'(?:watchdog|timer)@\w+ {[^{}]*status = "okay"', text)
        tap.result(not lacks and dogs,
                   f'{source.stem}: LED, battery clock, modem slot and watchdog', lacks)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        board = overlays.compile_source(TOP / 'scripts/dt/board.dts', work / 'board.dtb')
        bad_files(tap, board)
        included(tap, work)
        bad_readme(tap, work)
        bad_pins(tap, work)
        parameters(tap, work)
        bad_boards(tap, work)
        lacking(tap, work)
        broken(tap, board, work)
        combined(tap, board, work)
        pairs(tap, board, work)
        order(tap, board, work)
        labels(tap, work)
        carriers(tap)
        ours(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
