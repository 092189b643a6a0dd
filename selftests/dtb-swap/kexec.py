#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap try by kexec, as far as the call: what is loaded, said, and left behind on failure."""

import pathlib
import shutil
import struct
import sys
import tempfile

from bench import Tap, Tree, program, run, shipped
from install import DEVICES, device, new_tree

HERE = pathlib.Path(__file__).resolve().parent
ROW = {row[0]: row for row in DEVICES}['imx8mm-var-som']
IMAGE = struct.pack('<8xQQ32x4s4x', 0, 1 << 20, b'ARM\x64')
MARK = 'dtb_swap.try='


class Board:
    """A device that has a kernel and memory, and the folder that starter.c writes to."""

    def __init__(self, folder, cmdline='quiet'):
        self.made, self.calls_in = device(folder / 'root', *ROW), folder / 'calls'
        self.made.put('proc/cmdline', f'{cmdline}\n')
        self.made.put('proc/iomem', '40000000-7fffffff : System RAM\n')
        self.made.put('boot/Image', IMAGE)
        self.tree = new_tree(folder, shipped(*ROW[1:3]), 'one')
        self.starter = folder / 'starter'
        if not self.starter.exists():
            done = run('gcc', '-O1', '-Wall', '-Werror', '-D_GNU_SOURCE', '-o', self.starter,
                       HERE / 'starter.c')
            if done.returncode:
                raise SystemExit(done.stdout)

    def start(self, *words, fail='none', **options):
        """Let it try a tree."""
        shutil.rmtree(self.calls_in, ignore_errors=True)
        self.calls_in.mkdir()
        return run(self.starter, self.calls_in, fail, *program(), 'try', self.tree, *words,
                   '--root', self.made.root, **options)

    def calls(self):
        """What was asked of the kernel, in its order."""
        path = self.calls_in / 'calls'
        return path.read_text(encoding='ascii').split() if path.exists() else []

    def bootargs(self):
        """The command line that the kernel is to have."""
        return Tree(self.calls_in / 'segment1').fdt.getprop(
            Tree(self.calls_in / 'segment1').node('/chosen'), 'bootargs').as_str()


# The command line that runs, and what of it the next kernel has.
LINES = (
    ('no trial', 'quiet', 'quiet'),
    ('a trial', f'quiet panic=10 {MARK}a.dtb', 'quiet'),
    ('a trial of an older version', f'quiet panic=10 {MARK}a.dtb panic=10 {MARK}b.dtb', 'quiet'),
    ('a trial, and more behind it', f'quiet panic=10 {MARK}a.dtb splash', 'quiet splash'),
    ('panic= of the user', f'panic=30 quiet panic=10 {MARK}a.dtb', 'panic=30 quiet'),
    ('the same panic= of the user', f'panic=10 quiet panic=10 {MARK}a.dtb', 'panic=10 quiet'),
    ('words that end alike', f'x{MARK}a.dtb oops_panic=10 {MARK}a.dtb', f'x{MARK}a.dtb oops_panic=10'),
    ('two blanks in a row', 'a="b  c"', 'a="b  c"'),
)


def lines(tap, folder):
    """The command line names one trial, this one, and it restarts after a panic."""
    for name, old, kept in LINES:
        board = Board(folder, old)
        done = board.start('--load')
        found = board.bootargs() if 'load' in board.calls() else ''
        head, _, tree = found.rpartition(f' panic=10 {MARK}swap-one-')
        tap.result(not done.returncode and head == kept and tree.endswith('.dtb'),
                   f'the command line of a trial that was started with {name}',
                   f'{found}\n{done.stdout}')


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        lines(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
