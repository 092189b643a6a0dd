# SPDX-License-Identifier: GPL-2.0-only
"""Pads of a SoC that two devices of a tree ask for.

The kernel gives a pad to the first that asks for it, and the other one's probe fails
(pin_request() in drivers/pinctrl/pinmux.c). Which cells of a group name pads is what the
binding of its pin controller says, in Documentation/devicetree/bindings/pinctrl.
"""

import re
from collections import namedtuple

import libfdt

QUIET = (libfdt.NOTFOUND,)

# Property of a group, cells of an entry, those of them that are the pad
Form = namedtuple('Form', 'controller property cells pad')
FORMS = (
    Form(r'fsl,imx8q|fsl,imx8dx', 'fsl,pins', 3, (0,)),
    Form(r'fsl,vf610-iomuxc', 'fsl,pins', 2, (0,)),
    Form(r'fsl,imx', 'fsl,pins', 6, (0,)),
    Form(r'brcm,bcm2\d+-gpio', 'brcm,pins', 1, (0,)),
    Form(r'rockchip,', 'rockchip,pins', 4, (0, 1)),
    Form(r'pinctrl-single|pinconf-single|ti,am', 'pinctrl-single,pins', 0, (0,)),
)
NAMES = ('pins', 'nvidia,pins', 'allwinner,pins')       # these are text


def prop(tree, node, name):
    """Return a property, or None."""
    found = tree.getprop(node, name, QUIET)
    return None if isinstance(found, int) else found


def children(tree, node):
    """Give the nodes of a node."""
    child = tree.first_subnode(node, QUIET)
    while child >= 0:
        yield child
        child = tree.next_subnode(child, QUIET)


def enabled(tree, node=0):
    """Give the nodes that become devices: those that are okay, as are all above them."""
    status = prop(tree, node, 'status')
    if status and status.as_str() not in ('okay', 'ok'):
        return
    yield node
    for child in children(tree, node):
        yield from enabled(tree, child)


def controller(tree, group):
    """Return the pin controller of a group, and what it is compatible with."""
    node = group
    while node > 0:
        names = prop(tree, node, 'compatible')
        if names:
            return node, ' '.join(names.as_stringlist())
        node = tree.parent_offset(node)
    return None, ''


def entries(tree, node, group):
    """Give the pads that a node of a group names."""
    owner, names = controller(tree, group)
    for form in FORMS:
        value = prop(tree, node, form.property)
        if value and re.search(form.controller, names):
            words = value.as_uint32_list()
            size = form.cells or prop(tree, owner, '#pinctrl-cells').as_uint32() + 1
            for at in range(0, len(words) - size + 1, size):
                yield owner, ' '.join(f'{words[at + i]:#x}' for i in form.pad)
            return
    for name in NAMES:
        value = prop(tree, node, name)
        text = value.rstrip(b'\0').split(b'\0') if value else ()
        for word in text if all(re.fullmatch(rb'[\w.,-]+', word) for word in text) else ():
            yield owner, word.decode()


def pads(tree, node):
    """Give the pads that a device asks for, in any of its states, and the group that has each."""
    for state in range(8):
        groups = prop(tree, node, f'pinctrl-{state}')
        if groups is None:
            return
        for phandle in groups.as_uint32_list():
            group = tree.node_offset_by_phandle(phandle)
            for part in (group, *children(tree, group)):
                for owner, pad in entries(tree, part, group):
                    yield owner, pad, tree.get_name(group)


def twice(blob):
    """Return a line for each pad of a compiled tree that two devices ask for."""
    tree = libfdt.Fdt(blob.read_bytes())
    users, found = {}, []
    for node in enabled(tree):
        for owner, pad, group in pads(tree, node):
            first = users.setdefault((owner, pad), (node, group))
            line = (f'pad {pad} of {tree.get_path(owner)}: {tree.get_path(node)} ({group}) and '
                    f'{tree.get_path(first[0])} ({first[1]}) ask for it, only one gets it')
            if first[0] != node and line not in found:
                found.append(line)
    return found
