#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap and trees that nobody compiles, but somebody may write: refused by their cause."""

import io
import os
import pathlib
import struct
import sys
import tempfile

from bench import Device, Tap, Tree, program, run, shipped, swap
from check import BOARD, MMC, device

# Seconds of the CPU; with sanitizers, whose realloc() always copies, it takes 30 times as many.
LIMIT = 100 if 'DTB_SWAP_PROGRAM' in os.environ else 10
# Versions of the format, and the bytes of their headers.
VERSIONS = ((2, 32), (3, 36), (15, 36), (16, 36))
BEGIN, END, PROP, STOP = (struct.pack('>I', token) for token in (1, 2, 3, 9))


def old_tree(version, head):
    """A tree as it was before 2005: below its root is a node without a slash in its name."""
    strings, value = b'compatible\0', b'abcd,ef\0'
    start, at = b'/\0\0\0' if version < 16 else bytes(4), head + -head % 8 + 16
    body = BEGIN + start + PROP + struct.pack('>II', len(value), 0)
    body += bytes(-(at + len(body)) % 8 if version < 16 else 0) + value
    body += BEGIN + b'noslash\0' + END + END + STOP
    header = struct.pack('>9I', 0xd00dfeed, at + len(body) + len(strings), at, at + len(body),
                         at - 16, version, min(version, 16), 0, len(strings))[:head]
    return header + bytes(at - len(header)) + body + strings


def versions(tap, folder, good):
    """Before version 16 libfdt has no name for some nodes, and 16 does not tell its sizes."""
    made = Device(folder / 'root', good)
    overlay = folder / 'x.dtbo'
    run('dtc', '-q', '-@', '-o', overlay, '-', input='/dts-v1/; /plugin/; &{/} { x; };')
    for version, head in VERSIONS:
        old = folder / 'old.dtb'
        old.write_bytes(old_tree(version, head))
        for words in (('check', '--structure', old), ('check', old, '--root', made.root),
                      ('diff', good, old), ('diff', old, '--root', made.root),
                      ('merge', old, overlay, '-o', folder / 'out.dtb'),
                      ('merge', good, old, '-o', folder / 'out.dtb')):
            done = swap(*words)
            tap.result(done.returncode == 3 and f'has version {version} of the format' in
                       done.stdout and 'mend: compile it with a dtc of' in done.stdout,
                       f'{words[0]} of a tree of version {version}', done.stdout)


# What /aliases says, and whether it is refused.
ALIASES = (('serial1', True), ('serial1/x', True), ('serial0', True), ('uart', False),
           ('serial', False), ('', False), ('/nowhere', False))


def aliases(tap, folder, good):
    """libfdt before 1.7 looks for an alias that is an alias, and for that one, and so on."""
    made, path = Device(folder / 'root', good), folder / 'alias.dtb'
    for value, refused in ALIASES:
        Tree(good).text('/aliases', 'serial1', value).write(path)
        words = f'alias serial1 is no path, it is "{value}"'
        for args in (('check', '--structure', path), ('check', path, '--root', made.root),
                     ('diff', good, path)):
            done = swap(*args)
            tap.result(done.returncode == (3 if refused else 0) and (words in done.stdout) == refused
                       and ('mend: write the whole path' in done.stdout) == refused,
                       f'{args[0]} where serial1 is "{value}"', done.stdout)
        run('dtc', '-q', '-@', '-o', folder / 'x.dtbo', '-', input='/dts-v1/; /plugin/; '
            f'&{{/aliases}} {{ serial1 = "{value}"; }};')
        done = swap('merge', good, folder / 'x.dtbo', '-o', folder / 'out.dtb')
        tap.result(done.returncode == (6 if refused else 0) and (words in done.stdout) == refused,
                   f'merge where serial1 becomes "{value}"', done.stdout)
    tree = Tree(good)
    for number in range(100):
        tree.text('/aliases', f'serial{number}', 'uart')
    done = swap('check', '--structure', tree.write(path))
    tap.result(done.returncode == 3 and 'is no path' in done.stdout, 'a hundred that are no paths',
               done.stdout)


# What is behind the last colon of a place in /__fixups__, and what is said.
PLACES = (*((number, 6, 'a place of "i2c1" that is none: "/fragment@0/__overlay__:x:') for number in (
    '-4', '4294967292', '4294967295', '2147483647', '+0', ' 0', '')),
          ('1', 6, 'FDT_ERR_NOSPACE'), ('0', 0, ''), ('000', 0, ''))


def places(tap, folder, good):
    """libfdt adds 4 to such a number before it looks where that leads."""
    overlay = folder / 'x.dtbo'
    for number, status, words in PLACES:
        run('dtc', '-q', '-o', overlay, '-', input='/dts-v1/; / { fragment@0 { target-path = "/"; '
            '__overlay__ { x = <0xffffffff>; }; }; '
            f'__fixups__ {{ i2c1 = "/fragment@0/__overlay__:x:0", "/fragment@0/__overlay__:x:{number}"; }}; }};')
        done = swap('merge', good, overlay, '-o', folder / 'out.dtb')
        tap.result(done.returncode == status and words in done.stdout,
                   f'a place of a phandle is "{number}"', f'{done.returncode}\n{done.stdout}')


def overlay_of(count, names, path):
    """Write an overlay of so many fragments, and of labels for the first ones.

    By hand: dtc and libfdt look for each name among all before it.
    """
    strings = io.BytesIO()

    def prop(name, value):
        at = strings.tell()
        strings.write(name.encode() + b'\0')
        return PROP + struct.pack('>II', len(value), at) + value + bytes(-len(value) % 4)

    def node(name, *contents):
        return BEGIN + name.encode() + bytes(4 - len(name) % 4) + b''.join(contents) + END

    body = node('', *(node(f'f{i}', prop('target', bytes(4)), node('__overlay__', prop(f'x{i}', b'')))
                      for i in range(count)),
                node('__fixups__', *(prop(name, f'/f{i}:target:0\0'.encode())
                                     for i, name in enumerate(names)))) + STOP
    size = len(body) + len(strings.getvalue())
    path.write_bytes(struct.pack('>10I', 0xd00dfeed, 56 + size, 56, 56 + len(body), 40, 17, 16, 0,
                                 strings.tell(), len(body)) + bytes(16) + body + strings.getvalue())


# How many fragments and which labels an overlay has, and what is said.
BROAD = (
    ('a label of 2 MB', 1, lambda labels: ['q' * 2000000], 6, 'no label "qqq'),
    ('1000 fragments', 1000, lambda labels: labels[:1000], 0, ''),
    ('one more', 1001, lambda labels: labels[:1001], 6, 'it has 1001 fragments, more than 1000'),
    ('20000 labels that are not there', 900, lambda labels: [f'n{i}' for i in range(20000)], 6, 'no label "n0"'),
)


def broad(tap, folder, good):
    """An overlay, too, takes seconds of the CPU."""
    tree, base, overlay = Tree(good), folder / 'base.dtb', folder / 'x.dtbo'
    labels = [f'label{i}' for i in range(1100)]
    for label in labels:
        tree.text('/__symbols__', label, '/soc@0')
    if not tree.fdt.get_phandle(tree.node('/soc@0')):
        tree.cell('/soc@0', 'phandle', 0x7001)
    tree.write(base)
    for name, count, names, status, words in BROAD:
        overlay_of(count, names(labels), overlay)
        done = run('sh', '-c', f'ulimit -t {LIMIT}; exec "$@"', 'sh', *program(), 'merge', base, overlay,
                   '-o', folder / 'out.dtb')
        tap.result(done.returncode == status and words in done.stdout, f'an overlay with {name}, in {LIMIT} s',
                   f'status {done.returncode}\n{done.stdout[:800]}')


PROPS = (b'compatible', b'reg', b'phandle', b'#clock-cells')


class Grown:
    """A tree to which thousands of nodes are added, which dtc does not take."""

    def __init__(self, good, path, props):
        tree = Tree(good)
        tree.fdt.resize(3 << 20)
        for where, name, value in props:
            tree.fdt.setprop(tree.node(where), name, value)
        data = tree.write(path).read_bytes()
        self.head = list(struct.unpack('>10I', data[:40]))
        self.front = data[40:self.head[2]]
        self.body = data[self.head[2]:self.head[2] + self.head[9]]
        self.strings = data[self.head[3]:self.head[3] + self.head[8]]
        self.at = [(b'\0' + self.strings).index(b'\0' + name + b'\0') for name in PROPS]

    def node(self, name, *values):
        """A node whose properties are the first of PROPS."""
        text = BEGIN + name.encode() + bytes(4 - len(name) % 4)
        for at, value in zip(self.at, values):
            if value is not None:
                text += PROP + struct.pack('>II', len(value), at) + value + bytes(-len(value) % 4)
        return text + END

    def many(self, count, compatible, phandle=None, reg=None):
        """Nodes with an address each."""
        return b''.join(self.node(
            f'n{i}@{i:x}', compatible and compatible.replace('#', str(i)).encode() + b'\0',
            struct.pack('>4I', 0, i if reg is None else reg, 0, 1),
            phandle and struct.pack('>I', phandle + i), phandle and bytes(4)) for i in range(count))

    def write(self, path, nodes):
        """The tree with nodes at the end of its root."""
        body, head = self.body[:-8] + nodes + self.body[-8:], self.head
        head[3], head[9] = head[2] + len(body), len(body)
        head[1] = head[3] + head[8]
        path.write_bytes(struct.pack('>10I', *head) + self.front + body + self.strings)


def cells(*values):
    """A property of cells."""
    return struct.pack(f'>{len(values)}I', *values)


FIRST = 0x10000     # of phandles
# What is set, what is added to the root, what is said of it, and how often.
LARGE = (
    ('5000 nodes', (), lambda t: t.many(5000, 'acme,x#'), 'drives acme,x', 5000),
    ('20000 nodes', (), lambda t: t.many(20000, 'acme,x#'), 'drives acme,x', 20000),
    ('20000 nodes at one address', (), lambda t: t.many(20000, 'acme,x', reg=7),
     'drives acme,x', 20000),
    ('9000 nodes that a module drives', (), lambda t: t.many(9000, 'acme,chip#'), 'drives', 0),
    ('names that nearly are in modules.alias', (), lambda t: t.node('n', b'acme,chip\0') + t.node(
        'm', b'acme,chip7\0acme,none\0') + t.node('o', b'cme,chip7\0'), 'drives', 2),
    ('9000 nodes with one driver', (), lambda t: t.many(9000, 'nxp,pcf8563'),
     'refused: nxp,pcf8563 (/n0@0) needs', 1),
    ('200 KB of names in a compatible', (), lambda t: t.node('n', b'x\0' * 100000),
     'drives x (/n)', 1),
    ('15000 clocks of the disk', ((MMC, 'clocks', cells(*range(FIRST, FIRST + 15000))),),
     lambda t: t.many(15000, 'acme,x', FIRST), 'refused', 0),
    ('20000 that are no devices', ((MMC, 'clocks', cells(*range(FIRST, FIRST + 20000))),),
     lambda t: t.many(20000, None, FIRST), 'needs, is no device', 20000),
    ('100000 references to nothing', ((MMC, 'vmmc-supply', cells(*range(FIRST, FIRST + 100000))),),
     lambda t: b'', 'refers to a node that is not there', 1),
    ('7000 numbers of the disk', [('/aliases', f'mmc{i}', f'/n{i}@{i:x}\0'.encode())
                                  for i in range(13000, 20000)],
     lambda t: t.many(20000, None), 'refused', 0),
)


def large(tap, folder, good):
    """Somebody else waits for the lock, and for the device: it takes seconds of the CPU."""
    made, path = device(folder / 'root', good), folder / 'large.dtb'
    made.modules(dep='kernel/rtc-ds1307.ko:\n', builtin='', alias=''.join(
        f'alias of:N*T*Cacme,chip{i} chip\nalias of:N*T*Cacme,chip{i}C* chip\n'
        for i in range(9000)))
    for name, props, nodes, words, count in LARGE:
        tree = Grown(good, path, props)
        tree.write(path, nodes(tree))
        done = run('sh', '-c', f'ulimit -t {LIMIT}; exec "$@"', 'sh', *program(), 'check', path,
                   '--root', made.root)
        tap.result(done.returncode in (0, 5, 8) and done.stdout.count(words) == count,
                   f'{name}, in {LIMIT} s',
                   f'status {done.returncode}, {done.stdout.count(words)}\n{done.stdout[:800]}')


# How many entries of /memreserve/ a tree has, the exit status, what is said.
ENTRIES = ((1024, 0, 'fits'), (1025, 3, 'has 1025 entries of /memreserve/, more than 1024'),
           (60000, 3, 'has 60000 entries of /memreserve/, more than 1024'))


def entries(tap, folder, good):
    """Each is looked for among those of the running tree."""
    made, path = device(folder / 'root', good), folder / 'large.dtb'
    for count, status, words in ENTRIES:
        tree = Grown(good, path, ())
        tree.front = b''.join(struct.pack('>QQ', 0x40000000 + 16 * i, 8) for i in range(count)) + bytes(16)
        tree.head[2], tree.head[4] = 40 + len(tree.front), 40
        tree.write(path, b'')
        done = run('sh', '-c', f'ulimit -t {LIMIT}; exec "$@"', 'sh', *program(), 'check', path,
                   '--root', made.root)
        tap.result(done.returncode == status and words in done.stdout,
                   f'{count} entries of /memreserve/, in {LIMIT} s', f'status {done.returncode}\n{done.stdout[:800]}')


# What /chosen has in the running tree and in the new one, and whether that is refused.
LEFT = (
    ('linux,usable-memory-range', None, cells(0, 0x40000000, 0, 0x1000000), True),
    ('linux,usable-memory-range', cells(1), cells(2), True),
    ('linux,usable-memory-range', cells(2), cells(2), False),
    ('linux,initrd-start', None, cells(0x48000000), True),
    ('linux,initrd-end', None, cells(0, 0x48000000), True),
    ('linux,initrd-start', cells(0), cells(0x48000000), True),
    ('linux,initrd-start', cells(0x50000000), cells(0x48000000), False),
    ('linux,initrd-start', None, cells(0), False),
    ('linux,elfcorehdr', None, cells(0, 0x48000000, 0, 0x1000), True),
    ('kaslr-seed', None, cells(1, 2), False),
)


def chosen(tap, folder, good):
    """A tree that was saved from the running system has what was true of one start."""
    for name, was, value, refused in LEFT:
        running, new = Tree(good), Tree(good)
        if was:
            running.fdt.setprop(running.node('/chosen'), name, was)
        new.fdt.setprop(new.node('/chosen'), name, value)
        made = device(folder / 'root', running.write(folder / 'running.dtb'))
        done = swap('check', '--root', made.root, new.write(folder / 'new.dtb'))
        tap.result(done.returncode == (3 if refused else 0) and
                   (f'/chosen has {name}, which is of' in done.stdout) == refused and
                   ('mend: take' in done.stdout) == refused,
                   f'{name} is {value.hex()}, was {was and was.hex()}', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    good = shipped(*BOARD)
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        versions(tap, folder, good)
        aliases(tap, folder, good)
        places(tap, folder, good)
        broad(tap, folder, good)
        large(tap, folder, good)
        entries(tap, folder, good)
        chosen(tap, folder, good)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
