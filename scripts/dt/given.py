# SPDX-License-Identifier: GPL-2.0-only
"""What a user gives for overlays, held against the trees that they are for."""

import pathlib
import re
import subprocess
import textwrap

import libfdt

import bases
import boards
import gpios
import overlays
import pads
import trees
from tools import Wrong, dt_apply, near

NAMES = {'I2C': 'I2C_BUS', 'LED': 'LED', 'RTC': 'RTC', **{word: word for word in overlays.MODEM}}
LABEL = r'\w+'
BUS = LABEL + r'|\{/[^{}\s]*\}'
GPIO = LABEL + r'(?: (?:0x[0-9a-f]+|\d+))+'
QUIET = (libfdt.NOTFOUND,)


def renamed(words):
    """Return definitions for what a user names, once each has the form that it needs."""
    for name in words:
        if name not in NAMES:
            raise Wrong(f'there is no {name}=: there are {" ".join(NAMES)}')
    found = {NAMES[name]: ' '.join(value.split()) for name, value in words.items() if value.strip()}
    for name, value in found.items():
        if name in overlays.MODEM and not re.fullmatch(GPIO, value):
            raise Wrong(f'{name}="{value}": not a GPIO: it is the label of its controller and a '
                        'number, or as many as that has, such as "gpio5 1"')
        if name == 'I2C_BUS' and not re.fullmatch(BUS, value):
            raise Wrong(f'I2C="{value}": not a label such as i2c2, nor a path in braces')
        if name in ('LED', 'RTC') and not re.fullmatch(LABEL, value):
            raise Wrong(f'{name}="{value}": not a label; only a bus can be a path in braces')
    return found


def said(name):
    """Return what a user calls a definition."""
    return next(word for word, mine in NAMES.items() if mine == name)


def blobs(family, base=None):
    """Return the trees that a user's words may be about: a named one, or all of a family."""
    path = trees.tree_of(base) if base else None
    if path:
        return [path]
    names = overlays.families()[family].compatible.split() if not base else ()
    found = trees.shipped(base) if base else bases.claimed(names)
    ours = [] if base else boards.carriers(names)
    return [*bases.compiled(found).values(),
            *(trees.carrier(name) for name in ours)]


def labels(blob):
    """Return the labels of a tree, as {label: path}; of one that has none those of the kernel's."""
    known, same = blob.with_suffix('.labels'), bases.like(blob)
    if same and not known.exists():
        known = bases.label_map(same) or known
    text = known.read_text(encoding='utf-8') if known.exists() else subprocess.run(
        [dt_apply(), 'labels', blob], capture_output=True, text=True, check=False).stdout
    return dict(line.split('\t') for line in text.splitlines())


def lacks(blob, known, word):
    """Return why a tree does not have what a label, or a GPIO, names; nothing where it has."""
    name, *numbers = word.split()
    path = name[1:-1] if name[0] == '{' else known.get(name)
    if not path:
        return f'no label "{name}"'
    if name[0] == '{' or numbers:
        tree = libfdt.Fdt(blob.read_bytes())
        node = tree.path_offset(path, QUIET)
        if node < 0:
            return f'no node {path}'
        if numbers:
            return no_gpio(tree, node, name, len(numbers))
    return ''


def no_gpio(tree, node, name, count):
    """Return why a node has no GPIO of so many numbers; its flags come from the block."""
    cells = tree.getprop(node, '#gpio-cells', QUIET)
    if isinstance(cells, int):
        return f'{name} has no GPIOs'
    wanted = cells.as_uint32() - 1
    if wanted == count:
        return ''
    return f'{name} takes {wanted} number{"s" if wanted != 1 else ""}, not {count}'


def kernel_of(blob):
    """Return the kernel that a tree was compiled from, or nothing for a carrier of the pack."""
    match = re.search(r'/(?:linux|dt)-source-(\d+\.\d+)', str(blob.parent))
    return match[1] if match else ''


def names_of(some, every):
    """Return the names of trees, with the kernel where another kernel's is not among them."""
    rest = {blob.stem for blob in every if blob not in some}
    return sorted({f'{kernel_of(blob)} {blob.stem}'.strip() if blob.stem in rest else blob.stem
                   for blob in some})


def short_of(family, said_so, why):
    """Return a warning about the trees of a family that lack what others of it have."""
    some, rest = ([blob for blob, text in why.items() if bool(text) == short]
                  for short in (True, False))
    if not some or not rest:
        return []
    few, words = (some, 'not apply to') if len(some) < len(rest) else (rest, 'apply to no others than')
    listed = textwrap.fill(', '.join(names_of(few, why)), 96, initial_indent='    ',
                           subsequent_indent='    ', break_on_hyphens=False)
    return [f'{said_so}: {next(filter(None, why.values()))}, in {len(some)} of {len(why)} trees of '
            f'{family}; it will {words}\n{listed}']


def board(base):
    """Return the name of a tree's board, as a definition that keeps an overlay to it."""
    names = bases.root_compatible(blobs(overlays.GENERIC, base)[0])
    if not names:
        raise Wrong(f'{base}: its root has no compatible, by which an overlay could be kept to it')
    return {'BASES': f'"{names[0]}"'}


def taken(blob, known, words, bus):
    """Return {GPIO: which other device has its pad}, be it the bus of the family's clocks."""
    nodes, found = pads.tree(blob), {}
    by_path = {node.path(): node for node in nodes}
    with_pads, by_phandle = gpios.muxed(nodes, (known.get(bus), )), pads.phandles(nodes)
    for word in words:
        name, *numbers = word.split()
        if name in known and len(numbers) in (1, 2) and known[name] in by_path:
            bank, line = (int(number, 0) for number in ('0', *numbers)[-2:])
            others = gpios.others((by_path[known[name]], bank, line), with_pads, by_phandle)
            found[word] = ' and '.join(dict.fromkeys(f'{node.path()} ({group.name})'
                                                     for _, _, node, group in others))
    return found


def pads_of(family, words, found):
    """Return warnings about GPIOs whose pads other devices have."""
    row, warnings = overlays.families().get(family), []
    bus = words.get('I2C_BUS') or row and row.i2c
    lines = {name: words[name] for name in overlays.MODEM if name in words}
    why = [taken(blob, known, lines.values(), bus) for blob, known in found] if lines else []
    for name, word in lines.items():
        some = [one[word] for one in why if one.get(word)]
        if some:
            warnings.append(f'{said(name)}="{word}": {some[0]} has that pad, in {len(some)} of '
                            f'{len(why)} trees of {family}; only one gets it')
    return warnings


def hold(family, words, base=None):
    """Refuse what none of the trees has that a family's overlays are for.

    Return warnings about what only some of them have.
    """
    if family not in overlays.families() and not base:
        raise Wrong(f'{family} is for any tree: with {"=, ".join(map(said, words))}= say BASE=, '
                    'that of the board, a .dtb or the name of one of the kernel\'s')
    some = [word for word in overlays.MODEM if word in words]
    if some and family in overlays.families() and overlays.families()[family].modem == '-' or \
            0 < len(some) < len(overlays.MODEM) and 'raspberry' not in family:
        raise Wrong('the modem slot needs all three of MODEM_POWER=, MODEM_RESET= and '
                    f'MODEM_RADIO=; given: {" ".join(some)}')
    found = [(blob, labels(blob)) for blob in blobs(family, base)]
    if not any(known for _, known in found) and any(word[0] != '{' for word in words.values()):
        raise Wrong(f'{base} has no labels: compile it with dtc -@')
    wrong = [text for blob, _ in found if base for text in pads.misled(blob)]
    if wrong:
        raise Wrong(f'{base}: {wrong[0]}')
    warnings = []
    for name, word in words.items():
        why = {blob: lacks(blob, known, word) for blob, known in found}
        warnings += short_of(family, f'{said(name)}="{word}"', why)
        if '' not in why.values():
            every = {label for _, known in found for label in known}
            text = min(why.values())
            raise Wrong(f'{said(name)}="{word}": {text}, in {base or f"any tree of {family}"}'
                        + (near(word.split()[0], every) if 'label' in text else '') +
                        ('' if base else '; for a board of your own, say BASE=its.dtb'))
    return warnings + pads_of(family, words, found)
