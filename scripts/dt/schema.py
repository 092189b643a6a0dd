# SPDX-License-Identifier: GPL-2.0-only
"""Trees against the schemas, the kernel's and ours.

dt-validate exits with 0 when validation fails, so any output is a failure. The
processed schemas are kept: they take ten seconds.
"""

import concurrent.futures
import fcntl
import functools
import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import tempfile

from tools import CACHE, KERNEL, TOP, Wrong, dt_apply, put, sources

BINDINGS = 'Documentation/devicetree/bindings'
# What makes of schemas and trees what is kept.
MAKERS = tuple(TOP / 'scripts/dt' / name for name in ('mk-schema', 'validate'))


def schemas(kernel):
    """Return the processed schemas of a kernel and ours, made when they changed."""
    ours, top = sorted((TOP / 'dts/bindings').rglob('*.yaml')), sources(kernel)
    made_by = importlib.metadata.version('dtschema').encode()
    key = hashlib.sha256(b''.join((made_by, *(path.read_bytes() for path in (*ours, *MAKERS)))
                                  )).hexdigest()[:12]
    kept = CACHE / 'dt' / f'{top.name}-{key}.json'
    with open(CACHE / 'dt-schema.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            theirs = [path for path in (top / BINDINGS).rglob('*.yaml')]
            done = subprocess.run([TOP / 'scripts/dt/mk-schema', f'{kept}.new', *ours, *theirs],
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise Wrong(f'mk-schema: {"".join(done.stderr.splitlines()[-1:])}')
            os.rename(f'{kept}.new', kept)
    return kept


def validate(blobs, kernel=KERNEL):
    """Return what the schemas have to say, as (tree, text).

    It is kept for as long as a tree and the schemas are what they were.
    """
    schema, known = schemas(kernel), {}
    for blob in blobs:
        key = hashlib.sha256(blob.read_bytes() + schema.name.encode()).hexdigest()[:24]
        known[blob] = CACHE / 'dt/said' / key
    new = [blob for blob in blobs if not known[blob].exists()]
    if new:
        known[new[0]].parent.mkdir(exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            shares = filter(None, (new[i::os.cpu_count()] for i in range(os.cpu_count())))
            found = [one for said in pool.map(lambda share: ask(share, schema), shares)
                     for one in said.items()]
        for blob, said in found:
            put(known[blob], json.dumps(said).encode())
    return [(blob, text) for blob in blobs for text in json.loads(known[blob].read_text())
            if not known_board(text)]


def ask(blobs, schema):
    """Return what dt-validate says of each tree."""
    with tempfile.TemporaryDirectory() as work:
        # A name may have in it what ends one in what is said.
        links = {f'{work}/{number}': blob for number, blob in enumerate(blobs)}
        for link, blob in links.items():
            os.symlink(blob.resolve(), link)
        done = subprocess.run([TOP / 'scripts/dt/validate', schema.with_suffix('.clean'), '-m', '-s',
                               schema, *links], capture_output=True, text=True, check=False)
    found, current = {blob: [] for blob in blobs}, None
    for line in (done.stdout + done.stderr).splitlines():
        path, _, text = line.partition(': ')
        if path.rstrip(':') in links:
            current = found[links[path.rstrip(':')]]
            current.append(text)
        elif current and line.startswith('\t'):
            current[-1] += f'\n{line}'
        else:
            raise Wrong(f'dt-validate: {done.stderr.strip() or line}')
    if done.returncode:     # 0 is also what it has where it has found something
        raise Wrong(f'dt-validate failed with status {done.returncode}')
    return found


@functools.lru_cache(maxsize=None)
def boards():
    """Return the boards that our own schemas know."""
    text = ''.join(path.read_text(encoding='utf-8')
                   for path in (TOP / 'dts/bindings/arm').glob('*.yaml'))
    return set(re.findall(r'- const: (balena,[\w-]+)', text))


def known_board(text):
    """Tell whether a complaint is that the kernel's list of boards lacks one of ours."""
    board = re.match(r'/ \(([\w,-]+)\): compatible: ', text)
    schema = re.search(r'/schemas/arm/([\w,/-]+)\.yaml', text)
    return bool(board and board[1] in boards() and schema and
                schema[1] != 'balena,carriers')


def unlisted(text):
    """Tell whether a complaint is that no list of boards has a tree's."""
    return bool(text.startswith('/: failed to match any schema with compatible: ') or
                re.match(r'/ \([\w,.+-]+\): compatible(:\d+)?: .*( conditional failed| was expected| is too '
                         r'(long|short)| is not one of )', text) and
                re.search(r'/schemas/arm/[\w,./-]+\.yaml', text))


def merge(tree, labels, out, blobs):
    """Apply overlays to a tree, with the labels of a map where it has none."""
    done = subprocess.run([dt_apply(), 'merge', *(['-l', labels] if labels else []), tree, out,
                           *blobs], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(done.stderr.strip())
    return out


def with_overlays(board, blobs, out):
    """Apply overlays to a board, each to its own copy; return {tree: overlay}."""
    return {merge(board, None, out / f'{blob.stem}.dtb', (blob,)): blob for blob in blobs}
