# SPDX-License-Identifier: GPL-2.0-only
"""What can be said of meta-boardpack without bitbake."""

import ast
import hashlib
import pathlib
import re
import subprocess
import textwrap

import layer

SERIES = ('honister', 'kirkstone', 'scarthgap', 'wrynose')
OLDER = ('jethro', 'morty', 'pyro', 'rocko', 'sumo', 'thud', 'warrior', 'dunfell')
METADATA = ('.bb', '.bbappend', '.bbclass', '.conf', '.inc')
OLD_SYNTAX = re.compile(r'^[\w/${}-]+?_(append|prepend|remove|pn-\w+|class-\w+|\$\{PN\})'
                        r'(_\w+)?(\s*[?:+.]*=|\s*\()', re.M)
# Leaving these out would be noticed by no parser, but by whoever builds.
ASKED = {'classes/boardpack.bbclass': ('BALENA_CONFIGS', 'BALENA_CONFIGS_DEPS', 'KERNEL_DTC_FLAGS',
                                       'KERNEL_BALENA_OVERRIDE_FRAGMENTS', 'KERNEL_DEVICETREE'),
         'recipes-kernel/boardpack/boardpack.bb': ('KERNEL_MODULE_AUTOLOAD', 'RPROVIDES:${PN}',
                                                   'KERNEL_MODULE_PROBECONF', 'SIGN_API')}


def metadata(folder):
    """Return {name: text} of the layer's metadata."""
    return {str(path.relative_to(folder)): path.read_text(encoding='utf-8')
            for path in sorted(folder.rglob('*')) if path.suffix in METADATA}


def generated(folder):
    """The generated files are what is generated now."""
    wanted = layer.files()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding='utf-8') != text:
            yield f'{name}: generating it again gives other bytes: run scripts/yocto/generate'
    for name in sorted(layer.there(folder) - set(wanted)):
        yield f'{name}: nothing generates it any more: run scripts/yocto/generate'
    for path in folder.rglob('*.bbappend'):
        name = str(path.relative_to(folder))
        if 'recipes-kernel' in name and name not in wanted:
            yield f'{name}: no board has this layer and recipe: run scripts/yocto/generate'


def syntax(folder):
    """Python and shell parse, and overrides are written with colons."""
    for name, text in metadata(folder).items():
        for match in OLD_SYNTAX.finditer(text):
            yield f'{name}: "{match[0].strip()}": overrides are written with ":" from honister on'
        for code in python(text):
            try:
                ast.parse(textwrap.dedent(code))
            except SyntaxError as error:
                yield f'{name}: Python: {error.msg}: {(error.text or "").strip()}'
        for code in shell(text):
            done = subprocess.run(['sh', '-n'], input=re.sub(r'\$\{@.*?\}', 'X', code),
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                yield f'{name}: shell: {done.stderr.strip()}'
        if text.count('"') % 2:
            yield f'{name}: a quotation mark has no other'


def python(text):
    """Return the Python of a file: def, and the bodies of python functions."""
    yield from re.findall(r'^def .*?(?=^\S|\Z)', text, re.M | re.S)
    for body in re.findall(r'^(?:fakeroot )?python [^\n]*\{\n(.*?)^\}', text, re.M | re.S):
        yield 'def body(d):\n' + textwrap.indent(body, ' ')
    for code in re.findall(r'\$\{@(.*?)\}"?$', text, re.M):
        yield code.strip() if '${@' not in code else 'None'


def shell(text):
    """Return the bodies of shell functions."""
    return re.findall(r'^(?!python\b)[\w:]+ ?\(\) ?\{\n(.*?)^\}', text, re.M | re.S)


def sources(folder):
    """What recipes take from the pack is there, and S is where it is unpacked to."""
    for name, text in metadata(folder).items():
        files = re.search(r'^BOARDPACK_FILES = "(.*)"', text, re.M)
        for word in (files[1].split() if files else ()):
            if not (layer.TOP / word).exists():
                yield f'{name}: there is no {word} in the pack'
        for word in re.findall(r'\$\{S\}/([\w./-]+)', text):
            part = word.rstrip('.')
            if files and not part.endswith('.ko') and not (layer.TOP / part).exists():
                yield f'{name}: there is no {part} in the pack'
            elif files and not part.endswith('.ko') and not any(
                    part == one or part.startswith(f'{one}/') for one in files[1].split()):
                yield f'{name}: {part} is not in BOARDPACK_FILES'
        if re.search(r'^S = "\$\{WORKDIR\}', text, re.M):
            yield f'{name}: S in WORKDIR is an error from styhead on: use UNPACKDIR'
        for md5 in re.findall(r'COPYING;md5=(\w+)', text):
            if md5 != hashlib.md5((layer.TOP / 'COPYING').read_bytes()).hexdigest():
                yield f'{name}: the md5 of COPYING is another'


def settings(folder):
    """layer.conf says for which releases it is; what users rely on is set."""
    text = (folder / 'conf/layer.conf').read_text(encoding='utf-8')
    named = re.search(r'^LAYERSERIES_COMPAT_boardpack = "(.*)"', text, re.M)
    if not named or sorted(named[1].split()) != sorted(SERIES):
        yield f'conf/layer.conf: LAYERSERIES_COMPAT_boardpack has to be "{" ".join(SERIES)}"'
    if 'UNPACKDIR ??= "${WORKDIR}"' not in text:
        yield 'conf/layer.conf: before styhead UNPACKDIR is not known: UNPACKDIR ??= "${WORKDIR}"'
    for name, words in ASKED.items():
        path = folder / name
        text = path.read_text(encoding='utf-8') if path.exists() else ''
        yield from (f'{name}: sets no {word}' for word in words if word not in text)


def table(rows):
    """The columns of boards.tsv for Yocto fit together."""
    for row in rows:
        if row.series not in (*SERIES, *OLDER, '-'):
            yield f'boards.tsv: {row.slug}: no release "{row.series}"'
        if '-' in (row.machine, row.layer) and row.recipe != '-':
            yield f'boards.tsv: {row.slug}: a recipe goes with a machine and a layer'
        if row.overlays != '-' and not re.fullmatch(r'/([\w-]+/)*', row.overlays):
            yield (f'boards.tsv: {row.slug}: overlays "{row.overlays}": a folder, '
                   'with / at both ends')
        if '+' in row.rtcs and len(row.rtcs.split()) > 1:
            yield (f'boards.tsv: {row.slug}: of several RTCs one is known to have a battery: have '
                   'boardpack.bb give rtc-seed its name as rtc=')
        if row.overlays != '-' and row.family == '-':
            yield f'boards.tsv: {row.slug}: overlays on the boot partition, and no family'


def disagreements(path):
    """Return {slug: reason} of boards whose contract and LED are known to differ."""
    lines = path.read_text(encoding='utf-8').splitlines()
    return dict(line.split('\t') for line in lines if line and not line.startswith('#'))


def leds(rows, path):
    """A contract with an LED has one for identify, unless it is known why not, and the other way."""
    known = disagreements(path)
    for row in rows:
        has = row.leds != '-'
        if row.machine == '-' or row.led == '-':
            continue
        if has != (row.led == 'yes') and row.slug not in known:
            yield (f'boards.tsv: {row.slug}: the contract says led: {row.led}, and '
                   f'{"an" if has else "no"} LED is known: mend one, or say why in {path.name}')
        if has == (row.led == 'yes') and row.slug in known:
            yield f'{path.name}: {row.slug}: contract and boards.tsv agree: take it out'
    for slug in set(known) - {row.slug for row in rows}:
        yield f'{path.name}: no board {slug}'


def carriers(trees=layer.TOP / 'dts'):
    """Each carrier has a node for identify: naming one makes LED_FILE an LED that blinks."""
    for path in sorted(trees.glob('*/*.dts')):
        text = path.read_text(encoding='utf-8')
        if '<blocks/identify-led.dtsi>' not in text and '"balena,identify"' not in text:
            yield f'{path.name}: no identify LED, and BOARDPACK_CARRIERS counts it as one'


def drivers():
    """The block "trees" has each option that an overlay says it needs."""
    text = (layer.TOP / 'overlays/README').read_text(encoding='utf-8')
    asked = set(re.findall(r'CONFIG_\w+', ' '.join(re.findall(r'^Config: (.*)', text, re.M))))
    given = {word.split('=')[0] for checked, unchecked in layer.blocks().values()
             for word in [*checked, *unchecked]}
    for name in sorted(asked - given):
        yield f'kconfig/image/trees.config: an overlay needs {name}'


def wrong(folder=layer.LAYER):
    """Return what is wrong with the layer."""
    known = pathlib.Path(__file__).with_name('led.known')
    rows = layer.boards()
    return [*generated(folder), *syntax(folder), *sources(folder), *settings(folder),
            *table(rows), *leds(rows, known), *carriers(),
            *drivers()]
