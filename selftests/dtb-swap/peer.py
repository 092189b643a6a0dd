#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""merge gives the same bytes as dtc's fdtoverlay, on all trees of Debian's that have labels."""

import collections
import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile
import threading

from bench import Tap, Tree, bases, run, swap, tool

import overlays     # noqa: E402 pylint: disable=wrong-import-order

KERNELS = ('6.12', '6.12-armhf', '7.2')
LEAST = 1500        # pairs that both can merge
# An overlay whose target is a number of the tree, not a label.
NUMBER = '''/dts-v1/;
/ {{ fragment@0 {{ target = <{}>; __overlay__ {{ by-number; }}; }}; }};
'''


def claims(names, base):
    """Whether an overlay is for a board."""
    return not names or set(names) & set(base.compatible)


def is_taken(said, merged):
    """Whether both that are told to want an address have all of it in the tree that came of them."""
    name, path = re.search(r' for (\S+) is taken by (\S+) ', said).groups()
    tree, bus = Tree(merged), path.rpartition('/')[0]
    cells = bytes(tree.fdt.getprop(tree.node(bus or '/'), '#address-cells'))[3]
    regs = {bytes(tree.fdt.getprop(tree.node(one), 'reg'))[:4 * cells] for one in (path, f'{bus}/{name}')}
    return len(regs) == 1


def merge(work, base, blob):
    """Let both merge; return what came of it."""
    mine, theirs = (work / f'{threading.get_ident()}.{who}' for who in ('mine', 'theirs'))
    ours = swap('merge', base.dtb, blob, '-o', mine)
    peer = run('fdtoverlay', '-i', base.dtb, '-o', theirs, blob)
    if ours.returncode and peer.returncode:
        return 'refused by both', ''
    if ours.returncode and ' is taken by ' in ours.stdout and is_taken(ours.stdout, theirs):
        return 'refused, an address is taken', ''
    if ours.returncode or peer.returncode:
        return 'WRONG', f'{base.name} {blob.name}: {ours.stdout}{peer.stdout}'
    same = mine.read_bytes() == theirs.read_bytes()
    return ('the same', '') if same else ('WRONG', f'{base.name} {blob.name}: other bytes')


def pairs(folder):
    """Each tree that has labels, with each overlay that is for it."""
    blobs = [path for family in overlays.build(folder).values() for path in family]
    named = [(blob, bases.root_compatible(blob)) for blob in blobs]
    found = [base for kernel in KERNELS for base in bases.shipped(kernel)
             if bases.labelled(base.dtb)]
    return [(base, blob) for base in found for blob, names in named if claims(names, base)]


def numbers(tap, folder):
    """A target that is a phandle, which labels make no difference to."""
    base = next(base for base in bases.shipped('6.12') if base.name == 'imx8mp-evk')
    for name, number, wanted in (('of a node', '1', 'the same'),
                                 ('of no node', '0x7777', 'refused by both')):
        blob = folder / f'{number}.dtbo'
        run('dtc', '-q', '-O', 'dtb', '-o', blob, '-', input=NUMBER.format(number))
        got, said = merge(folder, base, blob)
        tap.result(got == wanted, f'a target that is the phandle {name}: {wanted}', f'{got}\n{said}')


def own(tap, folder):
    """An overlay of Debian's for a tree of its: two addresses on a bus have the same first cell."""
    base = next(base for base in bases.shipped('7.2') if base.name == 'k3-j721e-evm')
    blob = pathlib.Path(base.dtb).with_name('k3-j721e-evm-pcie0-ep.dtbo')
    got, said = merge(folder, base, blob)
    tap.result(got == 'the same', f'{base.name} and {blob.name}', f'{got}\n{said}')


def main():
    """Run all."""
    tap = Tap()
    tool()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        todo = pairs(folder)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda pair: merge(folder, *pair), todo))
        count = collections.Counter(what for what, _ in results)
        print(f'# {len({base.dtb for base, _ in todo})} trees, ' +
              ', '.join(f'{number} {what}' for what, number in count.most_common()))
        tap.result(not count['WRONG'] and count['the same'] >= LEAST,
                   f'{count["the same"]} of {len(todo)} pairs: the same bytes as fdtoverlay\'s',
                   '\n'.join(said for _, said in results if said)[:3000] or count)
        numbers(tap, folder)
        own(tap, folder)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
