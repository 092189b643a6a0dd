# SPDX-License-Identifier: GPL-2.0-only
"""Checks that other people's tools make."""

import fnmatch
import hashlib
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor

from common import (SetupError, complaints, linux, tool, words_file)


def halves(paths):
    """Deal files out to two runs of a slow tool."""
    return [part for part in (paths[::2], paths[1::2]) if part]


def both(function, parts):
    """Do the parts side by side and join what they return."""
    with ThreadPoolExecutor(len(parts)) as pool:
        return [line for lines in pool.map(function, parts)
                for line in lines]


def checkpatch(tree):
    """checkpatch --strict has nothing to say"""
    paths = tree.match('*.c', '*.h', '*.dts', '*.dtsi', '*.dtso',
                       'dts/bindings/*.yaml')
    command = [linux('scripts/checkpatch.pl'), '--strict', '--no-tree',
               '--terse', '--show-types', '--no-summary', '--color=never']
    top = os.path.join(os.getcwd(), '')

    def said(part):
        status, out, err = tool([*command, '-f', *(top + path for path in part)], cwd=work)
        lines = out.replace(top, '').splitlines()
        # 1 is that it has found something, which is in the lines.
        ended = [] if status == bool(lines) else [f'checkpatch.pl failed with status {status}: {err[-200:]}']
        return lines + ended

    with tempfile.TemporaryDirectory() as work:     # it leaves a file where it runs
        found = both(said, halves(paths))
    ignored = [line.split() for line in words_file('checkpatch.ignore')]
    return [line for line in found if not any(
        f':{kind}: ' in line and fnmatch.fnmatch(line.split(':')[0], where)
        for kind, where in ignored)]


def kernel_doc(tree):
    """kernel-doc understands every comment that is meant for it"""
    return complaints([linux('scripts/kernel-doc'), '-none', '-Wall',
                       '-Werror', *tree.match('drivers/*.c', 'drivers/*.h')])


def spatch(rule, paths):
    """Run one of the kernel's semantic patches in report mode."""
    path = linux('scripts/coccinelle', f'{rule}.cocci')
    with open(path, encoding='utf-8') as stream:
        options = re.findall(r'^// Options:(.*)', stream.read(), re.M)
    command = ['spatch', '-D', 'report', '--very-quiet', '--no-show-diff',
               '--cocci-file', path, *' '.join(options).split(), *paths]
    status, out, err = tool(command)
    if 'Py.find_library' in err:
        raise SetupError('spatch finds no libpython3: install libpython3-dev')
    if status:
        raise SetupError(f'{rule}: {err.strip()[:200]}')
    return [f'{line} [{rule}]' for line in out.splitlines()]


def clean_marks(tree, paths, rules):
    """Return for each file the name of the mark that it was clean.

    The semantic patches are run without includes, so that the verdict
    hangs on spatch, the patches and that one file.
    """
    base = hashlib.sha256(tool(['spatch', '--version'])[1].encode())
    for rule in rules:
        with open(linux('scripts/coccinelle', f'{rule}.cocci'), 'rb') as patch:
            base.update(patch.read())
    folder = os.path.join(os.environ.get('BOARDPACK_CACHE', ''), 'coccinelle')
    marks = {}
    for path in paths:
        key = base.copy()
        key.update(tree.text(path).encode())
        marks[path] = os.path.join(folder, key.hexdigest())
    return marks


def coccinelle(tree):
    """the kernel's semantic patches for drivers find nothing"""
    paths = tree.match('drivers/*.c')
    rules = words_file('coccinelle.rules')
    cached = 'BOARDPACK_CACHE' in os.environ
    marks = clean_marks(tree, paths, rules)
    if cached:
        paths = [path for path in paths if not os.path.exists(marks[path])]
    if not paths:
        return []
    found = both(lambda rule: spatch(rule, paths), rules)
    for path in paths if cached else ():
        if not any(path in line for line in found):
            os.makedirs(os.path.dirname(marks[path]), exist_ok=True)
            with open(marks[path], 'w', encoding='utf-8'):
                pass
    return found


def shellcheck(tree):
    """shellcheck finds every script good POSIX shell"""
    command = ['shellcheck', '-s', 'sh', '-x', '-f', 'gcc']
    return both(lambda part: complaints([*command, *part]),
                halves(tree.shells()))


def shell_syntax(tree):
    """sh and busybox sh can read every script"""
    found = []
    for path in tree.shells():
        for shell in (['sh'], ['busybox', 'sh']):
            found += complaints([*shell, '-n', path])
    return found


def yamllint(tree):
    """yamllint --strict has nothing to say"""
    return complaints(['yamllint', '--strict', '-f', 'parsable',
                       *tree.match('*.yaml', '*.yml', '.yamllint')])


def spelling(tree):
    """codespell knows no better, with its own list or the kernel's"""
    paths = [path for path in tree.match('*')
             if path != 'COPYING' and not path.endswith('.tsv')]
    with open(linux('scripts/spelling.txt'), encoding='utf-8') as stream:
        typos = [line.strip().replace('||', '->', 1) for line in stream
                 if '||' in line]
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as kernel:
        kernel.write('\n'.join(typos) + '\n')
        kernel.flush()
        command = ['codespell', '-D', '-', '-D', kernel.name]
        ignored = words_file('codespell.ignore')
        if ignored:
            command += ['-L', ','.join(ignored)]
        return complaints([*command, *paths])
