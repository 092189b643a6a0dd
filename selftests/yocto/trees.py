#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The recipe of the overlays makes of them what make overlays does.

Its own Python writes the sources for devicetree.bbclass; they are compiled by the calls
that this class makes.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import types

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / 'scripts/yocto'))

# pylint: disable=wrong-import-position
import layer                # noqa: E402
import overlays             # noqa: E402
from tools import KERNEL, sources   # noqa: E402

CPP = ('cpp', '-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp')
DTC = ('dtc', '-R', '8', '-b', '0', '-p', '0', '-@', '-H', 'epapr')


class Data:
    """What the recipe's Python asks bitbake for."""

    def __init__(self, family, place):
        self.flags = re.findall(r"^(\w+)\[([\w-]+)\] = '(.*)'$", layer.machines(), re.M)
        self.values = {'BOARDPACK_FAMILY': family, 'DT_FILES_PATH': str(place / 'trees'),
                       'B': str(place / 'build')}

    def getVar(self, name):     # pylint: disable=invalid-name
        """Return a variable."""
        return self.values[name]

    def getVarFlag(self, name, flag):   # pylint: disable=invalid-name
        """Return a flag, None where it is not set."""
        return next((text for variable, key, text in self.flags if (variable, key) == (name, flag)),
                    None)


def configure(data):
    """Run the recipe's do_configure."""
    text = (layer.LAYER / 'classes/boardpack-machine.bbclass').read_text(encoding='utf-8')
    code = ''.join(re.findall(r'^def .*?(?=^\S|\Z)', text, re.M | re.S))
    recipe = layer.LAYER / 'recipes-kernel/boardpack/boardpack-devicetree.bb'
    body = re.search(r'^python do_configure\(\) \{\n(.*?)^\}', recipe.read_text(encoding='utf-8'),
                     re.M | re.S)[1]
    utils = types.SimpleNamespace(
        remove=lambda path, recurse: None,
        mkdirhier=lambda path: pathlib.Path(path).mkdir(parents=True, exist_ok=True))
    scope = {'d': data, 'bb': types.SimpleNamespace(utils=utils), 'os': __import__('os')}
    exec(code + textwrap.dedent(body), scope)       # pylint: disable=exec-used


def compiled(source, kernel):
    """Return a tree as devicetree.bbclass compiles it, and whether that sees an overlay."""
    include = [TOP / 'overlays', TOP / 'dts', kernel / 'scripts/dtc/include-prefixes']
    text = subprocess.run([*CPP, *(f'-I{path}' for path in include), source], text=True,
                          capture_output=True, check=True).stdout
    plugin = any(line.startswith('/plugin/;') for line in text.splitlines())
    out = source.with_suffix('.dtbo')
    subprocess.run([*DTC, '-o', out, '-I', 'dts', '-O', 'dtb', '-'], input=text, text=True,
                   capture_output=True, check=True)
    return out, plugin


def text_of(blob):
    """Return the source of a tree."""
    return subprocess.run(['dtc', '-q', '-s', '-I', 'dtb', '-O', 'dts', blob], text=True,
                          capture_output=True, check=True).stdout


def wrong(family, place):
    """Yield what is wrong with the overlays of a family."""
    data = Data(family, place)
    configure(data)
    names = (data.getVarFlag('BOARDPACK_OVERLAYS', family) or '').split() + ['identify']
    there = sorted(path.stem for path in (place / 'trees').glob('*.dts'))
    if there != sorted(names):
        yield f'{family}: the recipe has {" ".join(there)}, and not {" ".join(sorted(names))}'
    for name in there:
        blob, plugin = compiled(place / f'trees/{name}.dts', sources(KERNEL))
        own = overlays.compile_source(overlays.FOLDER / f'{name}.dtso', place / f'{name}.dtbo',
                                      overlays.defines(None if name == 'identify' else family))
        if not plugin or text_of(blob) != text_of(own):
            yield f'{family}: {name} is not what make overlays makes of it'


def main():
    """Run all."""
    families = list(overlays.families())
    used = [name for name in families if f'BOARDPACK_OVERLAYS[{name}]' in layer.machines()]
    print(f'TAP version 13\n1..{len(used)}')
    failed = 0
    for number, family in enumerate(used, 1):
        with tempfile.TemporaryDirectory() as place:
            found = list(wrong(family, pathlib.Path(place)))
        failed += bool(found)
        print(f'{"not ok" if found else "ok"} {number} overlays of {family}, by the recipe')
        for line in found:
            print(f'# {line}')
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
