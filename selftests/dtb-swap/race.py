#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Another program writes the selector before each system call of dtb-swap: nothing of it is lost."""

import os
import pathlib
import sys
import tempfile

from bench import Tap, run, tool
from faults import KINDS, compile_injector, files, light, restore
from install import new_tree

# As the supervisor does: a file of its own, which takes the name.
INTRUDER = '{{ cat {0} 2>/dev/null; echo other=1; }} >{0}.tmp && mv {0}.tmp {0}'
# From the open() for the last look on: posix_fadvise(), read(), read(), close(), renameat().
WINDOW = 5


def raced(tap, injector, row, selector, first):
    """Every call of an install, on a selector that has that, or is not there yet."""
    folder, name = injector.parent, f'{row[0]}, {"a" if first else "no"} selector'
    made, tree = light(folder, row)
    file = made.put(selector, first)
    if not first:
        file.unlink()
    command = [tool(), 'install', new_tree(folder, tree, 'one'), '--root', made.root]
    saved = files(made.root)
    total = int(run(injector, 0, 0, *command).stdout.splitlines()[-1])
    lost, silent = [], []
    for call in range(1, total + 1):
        restore(made.root, saved)
        done = run(injector, call, -2, *command,
                   env={**os.environ, 'INTRUDER': INTRUDER.format(file)})
        text = file.read_text(encoding='ascii')
        if 'other=1' not in text or first not in text:
            lost.append(call)
        elif done.returncode and not (done.returncode == 11 and 'mend:' in done.stdout):
            silent.append(f'call {call}: status {done.returncode}\n{done.stdout}')
        elif not done.returncode and 'swap-one' not in text:
            silent.append(f'call {call}: it says that it is done, and is not')
    window = len(lost) <= WINDOW and (not lost or lost[-1] - lost[0] < WINDOW)
    tap.result(total > 100 and window, f'{name}: what is written before one of {total} calls stays',
               f'lost: {lost}')
    tap.result(not silent, f'{name}: and where that is in the way it is told', '\n'.join(silent[:5]))


def main():
    """A selector of each kind."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        injector = compile_injector(pathlib.Path(work))
        for first in ('first=1\n', ''):
            raced(tap, injector, KINDS['imx8mm-var-som'], 'mnt/boot/extra_uEnv.txt', first)
            raced(tap, injector, KINDS['raspberrypi4-64'], 'mnt/boot/config.txt', first)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
