# SPDX-License-Identifier: GPL-2.0-only
"""What a source names that is not there: on which line, and what there is of that name.

cpp and dtc say less: where a macro is not defined, "syntax error".
"""

import re
import subprocess

import overlays
from tools import TOP, USED, cpp, near, sources

INCLUDED = 'scripts/dtc/include-prefixes'      # of a kernel's source
# What cpp says where there is no such file, and dtc where a tree lacks what a source names, in
# braces or by a label.
FILE = re.compile(r'fatal error: (\S+): No such file')
LABEL = re.compile(r'Label or path (\S+) not found|non-existent node or label "([^"]+)"')
SYNTAX = re.compile(r'^Error: (.*:\d+)\.\S+ syntax error', re.M)
MACRO = re.compile(r'\b[A-Z][A-Z0-9]*(?:_[A-Z0-9_]+)?\b')
LINE = re.compile(r'# (\d+) "([^"]+)"')        # cpp's: where the next line is from


def plain(path):
    """Return the text of a source without comments, with as many lines."""
    return re.sub(r'/\*.*?\*/|//[^\n]*', lambda match: '\n' * match[0].count('\n'),
                  path.read_text(encoding='utf-8'), flags=re.S)


def where(path, name):
    """Return where a source has a label, or gives it to a macro, as "file:line: "."""
    lines = list(enumerate(plain(path).splitlines(), 1))
    for form in (rf'&{re.escape(name)}(?!\w)', rf'(?<!\w){re.escape(name)}(?!\w)'):
        for number, text in lines:
            if re.search(form, text):
                return f'{path}:{number}: '
    return ''


def missing(path, kernel, said):
    """Return what cpp and dtc did not find in the source of a tree, or in what it includes."""
    file, label, syntax = (form.search(said) for form in (FILE, LABEL, SYNTAX))
    if file:
        return [no_file(path, kernel, file[1])]
    name = label and (label[1] or label[2])
    if path.suffix == '.dtso' and not begun(path, kernel):
        return [f'{path}: an overlay begins with /dts-v1/; and /plugin/;']
    if name and not MACRO.fullmatch(name):
        return [no_label(path, kernel, name)]
    return no_macro(path, kernel, lambda macro, place: macro == name or
                    syntax and place == syntax[1]) if name or syntax else []


def begun(path, kernel):
    """Return whether an overlay has its header, be it of a file that it includes; where cpp fails
    it is not known, and what that says is the reason."""
    try:
        return '/plugin/' in overlays.preprocess(path, kernel=kernel)
    except overlays.Wrong:
        return True


def no_file(path, kernel, name):
    """Return which kernel's source has a file, or what there is beside it."""
    having = [one for one in USED if (sources(one) / INCLUDED / name).is_file()]
    if having:
        return f'{where(path, name)}the source of {kernel} has no {name}, that of ' \
            f'{" and ".join(having)} has it: say KERNELS={having[0]}'
    tops = (path.parent,) if name.startswith('..') else \
        (path.parent, sources(kernel) / INCLUDED, TOP / 'dts')
    there = {file.name for top in tops for file in (top / name).parent.glob('*.*')
             if file.suffix in ('.dtsi', '.dts', '.h') and file != path}
    nearest = near((path.parent / name).name, there) if there else ''
    return f'{where(path, name)}no file {name}{nearest}'


def labels(text):
    """Return the labels of a preprocessed source."""
    return set(re.findall(r'^\s*(?:/\S+/\s+)?(\w+):\s', text, re.M))


def no_label(path, kernel, name):
    """Return where a label is named that is not there, and the nearest."""
    known = labels(overlays.preprocess(path, kernel=kernel))
    nearest = near(name, known) if '/' not in name else ''
    return f'{where(path, name)}no label or path "{name}" in this tree{nearest}'


def no_macro(path, kernel, meant):
    """Return what is left that looks like a macro, where it is meant by (name, "file:line")."""
    text = overlays.preprocess(path, kernel=kernel)
    known, found, file, number = labels(text), {}, '', 0
    for line in text.splitlines():
        mark = LINE.match(line)
        if mark:
            file, number = mark[2], int(mark[1])
            continue
        for name in MACRO.findall(re.sub(r'"[^"]*"', '', line)):
            if name not in known and meant(name, f'{file}:{number}'):
                found.setdefault(name, f'{file}:{number}')
        number += 1
    given = defined(path, kernel) if found else ()
    return [f'{place}: {name} is not defined{near(name, given)}' for name, place in found.items()]


def defined(path, kernel):
    """Return the macros that a source has defined at its end."""
    done = subprocess.run([*cpp(sources(kernel), path.parent, TOP / 'dts', TOP / 'overlays'),
                           '-dM', path], capture_output=True, text=True, check=False)
    return re.findall(r'^#define (\w+)', done.stdout, re.M)
