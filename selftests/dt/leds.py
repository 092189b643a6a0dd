#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The overlay identify finds the LED of each board that it is offered for, where that is known."""

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
import boards                       # noqa: E402
import overlays                     # noqa: E402
from ktap import Tap                # noqa: E402

ONE = 'asus-tinker-board'
KCONFIG = {'leds-identify': ('leds', 'LEDS_IDENTIFY'), 'rtc-seed': ('rtc', 'RTC_SEED')}


def said(path=boards.TABLE):
    """What the verifier says of LEDs."""
    return [line for line in boards.check(path) if 'identify.dtso' in line]


def names(tap, work):
    """The verifier goes by the names that the compiled overlay has."""
    out = overlays.compile_source(overlays.FOLDER / 'identify.dtso', work / 'identify.dtbo')
    tree = libfdt.Fdt(out.read_bytes())
    node = tree.path_offset('/fragment@0/__overlay__/identify')
    text = tree.getprop(node, 'linux,led-names').as_str()
    tap.result(text.split(',') == boards.led_names() and len(set(text.split(','))) ==
               text.count(',') + 1 and all(0 < len(name) < 64 for name in text.split(',')),
               'names are those of the compiled overlay, each once', text)


def held(tap, work):
    """Boards are held against them."""
    rows = [row for row in boards.boards() if row.leds != '-' and row.arch not in boards.ACPI]
    tap.result(not said() and len(rows) > 30, f'{len(rows)} boards have their LED in it', said())
    changed = work / 'boards.tsv'
    changed.write_text(boards.TABLE.read_text(encoding='utf-8').replace('\tled1-led\t', '\tled9\t'))
    found = said(changed)
    tap.result(len(found) == 2 and f' {ONE}: leds "led9"' in found[0], 'another name is found',
               found)
    known = boards.led_names
    for row in rows:
        boards.led_names = lambda row=row: set(known()) - set(row.leds.split(','))
        found = '\n'.join(said())
        if f' {row.slug}: leds "{row.leds}"' not in found:
            break
    boards.led_names = known
    tap.result(f' {row.slug}: leds "{row.leds}"' in found, 'each is missed where it is not there',
               f'{row.slug}: {found}')


def depend(tap):
    """What our modules depend on is among the options that an overlay asks for."""
    for source in overlays.sources():
        text = source.read_text(encoding='utf-8')
        for module, (folder, option) in KCONFIG.items():
            if f'"{module}"' not in text:
                continue
            kconfig = (TOP / f'drivers/{folder}/Kconfig').read_text(encoding='utf-8')
            entry = re.search(rf'^config {option}\n(.*?)\n\thelp', kconfig, re.M | re.S)[1]
            wanted = re.findall(r'depends on (\w+)$', entry, re.M)
            lacks = [name for name in wanted if f'"CONFIG_{name}"' not in text]
            tap.result(wanted and not lacks, f'{source.stem}: {" ".join(wanted)} for {module}',
                       lacks)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        names(tap, pathlib.Path(work))
        held(tap, pathlib.Path(work))
    depend(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
