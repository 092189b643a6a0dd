# SPDX-License-Identifier: GPL-2.0-only
"""Parameters of overlays that config.txt can set: the node __overrides__.

Its form is Raspberry Pi's: a parameter is a list of phandle and text, and the text says
what of that node is set: "reg:0" an integer at a byte, "wakeup-source?" a flag.
"""

import re
import struct

import libfdt

FORM = re.compile(r'(?P<name>[\w,#.-]+)(?::(?P<at>\d+)|(?P<flag>\?))')
QUIET = (libfdt.NOTFOUND,)


def properties(tree, node):
    """Return the properties of a node as {name: bytes}."""
    found = {}
    prop = tree.first_property_offset(node, quiet=QUIET) if node >= 0 else -1
    while prop >= 0:
        one = tree.get_property_by_offset(prop)
        found[one.name] = bytes(one)
        prop = tree.next_property_offset(prop, quiet=QUIET)
    return found


def params(tree):
    """Return {parameter: [(phandle, text), ...]} of a compiled overlay."""
    node = tree.path_offset('/__overrides__', quiet=QUIET)
    found = {}
    for name, value in properties(tree, node).items():
        if name == 'phandle':
            continue
        found[name] = []
        while value:
            text = value[4:].split(b'\0', 1)[0]
            found[name].append((struct.unpack('>I', value[:4])[0], text.decode()))
            value = value[5 + len(text):]
    return found


def wrong(tree):
    """Return what is wrong with the parameters of an overlay."""
    return [f'parameter {name}: {said}' for name, targets in params(tree).items()
            for said in (fault(tree, *target) for target in targets) if said]


def fault(tree, phandle, text):
    """Return why a parameter would set nothing, or something else."""
    match = FORM.fullmatch(text)
    if not match:
        return f'"{text}" is not "property:byte" or "property?"'
    node = tree.node_offset_by_phandle(phandle, quiet=QUIET)
    if node < 0:
        return f'"{text}" is for a node that the overlay does not have'
    value = properties(tree, node).get(match['name'])
    if match['flag']:
        return '' if not value else f'{match["name"]} is no flag'
    if value is None:
        return f'{tree.get_name(node)} has no {match["name"]}'
    end = int(match['at']) + 4
    return '' if end <= len(value) else \
        f'{match["name"]} of {tree.get_name(node)} ends at byte {len(value)}, not {end}'


def put(tree, name, number):
    """Set an integer as the firmware does; tree is to be written to."""
    for phandle, text in params(tree)[name]:
        match = FORM.fullmatch(text)
        node = tree.node_offset_by_phandle(phandle)
        value = bytearray(properties(tree, node)[match['name']])
        value[int(match['at']):int(match['at']) + 4] = struct.pack('>I', number)
        tree.setprop(node, match['name'], bytes(value))
