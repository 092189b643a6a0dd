# SPDX-License-Identifier: GPL-2.0-only
"""Complete trees, and files of a user: carriers and overlays alike."""

import functools
import pathlib
import re
import shutil

import bases
import overlays
import pads
import schema
import style
from tools import KERNEL, TOP, sources

BLOBS = ('.dtb', '.dtbo')


def board_blob(source, work, kernel=KERNEL):
    """Return where a compiled tree is put."""
    return work / f'board-{kernel}' / f'{source.stem}.dtb'


def compile_board(source, out, options=(), kernel=KERNEL):
    """Compile a complete tree; dtc's warnings about the kernel's own files are not ours."""
    try:
        overlays.compile_source(source, out, options, kernel=kernel)
    except overlays.Wrong as wrong:
        lines = str(wrong).splitlines()
        top = str(sources(kernel))
        # A warning begins with the place, "file:line.column: Warning"; the rest belongs to it.
        mine, keep = [], True
        for line in lines:
            if re.match(r'\S+:\d+\.\d+', line):
                keep = not line.startswith(top)
            if keep:
                mine.append(line)
        if mine:
            raise overlays.Wrong('\n'.join(mine)) from None
        overlays.compile_source(source, out, options, quiet=True, kernel=kernel)
    return out


@functools.lru_cache(maxsize=None)
def includes_of(folder):
    """Return what each file of a folder of the kernel's includes beside it."""
    return {path: set(re.findall(rb'^#include "([^"]+)"', path.read_bytes(), re.M))
            for path in sorted(folder.glob('*.dts*'))}


def kernel_tree(includes, top):
    """Return a tree of the kernel with the same SoM: what is said of both is not ours."""
    for name in includes:
        arch, _, rest = name.partition('/')
        users = {pathlib.Path(rest).name.encode()}
        used_by = includes_of((top / 'arch' / arch / 'boot/dts' / rest).parent)
        for _ in range(3):          # a board's file may include it through others
            users |= {path.name.encode() for path, used in used_by.items()
                      if path.suffix == '.dtsi' and used & users}
        for path, used in used_by.items():
            if path.suffix == '.dts' and used & users:
                return arch, path
    return None


def reference(source, kernel=KERNEL):
    """Return the compiled tree of the kernel that a source is to be compared with."""
    top = sources(kernel)
    includes = re.findall(r'#include <(arm(?:64)?/[^>]+\.dtsi)>',
                          source.read_text(encoding='utf-8'))
    found = kernel_tree(includes, top)
    if not found:
        return None
    folder = bases.CACHE / 'dt' / top.name / found[0]
    folder.mkdir(parents=True, exist_ok=True)
    blob = folder / f'{found[1].stem}.dtb'
    if not blob.exists():
        bases.compile_tree(found[1], top, blob)
    return blob


def validate(blobs):
    """Return what the schemas say of complete trees and not of the kernel's own."""
    wrong = []
    found = {path.stem: path for path in (TOP / 'dts').rglob('*.dts')}
    for blob in blobs:
        kernel = blob.parent.name.removeprefix('board-')
        wrong += [f'{kernel}: {text}' for text in
                  compare(blob, reference(found[blob.stem], kernel), kernel)]
    return wrong


def compare(blob, other, kernel=KERNEL):
    """Return what the schemas say of a tree and not of another."""
    theirs = {text for _, text in schema.validate([other], kernel)} if other else set()
    return [f'{blob.stem}: {text}' for _, text in schema.validate([blob], kernel)
            if text not in theirs]


class File:
    """A file of a user."""

    def __init__(self, path, base, work, kernel):
        self.path, self.base, self.work, self.kernel = path.resolve(), base, work, kernel
        self.blob = None

    @property
    def overlay(self):
        """Whether it is an overlay."""
        return self.path.suffix in ('.dtso', '.dtbo') or (
            self.path.suffix not in BLOBS and
            '/plugin/' in self.path.read_text(encoding='utf-8'))

    def style(self):
        """Its order and form."""
        return style.style(self.path)

    def compile(self):
        """Its tree, without any warning."""
        try:
            if self.path.suffix in BLOBS:
                self.blob = self.work / self.path.name
                shutil.copyfile(self.path, self.blob)
            elif self.overlay:
                self.blob = overlays.compile_source(self.path, self.work /
                                                    f'{self.path.stem}.dtbo')
            else:
                self.blob = compile_board(self.path, board_blob(self.path, self.work, self.kernel),
                                          kernel=self.kernel)
        except overlays.Wrong as wrong:
            return [str(wrong)]
        return []

    def bases(self):
        """The trees that it is for, as lines for dt-apply."""
        if self.base and pathlib.Path(self.base).is_file():
            return [str(pathlib.Path(self.base).resolve())]
        if self.base:
            found = [base for kernel in bases.KERNELS for base in bases.shipped(kernel)
                     if base.name == self.base]
            if not found:
                raise overlays.Wrong(f'no tree {self.base}: give a .dtb, or the name of one '
                                     'of the kernel\'s, such as imx8mp-evk')
            return bases.lines(found)
        names = bases.root_compatible(self.blob)
        if not names:
            raise overlays.Wrong(
                f'{self.path}: for which boards? say --base NAME, or in the source '
                '/ { compatible = "fsl,imx8mp"; }; as the root of the tree has it')
        return bases.listing(names)

    def apply(self, how):
        """Whether it applies to the trees that it is for."""
        if not self.blob:
            return ['it was not compiled']
        return [self.place(line) + line for line in how([self.blob], self.bases(), True)]

    def place(self, line):
        """Where the source names a label that is missing, as "file:line: "."""
        match = re.search(r'no label "(\w+)"', line)
        if not match or self.path.suffix in BLOBS:
            return ''
        for number, text in enumerate(self.path.read_text(encoding='utf-8').splitlines(), 1):
            if re.search(rf'&{match[1]}\b', text):
                return f'{self.path}:{number}: '
        return ''

    def merged(self):
        """The first tree that it is for, without it and with it."""
        tree, _, labels = self.bases()[0].lstrip('*').partition('\t')
        found = [self.work / f'{self.path.stem}-{how}.dtb' for how in ('plain', 'merged')]
        for out, blobs in zip(found, ((), (self.blob,))):
            schema.merge(tree, labels, out, blobs)
        return found

    def schema(self):
        """What the schemas say."""
        if not self.blob:
            return ['it was not compiled']
        if not self.overlay:
            known = reference(self.path, self.kernel) if self.path.suffix == '.dts' else None
            return compare(self.blob, known, self.kernel)
        plain, merged = self.merged()
        theirs = {text for _, text in schema.validate([plain])}
        return [text for _, text in schema.validate([merged]) if text not in theirs]

    def pads(self):
        """Pads that two devices ask for."""
        if not self.blob:
            return ['it was not compiled']
        if not self.overlay:
            return pads.twice(self.blob)
        plain, merged = map(pads.twice, self.merged())
        return [line for line in merged if line not in plain]


def steps(paths, base, work, kernel, how):
    """Return the checks of a user's files, as (name, function)."""
    found = []
    for path in paths:
        one = File(path, base, work, kernel)
        if path.suffix not in BLOBS:
            found.append((f'{path}: style', one.style))
        if path.suffix == '.dtsi':
            continue
        found.append((f'{path}: dtc', one.compile))
        if one.overlay:
            found.append((f'{path}: apply', functools.partial(one.apply, how)))
        found.append((f'{path}: schemas', one.schema))
        found.append((f'{path}: pads', one.pads))
    return found
