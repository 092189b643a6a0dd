#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tests of the tool once more under ASan and UBSan, and its verbs under valgrind."""

import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile

from bench import TOP, Tap, run, tool
from install import DEVICES, device, new_tree, shipped

HERE = pathlib.Path(__file__).resolve().parent
SANITIZE = ('-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all')
VALGRIND = ('valgrind', '-q', '--error-exitcode=99', '--leak-check=full')
# Each file of tests, and how many results it has at least.
SUITES = {'check.py': 30, 'hostile.py': 20, 'install.py': 30, 'overlaid.py': 10, 'hook.py': 6,
          'pending.py': 20, 'guard.py': 20, 'trial.py': 15}
ROW = {row[0]: row for row in DEVICES}['imx8mm-var-som']
OVERLAY = '''/dts-v1/; /plugin/;
&{/} { added { compatible = "acme,ghost"; }; };
'''


def suites(tap, folder):
    """The program is another, the tests are the same; they mostly wait, so all at once."""
    program = tool('amd64', *SANITIZE)

    def suite(name):
        logs = folder / name
        logs.mkdir()
        options = f'exitcode=99:log_path={logs}/log:print_stacktrace=1'
        done = run(HERE / name, env={
            **os.environ, 'DTB_SWAP_PROGRAM': str(program), 'ASAN_OPTIONS': options,
            'UBSAN_OPTIONS': options})
        return done, ''.join(path.read_text(errors='replace') for path in logs.iterdir())

    with concurrent.futures.ThreadPoolExecutor(len(SUITES)) as pool:
        for (name, least), (done, said) in zip(SUITES.items(), pool.map(suite, SUITES)):
            count = len(re.findall('^ok', done.stdout, re.M))
            tap.result(not done.returncode and not said and count >= least,
                       f'{name} under ASan and UBSan: {count} results', said[:4000] + done.stdout)


def verbs(folder, root):
    """What is asked of the tool, in this order."""
    good, two = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two'))
    other = shipped('6.12', 'imx8mp-evk')
    bad = folder / 'bad.dtb'
    bad.write_bytes(pathlib.Path(good).read_bytes()[:4000])
    overlay = folder / 'added.dtbo'
    run('dtc', '-q', '-@', '-O', 'dtb', '-o', overlay, '-', input=OVERLAY)
    state = pathlib.Path(root) / 'proc/cmdline'
    start = pathlib.Path(root) / 'proc/sys/kernel/random/boot_id'
    start.parent.mkdir(parents=True)
    start.write_text('first\n', encoding='ascii')
    yield ('check', good), ('check', bad, other, good), ('check', '--json', other)
    yield ('diff', good, two), ('diff', two), ('diff', '--all', other, good)
    yield ('merge', good, overlay, '-o', folder / 'x'), ('merge', other, bad, '-o', folder / 'x')
    yield ('install', good), ('install', good), ('install', other), ('install', two)
    yield ('install', '--overlay', overlay), ('status',), ('status', '--json'), ('list',)
    yield ('list', '--all'), ('rollback',), ('rollback',), ('try', '--pending', good)
    yield ('guard', '--limit', '1'), ('try', '--pending', two), ('commit',)
    start.write_text('second\n', encoding='ascii')
    yield (('commit',),)
    kept = next(pathlib.Path(root).rglob('swap-two-*'))
    (pathlib.Path(root) / 'sys/firmware/fdt').write_bytes(kept.read_bytes())
    yield ('commit',), ('commit',)
    yield ('try', two), ('--help',), ('nonsense',), ('nonsense', '--json'), ('check', '-j')
    yield ('diff', '--json', good, two), ('list', '--json'), ('list', '--all', '--json')
    state.write_text('dtb_swap.try=swap-one-0.dtb\n', encoding='ascii')
    yield ('commit',), ('guard', '--limit', '0')


def valgrind(tap, folder):
    """Each verb by itself, on a device that goes through all of them."""
    program = tool('amd64', '-O1', '-g')
    made = device(folder / 'root', *ROW)
    wrong, count, statuses = [], 0, set()
    for words in (words for group in verbs(folder, made.root) for words in group):
        done = run(*VALGRIND, program, *words, '--root', made.root)
        count += 1
        statuses.add(done.returncode)
        if done.returncode not in range(14) or re.search(r'^==\d+==', done.stdout, re.M):
            wrong.append(f'{words}: {done.returncode}\n{done.stdout}')
    tap.result(not wrong and {0, 2, 3, 4, 12} <= statuses,
               f'{count} runs under valgrind', '\n'.join(wrong)[:4000] or statuses)


def main():
    """Run all."""
    tap = Tap()
    (TOP / 'out').mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        suites(tap, pathlib.Path(work))
        valgrind(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
