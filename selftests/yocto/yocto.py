#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Yocto layer is what boards.tsv, overlays/ and kconfig/ make of it, and consistent; each
defect is found."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / 'scripts/yocto'))

# pylint: disable=wrong-import-position
import builds       # noqa: E402
import layer        # noqa: E402
import repos        # noqa: E402
import rules        # noqa: E402
import runs         # noqa: E402

APPEND = 'dynamic-layers/balena-raspberrypi/recipes-kernel/linux/linux-raspberrypi_%.bbappend'
MODULES = 'recipes-kernel/boardpack/boardpack.bb'
SWAP = 'recipes-support/dtb-swap/dtb-swap.bb'
SOURCE = 'classes/boardpack-source.bbclass'
KERNEL = 'classes/boardpack.bbclass'
SUPERVISOR = 'dynamic-layers/balena-common/recipes-containers/balena-supervisor/balena-supervisor.bbappend'
LED = '/sys/class/leds/identify/brightness'
# What is broken: the file, the text, what it becomes, and what has to be said.
DEFECTS = (
    ('a generated file that was changed', 'conf/boardpack-machines.inc', "'ACT,led0'", "'led9'",
     'boardpack-machines.inc: generating it again gives other bytes'),
    ('an append that is missing', APPEND, None, None, 'linux-raspberrypi_%.bbappend: generating'),
    ('an append that no board has', APPEND.replace('kernel/linux/linux-', 'kernel/linux/x-'), '',
     'inherit boardpack-family\n', 'no board has this layer and recipe'),
    ('a block that is no more', 'kconfig/boardpack-ghost.cfg', '',
     f'{layer.SPDX}# {layer.MADE}CONFIG_GHOST=y\n',
     'boardpack-ghost.cfg: nothing generates it any more'),
    ('an override in the old syntax', MODULES, 'do_configure:append()', 'do_configure_append()',
     'overrides are written with ":"'),
    ('a package in the old syntax', SWAP, 'FILES:${PN} +=', 'FILES_${PN} +=', 'overrides are'),
    ('Python that does not parse', KERNEL, 'blocks = boardpack_blocks(d)', 'blocks = boardpack(',
     'boardpack.bbclass: Python:'),
    ('Python in a line that does not parse', MODULES, "${@'sign-kmod' if", "${@'sign-kmod' iff",
     'boardpack.bb: Python:'),
    ('shell that does not parse', MODULES, '    done\n', '', 'boardpack.bb: shell:'),
    ('a quotation mark', SWAP, 'DEPENDS = "dtc"', 'DEPENDS = "dtc', 'a quotation mark'),
    ('a source that is not there', MODULES, 'Kbuild Makefile', 'Kbuild Maekfile',
     'there is no Maekfile in the pack'),
    ('a source that is not taken', SWAP, ' scripts/yocto/files"', '"',
     'scripts/yocto/files/05-dtb-swap is not in BOARDPACK_FILES'),
    ('S in WORKDIR', SOURCE, 'S = "${UNPACKDIR}', 'S = "${WORKDIR}', 'S in WORKDIR'),
    ('another licence text', SOURCE, 'md5=b', 'md5=a', 'the md5 of COPYING'),
    ('a release that is missing', 'conf/layer.conf', ' scarthgap', '', 'LAYERSERIES_COMPAT'),
    ('no guard for UNPACKDIR', 'conf/layer.conf', 'UNPACKDIR ??=', 'UNPACKDIR_ =', 'styhead'),
    ('no autoload', MODULES, 'KERNEL_MODULE_AUTOLOAD', 'KERNEL_MODULE_AUTO',
     'sets no KERNEL_MODULE_AUTOLOAD'),
)
ROWS = (
    ('an unknown release', 'series', 'hirsute', 'no release "hirsute"'),
    ('a recipe without a layer', 'layer', '-', 'a recipe goes with a machine and a layer'),
    ('a folder without a slash', 'overlays', '/overlays', 'a folder, with / at both ends'),
    ('a battery that rtc-seed is not told of', 'rtcs', 'fsl,sec-v4.0-mon-rtc-lp nxp,pcf8523+',
     'have boardpack.bb give rtc-seed'),
    ('overlays of no family', 'family', '-', 'and no family'),
    ('a contract without an LED', 'led', 'no', 'the contract says led: no, and an LED is known'),
    ('an LED too few', 'leds', '-', 'the contract says led: yes, and no LED is known'),
)


class Tap:
    """Results, printed as they come."""

    def __init__(self):
        self.count = self.failed = 0

    def result(self, good, name, said=''):
        """Print one."""
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} {name}')
        for line in ('' if good else str(said)).splitlines():
            print(f'# {line}')
        sys.stdout.flush()


def ours(tap):
    """The layer as it is."""
    for rule in (rules.generated, rules.syntax, rules.sources, rules.settings):
        found = list(rule(layer.LAYER))
        tap.result(not found, rule.__doc__.strip(), '\n'.join(found))
    rows = layer.boards()
    known = TOP / 'scripts/yocto/led.known'
    for rule, found in ((rules.table, rules.table(rows)), (rules.leds, rules.leds(rows, known)),
                        (rules.carriers, rules.carriers()), (rules.drivers, rules.drivers())):
        found = list(found)
        tap.result(not found, rule.__doc__.strip(), '\n'.join(found))


def counted(tap):
    """Every kernel recipe of the table has an append, counted by other code."""
    wanted = {(row.layer, row.recipe.removesuffix('.bb')) for row in builds.boards()
              if '-' not in (row.machine, row.layer, row.recipe)}
    there = {(path.parts[-4], path.name.split('_%')[0].removesuffix('.bbappend'))
             for path in layer.LAYER.glob('dynamic-layers/*/recipes-kernel/linux/*.bbappend')}
    tap.result(wanted == there and len(there) > 50, f'{len(there)} kernel recipes have an append',
               wanted ^ there)


def told(tap):
    """README and CHANGELOG tell how many kernel recipes and boards the layer is for."""
    series = {}
    for row in layer.known():
        series.setdefault((row.layer, row.recipe), set()).add(row.series)
    new = sum(bool(names & set(rules.SERIES)) for names in series.values())
    late = sum('dunfell' in names and not names & set(rules.SERIES) for names in series.values())
    built = [row for row in layer.boards() if row.machine != '-']
    leds = sum(row.leds != '-' for row in built)
    for name, wanted in (
            ('README.md', (f'Of the {len(series)} kernel recipes', f'{new} have a board on one',
                           f'{late} are of dunfell alone', f'{len(series) - new - late} are older',
                           f'known for {leds} of {len(built)}')),
            ('CHANGELOG.md', (f'{new} of the {len(series)} kernel recipes',
                              f'{late} more are of dunfell alone'))):
        text = ' '.join((TOP / name).read_text(encoding='utf-8').split())
        lost = [words for words in wanted if words not in text]
        tap.result(not lost, f'{name} counts kernel recipes as boards.tsv does',
                   f'it does not say: {lost}')


class Values(dict):
    """What a recipe's Python sees, as far as it is asked here; not expanded."""

    getVar, setVar = dict.get, dict.__setitem__

    def getVarFlag(self, name, flag):       # pylint: disable=invalid-name
        """Return a flag."""
        return self.get(f'{name}[{flag}]')


def supervised(machine, **values):
    """Return what the append of the supervisor makes of LED_FILE for a machine, and of more."""
    scope = {}
    text = (layer.LAYER / 'classes/boardpack-machine.bbclass').read_text(encoding='utf-8')
    for code in re.findall(r'^def .*?(?=^\S|\Z)', text, re.M | re.S):
        exec(code, scope)                   # pylint: disable=exec-used
    append = (layer.LAYER / SUPERVISOR).read_text(encoding='utf-8')
    body = re.search(r'^python \(\) \{\n(.*?)^\}', append, re.M | re.S)[1]
    known = re.findall(r"^(\w+\[[\w-]+\]) = '(.*)'", layer.machines(), re.M)
    data = Values(known, MACHINE=machine, BOARDPACK_IDENTIFY=LED, **values)
    data.setdefault('BOARDPACK_LEDS', scope['boardpack_of'](data, 'LEDS'))
    data.setdefault('BOARDPACK_LED_FILE', scope['boardpack_led_file'](data))
    exec(f'def body(d):\n{body}', scope)    # pylint: disable=exec-used
    scope['body'](data)
    return data


def led_files(tap):
    """The supervisor has a LED_FILE on every machine, and it is told where nothing blinks."""
    rows = {row.machine: row for row in layer.boards() if row.machine != '-'}
    wrong = []
    for own in (None, '/dev/null', '/own'):
        for name, row in rows.items():
            made = supervised(name, **({'LED_FILE': own} if own else {}))
            dark = row.leds == '-' and own != '/own'
            wanted = own if own == '/own' and row.leds == '-' else LED
            if (made.get('LED_FILE'), made.get('BOARDPACK_DARK') == '1') != (wanted, dark):
                wrong.append(f'{name}, own {own}: {made.get("LED_FILE")} {made.get("BOARDPACK_DARK")}')
    tap.result(not wrong and len(rows) > 130, f'LED_FILE of {len(rows)} machines', '\n'.join(wrong))
    for values, wanted in (({'BOARDPACK_CARRIERS': 'x'}, LED), ({'BOARDPACK_LED_FILE': '/dev/null'}, '/dev/null'),
                           ({'BOARDPACK_LED_FILE': ''}, LED), ({'LED_FILE': '/own', 'BOARDPACK_CARRIERS': 'x'}, LED),
                           ({'LED_FILE': '/own', 'BOARDPACK_LED_FILE': ''}, '/own')):
        made = supervised('generic-aarch64', **values)
        tap.result(made.get('LED_FILE') == wanted, f'LED_FILE is {wanted} with {values}', made)


def contract(tap, work):
    """The supervisor's recipe warns by the contract of the device type."""
    append = (layer.LAYER / SUPERVISOR).read_text(encoding='utf-8')
    body = re.search(r'^python boardpack_contract\(\) \{\n(.*?)^\}', append, re.M | re.S)[1]
    for wrong, name in runs.slugs(body, work / 'board'):
        tap.result(not wrong, name, wrong)
    for led, values, words in (('true', {}, 'identify has no LED to blink'), ('false', {}, ''),
                               ('true', {'BOARDPACK_CARRIERS': 'x'}, ''),
                               ('false', {'BOARDPACK_CARRIERS': 'x'}, 'says led: false, and LED_FILE')):
        made = supervised('generic-aarch64', **values)
        said = runs.warned(body, led, work / 'board', 'generic-aarch64', **made)
        tap.result(words in said if words else not said, f'contract led: {led}, {values or "no LED"}: '
                   f'{"a warning" if words else "none"}', said)


def kept(tap, work):
    """What the board has built in stays so."""
    text = (layer.LAYER / 'classes/boardpack.bbclass').read_text(encoding='utf-8')
    body = re.search(r'^python boardpack_keep_builtin\(\) \{\n(.*?)^\}', text, re.M | re.S)[1]
    wrong = runs.demoted(body, work / 'kernel')
    tap.result(not wrong, 'a driver that is built in does not become a module', wrong)


def added(tap, work):
    """README's command adds the layer to a board's sample, in either place."""
    text = (TOP / 'README.md').read_text(encoding='utf-8')
    command = re.search(r'\n    (cat layers/boardpack/.*?[^\\])\n', text, re.S)[1]
    for place in ('samples', 'templates/default'):
        board = work / 'board' / place
        sample = board / 'layers/meta-balena-raspberrypi/conf' / place / 'bblayers.conf.sample'
        sample.parent.mkdir(parents=True)
        sample.write_text('BBLAYERS ?= ""\n')
        (board / 'layers/boardpack').symlink_to(TOP)
        done = subprocess.run(['sh', '-c', command], cwd=board, capture_output=True, text=True,
                              check=False)
        paths = re.findall(r'^BBLAYERS \+= "\$\{TOPDIR\}/\.\./(.*)"$', sample.read_text(), re.M)
        tap.result(done.returncode == 0 and len(paths) == 1 and
                   (board / paths[0] / 'conf/layer.conf').is_file(),
                   f'README: the layer is added to conf/{place}', f'{paths} {done.stderr}')


def defects(tap, work):
    """Each defect of the layer is found."""
    for name, path, old, new, words in DEFECTS:
        copy = work / 'layer'
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(layer.LAYER, copy)
        broken = copy / path
        text = broken.read_text(encoding='utf-8') if broken.exists() else ''
        if old is None:
            broken.unlink()
        else:
            broken.write_text(text.replace(old, new, 1) if old else new, encoding='utf-8')
        said = '\n'.join(rules.wrong(copy))
        tap.result(words in said and (old is None or old in text), f'found: {name}', said)


def editor(tap, work):
    """What an editor keeps of a generated file is not one that nothing generates any more."""
    copy = work / 'edited'
    shutil.copytree(layer.LAYER, copy)
    (copy / 'conf/.boardpack-layers.inc.swp').write_bytes(b'b0VIM\xff\0' + layer.layers().encode())
    try:
        said = '\n'.join(rules.wrong(copy))
    except ValueError as error:
        said = error
    tap.result(not said, 'a file that an editor keeps in the layer is none of it', said)


def bad_rows(tap, work):
    """Each defect of a row of the table is found."""
    row = next(row for row in layer.boards() if row.slug == 'raspberrypi4-64')
    known = work / 'led.known'
    known.write_text('')
    for name, column, value, words in ROWS:
        rows = [row._replace(**{column: value})]
        said = '\n'.join([*rules.table(rows), *rules.leds(rows, known)])
        tap.result(words in said, f'found: {name}', said)
    known.write_text('raspberrypi4-64\twhy\nghost\twhy\n')
    said = '\n'.join(rules.leds([row], known))
    tap.result('contract and boards.tsv agree' in said and 'no board ghost' in said,
               'found: a known disagreement that is none, or of no board', said)


def dark_carrier(tap, work):
    """A carrier without an identify LED is found."""
    trees = work / 'dts'
    shutil.copytree(TOP / 'dts', trees)
    path = next(trees.glob('*/imx8mp-field.dts'))
    path.write_text(path.read_text(encoding='utf-8').replace('#include <blocks/identify', '//'))
    said = list(rules.carriers(trees))
    tap.result(len(said) == 1 and said[0].startswith('imx8mp-field.dts: no identify LED'),
               'found: a carrier without an identify LED', said)


def same_machine(tap):
    """Two device types of one machine cannot differ."""
    rows = layer.boards()
    shared = next(row for row in rows if row.slug == 'iot-gate-imx8plus-sb')
    real, layer.boards = layer.boards, lambda: [row._replace(leds='x') if row is shared else row
                                                for row in rows]
    try:
        said = layer.machines()
    except layer.Wrong as wrong:
        said = str(wrong)
    layer.boards = real
    tap.result('the leds of machine iot-gate-imx8plus' in said,
               'found: two device types of one machine with other LEDs', said)


def repositories(tap, work):
    """What boards.tsv says of a family's layer is held against its repository."""
    place = work / 'repos/balena-raspberrypi/layers/meta-balena-raspberrypi'
    builds.write(place / 'conf/layer.conf', 'BBFILE_COLLECTIONS += "balena-raspberrypi"\n'
                 'LAYERSERIES_COMPAT_balena-raspberrypi = "kirkstone"\n')
    kernel = place / 'recipes-kernel/linux/linux-raspberrypi_%.bbappend'
    builds.write(kernel, 'inherit kernel-balena\n')
    builds.write(place / 'recipes-containers/x/balena-supervisor.bbappend',
                 'LED_FILE:raspberrypi4-64 = "/sys/class/leds/led0/brightness"\n')
    row = next(row for row in layer.boards() if row.slug == 'raspberrypi4-64')

    def said(board):
        return repos.wrong(board, repos.layers(work / 'repos')['balena-raspberrypi'])

    tap.result(not said(row), 'a board is as its repository has it', said(row))
    for name, column, value, words in (
            ('a kernel that it has not', 'recipe', 'linux-rpi', 'has no kernel linux-rpi: linux-raspberrypi'),
            ('another release', 'series', 'scarthgap', 'is not for scarthgap: kirkstone'),
            ('an LED that boards.tsv does not know', 'leds', '-', 'has LED_FILE /sys/class/leds/led0')):
        told = said(row._replace(**{column: value}))
        tap.result(words in told, f'found: {name}', told)
    kernel.write_text('FOO = "kernel-balena"\n', encoding='utf-8')
    tap.result('has no kernel linux-raspberrypi' in said(row),
               'found: a kernel whose options kernel-balena does not set', said(row))
    place = work / 'some/balena-jetson/layers/meta-balena-jetson'
    builds.write(place / 'conf/layer.conf', 'BBFILE_COLLECTIONS += "balena-jetson"\n'
                 'LAYERSERIES_COMPAT_balena-jetson = "kirkstone"\n')
    builds.write(place / 'recipes-kernel/linux/linux-tegra_%.bbappend', 'inherit kernel-resin deploy\n')
    rows = [row for row in layer.boards() if (row.layer, row.series) == ('balena-jetson', 'kirkstone')]
    told = list(repos.results(work / 'some'))
    tap.result(not told[0][0] and f' of {len(rows)} boards ' in told[0][1],
               'of several repositories of one name, one is enough for its release', told)
    told = list(repos.results(work))
    tap.result('name a folder of checkouts' in told[0][0], 'found: a folder without checkouts', told)


def nothing_to_parse(tap, work):
    """make check-yocto fails where it was told to parse and could not."""
    for what, names, env, status, words in (
            ('without YOCTO it is skipped', (), {}, 0, 'SKIP YOCTO is not set'),
            ('a folder that has no release', (), {'YOCTO': str(work / 'typo')}, 1,
             'typo has no release that could be tried'),
            ('a release that is not there', ('scarthgap',), {'YOCTO': str(work)}, 1,
             'there is no '),
            ('an unknown release', ('scarthgpa',), {'YOCTO': str(work)}, 1,
             'no release scarthgpa')):
        clean = {name: text for name, text in os.environ.items()
                 if name not in ('YOCTO', 'CONTRACTS', 'REPOS')}
        done = subprocess.run([TOP / 'scripts/yocto/check', *names], capture_output=True, text=True,
                              check=False, env={**clean, **env})
        said = done.stdout + done.stderr
        tap.result(done.returncode == status and words in said, f'check-yocto: {what}', said)


def image_kernel(tap):
    """An image's kernel grants the fragments that are for images alone."""
    command = [TOP / 'scripts/kconfig-check', '--base', f'{os.environ["BUILD_KDIR"]}/.config',
               *sorted((TOP / 'kconfig').glob('image/*.config'))]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, 'ARCH': 'arm64',
                               'CROSS_COMPILE': 'aarch64-linux-gnu-'})
    tap.result(not done.returncode, 'a kernel can have what kconfig/image asks for',
               done.stdout + done.stderr)


def main():
    """Run all."""
    tap = Tap()
    print('TAP version 13')
    ours(tap)
    counted(tap)
    told(tap)
    led_files(tap)
    with tempfile.TemporaryDirectory() as work:
        contract(tap, pathlib.Path(work))
        kept(tap, pathlib.Path(work))
        added(tap, pathlib.Path(work))
        defects(tap, pathlib.Path(work))
        editor(tap, pathlib.Path(work))
        bad_rows(tap, pathlib.Path(work))
        dark_carrier(tap, pathlib.Path(work))
        repositories(tap, pathlib.Path(work))
        nothing_to_parse(tap, pathlib.Path(work))
    same_machine(tap)
    image_kernel(tap)
    print(f'1..{tap.count}')
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
