# SPDX-License-Identifier: GPL-2.0-only
"""Checks device tree schemas and the examples in them.

The tools exit with 0 when validation fails, so any output is a failure.
"""

import os
import re
import tempfile

from common import SetupError, complaints, linux, tool

KERNEL = 'Documentation/devicetree/bindings'


def references(path):
    """Return the kernel's schemas that a schema refers to, with theirs."""
    top = os.path.realpath(linux(KERNEL))
    seen = set()
    todo = [os.path.realpath(path)]
    while todo:
        name = todo.pop()
        with open(name, encoding='utf-8') as stream:
            refs = re.findall(r'\$ref:\s*["\']?([^#"\'\s]+)', stream.read())
        for ref in refs:
            if ref.startswith('/schemas/'):
                target = os.path.join(top, ref[len('/schemas/'):])
            else:
                target = os.path.join(os.path.dirname(name), ref)
            target = os.path.realpath(target)
            # What is not in the kernel is in dt-schema itself.
            if os.path.isfile(target) and target not in seen:
                seen.add(target)
                todo.append(target)
    return {name for name in seen if name.startswith(top)}


def example(path, folder):
    """Compile the examples of a schema; return complaints and the DTB."""
    name = os.path.join(folder, os.path.basename(path)[:-len('.yaml')])
    status, out, err = tool(['dt-extract-example', path])
    if status or err:
        return [f'{path}: {err.strip()}'], None
    with open(f'{name}.dts', 'w', encoding='utf-8') as stream:
        stream.write(out)
    found = complaints(['cpp', '-nostdinc', '-undef', '-x',
                        'assembler-with-cpp', '-I', linux('include'),
                        '-o', f'{name}.pre', f'{name}.dts'])
    found = found or complaints(['dtc', '-@', '-I', 'dts', '-O', 'dtb',
                                 '-o', f'{name}.dtb', f'{name}.pre'])
    return [f'{path}: example: {line}' for line in found], f'{name}.dtb'


def validate(paths, folder):
    """Return what the schemas have to say about their own examples."""
    found = []
    blobs = []
    refs = set()
    for path in paths:
        lines, blob = example(path, folder)
        found += lines
        blobs += [blob] if blob and not lines else []
        refs |= references(path)
    schema = os.path.join(folder, 'schema.json')
    found += complaints(['dt-mk-schema', '-j', '-o', schema, *paths,
                         *sorted(refs)])
    if not os.path.isfile(schema):
        raise SetupError('\n'.join(found) or 'dt-mk-schema wrote nothing')
    return found + complaints(['dt-validate', '-m', '-s', schema, *blobs])


def bindings(tree):
    """the schemas are valid and their examples agree with them"""
    paths = tree.match('dts/bindings/*.yaml')
    found = complaints(['dt-doc-validate', '-n', '-u', 'dts/bindings',
                        *paths])
    with tempfile.TemporaryDirectory() as folder:
        return found + validate(paths, folder)
