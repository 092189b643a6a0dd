# SPDX-License-Identifier: GPL-2.0-only
"""Trees on which an overlay of the pack asks for a pad that another device has.

Those that are known are in overlays/clashing.tsv. All overlays of clock chips on one bus ask
for the same: one that goes on a tree tells it for the others.
"""

import hashlib
import json
import os
import pathlib
import re
import tempfile
import textwrap

import libfdt

import bases
import gpios
import overlays
import pads
import trees
from tools import CACHE, dt_apply, sources

QUIET = (libfdt.NOTFOUND,)


def asks(blob):
    """Return what an overlay asks of pads, and of which nodes; nothing where it does not."""
    tree = libfdt.Fdt(blob.read_bytes())
    node, labels = tree.path_offset('/__fixups__', QUIET), []
    at = tree.first_property_offset(node, QUIET) if node >= 0 else -1
    while at >= 0:
        labels.append(tree.get_property_by_offset(at).name)
        at = tree.next_property_offset(at, QUIET)
    said = [(one.path(), name, value) for one in pads.read(blob.read_bytes())
            for name, value in sorted(one.properties.items())
            if name not in ('phandle', 'compatible') and one.name != 'metadata']
    return str((labels, said)) if said else None


def merged(blobs, lines, work):
    """Put overlays that ask for the same on trees, on each the first that applies."""
    found, lines = {}, {f'*{line.lstrip("*")}' for line in lines}
    for number, blob in enumerate(blobs):
        rest = sorted(lines - {line for line, _ in found})
        found.update(trees.put_on([blob], rest, work / str(number)) if rest else {})
    return found


def look(blobs, found, lines):
    """Return [[kernel, tree, line], ...] for pads that overlays ask for and others have."""
    origin = {base.dtb: base for base in found}
    origin.update({str(path): base for base, path in bases.compiled(found).items()})
    groups, said = {}, set()
    for blob in blobs:
        groups.setdefault(asks(blob), []).append(blob)
    groups.pop(None, None)
    with tempfile.TemporaryDirectory() as work:
        for number, same in enumerate(groups.values()):
            for text, on in trees.clashes(merged(same, lines, pathlib.Path(work) /
                                                 str(number))).items():
                for tree in on:
                    base = origin.get(str(tree))
                    said.add((base.kernel if base else '-', tree.stem, text))
    return sorted(said)


def clashes(blobs, found, lines=None):
    """Return the same; it is kept for as long as overlays, trees and how they are read stay."""
    code = (module.__file__ for module in (pads, gpios, trees))
    here = [path.read_bytes() for path in (*map(pathlib.Path, code), pathlib.Path(__file__), *blobs)]
    names = [dt_apply().name, *(base.dtb for base in found),
             *(sources(kernel).name for kernel in sorted({base.kernel for base in found})),
             *(f'{path} {os.stat(path).st_mtime_ns}' for path in lines or ())]
    key = hashlib.sha256(b'\0'.join([*here, *map(str.encode, names)])).hexdigest()[:24]
    kept = CACHE / 'dt/clashes' / key
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        said = look(blobs, found, lines or bases.lines(found))
        pathlib.Path(f'{kept}.{os.getpid()}').write_text(json.dumps(said), encoding='utf-8')
        os.rename(f'{kept}.{os.getpid()}', kept)
    return [tuple(row) for row in json.loads(kept.read_text(encoding='utf-8'))]


def rows(family, said):
    """Return the table's rows for what was found of a family."""
    groups, kernels = {}, {}
    for kernel, tree, text in said:
        groups.setdefault(tree, set()).update(re.findall(r'\((\S+)\)', text))
        kernels.setdefault(tree, set()).add(kernel)
    return {(' '.join(sorted(kernels[tree])), tree, family, ' '.join(sorted(names)))
            for tree, names in groups.items()}


def own(family, blobs):
    """Return those of a family's overlays whose lines are its own: those of a modem slot are the
    verifier's, or a user's, but on a Raspberry Pi."""
    return [path for path in blobs if path.stem != 'modem-slot' or family.startswith('raspberry')]


def wrong(built):
    """Return where the table is not what is found; built is {family: [overlay, ...]}."""
    found = set()
    for family in overlays.families():
        mine = bases.claimed(overlays.families()[family].compatible.split())
        found |= rows(family, clashes(own(family, built.get(family, ())), mine))
    table = set(map(tuple, overlays.table('clashing.tsv')))
    return [f'overlays/clashing.tsv lacks "{"	".join(row)}"' for row in sorted(found - table)] + \
        [f'overlays/clashing.tsv has "{"	".join(row)}", which is not so'
         for row in sorted(table - found)]


def warnings(family, blobs, base=None, given=()):
    """Return what to say of a family's overlays: what is known of its own bus, or what another
    one gives on the family's trees or on the one that a user names."""
    row = overlays.families().get(family)
    bus = (given or {}).get('I2C_BUS') or row and row.i2c
    if not bus or not row and not base:
        return []
    if row and bus == row.i2c and not base:
        return told(family, bus, overlays.clashing(family))
    path = base and str(trees.tree_of(base) or '')
    found = [] if path else bases.claimed(row.compatible.split() if row else ())
    said = clashes(own(family, blobs), [one for one in found if base in (None, one.name)], path and [path])
    return told(family, bus, sorted({row[1] for row in said}))


def told(family, bus, where):
    """Return a warning about a bus and the trees where its pads are another device's, too."""
    listed = textwrap.fill(', '.join(where), 96, initial_indent='    ', subsequent_indent='    ',
                           break_on_hyphens=False)
    return [f'rtc-*: a pad of {bus} is another device\'s, too, on {len(where)} '
            f'tree{"s" if where[1:] else ""} of {family}, and one of the two fails; another bus: '
            f'I2C=\n{listed}'] if where else []
