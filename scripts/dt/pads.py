# SPDX-License-Identifier: GPL-2.0-only
"""Pads of a SoC that two devices of a tree ask for.

The kernel gives a pad to the first that asks for it, and the other one's probe fails
(pin_request() in drivers/pinctrl/pinmux.c). Which cells of a group name pads is what the
binding of its pin controller says, in Documentation/devicetree/bindings/pinctrl.
"""

import re
import struct
from collections import namedtuple

from tools import Wrong

# Property of a group, cells of an entry, those of them that are the pad, how these are written, the
# cell that is the function, and what the driver's number of a pad is in those cells
Form = namedtuple('Form', 'controller property cells pad text function cells_of',
                  defaults=['{:#x}', None, None])
FORMS = (
    Form(r'fsl,imx8q|fsl,imx8dx', 'fsl,pins', 3, (0,)),
    Form(r'fsl,vf610-iomuxc', 'fsl,pins', 2, (0,)),
    Form(r'fsl,imx', 'fsl,pins', 6, (0,), function=3, cells_of=lambda pin: (4 * pin,)),
    Form(r'brcm,bcm2\d+-gpio', 'brcm,pins', 1, (0,), 'gpio{}'),      # as in the text of pins
    Form(r'rockchip,', 'rockchip,pins', 4, (0, 1), function=2, cells_of=lambda pin: divmod(pin, 32)),
    Form(r'pinctrl-single|pinconf-single|ti,am', 'pinctrl-single,pins', 0, (0,), function=-1,
         cells_of=lambda pin: (4 * pin,)),
)
NAMES = ('pins', 'nvidia,pins', 'allwinner,pins')       # these are text
STATES = tuple(f'pinctrl-{state}' for state in range(8))
ABOUT = {'status', *STATES, *NAMES, *(form.property for form in FORMS)}
WANTED = {*ABOUT, 'phandle', 'compatible', '#pinctrl-cells', 'gpio-controller', '#gpio-cells',
          'gpio-hog', 'gpio-ranges', 'vin-supply', 'brcm,function', 'function'}
# The structure of a compiled tree (Devicetree Specification 5.4): what a word begins
BEGIN, END, PROPERTY, NOTHING = 1, 2, 3, 4


class Node:
    """A node of a tree, with those of its properties that count here."""

    def __init__(self, name, parent):
        self.name, self.parent = name, parent
        self.properties, self.children = {}, []

    def path(self):
        """Return its path."""
        return f'{self.parent.path() if self.parent.parent else ""}/{self.name}' \
            if self.parent else '/'

    def strings(self, name):
        """Return a list of strings."""
        return [text.decode(errors='replace')
                for text in self.properties.get(name, b'').split(b'\0') if text]

    def words(self, name):
        """Return a list of integers."""
        value = self.properties.get(name, b'')
        return struct.unpack(f'>{len(value) // 4}I', value[:len(value) & ~3])


def is_gpio(name):
    """Return whether a property names GPIOs."""
    return name.rpartition('-')[2] in ('gpio', 'gpios')


def read(data):
    """Return the nodes of a compiled tree, each before those in it.

    There are hundreds of trees to read, and libfdt would look for each property anew.
    """
    at, names = struct.unpack_from('>II', data, 8)
    found, known, node, more = [], {}, None, True
    while more:
        what, at = int.from_bytes(data[at:at + 4], 'big'), at + 4
        if what == PROPERTY:
            size, name = struct.unpack_from('>II', data, at)
            if name not in known:
                text = data[names + name:data.index(b'\0', names + name)].decode()
                known[name] = text if text in WANTED or is_gpio(text) else ''
            if known[name]:
                node.properties[known[name]] = data[at + 8:at + 8 + size]
            at += 8 + (size + 3 & ~3)
        elif what == BEGIN:
            end = data.index(b'\0', at)
            above, node = node, Node(data[at:end].decode(), node)
            if above:
                above.children.append(node)
            at = end + 4 & ~3
            found.append(node)
        elif what == END:
            node = node.parent
        more = what in (BEGIN, PROPERTY, NOTHING) or what == END and node
    return found


def tree(blob):
    """Return the nodes of a file."""
    try:
        nodes = read(blob.read_bytes())
        if not nodes:
            raise ValueError('no node')
        return nodes
    except (AttributeError, IndexError, KeyError, ValueError, struct.error) as error:
        raise Wrong(f'{blob.name}: not a device tree ({error!r})') from None


def phandles(nodes):
    """Return {phandle: node}."""
    return {node.words('phandle')[0]: node for node in nodes if node.words('phandle')}


def enabled(node):
    """Give the nodes that become devices: those that are okay, as are all above them."""
    if all(text in ('okay', 'ok') for text in node.strings('status')):
        yield node
        for child in node.children:
            yield from enabled(child)


def within(one, other):
    """Return whether one of two nodes is the other, or is in it."""
    return any(f'{a.path()}/'.startswith(f'{b.path()}/') for a, b in ((one, other), (other, one)))


def controller(group):
    """Return the pin controller of a group, and what it is compatible with."""
    node = group
    while node.parent:
        names = node.strings('compatible')
        if names:
            return node, ' '.join(names)
        node = node.parent
    return node, ''


def entries(node, group):
    """Give the pads that a node of a group names, and the function of each as a number, if it is one."""
    owner, names = controller(group)
    for form in FORMS:
        words = node.words(form.property)
        if words and re.search(form.controller, names):
            size = form.cells or (owner.words('#pinctrl-cells') or (1,))[0] + 1
            for at in range(0, len(words) - size + 1, size):
                entry = words[at:at + size]
                yield (owner, ' '.join(form.text.format(entry[i]) for i in form.pad),
                       None if form.function is None else entry[form.function])
            return
    for name in NAMES:
        words = node.strings(name)
        for word in words if all(re.fullmatch(r'[\w.,-]+', word) for word in words) else ():
            yield owner, word, None


def numbered(owner, pin):
    """Return the pad of a controller that its driver has under a number; nothing where that is
    not known."""
    for form in FORMS:
        if re.search(form.controller, ' '.join(owner.strings('compatible'))):
            return form.cells_of and ' '.join(map(form.text.format, form.cells_of(pin)))
    return None


def groups(node, by_phandle):
    """Give the groups of pads that a device asks for, in any of its states, as (state, phandle,
    group); the last is nothing where there is none."""
    for state in STATES:
        for phandle in node.words(state):
            yield state, phandle, by_phandle.get(phandle)


def misled(blob):
    """Return a line for each device of a compiled tree that asks for pads where none can be."""
    nodes, found = tree(blob), []
    by_phandle = phandles(nodes)
    for node in enabled(nodes[0]):
        for state, phandle, group in groups(node, by_phandle):
            if not group:
                found.append(f'{node.path()}: {state}: no node has the phandle {phandle}')
            elif group.strings('compatible'):
                found.append(f'{node.path()}: {state} leads to {group.path()}, no pin group')
    return found


def pads(node, by_phandle):
    """Give the pads that a device asks for, in any of its states, with the group that has each and
    the function that it is given; where it is misled it asks for none."""
    for _, _, group in groups(node, by_phandle):
        for part in (group, *group.children) if group else ():
            for owner, pad, function in entries(part, group):
                yield owner, pad, group, function


def names(blob):
    """Return whether an overlay names pads or GPIOs, what asks for them, or enables something."""
    return any(name in ABOUT or is_gpio(name)
               for node in read(blob.read_bytes()) for name in node.properties)


def twice(blob):
    """Return a line for each pad of a compiled tree that two devices ask for."""
    users, found, nodes = {}, [], tree(blob)
    by_phandle = phandles(nodes)
    for node in enabled(nodes[0]):
        for owner, pad, group, _ in pads(node, by_phandle):
            first, other = users.setdefault((owner, pad), (node, group))
            line = first is not node and (
                f'pad {pad} of {owner.path()}: {node.path()} ({group.name}) and {first.path()} '
                f'({other.name}) ask for it, only one gets it')
            if line and line not in found:
                found.append(line)
    return found
