#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tool as a device gets it: static, small, for each architecture, and no memory error."""

import pathlib
import subprocess
import sys
import tempfile

from bench import SOURCE, Device, Tap, Tree, package, run, shipped, swap, tool

SMALL = 300 << 10
SANITIZERS = ('-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all')


def sizes(tap):
    """Static, and small where the libc is."""
    for arch in ('arm64', 'armhf'):
        program = tool(arch, musl=True)
        size = program.stat().st_size
        data = program.read_bytes()
        print(f'# {arch} with musl: {size} bytes')
        tap.result(size < SMALL and b'/lib/ld-' not in data and data[:4] == b'\x7fELF',
                   f'{arch}, musl: static, {SMALL >> 10} KiB at most', size)
        program = tool(arch)
        print(f'# {arch} with glibc: {program.stat().st_size} bytes')
        tap.result(b'/lib/ld-' not in program.read_bytes(), f'{arch}, glibc: static')


def sanitized(tap, folder):
    """No address or undefined behaviour is wrong on good and on broken trees."""
    program = tool('amd64', *SANITIZERS)
    good = shipped('6.12', 'imx8mp-evk')
    made = Device(folder / 'root', good)
    data = pathlib.Path(good).read_bytes()
    wrong = []
    for at in range(0, 2000, 101):
        for value in (0, 0xff):
            path = folder / 'x.dtb'
            changed = bytearray(data)
            place = at if at < 60 else at * 37 % len(data)
            changed[place] = value
            path.write_bytes(changed)
            for words in (('check', '--root', made.root, path), ('diff', good, path)):
                done = subprocess.run([program, *words], capture_output=True, check=False)
                if b'Sanitizer' in done.stderr or b'runtime error' in done.stderr or \
                        done.returncode not in range(14):
                    wrong.append(f'{place}={value} {words[0]}: {done.stderr[-600:]}')
    tap.result(not wrong, 'sanitizers see nothing in broken trees', '\n'.join(wrong[:5]))
    tree = Tree(good).text('/', 'model', 'x').write(folder / 'y.dtb')
    done = swap('diff', good, tree, program=program)
    tap.result(done.returncode == 0 and done.stdout.count('\n') == 2, 'nor in good ones', done.stdout)


def analysed(tap):
    """gcc's analyzer has nothing to say."""
    include = package('amd64', 'libfdt-dev') / 'include'
    said = [run('gcc', '-std=gnu11', '-O1', '-fanalyzer', '-D_GNU_SOURCE', f'-I{include}',
                f'-I{tool().parent}', '-c', '-o', '/dev/null', source).stdout
            for source in sorted(SOURCE.glob('*.c'))]
    tap.result(not any(said), 'gcc -fanalyzer is content', ''.join(said)[:4000])


def main():
    """Run all."""
    tap = Tap()
    sizes(tap)
    with tempfile.TemporaryDirectory() as work:
        sanitized(tap, pathlib.Path(work))
    analysed(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
