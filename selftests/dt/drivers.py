#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What overlays say of kernel options and modules is so in the kernel's source: they drive them. A
chip that the database names has an overlay that the driver knows it by."""

import pathlib
import re
import sys
import tempfile

import libfdt

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import overlays                                         # noqa: E402
import readme                                           # noqa: E402
from ktap import Tap                                    # noqa: E402
from tools import linux_source                          # noqa: E402

FOLDERS = ('drivers', 'net/rfkill')
OURS = {'balena,identify': 'leds-identify', 'balena,rtc-seed': 'rtc-seed'}
QUIET = (libfdt.NOTFOUND,)
GIVEN = {'I2C_BUS': 'i2c', 'LED': 'led', 'RTC': 'rtc', 'MODEM_POWER': 'gpio 4',
         'MODEM_RESET': 'gpio 5', 'MODEM_RADIO': 'gpio 6'}


def plain(name):
    """A module's name as the kernel has it."""
    return name.replace('-', '_')


class Kernel:
    """What the kernel's source has: options, modules that hang on them, their sources."""

    def __init__(self):
        self.options, self.modules = set(), {}
        for folder in FOLDERS:
            for path in (linux_source() / folder).rglob('Kconfig*'):
                self.options |= set(re.findall(r'^(?:menu)?config (\w+)$', path.read_text(), re.M))
            for path in (linux_source() / folder).rglob('Makefile'):
                self.read(path)

    def read(self, path):
        """Modules of a Makefile."""
        for option, files in re.findall(r'^obj-\$\(CONFIG_(\w+)\)\s*\+=(.*)$', path.read_text(),
                                        re.M):
            for name in re.findall(r'([\w-]+)\.o\b', files):
                self.modules.setdefault(plain(name), []).append((option, path.parent / f'{name}.c'))

    def drives(self, module, compatible):
        """Whether a module's source names what a node is compatible with, or the chip on its bus."""
        chip = compatible.split(',')[-1]
        return any(f'"{name}"' in source.read_text() for _, source in self.modules.get(module, ())
                   if source.exists() for name in (compatible, chip))


    def own(self, module):
        """What a module's sources tell chips apart by, by the chip's name as its maker spells it."""
        text = ''.join(source.read_text() for _, source in self.modules.get(module, ())
                       if source.exists())
        return {name.split(',')[1].upper(): name for name in re.findall(r'"(\w+,\w+)"', text)}


def texts(tree, node, name):
    """The strings of a property."""
    found = tree.getprop(node, name, QUIET)
    return [] if isinstance(found, int) else found.as_stringlist()


def nodes(tree, node=0):
    """All nodes below one, and itself."""
    yield node
    child = tree.first_subnode(node, QUIET)
    while child >= 0:
        yield from nodes(tree, child)
        child = tree.next_subnode(child, QUIET)


def wrong(tree, kernel):
    """What is not so of an overlay."""
    meta = tree.path_offset('/metadata')
    asked = [name.removeprefix('CONFIG_') for name in texts(tree, meta, 'config')]
    named = [plain(name) for name in texts(tree, meta, 'modules')]
    theirs = [name for name in named if name not in map(plain, OURS.values())]
    found = [f'there is no option {name}' for name in asked if name not in kernel.options]
    for name in theirs:
        if not any(option in asked for option, _ in kernel.modules.get(name, ())):
            found.append(f'no module {name} is made by {" ".join(asked)}')
    for node in nodes(tree):
        names = texts(tree, node, 'compatible') if node else []
        if names and not any(plain(OURS.get(one, '')) in named or
                             any(kernel.drives(name, one) for name in theirs) for one in names):
            found.append(f'{names[0]} is driven by none of {" ".join(named)}')
    return found


def unknown(text, trees, kernel):
    """Chips of the database that the driver would take for another one's: an x is any digit."""
    ours = [name for tree in trees.values() for node in nodes(tree)
            for name in (texts(tree, node, 'compatible') if node else ())]
    found = []
    for entry in readme.entries(text)[0].values():
        for module in map(plain, entry.get('Modules', '').split()):
            for chip, name in kernel.own(module).items():
                info = re.sub(r'(?<=[A-Z])-(?=\d)', '', entry['Info'])
                if re.search(rf'\b{chip}\b', info) and not any(
                        re.fullmatch(one.replace('x', '[x0-9]'), name) for one in ours):
                    found.append(f'{entry["Name"]}: {chip} needs an overlay for {name}')
    return found


def main():
    """All overlays; and words that are wrong."""
    tap, kernel = Tap(), Kernel()
    with tempfile.TemporaryDirectory() as work:
        trees = {}
        for source in overlays.sources():
            out = overlays.compile_source(source, pathlib.Path(work) / source.stem,
                                          overlays.defines(None, GIVEN))
            trees[source.stem] = libfdt.Fdt(out.read_bytes())
    for name, tree in trees.items():
        said = wrong(tree, kernel)
        tap.result(not said, f'{name}: its options make the modules that drive it', '\n'.join(said))
    text = (overlays.FOLDER / 'README').read_text(encoding='utf-8')
    said = unknown(text, trees, kernel)
    tap.result(not said, 'a chip that the database names is known by its own name', '\n'.join(said))
    said = unknown(text.replace('AB0805 and AB1805', 'AB0805 and RV-1805'),
                   {'rtc-abx80x': trees['rtc-abx80x']}, kernel)
    tap.result('rtc-abx80x: RV1805 needs an overlay for microcrystal,rv1805' in said,
               'and one that is not is noticed', said)
    for prop, value, words in (
            ('modules', 'rtc-pcf8563', 'nxp,pcf8523 is driven by none of rtc_pcf8563'),
            ('modules', 'rtc-ghost', 'no module rtc_ghost is made by RTC_DRV_PCF8523'),
            ('config', 'CONFIG_RTC_DRV_PCF8563', 'no module rtc_pcf8523 is made by'),
            ('config', 'CONFIG_RTC_DRV_GHOST', 'there is no option RTC_DRV_GHOST')):
        tree = libfdt.Fdt(bytes(trees['rtc-pcf8523'].as_bytearray()))
        tree.resize(tree.totalsize() + 256)
        tree.setprop_str(tree.path_offset('/metadata'), prop, value)
        said = '\n'.join(wrong(tree, kernel))
        tap.result(words in said, f'{prop} of rtc-pcf8523 is {value}: noticed', said)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
