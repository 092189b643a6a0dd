#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hostile trees, overlays, selectors, gzip files and state for the code of dtb-swap, and
hostile USB devices and RTCs for the drivers, in a guest.

Without an option: what was ever found is found no more, and a short run of each target but
those that need a guest, which make check boots by itself.
"""

import argparse
import base64
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import seeds        # sets the path for the others
import guests
from bench import SOURCE, run
from ktap import Tap
from tools import CACHE, LIBFDT, TOP, careful_check, linux_source

HERE = pathlib.Path(__file__).resolve().parent
OUT = TOP / 'out/fuzz'
MEMORY = '/dev/shm'     # where to flush costs nothing
TARGETS = ('check', 'diff', 'merge', 'text', 'gzip', 'state')
SANITIZE = '-fsanitize=address,undefined,fuzzer-no-link'
FLAGS = ['-g', '-O1', '-fno-omit-frame-pointer', '-fno-sanitize-recover=undefined',
         '-std=gnu11', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64']
LIMITS = ('-timeout=20', '-rss_limit_mb=2048', '-max_len=4096', '-close_fd_mask=1')
SLOW = ('slow-unit-', 'timeout-')       # names of what took long
TAIL = 1 << 16  # bytes of what a search says
SHORT = 4       # seconds a target in make check
NEAR = b'plan_'  # to the planted overrun, one byte


def clang(*args):
    """Run the compiler."""
    done = run('clang', *FLAGS, SANITIZE, *args)
    if done.returncode:
        raise SystemExit(done.stdout)


def objects(folder):
    """Compile the tool but its main(), and the library under it, where the sanitizers see it."""
    fdt = linux_source() / 'scripts/dtc/libfdt'
    run('make', '-s', '-C', SOURCE, f'OUT={folder}', folder / 'boards.h')
    ours = [path for path in sorted(SOURCE.glob('*.c')) if path.name != 'cli.c']
    jobs = [('-Wall', '-Wno-sign-compare', f'-I{folder}', f'-I{fdt}', '-c', path, '-o',
             folder / f'{path.stem}.o') for path in ours]
    jobs += [('-w', f'-I{fdt}', '-c', fdt / f'{name}.c', '-o', folder / f'{name}.o')
             for name in LIBFDT]
    careful_check(folder / 'fdt_check.o')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: clang(*job), jobs))
    return sorted(folder.glob('*.o'))


def link(target, parts, out, *flags):
    """Make the program of a target."""
    fdt = linux_source() / 'scripts/dtc/libfdt'
    clang('-fsanitize=fuzzer', '-Wall', '-Wno-sign-compare', '-Wno-unused-function', *flags,
          f'-DTARGET=fuzz_{target}', f'-I{SOURCE}', f'-I{fdt}', HERE / 'target.c', *parts, '-lz',
          '-o', out)
    return out


class Fuzz:
    """The programs, and what they need."""

    def __init__(self, work):
        self.work = work
        (work / 'o').mkdir()
        self.parts = objects(work / 'o')
        self.inputs, board, root = seeds.inputs(work)
        (work / 'words').write_text(seeds.words(), encoding='utf-8')
        self.env = {**os.environ, 'FUZZ_BASE': str(board), 'FUZZ_ROOT': str(root),
                    'ASAN_SYMBOLIZER_PATH': '/usr/bin/addr2line',
                    'ASAN_OPTIONS': 'allow_addr2line=1'}
        self.programs = {}

    def program(self, target, *flags):
        """Return the program of a target."""
        name = target + ''.join(flags)
        if name not in self.programs:
            self.programs[name] = link(target, self.parts, self.work / name, *flags)
        return self.programs[name]

    def start(self, program, *args):
        """Run one; return its status and the end of what it said.

        A long search says more than there is memory, and a child that is born of a process
        so large seems to be as large itself.
        """
        with tempfile.TemporaryFile(dir=self.work) as said:
            done = subprocess.run([program, *LIMITS, *args], env=self.env, stdout=said,
                                  stderr=subprocess.STDOUT, check=False)
            said.seek(max(0, said.tell() - TAIL))
            return done.returncode, said.read().decode(errors='replace')

    def search(self, target, seconds, *flags, fresh=False):
        """Look for something new; return what was found, how often it ran, what it said."""
        corpus = self.work / f'none-{target}' if fresh else CACHE / 'fuzz' / target
        first, found, kept = self.work / f'seeds-{target}', self.work / f'found-{target}', OUT / target
        for folder in (corpus, first, found, kept):
            folder.mkdir(parents=True, exist_ok=True)
        for i, data in enumerate([NEAR] if fresh else self.inputs[target]):
            (first / str(i)).write_bytes(data)
        _, said = self.start(self.program(target, *flags), f'-max_total_time={seconds}',
                             f'-dict={self.work}/words', f'-artifact_prefix={found}/',
                             '-print_final_stats=1', *(['-seed=1'] if fresh else []),
                             corpus, first)
        runs = re.search(r'number_of_executed_units: (\d+)', said)
        # What was found before is found again.
        new = [pathlib.Path(shutil.move(path, kept / path.name)) for path in sorted(found.iterdir())]
        return new, int(runs[1]) if runs else 0, said

    def hunt(self, target, seconds):
        """The same to the end of the time, unless something is found.

        On a busy machine an input seems to take long that does not when it is tried alone, and
        ends a search.
        """
        end, runs, found = time.monotonic() + seconds, 0, []
        while True:
            new, ran, said = self.search(target, max(1, int(end - time.monotonic())))
            runs += ran
            for path in new:
                if path.name.startswith(SLOW) and not self.replay(target, path.read_bytes()):
                    path.unlink()
                else:
                    found.append(path)
            if found or not ran or time.monotonic() > end - 1:
                return found, runs, said

    def replay(self, target, data):
        """Run one input; return what it said if it is a finding."""
        path = self.work / 'input'
        path.write_bytes(data)
        status, said = self.start(self.program(target), path)
        return said if status else ''


def kept():
    """What was found once: target, what it was, the input."""
    for line in (HERE / 'found.tsv').read_text(encoding='ascii').splitlines():
        if line and not line.startswith('#'):
            target, name, data = line.split('\t')
            yield target, name, base64.b64decode(data)


class Scripted(Fuzz):
    """Its first search finds one file, and later ones nothing."""

    def __init__(self, fuzz, name):     # pylint: disable=super-init-not-called
        self.__dict__.update(vars(fuzz))
        self.names, self.searches = [name], 0

    def search(self, target, seconds, *flags, fresh=False):
        """What the script says; at the second time it ends."""
        self.searches += 1
        found = [self.work / self.names.pop()] if self.names else []
        for path in found:
            path.write_bytes(NEAR)
        return found, len(found), ''


def goes_on(tap, fuzz):
    """What seemed slow ends no search, and a crash is kept, even if it does not come again."""
    for name, kept in (('timeout-x', 0), ('slow-unit-x', 0), ('crash-x', 1)):
        scripted = Scripted(fuzz, name)
        found, _, _ = scripted.hunt('text', 600)
        tap.result(len(found) == kept and scripted.searches == 2 - kept,
                   f'a search that finds {name}', scripted.searches)


def refuses(tap):
    """What cannot be replayed is told in a line."""
    for words, says in ((('foo', '1:2'), 'there is no target foo: there are check, '),
                        (('text', 'none'), 'none: No such file or directory'),
                        (('usb', 'none'), 'none is not SEED:ROUND')):
        done = run(sys.executable, __file__, '--replay', *words)
        tap.result(done.returncode == 1 and says in done.stdout and done.stdout.count('\n') == 1,
                   f'--replay {" ".join(words)}: {says}', done.stdout)


def check(fuzz):
    """What make check does."""
    tap = Tap()
    refuses(tap)
    for target, name, data in kept():
        said = fuzz.replay(target, data)
        tap.result(not said, f'{target}: found once: {name}', said[-3000:])
    for target in TARGETS:
        found, runs, said = fuzz.search(target, SHORT)
        tap.result(not found and runs > 100, f'{target}: nothing new in {SHORT} s', said[-3000:])
    for what in ('found', 'found again'):
        found, _, said = fuzz.search('gzip', 90, '-DPLANTED', fresh=True)
        tap.result(found and 'heap-buffer-overflow' in said, f'a planted overrun is {what}', said[-3000:])
    for path in found:
        path.unlink()
    goes_on(tap, fuzz)
    guests.told(tap)
    return tap.end()


def hunt(fuzz, targets, seconds):
    """What make fuzz does for each target, in so many seconds."""
    failed = False
    for target in targets:
        before = os.times().children_user
        found, runs, said = fuzz.hunt(target, seconds)
        cover = re.findall(r'cov: (\d+)', said)
        print(f'{target:6} {runs:10} runs, {os.times().children_user - before:.0f} s of the CPU, '
              f'{cover[-1] if cover else "?"} edges seen, {len(found)} findings', flush=True)
        for path in found:
            print(f'  {path.relative_to(TOP)}: scripts/toolroot selftests/fuzz/fuzz.py '
                  f'--replay {target} {path.relative_to(TOP)}')
        failed |= bool(found) or not runs
        if not runs:
            print(said[-3000:])
    return failed


def given(target, name):
    """The input that is to be replayed."""
    if target not in TARGETS:
        raise SystemExit(f'there is no target {target}: there are {", ".join((*TARGETS, *guests.TARGETS))}')
    try:
        return pathlib.Path(name).read_bytes()
    except OSError as error:
        raise SystemExit(f'{name}: {error.strerror}: name a file below {OUT.relative_to(TOP)}') from None


def main():
    """Parse, build, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    every = (*TARGETS, *guests.TARGETS)
    parser.add_argument('--time', type=int, help='seconds to search in all; each target has a share')
    parser.add_argument('--targets', nargs='*', default=every, choices=every)
    parser.add_argument('--seed', type=int, default=int(time.time()), help='of usb and rtc')
    parser.add_argument('--replay', nargs=2, metavar=('TARGET', 'FILE'),
                        help='run one input, or one SEED:ROUND of usb and rtc')
    args = parser.parse_args()
    if args.replay and args.replay[0] in guests.TARGETS:
        return told(guests.replay(*args.replay))
    data = given(*args.replay) if args.replay else None
    share, failed = (args.time or 0) // max(1, len(args.targets)), False
    files = [target for target in args.targets if target in TARGETS]
    if files or args.replay or not args.time:
        with tempfile.TemporaryDirectory(
                dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as work:
            fuzz = Fuzz(pathlib.Path(work))
            if args.replay:
                return told(fuzz.replay(args.replay[0], data))
            if not args.time:
                return check(fuzz)
            failed = hunt(fuzz, files, share)
    for target in args.targets:
        failed |= target in guests.TARGETS and guests.hunt(target, share, args.seed)
    return failed


def told(said):
    """Print what is wrong; return the exit status."""
    print(said or 'nothing is wrong with it')
    return 1 if said else 0


if __name__ == '__main__':
    sys.exit(main())
