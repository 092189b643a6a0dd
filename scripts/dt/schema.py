# SPDX-License-Identifier: GPL-2.0-only
"""Trees against the schemas, the kernel's and ours.

dt-validate exits with 0 when validation fails, so any output is a failure. The
processed schemas are kept: they take half a minute.
"""

import fcntl
import functools
import hashlib
import os
import pathlib
import re
import subprocess

from tools import CACHE, TOP, Wrong, dt_apply, linux_source

BINDINGS = 'Documentation/devicetree/bindings'


def schemas():
    """Return the processed schemas of the kernel and ours, made when they changed."""
    ours = sorted((TOP / 'dts/bindings').rglob('*.yaml'))
    key = hashlib.sha256(b''.join(path.read_bytes() for path in ours)).hexdigest()[:12]
    kept = CACHE / 'dt' / f'{linux_source().name}-{key}.json'
    with open(CACHE / 'dt-schema.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            kernel = [path for path in (linux_source() / BINDINGS).rglob('*.yaml')]
            subprocess.run(['dt-mk-schema', '-j', '-o', f'{kept}.new', *ours, *kernel],
                           capture_output=True, check=True)
            os.rename(f'{kept}.new', kept)
    return kept


def validate(blobs):
    """Return what the schemas have to say, as (tree, text)."""
    if not blobs:
        return []
    done = subprocess.run(['dt-validate', '-m', '-s', schemas(), *map(str, blobs)],
                          capture_output=True, text=True, check=False)
    found = []
    for line in (done.stdout + done.stderr).splitlines():
        match = re.match(r'(/\S+\.dtb)(?:: (.*))?', line)
        if match:
            found.append((pathlib.Path(match[1]), match[2] or ''))
        elif found and line.startswith('\t'):
            found[-1] = found[-1][0], f'{found[-1][1]}\n{line}'
        else:
            found.append((None, line))
    found = [(tree, text) for tree, text in found if not known_board(text)]
    if done.returncode and not found:
        found.append((None, f'dt-validate failed with status {done.returncode}'))
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
