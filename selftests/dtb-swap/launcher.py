#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Of an overlay for several of NVIDIA's modules dtb-swap sees what their launcher takes."""

import sys

from bench import Tree, perform, run, shipped, swap
from install import DEVICES, device, new_tree

MMC = 'bus@0/mmc@3460000'
# As the firmware writes them: numbers of module and carrier.
IDS = b'3701-0000-500\0 3737-0000-EB1\0 \n'


def fragment(condition, body, target='target-path = "/"'):
    """A fragment as NVIDIA's overlays have them."""
    return f'{target}; board_config {{ {condition} }}; __overlay__ {{ {body} }};'


def disk(condition):
    """One that turns the disk off."""
    return fragment(condition, f'{MMC.replace("/", " { ")} {{ status = "disabled"; }}; }};')


def port(condition):
    """One that brings the network."""
    return fragment(condition, 'network { compatible = "acme,net"; };')


OURS = fragment('ids = "3701-0000-*";', 'mine { };')
LOST = fragment('ids = "3701-0008-*";', 'x;', 'target = <&nowhere>')
OFF, NET, LACK = 'which is disabled in the new tree', 'installed', 'which the new tree does not have'
# Fragments, which of them the running tree has got, whether the network comes of them; the exit
# status, what is said.
FRAGMENTS = (
    ('one turns the disk off', (OURS, disk('ids = "3701-0008-*";')), (OURS,), 0, 'dynamic.dtbo 1 fragments are'),
    ('all have no conditions', (OURS, disk('')), (OURS,), 5, OFF),
    ('one has no target', (LOST, OURS), (OURS,), 0, 'dynamic.dtbo 1 fragments are'),
    ('one has no target, and no conditions', (fragment('', 'x;', 'target = <&nowhere>'), OURS), (OURS,), 6,
     'and cannot: no label "nowhere"'),
    ('some have labels', (
        fragment('ids = "1";', 'a: one { x = <&a>; y = <&nowhere &bpmp>; };', 'target = <&bpmp>'),
        fragment('sw-modules = "Kernel";', 'b: two { x = <&b>; y = <&bpmp>; };', 'target = <&bpmp>'), LOST), (),
     0, 'dynamic.dtbo 2 fragments are'),
    ('all are', (LOST, disk('ids = "x"; sw-modules = "kernel";')), (), 0, 'dynamic.dtbo 2 fragments are'),
    *((f'the disk is off for {ids}', (disk(f'ids = {ids};'),), (), status, OFF if status else 'installed')
      for ids, status in (
          ('"3701-0000-500"', 5), ('"3737-0000-*"', 5), ('"0000-0000-*", "^3701"', 5), ('"3701-0000-501"', 0),
          ('">=3701-0000-500"', 5), ('">3701-0000-500"', 0), ('"<3701-0000-501"', 5), ('"<=3701-0000-400"', 0),
          ('">=3737-0000-EB1"', 5), ('">=3737-0000-TS1"', 0), ('">=3701"', 0))),
    *((f'the disk is off for {other}', (disk(other),), (), status, OFF if status else 'installed')
      for other, status in (('sw-modules = "kernel";', 5), ('sw-modules = "uefi";', 0), ('fuse-info = "a";', 0),
                            ('environment = "sim";', 0), ('comment = "?";', 0),
                            ('ids = "3701-*"; odm-data = "gbe";', 0))),
    ('one brings the network', (port('ids = "3701-*";'),), (port(''),), 0, NET),
    ('one brings the network, and nobody tells whether it is taken', (port('odm-data = "gbe";'),), (port(''),), 5,
     LACK),
    ('a node is deleted', (f'target-path = "/bus@0"; delete_node = "{MMC.split("/")[1]}"; __overlay__ {{ }};',), (), 5,
     LACK),
    ('a property is deleted', (f'target-path = "/{MMC}"; delete_prop = "clocks"; __overlay__ {{ }};',), (), 5,
     'has no clocks'),
    ('what is not there is deleted, and all is passed over',
     ('target-path = "/"; delete_prop = "gone"; __overlay__ { };', disk('')), (), 0, 'installed'),
    ('one brought the network', (port('ids = "3701-0008-*";'),), (port(''),), 5, LACK))


def modules(tap, folder):
    """Of an overlay for several of NVIDIA's modules, the launcher takes what is for this one."""
    row = {row[0]: row for row in DEVICES}['jetson-agx-orin-devkit']

    def overlay(name, fragments):
        text = ''.join(f'fragment-t234@{number} {{ {body} }}; ' for number, body in enumerate(fragments))
        done = run('dtc', '-q', '-@', '-o', folder / name, '-', input=f'/dts-v1/; /plugin/; / {{ {text} }};')
        assert not done.returncode, f'{text}\n{done.stdout}'
        return folder / name
    base = shipped(*row[1:3])
    one = new_tree(folder, base, 'one')
    for title, fragments, taken, status, words in FRAGMENTS:
        made = device(folder / 'root', *row)
        made.put('mnt/sysroot/active/boot/dynamic.dtbo', overlay('all.dtbo', fragments).read_bytes())
        made.put('mnt/sysroot/active/boot/extlinux/extlinux.conf',
                 'LABEL one\n\tFDT default\n\tOVERLAYS /boot/dynamic.dtbo\n')
        if taken:
            swap('merge', base, overlay('taken.dtbo', taken), '-o', folder / 'running.dtb')
        running = Tree(folder / 'running.dtb' if taken else base)
        running.fdt.setprop(running.node('/chosen'), 'ids', IDS)
        running.write(made.root / 'sys/firmware/fdt')
        made.disk(0, '/', f'/{MMC}')
        if words in (NET, LACK) and taken == (port(''),):
            made.network('eth1', 'up', '/network')
        said = [swap(verb, one, '--root', made.root) for verb in ('check', 'install')]
        tap.result(all(done.returncode == status for done in said) and
                   (words in said[0].stdout or words in said[1].stdout),
                   f'fragments for modules: {title}', ''.join(done.stdout for done in said))


def main():
    """Run all."""
    return perform(modules)


if __name__ == '__main__':
    sys.exit(main())
