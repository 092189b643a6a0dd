#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A tree that somebody has selected by hand, in a way that is not the tool's own."""

import pathlib
import sys

from bench import perform
from carry import NEW, ROWS, hook
from install import device, digest, new_tree, shipped
from pending import BOOT_ID, booted, told

ROW = ROWS['imx8mm-var-som']
PI = ROWS['raspberrypi4-64']
SELECTOR = 'mnt/boot/extra_uEnv.txt'
OWN = "the bootloader's own tree"


def by_hand(folder, text, there=True):
    """A Variscite with a line for fdt_file."""
    made = device(folder / 'root', *ROW)
    made.put(BOOT_ID, 'first\n')
    made.put(f'{NEW}/keep', '')
    if there:
        made.put(f'{ROW[3]}/my.dtb', pathlib.Path(shipped(*ROW[1:3])).read_bytes())
    made.put(SELECTOR, text)
    return made


def variscite(tap, folder):
    """fdt_file counts more than custom_fdt_file, in status, rollback and an update."""
    for line in ('fdt_file=undefined\n', 'fdt_file=\n'):
        made = by_hand(folder, line)
        status, said, _ = told(made, 'status')
        tap.result(not status and f'selected   {OWN}\n' in said and 'counts more' not in said,
                   f'status: {line.strip()} selects nothing', said)
    made = by_hand(folder, 'fdt_file=my.dtb\n')
    status, said, _ = told(made, 'status')
    tap.result(not status and 'selected   my.dtb\n' in said and 'sound' in said and
               'warning: extra_uEnv.txt: "fdt_file=my.dtb" counts more than custom_fdt_file' in said and
               'mend: take that line out' in said and 'my.dtb: variscite,var-som-mx8mm-symphony, selected' in
               told(made, 'list')[1], 'status and list name what is selected by hand', said)
    before = digest(made.root)
    for words in (('rollback', '--own'), ('rollback',)):
        status, said, _ = told(made, *words)
        tap.result(status == 9 and 'counts more' in said and 'mend:' in said and
                   digest(made.root) == before, f'{" ".join(words)}: refused, with that line', said)
    done = hook(made)
    tap.result(not done.returncode and (made.root / NEW / 'my.dtb').exists(), 'it goes along with an update',
               done.stdout)
    made.put('mnt/boot/resinOS_uEnv.txt', 'resin_root_part=3\nupgrade_available=1\n')
    (made.root / NEW / 'my.dtb').unlink(missing_ok=True)
    said = told(made, 'status')[1]
    tap.result('which has not my.dtb' in said, 'status: the next root has it not', said)
    said = [told(made, 'carry', '--last'), (made.root / NEW / 'my.dtb').exists()]
    tap.result(said[0][0] == 0 and said[1], 'it goes along at shutdown', said)
    made = by_hand(folder, 'fdt_file=my.dtb\n', there=False)
    made.put('mnt/boot/dtb-swap.state', 'installed=\nprevious=\nselector=extra_uEnv.txt:custom_fdt_file\n')
    done = hook(made)
    tap.result(done.returncode == 1 and 'my.dtb is selected, and is missing' in done.stdout,
               'one that is missing stops an update', done.stdout)


def later(tap, folder):
    """Somebody has set it behind a tree that is pending: guard goes back, and says so."""
    made = by_hand(folder, '')
    told(made, 'try', '--pending', new_tree(folder, shipped(*ROW[1:3]), 'one'))
    booted(made)
    made.put(SELECTOR, (made.root / SELECTOR).read_text(encoding='ascii') + 'fdt_file=my.dtb\n')
    status, said, tree = told(made, 'guard', '--limit', '1')
    tap.result((status, tree) == (0, None) and 'counts more' in said and
               (made.root / SELECTOR).read_text(encoding='ascii') == 'fdt_file=my.dtb\n',
               'guard goes back all the same', said)


# The text of config.txt, and the line that is warned of.
CONFIGS = (
    ('[pi4]\ndevice_tree=gone.dtb\n', 'device_tree=gone.dtb'),
    ('[pi4]\r\n device_tree=gone.dtb\r\n[all]\r\n', 'device_tree=gone.dtb'),
    ('[none]\ndevice_tree=gone.dtb\n', None), ('[pi4]\ndtparam=audio=on\n', None),
    ('[pi4]\ndevice_tree=gone.dtb\n[all]\ndevice_tree=\n', None), ('', None))


def filters(tap, folder):
    """A tree that config.txt selects for some boards: whether for this one is not known."""
    for text, line in CONFIGS:
        for words in (('status',), ('rollback', '--own')):
            made = device(folder / 'root', *PI)
            made.put('mnt/boot/config.txt', text)
            said = told(made, *words)[1]
            warned = f'{line}" is under a filter, and may select another tree' in said
            tap.result(warned == bool(line) and ('under a filter' in said) == bool(line),
                       f'{words[0]}: config.txt has {text!r}', said)


def main():
    """Run all."""
    return perform(variscite, later, filters)


if __name__ == '__main__':
    sys.exit(main())
