# SPDX-License-Identifier: GPL-2.0-only
"""The trees that overlays are applied to: Debian's, and the same from source with -@.

Every tree of Debian's kernel packages is a base. What dtc -@ makes of the kernel's
source is another one, and gives the label map of the first where that was built
without labels. Compiled trees and maps are kept in the cache, per source package.
"""

import concurrent.futures
import functools
import itertools
import json
import os
import pathlib
import subprocess
from collections import namedtuple

import libfdt

from tools import CACHE, cpp, dt_apply, kernels, put, sources

# kernel: the architecture's folder in the source
KERNELS = {'6.12': 'arm64', '6.12-armhf': 'arm', '7.2': 'arm64', '7.2-armhf': 'arm'}

Base = namedtuple('Base', 'kernel name dtb compatible')


def root_compatible(path):
    """Return what the root of a tree says that the board is."""
    tree = libfdt.Fdt(path.read_bytes())
    try:
        return tree.getprop(0, 'compatible').as_stringlist()
    except libfdt.FdtException:
        return []


@functools.lru_cache(maxsize=None)
def shipped(kernel):
    """Return the trees of a kernel package, kept as a list in the cache."""
    row = kernels()[kernel].ensure()
    known = CACHE / 'dt' / f'{row.dir.name}-{row.release}.json'
    if not known.exists():
        found = [[str(path), root_compatible(path)]
                 for path in sorted(row.dir.rglob('*.dtb')) if '/dtb' in str(path) or
                 'linux-image' in str(path)]
        known.parent.mkdir(exist_ok=True)
        put(known, json.dumps(found).encode())
    return [Base(kernel, pathlib.Path(path).stem, path, tuple(names))
            for path, names in json.loads(known.read_text())]


def compile_tree(source, top, out):
    """Compile a tree of the kernel with labels, and write down its label map."""
    text = subprocess.run([*cpp(top), source], capture_output=True, check=False)
    # It does not tell that what it writes itself had no room.
    done = subprocess.run(['dtc', '-@', '-q', '-i', source.parent, '-O', 'dtb', '-'],
                          input=text.stdout, capture_output=True, check=False)
    if text.returncode or done.returncode:
        message = (text.stderr or done.stderr).decode(errors='replace')
        raise SystemExit(f'{source}: {message}')
    labels = subprocess.run([dt_apply(), 'labels', '/dev/stdin'], input=done.stdout,
                            capture_output=True, check=False)
    if labels.returncode:
        raise SystemExit(f'{source}: {labels.stderr.decode(errors="replace")}')
    put(out.with_suffix('.labels'), labels.stdout)
    put(out, done.stdout)


def compiled(bases):
    """Return base: its tree from source, for those that have a source of their own."""
    todo, found = [], {}
    for kernel in {base.kernel for base in bases}:
        top = sources(kernel)
        folder = CACHE / 'dt' / top.name / KERNELS[kernel]
        folder.mkdir(parents=True, exist_ok=True)
        files = {path.stem: path for path in
                 (top / 'arch' / KERNELS[kernel] / 'boot/dts').rglob('*.dts')}
        for base in bases:
            # A tree without a source is made of a tree and overlays.
            if base.kernel == kernel and base.name in files:
                found[base] = folder / f'{base.name}.dtb'
                if not found[base].exists():
                    todo.append((files[base.name], top, found[base]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: compile_tree(*job), todo))
    return found


def claimed(names, only=None):
    """Return the shipped trees whose root has one of the names; all without names."""
    return [base for kernel in only or KERNELS for base in shipped(kernel)
            if not names or set(names) & set(base.compatible)]


def own_names(names, like=()):
    """Return the names of a root that its maker gave it, before those that a board of the
    kernel's has, and what follows where a board of the kernel's ends in the same; like are the
    names of one more board."""
    theirs = [list(like), *(list(base.compatible) for base in claimed(()))]
    known = {name for board in theirs for name in board}
    own = list(itertools.takewhile(lambda name: name not in known, names))
    ends = names[len(own):]
    return own, ends if any(board[-len(ends):] == ends for board in theirs) else []


@functools.lru_cache(maxsize=None)
def labelled(path):
    """Return whether a tree has labels: compiled once more it is the same."""
    return b'__symbols__' in pathlib.Path(path).read_bytes()


def like(path):
    """Return the tree of the kernel's for the same board as one that has no labels: a map of its
    labels is held against that, path by path; nothing for one that has some, or another board."""
    names = tuple(root_compatible(path))
    if labelled(path) or not names:
        return None
    return next((base for base in claimed(names) if base.compatible == names), None)


def label_map(base):
    """Return the label map of a tree of the kernel's, if that has a source of its own."""
    tree = compiled([base]).get(base)
    return tree and tree.with_suffix('.labels')


def soc(base):
    """Return what trees have in common that combinations need to be tried on once."""
    return base.kernel, base.compatible[-1] if base.compatible else ''


def listing(names, only=None):
    """Return the lines that dt-apply reads, for overlays that claim these names."""
    return lines(claimed(names, only), bool(names))


def lines(bases, labels=True):
    """Return the lines for trees, and for those that source gives with labels."""
    trees = compiled(bases) if labels else {}
    found, seen = [], set()
    for base in bases:
        mark = '' if soc(base) in seen else '*'
        seen.add(soc(base))
        tree = trees.get(base)
        found.append(f'{mark}{base.dtb}' + (f'\t{tree.with_suffix(".labels")}' if tree else ''))
        if tree and not labelled(base.dtb):
            found.append(str(tree))
    return found
