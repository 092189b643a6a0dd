# SPDX-License-Identifier: GPL-2.0-only
"""overlays/README, the database of overlays, against the sources."""

import re

import libfdt

import given
import overlays
import params

FIELDS = ('Name', 'Info', 'Load', 'Params', 'Bases', 'Pins', 'Uses', 'Config', 'Modules')


def entries(text):
    """Return the entries as {name: {field: text}}, and what is malformed."""
    found, wrong, current, field = {}, [], None, None
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'([A-Z]\w+):(?: +(.*))?$', line)
        if '\t' in line:
            wrong.append(f'{number}: a tab; the database has spaces')
        if match and match[1] == 'Name':
            current, field = {'Name': match[2] or ''}, 'Name'
            if current['Name'] in found:
                wrong.append(f'{number}: {current["Name"]} is there twice')
            found[current['Name']] = current
        elif match and current is not None:
            field = match[1]
            if field not in FIELDS:
                wrong.append(f'{number}: no field "{field}:", there are {", ".join(FIELDS)}')
            current[field] = match[2] or ''
        elif not line:
            current = None
        elif current is not None and line.startswith(' ' * 8):
            current[field] += '\n' + line[8:]
        elif current is not None:
            wrong.append(f'{number}: text of {field} begins in column 8')
    return found, wrong


def strings(tree, name):
    """Return a list of strings from metadata."""
    node = tree.path_offset('/metadata')
    return tree.getprop(node, name).as_stringlist()


def pins(source):
    """Return the buses, GPIOs and labels that a source uses, by the names that a user gives."""
    names = [f'-D{mine}={word}' for word, mine in given.NAMES.items()]
    found = re.search(r'^\s*pins = (.*);', overlays.preprocess(source, names), re.M)
    return ' '.join(re.findall('"([^"]*)"', found[1])) if found else ''


def used(tree):
    """Return what is wrong with the metadata about what an overlay uses."""
    node = tree.path_offset('/__fixups__', quiet=params.QUIET)
    wanted = set(params.properties(tree, node))
    known = params.properties(tree, tree.path_offset('/metadata')).get('pins', b'')
    told = {text.split()[0].decode() for text in known.split(b'\0') if text}
    return [f'pins: it uses {label}, which is not told' for label in sorted(wanted - told)] + \
        [f'pins: it does not use {label}' for label in sorted(told - wanted) if label[0] != '{']


def documented(entry):
    """Return the parameters that an entry describes."""
    return re.findall(r'^([a-z][\w,-]*) {2,}\S', entry.get('Params', ''), re.M)


def compare(source, entry, tree, dashed):
    """Return the differences between a source and its entry."""
    wrong = []
    wanted = {'Bases': ' '.join(overlays.served(source)),
              'Pins': pins(source),
              'Uses': ' '.join(strings(tree, 'exclusive')),
              'Config': ' '.join(strings(tree, 'config')),
              'Modules': ' '.join(strings(tree, 'modules'))}
    for field, value in wanted.items():
        if ' '.join(entry.get(field, '').split()) != value:
            wrong.append(f'{field}: has to be "{value}" as in {source.name}')
    if not entry.get('Info', '').startswith(strings(tree, 'title')[0]):
        wrong.append(f'Info: has to begin with "{strings(tree, "title")[0]}"')
    if not re.match(rf'dtoverlay={entry["Name"]}(,<param>=<val>)?$', entry.get('Load', '')):
        wrong.append(f'Load: has to be "dtoverlay={entry["Name"]}"')
    for name in dashed:
        if name not in documented(entry):
            wrong.append(f'Params: {name} is not described')
    if dashed:
        wrong += [f'Params: {source.name} has no parameter {name}'
                  for name in documented(entry) if name not in dashed]
    return wrong


def readme(path, trees):
    """Return what is wrong; trees is {source: compiled overlay, with parameters if any}."""
    found, wrong = entries(path.read_text(encoding='utf-8'))
    wrong = [f'{path}:{line}' for line in wrong]
    for source, blob in trees.items():
        entry = found.pop(source.stem, None)
        if not entry:
            wrong.append(f'{path}: {source.name} has no entry "Name:   {source.stem}"')
            continue
        tree = libfdt.Fdt(blob.read_bytes())
        try:
            wrong += [f'{path}: {source.stem}: {line}' for line in
                      compare(source, entry, tree, list(params.params(tree)))]
            wrong += [f'{source.name}: {line}' for line in [*params.wrong(tree), *used(tree)]]
        except libfdt.FdtException:
            wrong.append(f'{source}: metadata needs title, exclusive, config and modules')
    return wrong + [f'{path}: {name}: there is no {name}.dtso' for name in found]
