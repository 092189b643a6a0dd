# SPDX-License-Identifier: GPL-2.0-only
"""Rules of the house for C and Kconfig that no tool knows."""

import ast
import re

from common import bare, blank, functions

LONGEST_FUNCTION = 100
USUAL_FUNCTION = 50
LONGEST_FILE = 500


def number(text, place):
    """Return the line number of a place in a text."""
    return text.count('\n', 0, place) + 1


def returns_value(function):
    """Tell whether a function returns something."""
    before = function.head.split(function.name)[0]
    return not re.search(r'\bvoid\s*(__\w+\s*)*$', before)


def documented(tree):
    """every function that is not static has kernel-doc with Return:"""
    found = []
    for path in tree.match('drivers/*.c'):
        text = tree.text(path)
        lines = text.splitlines(keepends=True)
        for func in functions(text):
            if re.search(r'\bstatic\b', func.head):
                continue
            above = ''.join(lines[:func.line - 1]).rstrip()
            start = above.rfind('/*')
            doc = above[start:] if above.endswith('*/') else ''
            title = rf'/\*\*\s+\*\s+{func.name}\(\)\s+- \S'
            if not re.match(title, doc):
                found.append(f'{path}:{func.line}: {func.name}() has no '
                             'kernel-doc: write one or make it static')
            elif returns_value(func) and not re.search(
                    r'\*\s+Returns?:', doc):
                found.append(f'{path}:{func.line}: {func.name}() returns a '
                             'value: say which after "Return:"')
    return found


IN_CODE = re.compile(r'LINUX_VERSION_(?:CODE|MAJOR|PATCHLEVEL|SUBLEVEL)|KERNEL_VERSION\s*\(|'
                     r'linux/version\.h')
IN_MAKE = re.compile(r'\$[({](?:VERSION|PATCHLEVEL|SUBLEVEL|KERNELVERSION)[)}]|' + IN_CODE.pattern)


def version_tests(tree):
    """only drivers/compat knows about kernel versions"""
    found = []
    for path in tree.match('*.c', '*.h', '*Kbuild', '*Kbuild.*', '*Makefile'):
        if path.startswith('drivers/compat/'):
            continue
        text = tree.text(path)
        if path.endswith(('.c', '.h')):
            text = re.sub(r'/\*.*?\*/', lambda m: blank(m[0]), text, flags=re.S)
            hits = IN_CODE.finditer(text)
        else:       # a VERSION that a makefile sets is its own
            hits = [hit for hit in IN_MAKE.finditer(text)
                    if not re.search(rf'^{hit[0][2:-1]}\s*[:?]?=', text, re.M)]
        found += [f'{path}:{number(text, match.start())}: {match[0]}: '
                  'probe for the feature in drivers/compat' for match in hits]
    return found


def module_tags(tree):
    """modules say who, what, under which licence, and which devices"""
    found = []
    for path in tree.match('drivers/*.c'):
        text = tree.text(path)
        code = bare(text)
        licences = re.findall(r'\bMODULE_LICENSE\((.*?)\)', text)
        if licences and licences != ['"GPL"']:
            found.append(f'{path}: MODULE_LICENSE({licences[0]}): '
                         'write MODULE_LICENSE("GPL") once')
        tags = []
        if re.search(r'^(module_init|module_\w+_driver|module_led_trigger|'
                     r'builtin_\w+|kunit_test_suites?)\(', code, re.M):
            tags += ['AUTHOR', 'DESCRIPTION', 'LICENSE']
        found += [f'{path}: MODULE_{tag}() is missing' for tag in tags
                  if f'MODULE_{tag}(' not in code]
        for table in re.findall(r'struct of_device_id (\w+)\[', code):
            if not re.search(rf'MODULE_DEVICE_TABLE\(of,\s*{table}\)', code):
                found.append(f'{path}: {table}: MODULE_DEVICE_TABLE(of, '
                             f'{table}) is missing')
        for param in re.findall(r'^module_param\w*\(\s*(\w+)', code, re.M):
            if not re.search(rf'MODULE_PARM_DESC\(\s*{param}\b', code):
                found.append(f'{path}: MODULE_PARM_DESC({param}) is missing')
    return found


def kconfig_help(tree):
    """every option has three lines of help and is off by default"""
    found = []
    for path in tree.match('drivers/*Kconfig'):
        text = tree.text(path)
        for entry in re.finditer(r'^(?:menu)?config (\w+)\n'
                                 r'((?:[ \t]+.*\n|\n)*)', text, re.M):
            where = f'{path}:{number(text, entry.start())}: {entry[1]}'
            body, _, words = entry[2].partition('\thelp\n')
            lines = [line for line in words.splitlines() if line.strip()]
            if re.search(r'^\s+(bool|tristate|int|string|prompt)\s+"', body,
                         re.M) and len(lines) < 3:
                found.append(f'{where}: {len(lines)} lines of help, write 3')
            if re.search(r'^\s+default [ym]\b', body, re.M):
                found.append(f'{where}: an option is off by default')
    return found


def lengths(path, text):
    """Return line, name and length of the functions of a file."""
    if path.endswith('.c'):
        return [(func.line, func.name, func.last - func.line + 1)
                for func in functions(text)]
    try:
        nodes = ast.walk(ast.parse(text))
    except SyntaxError as error:
        return [(error.lineno, error.msg, LONGEST_FUNCTION + 1)]
    return [(node.lineno, node.name, node.end_lineno - node.lineno + 1)
            for node in nodes if isinstance(node, ast.FunctionDef)]


def limits(tree):
    """functions and files stay short enough to be read"""
    found = []
    for suffix in ('.c', '.py'):
        sizes = []
        for path in tree.some('*'):
            text = tree.text(path)
            if not path.endswith(suffix) and not (
                    suffix == '.py' and re.match(r'#!.*python', text)):
                continue
            if 'generated by' in text[:800].lower():
                continue
            count = text.count('\n')
            if count > LONGEST_FILE:
                found.append(f'{path}:1: {count} lines, split it '
                             f'(limit {LONGEST_FILE})')
            for line, name, size in lengths(path, text):
                sizes.append((size, path, line, name))
        found += long_functions(sizes)
    return found


def long_functions(sizes):
    """Report what is too long, and when too many are rather long."""
    found = [f'{path}:{line}: {name}() has {size} lines, split it '
             f'(limit {LONGEST_FUNCTION})'
             for size, path, line, name in sizes if size > LONGEST_FUNCTION]
    rather = sorted(entry for entry in sizes if entry[0] >= USUAL_FUNCTION)
    if len(sizes) >= 10 and len(rather) * 10 > len(sizes):
        found += [f'{path}:{line}: {name}() has {size} lines, and more than '
                  f'10% have {USUAL_FUNCTION}'
                  for size, path, line, name in rather]
    return found
