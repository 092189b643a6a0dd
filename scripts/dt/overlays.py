# SPDX-License-Identifier: GPL-2.0-only
"""Overlays: which there are, for which families, and how they are compiled."""

import concurrent.futures
import functools
import hashlib
import os
import pathlib
import re
import subprocess
from collections import namedtuple

from tools import CACHE, KERNEL, TOP, Wrong, cpp, put, sources as kernel_sources

FOLDER = TOP / 'overlays'
# What a source has to be told, and the column of families.tsv that tells it.
NEEDS = {'I2C_BUS': 'i2c', 'LED': 'led', 'RTC': 'rtc', 'MODEM_POWER': 'modem'}
MODEM = ('MODEM_POWER', 'MODEM_RESET', 'MODEM_RADIO')
GENERIC = 'generic'

Family = namedtuple('Family', 'name i2c led rtc modem compatible')


def table(name):
    """Return the rows of a table of ours."""
    return [line.split('\t') for line in (FOLDER / name).read_text(encoding='utf-8').splitlines()
            if line and not line.startswith('#')]


@functools.lru_cache(maxsize=None)
def families():
    """Return the rows of families.tsv by name."""
    rows = table('families.tsv')
    wrong = [row[0] for row in rows if len(row) != len(Family._fields)]
    if wrong:
        raise Wrong(f'overlays/families.tsv: {wrong[0]}: not {len(Family._fields)} columns')
    return {row[0]: Family(*row) for row in rows}


def lacking():
    """Return {(kernel, tree): family} of trees that lack what a family's overlays need."""
    return {(kernel, tree): family for kernel, tree, family, _ in table('lacking.tsv')}


def clashing(family):
    """Return the family's trees on which a pad of its bus is another device's, too."""
    return sorted({tree for _, tree, mine, _ in table('clashing.tsv') if mine == family})


def wants(source):
    """Return the columns of families.tsv that a source asks for."""
    text = source.read_text(encoding='utf-8')
    for name in re.findall(r'^#include "(.*)"', text, re.M):
        included = source.parent / name
        text += included.read_text(encoding='utf-8') if included.exists() else ''
    return [column for word, column in NEEDS.items()
            if re.search(rf'^#if.*(ndef |defined\(){word}\b', text, re.M)]


def served(source, given=()):
    """Return the families that an overlay is for; it is generic where it asks nothing.

    What a user gives stands for a column that a family does not have; where it is all that is
    asked, the overlay is for a board without a family, too.
    """
    columns = wants(source)
    if not columns:
        return [GENERIC]
    told = {NEEDS[word] for word in given if word in NEEDS}
    return [*(family.name for family in families().values()
              if all(column in told or getattr(family, column) != '-' for column in columns)),
            *([GENERIC] if told.issuperset(columns) else [])]


def defines(family, given=()):
    """Return the definitions for a family, with those that the user gave."""
    words = dict(given)
    if family:
        row = families()[family]
        boards = ', '.join(f'"{name}"' for name in row.compatible.split())
        words = {'BASES': boards, 'I2C_BUS': row.i2c, 'LED': row.led, 'RTC': row.rtc,
                 **dict(zip(MODEM, row.modem.split(','))), **words}
        if family.startswith('raspberry'):
            words['RASPBERRY_PI'] = '1'
    return [f'-D{word}={value}' for word, value in words.items() if value != '-']


def preprocess(source, options=(), kernel=KERNEL):
    """Return the text of a source without its macros."""
    done = subprocess.run(
        [*cpp(kernel_sources(kernel), source.parent, TOP / 'dts', TOP / 'overlays'), *options,
         source], capture_output=True, encoding='utf-8', errors='surrogateescape', check=False)
    if done.returncode or done.stderr:
        raise Wrong(done.stderr.strip())
    return done.stdout


def compile_source(source, out, options=(), quiet=False, kernel=KERNEL):
    """Compile a tree or an overlay with all warnings; anything that dtc says is wrong."""
    text = preprocess(source, options, kernel)
    out.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(['dtc', '-@', *(['-q'] if quiet else []), '-i', source.parent,
                           '-O', 'dtb', '-'], input=text.encode(errors='surrogateescape'),
                          capture_output=True, check=False)
    if done.returncode or done.stderr:
        said = done.stderr.decode(errors='surrogateescape').strip()
        raise Wrong(said.replace('<stdin>', str(source)) or f'{source}: dtc failed')
    return put(out, done.stdout)


@functools.lru_cache(maxsize=None)
def warnings(blob):
    """Return what dtc says of a compiled tree."""
    done = subprocess.run(['dtc', '-I', 'dtb', '-O', 'dtb', '-o', os.devnull, blob],
                          capture_output=True, text=True, check=False)
    return [line.partition(': ')[2] for line in done.stderr.splitlines()]


def included():
    """Return the files of ours that sources include."""
    return sorted(path for folder in ('dts', 'overlays')
                  for path in (TOP / folder).rglob('*.dtsi'))


@functools.lru_cache(maxsize=None)
def shared():
    """Return what a source of ours may depend on beside itself and a kernel's source."""
    dtc = subprocess.run(['dtc', '--version'], capture_output=True, check=True).stdout
    return b'\0'.join([dtc, *(part for path in included()
                              for part in (str(path.relative_to(TOP)).encode(), path.read_bytes()))])


def once(source, out, options=(), kernel=KERNEL, make=compile_source):
    """Compile a source of ours as make() does, or take what that gave before from the cache.

    Only what had no warning is kept.
    """
    known = [kernel_sources(kernel).name, source.name, make.__name__, *options]
    key = hashlib.sha256(shared() + source.read_bytes() + '\0'.join(known).encode()).hexdigest()
    kept = CACHE / 'dt/ours' / key[:24]
    if not kept.exists():
        make(source, out, options=options, kernel=kernel)
        kept.parent.mkdir(parents=True, exist_ok=True)
        put(kept, out.read_bytes())
    out.parent.mkdir(parents=True, exist_ok=True)
    return put(out, kept.read_bytes())


def sources():
    """Return the sources of overlays."""
    return sorted(FOLDER.glob('*.dtso'))


def build(out, only=None, given=()):
    """Compile the overlays of all families; return {family: [overlay, ...]}.

    The modem slot is left out where nobody said which GPIOs: its lines would be
    somebody else's.
    """
    jobs = [(name, source) for source in sources() for name in served(source, given)
            if not only or name in only]

    def compiled(job):
        name, source = job
        return once(source, out / name / f'{source.stem}.dtbo',
                    defines(None if name == GENERIC else name, given))

    found = {}
    for (name, _), path in zip(jobs, side_by_side(compiled, jobs)):
        found.setdefault(name, []).append(path)
    return found


def side_by_side(function, jobs):
    """Return the function of each job; what it does is mostly other programs' work."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, jobs))
