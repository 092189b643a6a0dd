#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap and trees that nobody compiles, but somebody may write: refused by their cause."""

import pathlib
import struct
import sys
import tempfile

from bench import Device, Tap, Tree, run, shipped, swap

BOARD = ('6.12', 'imx8mp-evk')
# Versions of the format, and the bytes of their headers.
VERSIONS = ((2, 32), (3, 36), (15, 36), (16, 36))
BEGIN, END, PROP, STOP = (struct.pack('>I', token) for token in (1, 2, 3, 9))


def old_tree(version, head):
    """A tree as it was before 2005: below its root is a node without a slash in its name."""
    strings, value = b'compatible\0', b'abcd,ef\0'
    start, at = b'/\0\0\0' if version < 16 else bytes(4), head + -head % 8 + 16
    body = BEGIN + start + PROP + struct.pack('>II', len(value), 0)
    body += bytes(-(at + len(body)) % 8 if version < 16 else 0) + value
    body += BEGIN + b'noslash\0' + END + END + STOP
    header = struct.pack('>9I', 0xd00dfeed, at + len(body) + len(strings), at, at + len(body),
                         at - 16, version, min(version, 16), 0, len(strings))[:head]
    return header + bytes(at - len(header)) + body + strings


def versions(tap, folder, good):
    """Before version 16 libfdt has no name for some nodes, and 16 does not tell its sizes."""
    made = Device(folder / 'root', good)
    overlay = folder / 'x.dtbo'
    run('dtc', '-q', '-@', '-o', overlay, '-', input='/dts-v1/; /plugin/; &{/} { x; };')
    for version, head in VERSIONS:
        old = folder / 'old.dtb'
        old.write_bytes(old_tree(version, head))
        for words in (('check', '--structure', old), ('check', old, '--root', made.root),
                      ('diff', good, old), ('diff', old, '--root', made.root),
                      ('merge', old, overlay, '-o', folder / 'out.dtb'),
                      ('merge', good, old, '-o', folder / 'out.dtb')):
            done = swap(*words)
            tap.result(done.returncode == 3 and f'has version {version} of the format' in
                       done.stdout and 'mend: compile it with a dtc of' in done.stdout,
                       f'{words[0]} of a tree of version {version}', done.stdout)


# What /aliases says, and whether it is refused.
ALIASES = (('serial1', True), ('serial1/x', True), ('serial0', True), ('uart', False),
           ('serial', False), ('', False), ('/nowhere', False))


def aliases(tap, folder, good):
    """libfdt before 1.7 looks for an alias that is an alias, and for that one, and so on."""
    made, path = Device(folder / 'root', good), folder / 'alias.dtb'
    for value, refused in ALIASES:
        Tree(good).text('/aliases', 'serial1', value).write(path)
        words = f'alias serial1 is no path, it is "{value}"'
        for args in (('check', '--structure', path), ('check', path, '--root', made.root),
                     ('diff', good, path)):
            done = swap(*args)
            tap.result(done.returncode == (3 if refused else 0) and (words in done.stdout) == refused
                       and ('mend: write the whole path' in done.stdout) == refused,
                       f'{args[0]} where serial1 is "{value}"', done.stdout)
        run('dtc', '-q', '-@', '-o', folder / 'x.dtbo', '-', input='/dts-v1/; /plugin/; '
            f'&{{/aliases}} {{ serial1 = "{value}"; }};')
        done = swap('merge', good, folder / 'x.dtbo', '-o', folder / 'out.dtb')
        tap.result(done.returncode == (6 if refused else 0) and (words in done.stdout) == refused,
                   f'merge where serial1 becomes "{value}"', done.stdout)
    tree = Tree(good)
    for number in range(100):
        tree.text('/aliases', f'serial{number}', 'uart')
    done = swap('check', '--structure', tree.write(path))
    tap.result(done.returncode == 3 and 'is no path' in done.stdout, 'a hundred that are no paths',
               done.stdout)


def main():
    """Run all."""
    tap = Tap()
    good = shipped(*BOARD)
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        versions(tap, folder, good)
        aliases(tap, folder, good)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
