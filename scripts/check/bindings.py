# SPDX-License-Identifier: GPL-2.0-only
"""Check device tree schemas and the examples in them.

The tools exit with 0 when validation fails, so any output is a failure.
"""

import os
import re
import tempfile

from common import SetupError, complaints, linux, tool

KERNEL = 'Documentation/devicetree/bindings'
# These say what any node may have; nothing refers to them.
COMMON = ('nvmem/nvmem-consumer.yaml',)


def describing(paths, blobs):
    """Return the kernel's schemas for other devices in the examples."""
    used = set()
    for blob in blobs:
        with open(f'{blob[:-len(".dtb")]}.dts', encoding='utf-8') as stream:
            for line in re.findall(r'compatible\s*=([^;]+);', stream.read()):
                used.update(re.findall(r'"([^"]+)"', line))
    for path in paths:
        with open(path, encoding='utf-8') as stream:
            text = stream.read().split('\nexamples:')[0]
        used = {name for name in used if name not in text}
    if not used:
        return []
    names = '|'.join(re.escape(name) for name in sorted(used))
    _, out, _ = tool(['grep', '-rlE', '--include=*.yaml',
                      rf'^\s*(- )*(const: |enum: )?({names})$',
                      linux(KERNEL)])
    return out.splitlines()


def references(paths):
    """Return the kernel's schemas that schemas refer to, with theirs."""
    top = os.path.realpath(linux(KERNEL))
    todo = [os.path.realpath(path) for path in paths]
    seen = set(todo)
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
        return [f'{path}: {line}' for line in err.splitlines()], None
    with open(f'{name}.dts', 'w', encoding='utf-8') as stream:
        stream.write(out)
    found = complaints(['cpp', '-nostdinc', '-undef', '-x',
                        'assembler-with-cpp', '-I', linux('include'),
                        '-o', f'{name}.pre', f'{name}.dts'])
    # The node that dt-extract-example puts around it has cells to spare.
    found = found or complaints(['dtc', '-@', '-I', 'dts', '-O', 'dtb',
                                 '-Wno-avoid_unnecessary_addr_size',
                                 '-o', f'{name}.dtb', f'{name}.pre'])
    return found, f'{name}.dtb'


def validate(paths, folder):
    """Return what the schemas have to say about their own examples."""
    found = []
    blobs = []
    for path in paths:
        lines, blob = example(path, folder)
        found += lines
        blobs += [blob] if blob and not lines else []
    kernel = references([*paths, *describing(paths, blobs),
                         *(linux(f'{KERNEL}/{name}') for name in COMMON)])
    schema = os.path.join(folder, 'schema.json')
    found += complaints(['dt-mk-schema', '-j', '-o', schema, *paths,
                         *sorted(kernel)])
    if not os.path.isfile(schema):
        raise SetupError('\n'.join(found) or 'dt-mk-schema wrote nothing')
    return found + complaints(['dt-validate', '-m', '-s', schema, *blobs])


def bindings(tree):
    """the schemas are valid and their examples agree with them"""
    paths = tree.match('dts/bindings/*.yaml')
    found = complaints(['dt-doc-validate', '-n', '-u', linux(KERNEL),
                        *paths])
    with tempfile.TemporaryDirectory() as folder:
        found += validate(paths, folder)
    # Say which schema it was, not where its example was unpacked.
    names = {os.path.basename(path)[:-len('.yaml')]: path for path in paths}
    unpacked = re.compile(re.escape(folder) + r'/([^:\s]+)\.(?:dts|dtb)\b')
    return [unpacked.sub(lambda match: names[match[1]] + ': example', line)
            .replace(os.getcwd() + '/', '') for line in found]
