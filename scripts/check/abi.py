# SPDX-License-Identifier: GPL-2.0-only
"""Check that drivers/ABI and the drivers name the same sysfs files."""

import re

from common import bare, words_file

MONTHS = ('January|February|March|April|May|June|July|August|September|'
          'October|November|December')
FIELDS = {
    'What': r'/\S+',
    'Date': rf'({MONTHS}) \d{{4}}',
    'KernelVersion': r'\S.*',
    'Contact': r'\S.*',
    'Description': r'\S.*',
    'Users': r'\S.*',
}
ATTRIBUTE = re.compile(
    r'\b(?:(?:DEVICE|DRIVER|BUS|CLASS|BIN)_ATTR(?:_ADMIN)?(?:_RO|_RW|_WO)?|'
    r'DEVICE_(?:BOOL|INT|ULONG|STRING)_ATTR(?:_RO)?|'
    r'__(?:BIN_)?ATTR(?:_RO|_RW|_WO)?(?:_MODE)?)\(\s*(\w+)')
PARAMETER = re.compile(r'\bmodule_param\w*\(\s*(\w+)')


def entries(tree, path):
    """Return the entries of a file: lists of field, line and text."""
    found = []
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        field = re.match(r'(\w+):\s*(.*)', line)
        if field:
            # What: may be said again before the other fields follow.
            if field[1] == 'What' and not (
                    found and all(f[0] == 'What' for f in found[-1])):
                found.append([])
            if not found:
                found.append([])
            found[-1].append([field[1], number, field[2]])
        elif line[:1] in ('\t', ' ') and found and line.strip():
            field = found[-1][-1]
            field[2] = f'{field[2]} {line.strip()}'.strip()
        elif line.strip() and not line.startswith('#'):
            found.append([['', number, line]])
    return found


def broken(path, entry):
    """Return what is wrong with one entry."""
    found = []
    for name, number, text in entry:
        where = f'{path}:{number}'
        if name not in FIELDS:
            found.append(f'{where}: "{name or text}" is no field of an ABI '
                         'file')
        elif not re.fullmatch(FIELDS[name], text):
            found.append(f'{where}: "{name}: {text}" is malformed')
    names = [field[0] for field in entry]
    for name in FIELDS:
        if name != 'Users' and name not in names:
            found.append(f'{path}:{entry[0][1]}: {name} is missing')
        elif name != 'What' and names.count(name) > 1:
            found.append(f'{path}:{entry[0][1]}: {name} is there twice')
    return found


def attributes(tree, pattern):
    """Return the names in the drivers, with the place of each."""
    found = {}
    for path in tree.some('drivers/*.c'):
        code = re.sub(r'^[ \t]*#(?:[^\n\\]|\\.)*',
                      lambda m: re.sub(r'[^\n]', ' ', m[0]),
                      bare(tree.text(path)), flags=re.M | re.S)
        for match in pattern.finditer(code):
            line = code.count('\n', 0, match.start()) + 1
            found.setdefault(match[1], f'{path}:{line}')
    return found


def abi(tree):
    """every sysfs file is documented, and every entry has its file"""
    found = []
    places = {}
    for path in tree.match('drivers/ABI/*', 'drivers/*.c'):
        if not path.startswith('drivers/ABI/'):
            continue
        for entry in entries(tree, path):
            found += broken(path, entry)
            for name, number, text in entry:
                if name == 'What' and text in places:
                    found.append(f'{path}:{number}: {text} is also in '
                                 f'{places[text]}')
                elif name == 'What':
                    places[text] = f'{path}:{number}'
    files = attributes(tree, ATTRIBUTE)
    known = {*files, *attributes(tree, PARAMETER), *words_file('abi.known')}
    documented = {what.rsplit('/', 1)[1]: where
                  for what, where in places.items()}
    found += [f'{where}: attribute {name} has no What: in drivers/ABI'
              for name, where in files.items() if name not in documented]
    found += [f'{where}: no driver has an attribute {name}'
              for name, where in documented.items()
              if name and name not in known]
    return found
