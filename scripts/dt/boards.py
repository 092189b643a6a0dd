# SPDX-License-Identifier: GPL-2.0-only
"""scripts/boards.tsv against the sources, and the table that README has of it."""

import functools
import pathlib
import re
from collections import Counter, namedtuple

import libfdt

import bases
import overlays
from tools import TOP, Wrong

TABLE = TOP / 'scripts/boards.tsv'
BENCH = TOP / 'selftests/qemu'
ACPI = ('amd64', 'i386', 'i386-nlp')        # no device tree
WORDS = {'selector': ('config.txt', 'custom_fdt_file', 'none', '-'),
         'place': ('boot', 'rootfs', 'boot,rootfs', '-'),
         'led': ('yes', 'no', '-'),
         'arch': ('aarch64', 'armv7hf', 'rpi', 'amd64', 'i386', 'i386-nlp')}
PROOFS = ('compiled', 'applied', 'booted', '-')
ABOUT_TREES = {'carrier', 'overlays'}       # tests of what a tree or an overlay of the pack adds
CLOCK = re.compile(r'(^|-)rtc(-|@|$)')
NO_CLOCK = ('fixed-clock', 'fixed-factor-clock', 'regulator-fixed')     # named after one
QUIET = (libfdt.NOTFOUND,)
BEGIN, END = '<!-- boards: made by scripts/dt/board-table -->', '<!-- boards: end -->'

Board = namedtuple('Board', 'slug family arch state kernel trees carrier selector place leds rtcs '
                   'machine layer recipe series led overlays offered proven')
MADE = ('rtcs', 'offered', 'proven')        # columns that scripts/dt/board-table writes


def boards(path=TABLE):
    """Return the rows of a table."""
    found = []
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        if line.startswith('#') or not line:
            continue
        row = line.split('\t')
        if len(row) != len(Board._fields) or not all(row):
            raise Wrong(f'{path}:{number}: {len(row)} columns, or an empty one; there are '
                        f'{len(Board._fields)}, and what is not known is "-"')
        found.append(Board(*row))
    return found


def enabled(tree, node):
    """Tell whether a node and all above it are in use."""
    while node >= 0:
        status = tree.getprop(node, 'status', quiet=QUIET)
        if not isinstance(status, int) and not status.as_str().startswith('ok'):
            return False
        node = tree.parent_offset(node, quiet=QUIET) if node else -1
    return True


def clocks(path):
    """Return the RTCs in use of a tree: the first compatible of each node of that name."""
    tree, found, node, depth = libfdt.Fdt(pathlib.Path(path).read_bytes()), [], 0, 0
    while node >= 0 and depth >= 0:
        if CLOCK.search(tree.get_name(node)) and enabled(tree, node):
            names = tree.getprop(node, 'compatible', quiet=QUIET)
            if not isinstance(names, int) and names.as_stringlist()[0] not in NO_CLOCK:
                found.append(names.as_stringlist()[0])
        node, depth = tree.next_node(node, depth, quiet=QUIET)
    return found


def with_clocks(row, known):
    """Return a row's column rtcs with those that its trees have, in order of address."""
    have = [] if row.rtcs == '-' else row.rtcs.split()
    for name in row.trees.split():
        for base in known.get(name, ()):
            have += [chip for chip in clocks(base.dtb)
                     if chip not in (old.rstrip('+') for old in have)]
    return ' '.join(have) or '-'


def lines_of(path):
    """Return the rows of a table whose columns are separated by any number of tabs."""
    return [re.split(r'\t+', line) for line in path.read_text(encoding='utf-8').splitlines()
            if line and not line.startswith('#')]


@functools.lru_cache(maxsize=None)
def booted():
    """Return the carriers that the bench boots, and the trees that it boots with overlays of
    the pack, by name; tests of modules on a kernel's own tree do not count."""
    used = {row[1] for row in lines_of(BENCH / 'boots.tsv')
            if {test.partition(':')[0] for test in row[4].split(',')} & ABOUT_TREES}
    found = set()
    for row in lines_of(BENCH / 'machines.tsv'):
        base, *added = row[3].split('+')
        if row[0] in used and (base.startswith('dts/') or
                               any('/' in name and '.' not in name for name in added)):
            found.add(pathlib.Path(base).stem)
    return found


@functools.lru_cache(maxsize=None)
def offered(family, arch, trees=''):
    """Return the overlays for a board; those of clock chips are one word.

    These are not offered where a pad of their bus is another device's.
    """
    if arch in ACPI:
        return '-'
    taken = set(trees.split()) & set(overlays.clashing(family))
    found = dict.fromkeys(
        'rtc-*' if overlays.wants(source) == ['i2c'] else source.stem
        for source in overlays.sources()
        if {family, overlays.GENERIC} & set(overlays.served(source)))
    return ' '.join(name for name in found if name != 'rtc-*' or not taken)


def proven(row, known):
    """Return how far what is for a board was followed, each word with those before it.

    Its overlays or its carrier compile; they apply to its trees; its carrier, or one of its
    trees with one of its overlays, was booted in an emulator, and what that adds did its work.
    """
    if ({*row.trees.split(), row.carrier} - {'-'}) & booted():
        return 'booted'
    if offered(row.family, row.arch, row.trees) != '-' and set(row.trees.split()) & set(known):
        return 'applied'
    return 'compiled' if (row.family, row.carrier) != ('-', '-') else '-'


def made(row, known):
    """Return a row with the columns that follow from the sources."""
    return row._replace(rtcs=with_clocks(row, known),
                        offered=offered(row.family, row.arch, row.trees),
                        proven=proven(row, known))


def shipped():
    """Return {tree: [base, ...]}, the newest kernel's first."""
    known = {}
    for kernel in sorted(bases.KERNELS, reverse=True):
        for base in bases.shipped(kernel):
            known.setdefault(base.name, []).append(base)
    return known


def check(path=TABLE):
    """Return what is wrong with a table."""
    rows, trees = boards(path), shipped()
    known = {name: {one for base in found for one in base.compatible}
             for name, found in trees.items()}
    families = overlays.families()
    found = []
    for row in rows:
        found += [f'{path}: {row.slug}: {line}' for line in wrong(row, known, families)]
        now = made(row, trees)
        found += [f'{path}: {row.slug}: {column} has to be "{getattr(now, column)}": run '
                  'scripts/toolroot scripts/dt/board-table'
                  for column in MADE if getattr(now, column) != getattr(row, column)]
    text = path.read_text(encoding='utf-8')
    found += [f'{path}: dts/ has {source.stem}, which no row has, nor the heading'
              for source in sorted((TOP / 'dts').rglob('*.dts'))
              if not re.search(rf'\b{source.stem}\b', text)]
    counts = Counter(row.slug for row in rows)
    found += [f'{path}: {slug} is there {count} times' for slug, count in counts.items()
              if count > 1]
    if [row.slug for row in rows] != sorted(row.slug for row in rows):
        found.append(f'{path}: the rows are not sorted by slug')
    return found


@functools.lru_cache(maxsize=None)
def led_names():
    """Return the names that the overlay identify looks for."""
    text = (overlays.FOLDER / 'identify.dtso').read_text(encoding='utf-8')
    return re.search(r'linux,led-names = "([^"]*)"', text)[1].split(',')


def wrong(row, known, families):
    """Return what is wrong with a row."""
    found = [f'{field} "{getattr(row, field)}": it is one of {" ".join(words)}'
             for field, words in WORDS.items() if getattr(row, field) not in words]
    if row.family not in (*families, '-'):
        found.append(f'no family "{row.family}" in overlays/families.tsv')
        return found
    for name in row.trees.split():
        if name == '-':
            continue
        if name not in known:
            found.append(f'no tree {name} in Debian\'s kernels')
        elif row.family != '-' and \
                not set(families[row.family].compatible.split()) & known[name]:
            found.append(f'{name} is not of family {row.family}')
    if row.carrier != '-' and not list((TOP / 'dts').rglob(f'{row.carrier}.dts')):
        found.append(f'no {row.carrier}.dts in dts/')
    if (row.selector in ('none', '-')) != (row.place == '-'):
        found.append('a place goes with a selector')
    if not re.fullmatch(r'-|[^,\s]+(,[^,\s]+)*', row.leds):
        found.append(f'leds "{row.leds}": names with commas between')
    if row.leds != '-' and 'identify' in offered(row.family, row.arch, row.trees).split() and \
            not set(row.leds.split(',')) & set(led_names()):
        found.append(f'leds "{row.leds}": overlays/identify.dtso, which is offered, has none of '
                     'them')
    if not re.fullmatch(r'-|[\w.-]+,[\w.-]+\+?( [\w.-]+,[\w.-]+\+?)*', row.rtcs):
        found.append(f'rtcs "{row.rtcs}": compatibles, + for a battery')
    return found


def carriers(names):
    """Return the carriers for boards of these names."""
    return sorted(path.stem for path in (TOP / 'dts').rglob('*.dts')
                  if any(f'"{name}"' in path.read_text(encoding='utf-8') for name in names))


def by(chosen, count):
    """Return what makes the bootloader take another tree, and for how many where not for all."""
    return [word if number == count else f'{word} for {number} of {count}'
            for word, number in sorted(chosen.items())]


def table():
    """Return the table of README: what there is for each family."""
    rows, lines, families = boards(), [], overlays.families()
    for name in [*families, '-']:
        mine = [row for row in rows if row.family == name]
        if not mine:
            continue
        count = sum(bool({name, overlays.GENERIC} & set(overlays.served(source)))
                    for source in overlays.sources())
        trees_of = carriers(families[name].compatible.split()) if name in families else []
        trees = {tree for row in mine for tree in row.trees.split()} - {'-'}
        chosen = Counter(row.selector for row in mine if row.selector not in ('none', '-'))
        proofs = Counter(row.proven for row in mine)
        lines.append(f'| {name if name != "-" else "others"} | {len(mine)} | {count} | '
                     f'{offered(name, "")} | {len(trees)} | {", ".join(trees_of) or "-"} | '
                     f'{", ".join(by(chosen, len(mine))) or "-"} | '
                     f'{", ".join(f"{proofs[word]} {word}" for word in PROOFS if proofs[word])} |')
    return '\n'.join([
        '| family | device types | overlays | offered | trees in mainline | carriers | chosen by | '
        'proven |', '|---|---:|---:|---|---:|---|---|---|', *lines])


def readme(path):
    """Return whether README has that table."""
    text = path.read_text(encoding='utf-8')
    if f'{BEGIN}\n{table()}\n{END}' in text:
        return []
    return [f'{path}: the table of boards is not that of scripts/boards.tsv: '
            'run scripts/toolroot scripts/dt/board-table']
