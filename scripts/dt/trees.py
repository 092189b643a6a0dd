# SPDX-License-Identifier: GPL-2.0-only
"""Complete trees, and files of a user: carriers and overlays alike."""

import concurrent.futures
import functools
import itertools
import os
import pathlib
import re
import subprocess
from collections import Counter

import libfdt

import bases
import gpios
import hints
import overlays
import pads
import schema
import style
from tools import BLOBS, KERNEL, NEXT, TOP, USED, Skipped, dt_apply, near, put, sources

NO_LABELS = 'it was built without -@: say the name of the kernel\'s tree of this board, compile ' \
    'it with dtc -@, or give it labels (README.md, "scripts/dt/apply labels")'
OUT = TOP / 'out/dts'
MAGIC = b'\xd0\x0d\xfe\xed'


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
            if re.match(r'\S.*?:\d+\.\d+[-.\d]*: ', line):
                keep = not line.startswith(top)
            if keep:
                mine.append(line)
        if mine:
            raise overlays.Wrong('\n'.join(mine)) from None
        overlays.compile_source(source, out, options, quiet=True, kernel=kernel)
    return out


def kernels_of(source):
    """Return the kernels that a carrier is compiled for: those whose source has what it includes,
    or the newest, which alone may have its module."""
    names = re.findall(r'^#include <(arm(?:64)?/\S+)>', source.read_text(encoding='utf-8'), re.M)
    found = [kernel for kernel in USED if kernel != NEXT and
             all((sources(kernel) / hints.INCLUDED / name).exists() for name in names)]
    return found or [NEXT]


def carrier(name, out=OUT):
    """Return a carrier of the pack, compiled; nothing where there is none of that name."""
    for source in (TOP / 'dts').rglob('*.dts'):
        if source.stem == name:
            return overlays.once(source, out / f'{name}.dtb', make=compile_board,
                                 kernel=kernels_of(source)[0])
    return None


def whole(path, name, kind):
    """Return a compiled tree of which nothing is missing; kind is what a file is not that is none."""
    data = bytearray(path.read_bytes())
    if data[:4] != MAGIC:
        raise overlays.Wrong(f'{name}: not a tree {kind}')
    if libfdt.fdt_check_full(data, len(data)):
        raise overlays.Wrong(f'{name}: not a whole tree: a part of it is missing or damaged; compile '
                             'or copy it again')
    return path


@functools.lru_cache(maxsize=None)
def tree_of(name, kernel=KERNEL, out=OUT):
    """Return a tree that a user names: a .dtb, a .dts, which is compiled, or a carrier of the pack;
    nothing where there is none of these."""
    path = pathlib.Path(name).resolve()
    if not path.is_file():
        return carrier(name, out)
    if path.suffix == '.dts':
        return compile_board(path, out / f'base/{path.stem}.dtb', kernel=kernel)
    return whole(path, name, 'that overlays can be put on: a .dtb or a .dts')


def shipped(name):
    """Return the trees of the kernel's that have a name."""
    every = [base for kernel in bases.KERNELS for base in bases.shipped(kernel)]
    found = [base for base in every if base.name == name]
    if not found:
        known = {base.name for base in every} | {path.stem for path in (TOP / 'dts').rglob('*.dts')}
        raise overlays.Wrong(f'no tree {name}: give a .dtb or a .dts, or the name of one of the '
                             f'kernel\'s or of dts/{near(pathlib.Path(name).stem, known)}')
    return found


@functools.lru_cache(maxsize=None)
def includes_of(folder):
    """Return what each file of a folder of the kernel's includes beside it."""
    return {path: set(re.findall(rb'^#include "([^"]+)"', path.read_bytes(), re.M))
            for path in sorted(folder.glob('*.dts*'))}


def includes(source, kernel):
    """Return the kernel's files that a source includes, itself or through others of its maker."""
    text = overlays.preprocess(source, kernel=kernel)
    names = re.findall(r'^# 1 "[^"\n]*/include-prefixes/(arm(?:64)?/[^"\n]+\.dtsi?)" 1$', text, re.M)
    return list(dict.fromkeys(names))


def kernel_tree(names, top):
    """Return a tree of the kernel with the same SoM: what is said of both is not ours.

    It is the first of those that include most of the files.
    """
    found = Counter()
    for name in names:
        arch, _, rest = name.partition('/')
        users = {pathlib.Path(rest).name.encode()}
        used_by = includes_of((top / 'arch' / arch / 'boot/dts' / rest).parent)
        for _ in range(3):          # a board's file may include it through others
            users |= {path.name.encode() for path, used in used_by.items() if used & users}
        found.update((arch, path) for path in used_by
                     if path.suffix == '.dts' and path.name.encode() in users)
    return found.most_common(1)[0][0] if found else None


@functools.lru_cache(maxsize=None)
def reference(source, kernel=KERNEL):
    """Return the compiled tree of the kernel that a source is to be compared with."""
    top = sources(kernel)
    found = kernel_tree(includes(source, kernel), top)
    if not found:
        return None
    folder = bases.CACHE / 'dt' / top.name / found[0]
    folder.mkdir(parents=True, exist_ok=True)
    blob = folder / f'{found[1].stem}.dtb'
    if not blob.exists():
        bases.compile_tree(found[1], top, blob)
    return blob


def of_ours(blobs, look):
    """Return what is found in complete trees of ours and not in the kernel's own."""
    wrong = []
    found = {path.stem: path for path in (TOP / 'dts').rglob('*.dts')}
    for blob in blobs:
        kernel = blob.parent.name.removeprefix('board-')
        wrong += [f'{kernel}: {blob.stem}: {text}' for text in
                  look(blob, reference(found[blob.stem], kernel), kernel)]
    return wrong


def asked(blob):
    """Return a line for each pad of a tree that two devices ask for, or that one cannot get."""
    return pads.misled(blob) + pads.twice(blob) + gpios.on_pads(blob)


def asked_twice(blob, other, _=None):
    """Return the same, and the GPIOs that two use, of these what the other tree has not."""
    theirs = gpios.twice(other) + gpios.on_pads(other) if other else ()
    return pads.misled(blob) + pads.twice(blob) + [text for text in gpios.twice(blob) + gpios.on_pads(blob)
                               if text not in theirs]


def compare(blob, other, kernel=KERNEL):
    """Return what the schemas say of a tree and not of another."""
    theirs = {text for _, text in schema.validate([other], kernel)} if other else set()
    return [text for _, text in schema.validate([blob], kernel) if text not in theirs]


def compare_own(blob, other, kernel):
    """Return the same of a tree of a user, whose board no list of boards has to have."""
    said = compare(blob, other, kernel)
    rest = [text for text in said if not schema.unlisted(text)]
    theirs = bases.root_compatible(other) if other else []
    own, ends = bases.own_names(bases.root_compatible(blob), theirs)
    soc = theirs[-1:] or ends[-1:]
    if said == rest or own and ends and ends[-1:] == soc:
        return rest
    return [*rest, f'/: compatible "{" ".join(bases.root_compatible(blob))}": it is to '
            'be a name of the maker\'s own, and behind it what a board of the kernel\'s with this '
            f'SoM or SoC ends in{"".join(f", such as {name}" for name in soc)}']


def is_overlay(path):
    """Return whether a file of a user is an overlay."""
    return path.suffix in ('.dtso', '.dtbo') or (
        path.suffix not in BLOBS and '/plugin/' in hints.plain(path))


class File:
    """A file of a user."""

    def __init__(self, path, base, work, kernel):
        self.path, self.base, self.work, self.kernel = path.resolve(), base, work, kernel
        self.blob, self.applies = None, False

    @property
    def overlay(self):
        """Whether it is an overlay."""
        return is_overlay(self.path)

    @functools.cached_property
    def known(self):
        """The kernel's tree that a complete one is compared with."""
        return reference(self.path, self.kernel) if self.path.suffix == '.dts' else None

    def style(self):
        """Its order and form."""
        return style.style(self.path)

    def compile(self):
        """Its tree, without any warning."""
        try:
            if self.path.suffix in BLOBS:
                whole(self.path, self.path, 'that is compiled, as a .dtb or a .dtbo is')
                self.blob = put(self.work / self.path.name, self.path.read_bytes())
            elif self.overlay:
                self.blob = overlays.compile_source(
                    self.path, self.work / f'{self.path.stem}.dtbo', kernel=self.kernel)
            else:
                self.blob = compile_board(self.path, board_blob(self.path, self.work, self.kernel),
                                          kernel=self.kernel)
        except overlays.Wrong as wrong:
            seen = () if self.path.suffix in BLOBS else \
                hints.missing(self.path, self.kernel, str(wrong))
            return [*seen, str(wrong)]
        return []

    def bases(self):
        """The trees that it is for, as lines for dt-apply."""
        path = tree_of(self.base, self.kernel, self.work / 'on') if self.base else None
        if path:
            self.claims(path.name, bases.root_compatible(path))
            same = bases.like(path)
            known = same and bases.label_map(same)
            return [f'{path}\t{known}' if known else str(path)]
        if self.base:
            found = shipped(self.base)
            self.claims(self.base, found[0].compatible)
            return bases.lines(found)
        names = bases.root_compatible(self.blob)
        if not names:
            raise overlays.Wrong(
                f'{self.path}: for which boards? say --base NAME, or in the source '
                '/ { compatible = "fsl,imx8mp"; }; as the root of the tree has it')
        found = bases.listing(names)
        if not found:
            known = {name for base in bases.claimed(()) for name in base.compatible}
            where = '' if self.path.suffix in BLOBS else hints.where(self.path, names[0])
            raise overlays.Wrong(f'{where}no tree is for {" ".join(names)}'
                                 f'{near(names[0], known)}; for a board of your own name its tree '
                                 'with BASE= (--base)')
        return found

    def claims(self, name, has):
        """Refuse a tree of a board that it is not for."""
        mine = bases.root_compatible(self.blob)
        if mine and not set(mine) & set(has):
            raise overlays.Wrong(f'{self.path}: it is for {" ".join(mine)}, {name} is '
                                 f'{" ".join(has) or "a tree without compatible"}')

    def apply(self, how):
        """Whether it applies to the trees that it is for."""
        if not self.blob:
            return ['it was not compiled']
        found = how([self.blob], self.bases(), True)
        self.applies = not found
        mend = [NO_LABELS] if any('the tree has no labels' in line for line in found) else []
        return [self.place(line) + line for line in found] + mend

    def place(self, line):
        """Where the source names a label that is missing, as "file:line: "."""
        match = re.search(r'no label "(\w+)"', line)
        return hints.where(self.path, match[1]) if match and self.path.suffix not in BLOBS else ''

    def exclusive(self):
        """What it has for itself."""
        tree = libfdt.Fdt(self.blob.read_bytes())
        try:
            return set(tree.getprop(tree.path_offset('/metadata'), 'exclusive').as_stringlist())
        except libfdt.FdtException:
            return set()

    @functools.cached_property
    def merged(self):
        """What it makes of the trees that it is for, as {(tree, overlays): result}."""
        return put_on([self.blob], self.bases(), self.work / f'on-{self.path.name}')

    @functools.cached_property
    def each_soc(self):
        """One of these trees for each SoC, as (tree, with it, without)."""
        some = {}
        for (line, _), path in self.merged.items():
            some.setdefault(' '.join(bases.root_compatible(path)[-1:]), (*parts(line), path))
        return [(tree, path, schema.merge(tree, labels, pathlib.Path(f'{path}.plain'), ()))
                for tree, labels, path in some.values()]

    def schema(self):
        """What the schemas say, of an overlay on one tree of each SoC."""
        if not self.blob:
            return ['it was not compiled']
        if not self.overlay:
            return compare_own(self.blob, self.known, self.kernel)
        found, said = {}, {}
        for blob, text in schema.validate([blob for _, *two in self.each_soc for blob in two]):
            said.setdefault(blob, []).append(text)
        for tree, blob, plain in self.each_soc:
            for text in said.get(blob, ()):
                if text not in said.get(plain, ()):
                    found.setdefault(text, []).append(tree)
        return told(found) if self.each_soc else ['it applies to no tree']

    def warnings(self):
        """What dtc says of an overlay on one tree of each SoC: in the overlay alone it does
        not see what the nodes are that it refers to."""
        if not self.blob:
            return ['it was not compiled']
        found = {}
        for tree, blob, plain in self.each_soc:
            for text in dict.fromkeys(overlays.warnings(blob)):
                if text not in overlays.warnings(plain):
                    found.setdefault(text, []).append(tree)
        return told(found) if self.each_soc else ['it applies to no tree']

    def pads(self):
        """Pads that two devices ask for, on any tree that it is for."""
        if not self.blob:
            return ['it was not compiled']
        if not self.overlay:
            return asked_twice(self.blob, self.known)
        if not self.merged:
            return ['it applies to no tree']
        return told(clashes(self.merged)) if pads.names(self.blob) else []


def parts(line):
    """Return tree and label map of a line for dt-apply."""
    tree, _, labels = line.lstrip('*').partition('\t')
    return pathlib.Path(tree), labels


def put_on(blobs, lines, work):
    """Apply overlays to trees, alone and combined; return {(tree's line, overlays): result}.

    Of what dt-apply keeps the name is made of all of theirs, which may be long, or the same:
    it is told their numbers.
    """
    lines = [f'*{line.lstrip("*")}' for line in lines]
    folder, names, kept = work / 'in', [], work / 'out'
    for path in (folder, kept):
        path.mkdir(parents=True)
    for number, blob in enumerate(blobs):
        (folder / f'{number}.dtbo').symlink_to(blob.resolve())
    for number, (tree, labels) in enumerate(map(parts, lines)):
        (folder / f'{number}').symlink_to(tree.resolve())
        names.append(f'*{folder / str(number)}' + (f'\t{labels}' if labels else ''))
    done = subprocess.run([dt_apply(), 'check', '-c', '-j', str(os.cpu_count()), '-o', kept, *(
        folder / f'{number}.dtbo' for number in range(len(blobs)))], input='\n'.join(names) + '\n',
                          capture_output=True, text=True, check=False)
    lost = re.search(r': LOST: [^:]*: (.*)', done.stdout)
    if lost or done.returncode < 0 or not done.stdout or 'a worker died' in done.stdout:
        why = f'{lost[1]}: make room there' if lost else done.stderr.strip() or 'a worker died'
        raise overlays.Wrong(f'what comes out of trees with overlays could not be kept: {why}')
    found = sorted(([int(word) for word in re.findall(r'\d+', path.name)], path)
                   for path in kept.iterdir())
    return {(lines[tree], '+'.join(map(str, on))): path for (tree, *on), path in found}


def clashes(merged, least=1):
    """Return {what: [tree, ...]} of pads that two devices ask for on trees with overlays.

    That of a tree, or of fewer overlays on it, is not said again of more, nor what only
    less than so many have.
    """
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        said = dict(zip(merged, pool.map(asked, merged.values(), chunksize=16)))
    found = {}
    for (line, names), lines in said.items():
        known = set(asked(parts(line)[0])) if lines else ()
        for (other, fewer), old in said.items() if lines else ():
            if other == line and set(fewer.split('+')) < set(names.split('+')):
                known |= set(old)
        if names.count('+') + 1 >= least:
            for text in lines:
                if text not in known:
                    found.setdefault(text, []).append(parts(line)[0])
    return found


def told(found):
    """Return lines for {text: [tree, ...]}, with how many these are."""
    return [f'{text} (on {trees[0]}' + (f' and {len(trees) - 1} more)' if trees[1:] else ')')
            for text, trees in found.items()]


def together(files, how):
    """Return what is wrong where overlays of a user are on one tree."""
    good = [one for one in files if one.applies]
    if not any(not a.exclusive() & b.exclusive() for a, b in itertools.combinations(good, 2)):
        raise Skipped('no two of them apply, or those that do exclude each other')
    lines = list(dict.fromkeys(f'*{line.lstrip("*")}' for one in good for line in one.bases()))
    found = how([one.blob for one in good], lines, True, together=True)
    some = [one.blob for one in good if pads.names(one.blob)]
    merged = put_on(some, lines, good[0].work / 'on-together') if some[1:] else {}
    return found + told(clashes(merged, 2))


def steps(paths, base, work, kernel, how):
    """Return the checks of a user's files, as (name, function)."""
    found, files = [], [File(path, base, work, kernel) for path in paths]
    for path, one in zip(paths, files):
        if path.suffix not in BLOBS:
            found.append((f'{path}: style', one.style))
        if path.suffix == '.dtsi':
            continue
        found.append((f'{path}: dtc', one.compile))
        if one.overlay:
            found.append((f'{path}: apply', functools.partial(one.apply, how)))
            found.append((f'{path}: merged', one.warnings))
        found.append((f'{path}: schemas', one.schema))
        found.append((f'{path}: pads', one.pads))
    on = [one for one in files if one.path.suffix != '.dtsi' and one.overlay]
    if len(on) > 1:
        found.append(('overlays: together', functools.partial(together, on, how)))
    return found
