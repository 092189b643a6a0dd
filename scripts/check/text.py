# SPDX-License-Identifier: GPL-2.0-only
"""Rules of the house for every text."""

import fnmatch
import re

CODE = 'GPL-2.0-only'
TREES = '(GPL-2.0-only OR BSD-2-Clause)'

# Which files may say nothing: the licence, data without comments.
EXEMPT = ('COPYING', '*.json', '*.svg', '*.txt', '*.patch', '*.log')
SLASHES = ('*.c', '*.dts', '*.dtsi', '*.dtso', '*.cocci', '*.js')
STARS = ('*.h', '*.S', '*.css')


def any_of(path, patterns):
    """Tell whether a path matches one of the patterns."""
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def licences(path):
    """Return the licences that a file may have."""
    if any_of(path, ('dts/*', 'overlays/*')):
        return [TREES]
    if any_of(path, ('*.dts', '*.dtsi', '*.dtso', '*.dt.yaml')):
        return [TREES, CODE]
    return [CODE]


def spdx_line(path, licence):
    """Return the line that a file has to start with."""
    tag = f'SPDX-License-Identifier: {licence}'
    if any_of(path, SLASHES):
        return f'// {tag}'
    if any_of(path, STARS):
        return f'/* {tag} */'
    if path.endswith('.md'):
        return f'<!-- {tag} -->'
    if path.endswith('.8'):
        return f'.\\" {tag}'
    return f'# {tag}'


def spdx(tree):
    """every file starts with the identifier of its licence"""
    found = []
    for path in tree.match('*'):
        lines = tree.text(path).splitlines()[:2]
        if not lines or any_of(path, EXEMPT):
            continue
        # A table may start with the line of its column names.
        if path.endswith('.tsv') and not lines[0].startswith('#'):
            continue
        place = 1 if lines[0].startswith('#!') else 0
        good = [spdx_line(path, licence) for licence in licences(path)]
        if lines[place:place + 1] != good[:1] and not (
                lines[place:] and lines[place] in good):
            found.append(f'{path}:{place + 1}: this line must be "{good[0]}"')
    return found


def machine_paths(tree):
    """no file knows the machine that it was written on"""
    pattern = re.compile(
        r'(?<![\w.}*-])/(?:work|root|home/(?!root\b)\w+)/[\w.]+|'
        r'\b(?:deb|security|archive|ports|snapshot|ftp|mirror|registry|pypi|'
        r'files|proxy|static)\.[\w-]+\.(?:org|com|net|io)\b')
    found = []
    for path in tree.match('*'):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            found += [f'{path}:{number}: "{match[0]}" belongs to one machine: '
                      'take it from the environment'
                      for match in pattern.finditer(line)]
    return found


def whitespace(tree):
    """lines end where their text ends, and in C by column 100"""
    found = []
    for path in tree.match('*'):
        text = tree.text(path)
        if path == 'COPYING' or path.endswith('.patch'):
            continue
        blanks = ' \r\f' if path.endswith('.tsv') else ' \t\r\f'
        for number, line in enumerate(text.split('\n'), 1):
            where = f'{path}:{number}'
            if line != line.rstrip(blanks):
                found.append(f'{where}: white space at the end of the line')
            if (path.endswith(('.c', '.h')) and
                    len(line.expandtabs()) > 100):
                found.append(f'{where}: the line goes past column 100')
        if text and not text.endswith('\n'):
            found.append(f'{path}: the last line has no newline')
        if text.endswith('\n\n'):
            found.append(f'{path}: the last line is empty')
    return found
