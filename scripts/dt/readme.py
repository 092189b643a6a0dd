# SPDX-License-Identifier: GPL-2.0-only
"""overlays/README, the database of overlays, against the sources."""

import re

import libfdt

import given
import overlays
import params

QUIET = (libfdt.NOTFOUND,)
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


def addresses(tree, node):
    """Return the addresses that a fragment puts devices at."""
    found, child = [], tree.first_subnode(tree.first_subnode(node), QUIET)
    while child >= 0:
        reg = params.properties(tree, child).get('reg')
        found += [int.from_bytes(reg[:4], 'big')] if reg else []
        child = tree.next_subnode(child, QUIET)
    return found


def reference(tree, label, place):
    """Return what a reference to a label is about: addresses on a bus, a GPIO, or the label."""
    path, name, at = place.rsplit(':', 2)
    node = tree.path_offset(path)
    if name == 'target':
        return [f'{label} {address:#x}' for address in addresses(tree, node)] or [label]
    if re.search('gpios?$', name):
        words = tree.getprop(node, name).as_uint32_list()
        return [' '.join([label, *map(str, words[int(at) // 4 + 1:-1])])]     # behind: flags
    return [label]


def uses(tree):
    """Return what a compiled overlay uses of a board, as metadata has it."""
    found, node = set(), tree.path_offset('/__fixups__', QUIET)
    for label, places in params.properties(tree, node).items():
        for place in places.rstrip(b'\0').split(b'\0'):
            found.update(reference(tree, label, place.decode()))
    node = tree.first_subnode(0, QUIET)
    while node >= 0:
        path = params.properties(tree, node).get('target-path', b'/\0')[:-1].decode()
        found.update(f'{{{path}}} {address:#x}'
                     for address in (addresses(tree, node) if path != '/' else ()))
        node = tree.next_subnode(node, QUIET)
    return found


def used(tree):
    """Return what is wrong with the metadata about what an overlay uses."""
    wanted = uses(tree)
    known = params.properties(tree, tree.path_offset('/metadata')).get('pins', b'')
    told = {text.decode() for text in known.split(b'\0') if text}
    return [f'pins: it uses "{text}", which is not told' for text in sorted(wanted - told)] + \
        [f'pins: it does not use "{text}"' for text in sorted(told - wanted)]


def all_used(built):
    """Return the same of all overlays; built is {family: [compiled overlay, ...]}."""
    return [f'{family}/{path.stem}: {line}' for family, paths in built.items() for path in paths
            for line in used(libfdt.Fdt(path.read_bytes()))]


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
            wrong += [f'{source.name}: {line}' for line in params.wrong(tree)]
        except libfdt.FdtException:
            wrong.append(f'{source}: metadata needs title, exclusive, config and modules')
    return wrong + [f'{path}: {name}: there is no {name}.dtso' for name in found]
