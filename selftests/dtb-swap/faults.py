#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each system call of dtb-swap fails once, and kills it once: the device keeps a whole tree."""

import collections
import errno
import fcntl
import pathlib
import shutil
import sys
import tempfile

import libfdt

from bench import Tap, run, swap, tool
from install import DEVICES, device, model, new_tree, shipped

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {row[0]: row for row in DEVICES}
FAULTS = {'is killed': 0, 'EIO': errno.EIO, 'ENOSPC': errno.ENOSPC, 'EROFS': errno.EROFS,
          'ENOMEM': errno.ENOMEM, 'a write that is lost': -1}

Case = collections.namedtuple('Case', 'made saved kind words before after')


def compile_injector(folder):
    """Build inject.c."""
    done = run('gcc', '-O1', '-Wall', '-Werror', '-o', folder / 'inject', HERE / 'inject.c')
    if done.returncode:
        raise SystemExit(done.stdout)
    return folder / 'inject'


def restore(case):
    """Put the device back to what it was."""
    shutil.rmtree(case.made.root)
    shutil.copytree(case.saved, case.made.root, symlinks=True)


def judge(case, done):
    """What is wrong after a fault, if anything."""
    try:
        now = model(case.made, case.kind)
    except (OSError, ValueError, StopIteration, libfdt.FdtException) as error:
        return f'no whole tree: {error!r}'
    if now not in (case.before, case.after):
        return f'the tree is {now}'
    if done.returncode == 0 and now != case.after:
        return 'it says that it is done, and is not'
    if done.returncode not in (0, 137) and \
            not (done.returncode < 14 and ('mend:' in done.stdout or 'memory' in done.stdout or
                                           'usage' in done.stdout)):
        return f'status {done.returncode}'
    left = [path.name for path in case.made.root.rglob('.*.new')]
    if left and done.returncode != 137:
        return f'left behind: {left}'
    again = swap(*case.words, '--root', case.made.root)
    if model(case.made, case.kind) != case.after and again.returncode != 12:
        return f'it does not work afterwards: {again.stdout}'
    if case.words[0] == 'install' and now == case.after:
        swap('rollback', '--root', case.made.root)
        if model(case.made, case.kind) != case.before:
            return f'the way back is lost: {model(case.made, case.kind)}'
    left = [path.name for path in case.made.root.rglob('.*.new')]
    return f'left behind: {left}' if left else ''


def sweep(tap, injector, case, name):
    """Every call, every fault."""
    command = [tool(), *case.words, '--root', case.made.root]
    restore(case)
    total = int(run(injector, 0, 0, *command).stdout.splitlines()[-1])
    for fault, number in FAULTS.items():
        wrong = []
        for call in range(1, total + 1):
            restore(case)
            done = run(injector, call, number, *command)
            why = judge(case, done)
            if why:
                wrong.append(f'call {call}: {why}\n{done.stdout}')
        tap.result(not wrong and total > 50, f'{name}: {fault} at each of {total} calls',
                   f'{len(wrong)}\n' + '\n'.join(wrong[:5]))


def main():
    """Install over an installed tree, and go back."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        injector = compile_injector(folder)
        for kind in ('imx8mm-var-som', 'raspberrypi4-64'):
            row = KINDS[kind]
            made = device(folder / 'root', *row)
            one, two = (new_tree(folder, shipped(*row[1:3]), word) for word in ('one', 'two'))
            swap('install', one, '--root', made.root)
            shutil.copytree(made.root, folder / 'one', symlinks=True)
            sweep(tap, injector, Case(made, folder / 'one', kind, ('install', two), 'one', 'two'),
                  f'{kind}: install')
            swap('install', two, '--root', made.root)
            shutil.copytree(made.root, folder / 'two', symlinks=True)
            sweep(tap, injector, Case(made, folder / 'two', kind, ('rollback',), 'two', 'one'),
                  f'{kind}: rollback')
            shutil.rmtree(folder / 'one')
            shutil.rmtree(folder / 'two')
        with open(made.root / 'run/dtb-swap.lock', 'w', encoding='ascii') as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)        # a shared one is enough against it
            done = swap('install', one, '--root', made.root)
        tap.result(done.returncode == 11 and 'another dtb-swap is at work' in done.stdout,
                   'two at once: the second is refused', done.stdout)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
