#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tool as a device gets it: static, small, for each architecture."""

import re
import sys

from bench import CROSS, TOP, Tap, run, tool

SMALL = 300 << 10
# e_machine by prefix of the compiler, and what the one without prefix is for.
ELF = {'aarch64-linux-gnu-': b'\xb7\0', 'arm-linux-gnueabihf-': b'\x28\0', '': b'\x3e\0'}
MINE = 'x86_64-linux-gnu'
# What a kernel of 4.4 cannot do, or not with each flag, and musl only passes on.
LATER = {'faccessat', 'copy_file_range', 'preadv2', 'pwritev2'}


def static(program):
    """Whether a program needs no loader."""
    said = run('readelf', '-l', program).stdout
    return 'LOAD' in said and 'INTERP' not in said


def sizes(tap):
    """Static, and small where the libc is."""
    for arch in ('arm64', 'armhf'):
        program = tool(arch, musl=True)
        size = program.stat().st_size
        print(f'# {arch} with musl: {size} bytes')
        tap.result(size < SMALL and static(program),
                   f'{arch}, musl: static, {SMALL >> 10} KiB at most', size)
        said = run(f'{CROSS[arch]}gcc-nm', '-u', *program.parent.glob('*.o')).stdout
        called = set(re.findall(r'^ *U (\w+)$', said, re.M))
        tap.result('renameat' in called and not called & LATER, f'{arch}, musl: a kernel of 4.4 is enough',
                   called & LATER or said)
        program = tool(arch)
        print(f'# {arch} with glibc: {program.stat().st_size} bytes')
        tap.result(static(program), f'{arch}, glibc: static')


def by_make(tap):
    """make dtb-swap needs nothing but the name of a compiler, and says which it has."""
    for prefix, machine in (('aarch64-linux-gnu-', 'aarch64-linux-gnu'),
                            ('arm-linux-gnueabihf-', 'arm-linux-gnueabihf'), ('', MINE)):
        out = TOP / f'out/dtb-swap/{machine}/dtb-swap'
        out.unlink(missing_ok=True)
        done = run('make', '-s', 'dtb-swap', f'CROSS_COMPILE={prefix}')
        data = out.read_bytes() if out.exists() else b''
        tap.result(done.returncode == 0 and data[18:20] == ELF[prefix] and static(out) and
                   (not prefix or len(data) < SMALL), f'make dtb-swap CROSS_COMPILE={prefix}',
                   done.stdout)
    done = run('make', '-s', 'dtb-swap', 'CROSS_COMPILE=sparc-acme-')
    tap.result(done.returncode and 'sparc-acme-gcc is not here' in done.stdout and
               'say LIBFDT=' in done.stdout, 'a compiler that is not here', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    sizes(tap)
    by_make(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
