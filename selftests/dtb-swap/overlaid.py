#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap and overlays: those that the bootloader puts on a tree, and those that are installed."""

import pathlib
import sys
import tempfile

from bench import Tap, Tree, program, run, shipped, swap
from install import DEVICES, EXTLINUX, device, digest, model, new_tree

# What extlinux.conf and extra_uEnv.txt say of overlays; the exit status, what is said.
STOCK, MISFIT = '/boot/devicetree/stock.dtbo', '/boot/devicetree/misfit.dtbo'
LISTS = (
    ('those of extlinux.conf apply', f'OVERLAYS {STOCK}', '', 0, ''),
    ('one of extlinux.conf does not', f'OVERLAYS {STOCK},{MISFIT}', '', 6,
     f'the bootloader will apply {MISFIT}'),
    ('a list in its place', f'OVERLAYS {MISFIT}', f'overlay_files={STOCK}\n', 0, ''),
    ('a list in its place that does not apply', f'OVERLAYS {STOCK}',
     f'overlay_files={STOCK},{MISFIT}\n', 6, f'the bootloader will apply {MISFIT}'),
    ('a list that nothing heeds', 'APPEND quiet', f'overlay_files={MISFIT}\n', 0, ''),
    ('one that is not there', 'OVERLAYS /boot/ghost.dtbo', '', 0, 'ghost.dtbo, which is not there'),
    ('a comment', f'#OVERLAYS {MISFIT}\n\tOVERLAYS {STOCK}', '', 0, ''),
    ('a tabulator', f'OVERLAYS\t{MISFIT}', '', 6, f'the bootloader will apply {MISFIT}'),
    ('of another label', f'OVERLAYS {STOCK}\nLABEL other\n\tOVERLAYS {MISFIT}', '', 0, ''),
    ('of the label that is the default', f'OVERLAYS {STOCK}\nDEFAULT other\nLABEL other\n\t'
     f'FDT default\n\tOVERLAYS {MISFIT}', '', 6, f'the bootloader will apply {MISFIT}'),
    ('of the label that is the default, which comes later', f'OVERLAYS {STOCK}\nLABEL other\n\t'
     f'FDT default\n\tOVERLAYS {MISFIT}\nDEFAULT other', '', 6,
     f'the bootloader will apply {MISFIT}'),
)

# What extlinux.conf says of trees; whether L4TLauncher and U-Boot take what is selected.
OTHER = 'LABEL other\n\tFDT /boot/x.dtb\n'
TREES = (
    ('balenaOS\'s', EXTLINUX, True, True),
    ('none', None, False, False),
    ('no tree', 'LABEL one\n\tAPPEND quiet\n', False, False),
    ('a tree before the label', 'FDT default\nLABEL one\n\tAPPEND quiet\n', False, False),
    ('a tree of its own', 'LABEL one\n\tFDT /boot/x.dtb\n', False, False),
    ('one of its own behind', 'LABEL one\n\tFDT default\n\tFDT /boot/x.dtb\n', False, False),
    ('one of its own before', 'LABEL one\n\tFDT /boot/x.dtb\n\tFDT default\n', False, False),
    ('twice the same', 'LABEL one\n\tFDT default\n\tFDT default\n', False, False),
    ('in other words', 'LABEL one\n\tDEVICETREE /boot/x.dtb\n\tFDT default\n', False, False),
    ('what begins in the same way', 'LABEL one\n\tFDT default\n\tFDTOVERLAYS /boot/x.dtbo\n', False, False),
    ('in small letters', 'label one\n\tfdt default\n', False, True),
    ('a tree of another label', f'LABEL one\n\tFDT default\n{OTHER}', True, True),
    ('the other is the default', f'LABEL one\n\tFDT default\n{OTHER}DEFAULT other\n', False, False),
    ('the first is not', f'{OTHER}LABEL one\n\tFDT default\nDEFAULT one\n', True, True),
    ('a default that is not there', f'DEFAULT ghost\nLABEL one\n\tFDT default\n{OTHER}', True, True),
    ('after a while', f'DEFAULT one\nONTIMEOUT other\nLABEL one\n\tFDT default\n{OTHER}', True,
     False),
    ('in the menu', f'LABEL one\n\tFDT default\n{OTHER}\tMENU DEFAULT\n', True, False),
)


def named(tap, folder):
    """A tree that extlinux.conf names is taken in place of the one that is selected."""
    for kind, at in (('jetson-agx-orin-devkit', 0), ('jetson-nano', 1)):
        row = {row[0]: row for row in DEVICES}[kind]
        one = new_tree(folder, shipped(*row[1:3]), 'one')
        for name, conf, *taken in TREES:
            made, good = device(folder / 'root', *row), taken[at]
            path = made.put('mnt/sysroot/active/boot/extlinux/extlinux.conf', conf or '')
            if conf is None:
                path.unlink()
            before = digest(made.root)
            said = [swap(verb, one, '--root', made.root) for verb in ('check', 'install')]
            tap.result(all(done.returncode == (0 if good else 9) for done in said) and
                       (model(made, kind) == 'one' if good else digest(made.root) == before and
                        all('mend: write FDT default there' in done.stdout for done in said)),
                       f'{kind}, trees of extlinux.conf: {name}',
                       ''.join(done.stdout for done in said))


def applied(tap, folder):
    """What the bootloader puts on the tree has to go on the new one."""
    row = {row[0]: row for row in DEVICES}['jetson-agx-orin-devkit']
    one = new_tree(folder, shipped(*row[1:3]), 'one')
    for name, conf, env, status, words in LISTS:
        made = device(folder / 'root', *row)
        made.put('mnt/boot/extra_uEnv.txt', env)
        made.put('mnt/sysroot/active/boot/extlinux/extlinux.conf',
                 f'LABEL primary\n\tFDT default\n\t{conf}\n')
        for overlay, target in ((STOCK, '{/}'), (MISFIT, 'nowhere')):
            path = made.put(f'mnt/sysroot/active{overlay}', '')
            run('dtc', '-q', '-@', '-o', path, '-',
                input=f'/dts-v1/; /plugin/; &{target} {{ x; }};')
        foreseen = swap('check', one, '--root', made.root)
        done = swap('install', one, '--root', made.root)
        tap.result(done.returncode == foreseen.returncode == status and words in done.stdout and
                   words in foreseen.stdout and
                   model(made, row[0]) == (None if status else 'one'),
                   f'overlays of the bootloader: {name}', foreseen.stdout + done.stdout)


# What config.txt says of overlays, whether the tree has labels, what is said, what is not.
CONFIGS = (
    ('those that apply', 'dtoverlay=stock\n', True, 'installed', 'warning'),
    ('one that does not', 'dtoverlay=stock\ndtoverlay=misfit,speed=1\n', True,
     'will apply overlays/misfit.dtbo, and cannot: no label "nowhere"', 'stock.dtbo'),
    ('one that the one before has made room for', 'dtoverlay=stock\ndtoverlay=second:x=1\n', True,
     'installed', 'warning'),
    ('in another folder', 'overlay_prefix=other/\ndtoverlay=misfit\n', True,
     'will apply other/misfit.dtbo, and cannot', 'overlays/'),
    ('under a filter', '[pi3]\ndtoverlay=misfit\n', True, 'installed', 'warning'),
    ('a tree without labels', 'dtoverlay=ghost\n', False,
     'config.txt has dtoverlay=ghost, and the tree has no labels', 'dtbo'),
    ('a tree without labels, and no overlay', 'dtparam=i2c_arm=on\n', False, 'installed',
     'warning'),
)


def configured(tap, folder):
    """What the Raspberry Pi's firmware puts on the tree is tried before."""
    row = {row[0]: row for row in DEVICES}['raspberrypi4-64']
    for name, text, labels, words, never in CONFIGS:
        made = device(folder / 'root', *row)
        tree = Tree(shipped(*row[1:3])).text('/', 'model', 'one')
        if not labels and '__symbols__' in tree.children('/'):
            tree.drop('/__symbols__')
        elif labels and '__symbols__' not in tree.children('/'):
            tree.add('/', '__symbols__')
        one = tree.write(folder / 'one.dtb')
        made.put('mnt/boot/config.txt', text)
        for overlay, body in (('overlays/stock', '&{/} { x { }; };'),
                              ('overlays/misfit', '&nowhere { x; };'),
                              ('overlays/second', '&{/x} { y; };'),
                              ('other/misfit', '&nowhere { x; };')):
            path = made.put(f'mnt/boot/{overlay}.dtbo', '')
            run('dtc', '-q', '-@', '-o', path, '-', input=f'/dts-v1/; /plugin/; {body}')
        foreseen = swap('check', one, '--root', made.root)
        done = swap('install', one, '--root', made.root)
        good = model(made, row[0]) == 'one' and not foreseen.returncode and words in done.stdout
        good &= words in foreseen.stdout or words == 'installed'
        # It has no disk that could be found, which is not what this is about.
        said = [line for line in (foreseen.stdout + done.stdout).splitlines()
                if 'drivers were not looked for' not in line and str(folder) not in line and
                'the balena supervisor' not in line and 'configuration variables' not in line and
                'has not yet run here' not in line]
        tap.result(good and not any(never in line for line in said),
                   f'overlays of config.txt: {name}', foreseen.stdout + done.stdout)


ETHERNET = '/soc/spi@7e204000/eth@0'


def wiznet(folder, made, row, base, config):
    """A Raspberry Pi whose network is on an overlay of the firmware's, or on a parameter."""
    running = folder / 'running.dtb'
    path = made.put('mnt/boot/overlays/w5500.dtbo', '')
    run('dtc', '-q', '-@', '-o', path, '-', input='/dts-v1/; /plugin/; &{/soc/spi@7e204000} { '
        'status = "okay"; #address-cells = <1>; #size-cells = <0>; '
        'eth@0 { compatible = "wiznet,w5500"; reg = <0>; spi-max-frequency = <30000000>; }; };')
    swap('merge', base, path, '-o', running)
    made.put('sys/firmware/fdt', running.read_bytes())
    made.put('mnt/boot/config.txt', config)
    made.put(f'{row[3]}/{row[2]}.dtb', pathlib.Path(base).read_bytes())
    made.network('eth1', 'up', ETHERNET)


def stands_on(tap, folder):
    """What the system stands on may come of the bootloader's overlays, or of its firmware alone."""
    row = {row[0]: row for row in DEVICES}['raspberrypi4-64']
    base, plain = folder / 'base.dtb', new_tree(folder, shipped(*row[1:3]), 'plain')
    tree = Tree(plain).add('/', '__overrides__', net='x')
    if '__symbols__' not in tree.children('/'):
        tree.add('/', '__symbols__', a='/chosen')
    tree.write(base)
    one, off = new_tree(folder, base, 'one'), folder / 'off.dtb'
    Tree(one).text('/soc', 'status', 'disabled').write(off)
    bare = Tree(one).drop('/__symbols__').write(folder / 'bare.dtb')
    lacks = f'network eth1: it is {ETHERNET} (wiznet,w5500), which the new tree does not have'
    param = 'dtparam=net=on\n'
    for name, config, selected, tree, status, words in (
            ('an overlay', 'dtoverlay=w5500\n', None, one, 0, 'fits this device'),
            ('a parameter', param, 'ours', one, 0, 'warning: network eth1: '),
            ('a parameter, and nothing tells which tree runs', param, None, one, 5, lacks),
            ('a parameter, and the selected tree is not ours', param, 'theirs', one, 5, lacks),
            ('a parameter that the new tree does not know', param, 'ours', plain, 5, lacks),
            ('what needs labels, and the new tree has none', '[pi4]\ndtoverlay=w5500\n[all]\n',
             'ours', bare, 5, lacks),
            ('an overlay, and the bus is off', 'dtoverlay=w5500\n', None, off, 5,
             f'network eth1: it is {ETHERNET}, which is disabled')):
        made, now = device(folder / 'root', *row), base
        if selected == 'ours':
            swap('install', new_tree(folder, base, 'zero'), '--root', made.root)
            config += (made.root / 'mnt/boot/config.txt').read_text(encoding='ascii')
            now = next((made.root / row[3]).glob('swap-*'))
        elif selected:
            made.put(f'{row[3]}/theirs.dtb', one.read_bytes())
            config += 'device_tree=theirs.dtb\n'
        wiznet(folder, made, row, now, config)
        said = [swap(verb, tree, '--root', made.root) for verb in ('check', 'install')]
        if not status:      # and another one, before the device has started with that
            said += [swap('install', new_tree(folder, tree, 'next'), '--root', made.root)]
        tap.result(all(done.returncode == status for done in said) and words in said[0].stdout,
                   f'the network comes of {name}', ''.join(done.stdout for done in said))
    row = {row[0]: row for row in DEVICES}['jetson-agx-orin-devkit']
    made = device(folder / 'root', *row)
    conf = 'LABEL one\n\tFDT default\n\tOVERLAYS /boot/net.dtbo\n'
    made.put('mnt/sysroot/active/boot/extlinux/extlinux.conf', conf)
    path = made.put('mnt/sysroot/active/boot/net.dtbo', '')
    run('dtc', '-q', '-@', '-o', path, '-',
        input='/dts-v1/; /plugin/; &{/} { network { compatible = "acme,net"; }; };')
    swap('merge', shipped(*row[1:3]), path, '-o', folder / 'running.dtb')
    made.put('sys/firmware/fdt', (folder / 'running.dtb').read_bytes())
    made.network('eth1', 'up', '/network')
    one = new_tree(folder, shipped(*row[1:3]), 'one')
    done = swap('install', one, '--root', made.root)
    made.put('mnt/sysroot/active/boot/extlinux/extlinux.conf', conf.replace('OVERLAYS', 'APPEND'))
    other = swap('check', one, '--root', made.root)
    tap.result(not done.returncode and other.returncode == 5 and
               'network eth1: it is /network (acme,net), which the new tree does not have' in other.stdout,
               'the network comes of extlinux.conf, or did', done.stdout + other.stdout)


# The names of an overlay as Raspberry Pi makes them, what it does of the device there, what is said.
FIRMWARES = (
    ('for the first SoC, and the other is put out of use', 'brcm,bcm2835', 'disabled', 0, 'selected in'),
    ('and the other stays', 'brcm,bcm2835', 'okay', 6, 'address 0x0 for can@0 is taken by'),
    ('for another board', 'acme,board', 'disabled', 4, 'is for "acme,board", not for this tree'))


def firmwares(tap, folder):
    """Overlays of Raspberry Pi name its first SoC, and free an address before they take it."""
    row = {row[0]: row for row in DEVICES}['raspberrypi4-64']
    part = '/dts-v1/; /plugin/; / {{ {} }}; &{{/soc/spi@7e204000}} {{ #address-cells = <1>; #size-cells = <0>; {} }};'
    base, first = folder / 'base.dtb', folder / 'first.dtbo'
    run('dtc', '-q', '-o', first, '-', input=part.format('', 'spidev@0 { compatible = "x"; reg = <0>; };'))
    swap('merge', shipped(*row[1:3]), first, '-o', base)
    for name, compatible, status, code, words in FIRMWARES:
        made = device(folder / 'root', *row)
        made.put('sys/firmware/fdt', base.read_bytes())
        made.put(f'{row[3]}/{row[2]}.dtb', base.read_bytes())
        path = made.put('mnt/boot/overlays/can.dtbo', '')
        run('dtc', '-q', '-o', path, '-', input=part.format(
            f'compatible = "{compatible}";', f'spidev@0 {{ status = "{status}"; }}; '
            'can@0 { compatible = "microchip,mcp2515"; reg = <0>; };'))
        done = swap('install', '--overlay', 'can', '--root', made.root)
        tap.result(done.returncode == code and words in done.stdout,
                   f'an overlay of Raspberry Pi {name}', done.stdout)


# A bus, what an overlay adds there, the exit status, what is said.
BUSES = '/ { wide { #address-cells = <2>; #size-cells = <1>; old { compatible = "x"; reg = <1 0x1000 1>; }; }; ' \
    'plain { old { compatible = "x"; reg = <0x68>; }; }; };'
ADDRESSES = (
    ('two cells of which the first is the same', 'wide', 'reg = <1 0x2000 1>;', 0, ''),
    ('two cells of which the second is the same', 'wide', 'reg = <0 0x1000 1>;', 0, ''),
    ('two cells that are the same', 'wide', 'reg = <1 0x1000 4>;', 6, '0x1000 for new is taken by /wide/old (x)'),
    ('of two cells, one', 'wide', 'reg = <1>;', 0, ''),
    ('a bus that says no cells', 'plain', 'reg = <0x68>;', 6, '0x68 for new is taken by /plain/old (x)'),
    ('another address there', 'plain', 'reg = <0x69>;', 0, ''),
    ('a device that is not in use', 'plain', 'reg = <0x68>; status = "disabled";', 0, ''))


# What later fragments of an overlay do to what it adds at a taken address, the exit status, what is said.
LATER = (('enable', 'disabled', 'okay', 6, '0x68 for new is taken by /plain/old (x)'),
         ('disable', 'okay', 'disabled', 0, ''), ('leave', 'disabled', 'disabled', 0, ''))


def addresses(tap, folder):
    """An address is taken where all of it is, by a device that is in use for one that will be."""
    first, base, overlay = folder / 'first.dtbo', folder / 'base.dtb', folder / 'x.dtbo'
    run('dtc', '-q', '-o', first, '-', input=f'/dts-v1/; /plugin/; &{{/}} {BUSES[2:]}')
    swap('merge', shipped('6.12', 'imx8mp-evk'), first, '-o', base)
    for name, bus, text, status, words in ADDRESSES:
        run('dtc', '-q', '-o', overlay, '-',
            input=f'/dts-v1/; /plugin/; &{{/{bus}}} {{ new {{ compatible = "y"; {text} }}; }};')
        done = swap('merge', base, overlay, '-o', folder / 'merged.dtb')
        tap.result(done.returncode == status and words in done.stdout, f'addresses: {name}', done.stdout)
    for name, first, later, status, words in LATER:
        run('dtc', '-q', '-o', overlay, '-', input='/dts-v1/; /plugin/; &{/plain} { new { compatible = "y"; '
            f'reg = <0x68>; status = "{first}"; }}; }}; &{{/plain}} {{ new {{ status = "{later}"; }}; }};')
        done = swap('merge', base, overlay, '-o', folder / 'merged.dtb')
        tap.result(done.returncode == status and words in done.stdout,
                   f'addresses: later fragments {name} it', done.stdout)


def again(tap, folder):
    """Overlays that the selected tree is made with are not put on it once more."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    parts = []
    for name in ('alpha', 'beta'):
        parts.append(folder / f'{name}.dtbo')
        run('dtc', '-q', '-o', parts[-1], '-',
            input='/dts-v1/; /plugin/; &{/soc@0/bus@30800000/i2c@30a30000} '
            f'{{ {name}@{6 + len(parts)} {{ reg = <{6 + len(parts)}>; }}; }};')
    made = device(folder / 'root', *row)
    root = ('--root', made.root)
    for name, words, status, said in (
            ('one', ('install', '--overlay', parts[0]), 0, 'selected in'),
            ('the same', ('install', '--overlay', parts[0]), 0, 'it was before'),
            ('another', ('install', '--overlay', parts[1]), 0, 'selected in'),
            ('the first', ('install', '--overlay', parts[0]), 0, 'it was before'),
            ('both', ('install', '--overlay', *parts), 0, 'it was before'),
            ('the same as pending', ('try', '--pending', '--overlay', parts[1]), 0, 'it was before'),
            ('back', ('rollback',), 0, 'selected'),
            ('the second, which is gone', ('install', '--overlay', parts[1]), 0, 'selected in'),
            ('back', ('rollback',), 0, 'selected'),
            ('the first, which is still there', ('install', '--overlay', parts[0]), 0,
             'it was before'),
            ('a tree of the user', ('install', new_tree(folder, shipped(*row[1:3]), 'one')), 0,
             'selected in'),
            ('the first on that', ('install', '--overlay', parts[0]), 0, 'selected in')):
        before = digest(made.root)
        done = swap(*words, *root)
        same = said != 'it was before' or digest(made.root) == before
        tap.result(done.returncode == status and said in done.stdout and same,
                   f'overlays, one after the other: {name}', done.stdout)
    for path in made.root.rglob('swap-*.dtb'):
        path.write_bytes(b'')
    done = swap('install', '--overlay', parts[1], *root)
    tap.result(done.returncode == 3 and 'which is selected, is missing or broken' in done.stdout and
               'mend: dtb-swap rollback, or name a tree with --base' in done.stdout,
               'the tree that overlays would go on is broken', done.stdout)


def undone(tap, folder):
    """An overlay that another one, or an editor, has undone goes on again; no other does."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    made, parts = device(folder / 'root', *row), {}
    for name, body in (
            ('one', 'variant = "one"; led: led-one { color = <1>; }; user { leds = <&led>; };'),
            ('two', 'variant = "two";'), ('chip', 'chip { };')):
        parts[name] = made.put(f'boot/devicetree/{name}.dtbo', '')
        run('dtc', '-q', '-@', '-o', parts[name], '-', input=f'/dts-v1/; /plugin/; &{{/}} {{ {body} }};')
    root = ('--root', made.root)
    for title, words, said, variant, marks in (
            ('one, by its name', ('one',), 'selected in', 'one', 1),
            ('the same again', ('one.dtbo',), 'it was before', 'one', 1),
            ('one that undoes it', ('two',), 'selected in', 'two', 2),
            ('the first again', ('one',), 'selected in', 'one', 2),
            ('one that is there, and one that is not', ('one', 'chip'), 'selected in', 'one', 3),
            ('one that is there, twice', ('chip', 'chip'), 'it was before', 'one', 3)):
        done = swap('install', '--overlay', *words, *root)
        path = next(path for path in (made.root / row[3]).glob('swap-*.dtb')
                    if path.name in (made.root / 'mnt/boot/extra_uEnv.txt').read_text())
        tree = Tree(path)
        found = (tree.fdt.getprop(0, 'variant').as_str(),
                 len(tree.fdt.getprop(0, 'boardpack,overlays')) // 4)
        tap.result(not done.returncode and said in done.stdout and found == (variant, marks),
                   f'overlays that undo each other: {title}', f'{done.stdout} {found}')
    local = folder / 'chip.dtbo'
    run('dtc', '-q', '-@', '-o', local, '-', input='/dts-v1/; /plugin/; &{/} { local { }; };')
    done = run('sh', '-c', f'cd {folder} && exec {" ".join(program())} install --overlay chip.dtbo '
               f'--root {made.root}')
    said = swap('install', '--overlay', 'one', *root)
    tap.result('selected in' in done.stdout and '/boot/devicetree' not in done.stdout and
               'overlay    /boot/devicetree/one.dtbo' in said.stdout,
               'the file in this folder comes first, and another is told', done.stdout + said.stdout)
    edited = Tree(path)
    edited.drop('/chip')
    swap('install', edited.write(folder / 'edited.dtb'), *root)
    done = swap('install', '--overlay', 'chip', *root)
    tap.result(not done.returncode and 'selected in' in done.stdout,
               'one that was taken out by hand goes on again', done.stdout)
    done = swap('install', '--overlay', 'ghost', *root)
    tap.result(done.returncode == 1 and 'no ghost.dtbo in /boot/devicetree, ' in done.stdout and
               'mend: name its file' in done.stdout, 'a name that nothing has', done.stdout)


def bases(tap, folder):
    """The tree that an overlay goes on is the only one for this board, or it has to be named."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    other, second = shipped('6.12', 'imx8mp-evk'), new_tree(folder, shipped(*row[1:3]), 'second')
    overlay = folder / 'x.dtbo'
    run('dtc', '-q', '-o', overlay, '-', input='/dts-v1/; /plugin/; &{/} { model = "x"; };')
    for name, beside, options, status, words in (
            ('beside that of another board', other, (), 0, ''),
            ('two for this board', second, (), 2, '2 trees of'),
            ('two, and one is named', second, ('--base', second), 0, '')):
        made = device(folder / 'root', *row)
        made.put(f'{row[3]}/beside.dtb', pathlib.Path(beside).read_bytes())
        done = swap('install', '--overlay', overlay, *options, '--root', made.root)
        tap.result(done.returncode == status and words in done.stdout and
                   model(made, row[0]) == (None if status else 'x'),
                   f'the tree for an overlay: {name}', done.stdout)


def mistaken(tap, folder):
    """A whole tree in the place of an overlay is told from one that lacks labels."""
    row = {row[0]: row for row in DEVICES}['imx8mm-var-som']
    for name, labels in (('without labels', False), ('with labels', True)):
        made = device(folder / 'root', *row)
        tree = Tree(shipped(*row[1:3])).text('/', 'model', 'one')
        if '__symbols__' in tree.children('/'):
            tree.drop('/__symbols__')
        if labels:
            tree.add('/', '__symbols__', x='/chosen')
        one, out = tree.write(folder / 'one.dtb'), folder / 'out.dtb'
        before = digest(made.root)
        said = [swap('merge', shipped(*row[1:3]), one, '-o', out),
                *(swap(*words, '--overlay', one, '--root', made.root)
                  for words in (('install',), ('try',), ('try', '--pending')))]
        tap.result(all(done.returncode == 6 and 'mend: name an overlay' in done.stdout and
                       'one.dtb is a tree, not an overlay' in done.stdout and
                       'label map' not in done.stdout
                       for done in said) and digest(made.root) == before and not out.exists(),
                   f'a tree {name} for an overlay', ''.join(done.stdout for done in said))


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        applied(tap, folder)
        named(tap, folder)
        configured(tap, folder)
        stands_on(tap, folder)
        firmwares(tap, folder)
        addresses(tap, folder)
        bases(tap, folder)
        again(tap, folder)
        undone(tap, folder)
        mistaken(tap, folder)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
