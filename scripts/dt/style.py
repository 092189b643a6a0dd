# SPDX-License-Identifier: GPL-2.0-only
"""Order and form of device tree sources.

The rules are those of the kernel's Documentation/devicetree/bindings/dts-coding-style.rst.
"""

import re

NODE = re.compile(r'^(?:(?P<labels>(?:[\w]+:\s*)+))?(?P<name>[\w,.+@&/{}()-]+)\s*\{$')
PROPERTY = re.compile(r'^(?P<name>[#\w,.+?-]+)\s*(?:=|;)')
FIRST = ('compatible', 'reg', 'ranges')
# Prefixes that say who defined a property, but not that a vendor did.
COMMON_PREFIXES = ('linux', 'mmc', 'snps', 'spi')


class Node:
    """An open node: what has been seen in it."""

    def __init__(self, name):
        self.name = name
        self.rank = (0, '')
        self.children = []
        self.status = False


def rank(name):
    """Return where a property belongs, and the word for that place."""
    if name in ('model', 'device_type'):
        return 0, name              # as the kernel's trees have these two
    if name in FIRST:
        return FIRST.index(name), name
    if name == 'status':
        return 9, 'status'
    if ',' in name and name.lstrip('#').split(',')[0] not in COMMON_PREFIXES:
        return 5, 'properties of vendors'
    return 4, 'common properties'


def key(name):
    """Return what siblings are sorted by: unit address, or else name."""
    match = re.fullmatch(r'([\w,.+-]+)@([0-9a-f]+)(,[0-9a-f]+)?', name)
    if match:
        return 'unit address', (int(match[2], 16), match[3] or '')
    parts = re.split(r'(\d+)', name)
    return 'name', tuple(int(part) if part.isdigit() else part for part in parts)


def sibling(node, name):
    """Return a complaint about the order of children, if there is one."""
    if re.search(r'[(){}/]|^_', name):
        return None
    by, value = key(name)
    before = [old for old in node.children if old[0] == by]
    node.children.append((by, value, name))
    if before and before[-1][1] > value:
        return f'{name} belongs before {before[-1][2]} (sorted by {by})'
    return None


def clean(lines):
    """Give number and text of lines, without comments, strings and directives."""
    comment = continued = False
    for number, line in enumerate(lines, 1):
        if continued or line.startswith('#') and not line.startswith('#address'):
            continued = line.endswith('\\')
            continue
        line = re.sub(r'"[^"]*"', '""', line)
        line = re.sub(r'/\*.*?\*/|//.*', '', line)
        if comment:
            comment = '*/' not in line
            line = line.partition('*/')[2] if not comment else ''
            if comment:
                continue
        if '/*' in line:
            comment = True
            line = line.partition('/*')[0]
            if not line.strip():
                continue
        yield number, line.rstrip()


def blanks(lines):
    """Give number and complaint of lines with blanks or empty lines too many."""
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, 'blanks at the end of the line'
        if number > 1 and not line.strip() and not lines[number - 2].strip():
            yield number, 'one empty line is enough'


def style(path):
    """Return what is not as the kernel has it, as "file:line: text"."""
    found, stack = [], [Node('')]
    text = path.read_text(encoding='utf-8')
    found += [f'{path}:{number}: {what}' for number, what in blanks(text.splitlines())]
    previous, continuing = '', False

    def say(number, what):
        found.append(f'{path}:{number}: {what}')

    for number, line in clean(text.splitlines()):
        word = line.strip()
        depth = len(stack) - 1
        if re.search(r'\b0x[0-9a-fA-F]*[A-F]|@[0-9a-f]*[A-F]', word):
            say(number, 'hexadecimal numbers are in lower case')
        if re.search(r'@0+[0-9a-f]', word):
            say(number, 'a unit address has no leading zeros')
        if word and not continuing and word not in ('};',) and \
                len(line) - len(line.lstrip('\t')) != depth:
            say(number, f'indent with {depth} tab{"s" if depth != 1 else ""}')
        node = NODE.match(word)
        prop = None if node else PROPERTY.match(word)
        if node and not continuing:
            if re.search('[A-Z]', node['labels'] or ''):
                say(number, f'{node["labels"].strip()} labels are in lower case')
            open_node(stack, node['name'], previous, lambda what, n=number: say(n, what))
        elif word.startswith('}'):
            if len(stack) > 1:
                stack.pop()
        elif prop and not continuing:
            if '=' in prop[0] and not re.match(r'[^\s=]+ =( \S|$)', word):
                say(number, f'a blank before and one after the = of {prop["name"]}')
            order(stack[-1], prop['name'], lambda what, n=number: say(n, what))
        if word:
            continuing = not re.search(r'[;{]$|^[\w]+\(.*\)$|^/dts-v1/;|^/include/ ', word)
        previous = word
    return found


def open_node(stack, name, previous, say):
    """Look at the head of a node."""
    wrong = sibling(stack[-1], name)
    if wrong:
        say(wrong)
    if previous and not previous.endswith('{'):
        say(f'an empty line belongs before node {name}')
    if re.search(r'_', re.sub(r'\(.*\)|^&.*|^__\w+__$', '', name)) and name.islower():
        say(f'{name}: names of nodes have dashes, not underscores')
    stack[-1].rank = max(stack[-1].rank, (10, 'child nodes'))
    stack.append(Node(name))


def order(node, name, say):
    """Look at the place of a property."""
    mine = rank(name)
    if mine[0] < node.rank[0]:
        say(f'{name} belongs before {node.rank[1]}')
    else:
        node.rank = mine
