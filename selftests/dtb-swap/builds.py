#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tool as a device gets it: static, small, for each architecture."""

import sys

from bench import Tap, tool

SMALL = 300 << 10


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


def main():
    """Run all."""
    tap = Tap()
    sizes(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
