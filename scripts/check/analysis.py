# SPDX-License-Identifier: GPL-2.0-only
"""Compilers that follow the paths through dtb-swap, file by file."""

import hashlib
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor

from common import linux, tool

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '.clang-tidy')
LIBRARY = 'scripts/dtb-swap'


def flags(work):
    """Return how the programs are compiled; the table of boards has one row."""
    with open(os.path.join(work, 'boards.h'), 'w', encoding='ascii') as boards:
        boards.write('{ "a", "b", "c", "d" },\n')
    return ['-std=gnu11', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-Wall', '-Wextra',
            '-Wno-sign-compare', f'-I{LIBRARY}', f'-I{linux("scripts/dtc/libfdt")}', f'-I{work}']


def marks(tree, command, paths):
    """Return for each file the name of the mark that it was clean; all headers count."""
    key = hashlib.sha256(' '.join(command[:2]).encode())
    key.update(tool([command[0], '--version'])[1].encode())
    with open(CONFIG, 'rb') as config:
        key.update(config.read())
    for path in tree.some(f'{LIBRARY}/*.h'):
        key.update(tree.text(path).encode())
    folder = os.path.join(os.environ.get('BOARDPACK_CACHE', ''), 'analysis')
    found = {}
    for path in paths:
        own = key.copy()
        own.update(f'{path}\0{tree.text(path)}'.encode())
        found[path] = os.path.join(folder, own.hexdigest())
    return found


def warnings(command, path):
    """Return what a tool says of a file; a failure is never silent."""
    status, out, err = tool(command)
    lines = [line for line in (out + err).splitlines() if re.search('(warning|error): ', line)]
    return lines or ([f'{path}: {command[0]}: {err.strip()[-300:]}'] if status else [])


def each(tree, command, arguments):
    """Run a tool on each file that was not clean before; return its warnings."""
    paths = tree.match(f'{LIBRARY}/*.c')
    clean = marks(tree, command, paths)
    cached = 'BOARDPACK_CACHE' in os.environ
    paths = [path for path in paths if not (cached and os.path.exists(clean[path]))]
    if not paths:
        return []
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(len(paths)) as pool:
        options = flags(work)
        found = list(pool.map(
            lambda path: warnings([*command, *arguments(path, options)], path), paths))
    for path, lines in zip(paths, found):
        if cached and not lines:
            os.makedirs(os.path.dirname(clean[path]), exist_ok=True)
            with open(clean[path], 'w', encoding='ascii'):
                pass
    return sum(found, [])


def analyzer(tree):
    """gcc -fanalyzer finds no path to a defect"""
    return each(tree, ['gcc', '-fanalyzer', '-O2', '-c', '-o', '/dev/null'],
                lambda path, options: [*options, path])


def clang_tidy(tree):
    """clang-tidy with the checks of .clang-tidy finds nothing"""
    return each(tree, ['clang-tidy', '--quiet', f'--config-file={CONFIG}'],
                lambda path, options: [path, '--', *options])
