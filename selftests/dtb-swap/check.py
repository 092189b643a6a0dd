#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: what a device can live with passes, everything else is refused by its cause."""

import gzip
import json
import pathlib
import sys
import tempfile

from bench import Device, Tap, Tree, run, shipped, swap

BOARD = ('6.12', 'imx8mp-evk')
UART = '/soc@0/bus@30800000/spba-bus@30800000/serial@30890000'
MMC = '/soc@0/bus@30800000/mmc@30b60000'
ETHERNET = '/soc@0/bus@30800000/ethernet@30be0000'
CCM = '/soc@0/bus@30000000/clock-controller@30380000'
GIC = '/soc@0/interrupt-controller@38800000'
PINS = '/soc@0/bus@30000000/pinctrl@30330000'
I2C = '/soc@0/bus@30800000/i2c@30a40000'


def device(folder, tree):
    """An i.MX8M Plus EVK that runs."""
    made = Device(folder, tree)
    made.console('ttymxc1', UART)
    made.disk(2, '/', MMC)
    made.network('eth0', 'up', ETHERNET)
    made.modules(dep='kernel/rtc-ds1307.ko:\nextra/leds-identify.ko:\n', builtin='', alias='')
    made.put('lib/modules/6.12.0-test/kernel/rtc-ds1307.ko', 'ELF\0vermagic=6.12.0-test SMP\0')
    made.put('lib/modules/6.12.0-test/extra/leds-identify.ko', 'ELF\0vermagic=6.12.1 SMP\0')
    config = 'CONFIG_LEDS_GPIO=y\nCONFIG_RTC_DRV_DS1307=m\n# CONFIG_RFKILL_GPIO is not set\n'
    made.put('proc/config.gz', gzip.compress(config.encode()))
    return made


def chip(tree, compatible, unit='68'):
    """Add a chip to an I2C bus."""
    tree.add(I2C, f'chip@{unit}', compatible=compatible)
    tree.cell(f'{I2C}/chip@{unit}', 'reg', int(unit, 16))


def labels_of(tree, name):
    """The phandle of a regulator or clock that a node refers to first."""
    return int.from_bytes(tree.fdt.getprop(tree.node(MMC), name)[:4], 'big')


def lose_supply(tree):
    """The supply of the card is switched off."""
    node = tree.fdt.node_offset_by_phandle(labels_of(tree, 'clocks'))
    tree.fdt.setprop_str(node, 'status', 'disabled')


def moved(tree, path):
    """The device is said to be at another address."""
    value = bytearray(tree.fdt.getprop(tree.node(path), 'reg'))
    value[1] ^= 8
    tree.fdt.setprop(tree.node(path), 'reg', bytes(value))


def no_cpus(tree):
    """All of them are disabled."""
    for name in tree.children('/cpus'):
        tree.text(f'/cpus/{name}', 'status', 'disabled')


def each_cpu(tree, change):
    """Something is done to each of them."""
    for name in tree.children('/cpus'):
        if name.startswith('cpu@'):
            change(f'/cpus/{name}')


def wide_cpus(tree):
    """Their numbers have two cells."""
    tree.cell('/cpus', '#address-cells', 2)
    for number in range(4):
        tree.cell(f'/cpus/cpu@{number}', 'reg', 0, number)


def no_memory(tree):
    """The bootloader has to say how much there is."""
    for name in tree.children('/'):
        if name.startswith('memory'):
            tree.drop(f'/{name}')


OSC = '/clock-osc-24m'


def other_clock(tree, *names):
    """The oscillator is made by a divider, which says what it does."""
    tree.text(OSC, 'compatible', 'fixed-factor-clock').drop(OSC, 'clock-frequency')
    for name in names:
        tree.cell(OSC, name, 1)


def fixed_link(tree):
    """There is a switch in the place of the PHY."""
    tree.drop(ETHERNET, 'phy-handle')
    tree.add(ETHERNET, 'fixed-link')


# What is done to the tree, the exit status, what is said.
CASES = (
    ('the same tree', lambda t: None, 0, 'is sound and fits'),
    ('another board', lambda t: t.text('/', 'compatible', ['acme,box', 'fsl,imx8mp']), 4,
     'the tree is for "acme,box", this is "fsl,imx8mp-evk"'),
    ('no name of a board', lambda t: t.drop('/', 'compatible'), 3, 'does not say which board'),
    ('a carrier for the same module', lambda t: t.text(
        '/', 'compatible', ['acme,box', 'fsl,imx8mp-evk', 'fsl,imx8mp']), 0, 'fits'),
    ('console disabled', lambda t: t.text(UART, 'status', 'disabled'), 5,
     'console ttymxc1: it is'),
    ('console gone', lambda t: t.drop(UART), 5, 'console ttymxc1'),
    ('console of another kind', lambda t: t.text(UART, 'compatible', 'ns16550a'), 5,
     'it is driven as fsl,imx8mp-uart, in the new tree it is ns16550a'),
    ('console with another number', lambda t: t.text('/aliases', 'serial1', UART + '0'), 5,
     'console ttymxc1: it is serial1 now'),
    ('bus of the console disabled', lambda t: t.text(
        '/soc@0/bus@30800000', 'status', 'disabled'), 5, 'disabled'),
    ('storage disabled', lambda t: t.text(MMC, 'status', 'disabled'), 5, 'storage of /'),
    ('storage with another number', lambda t: t.drop('/aliases', 'mmc2'), 5,
     'it is mmc2 now, and without a number'),
    ('clock of the storage disabled', lose_supply, 5, 'which'),
    ('clock of the storage gone', lambda t: t.cell(MMC, 'clocks', 0x7777, 1), 5,
     f'clocks of {MMC} refers to a node that is not there'),
    ('network in use gone', lambda t: t.drop(ETHERNET), 5, 'network eth0'),
    ('no timer', lambda t: t.drop('/timer'), 5, 'arm,armv8-timer: the new tree has none'),
    ('firmware called in another way', lambda t: t.text('/psci', 'method', 'hvc'), 5,
     'its method is smc, in the new tree hvc'),
    ('another version of PSCI', lambda t: t.text('/psci', 'compatible', 'arm,psci-0.2'), 0, 'fits'),
    ('no PSCI', lambda t: t.drop('/psci'), 5, 'arm,psci-1.0: the new tree has none'),
    ('interrupt controller disabled', lambda t: t.text(GIC, 'status', 'disabled'), 5,
     f'root: {GIC}, which / needs, is disabled'),
    ('interrupt controller gone', lambda t: t.drop(GIC), 5,
     'root: interrupt-parent of / refers to a node that is not there'),
    ('no interrupt controller is named', lambda t: t.drop('/', 'interrupt-parent'), 5,
     'it has interrupts that cannot be read'),
    ('interrupt controller of another kind', lambda t: t.text(GIC, 'compatible', 'arm,gic-400'), 5,
     'it has an interrupt controller of another kind in the new tree'),
    ('no cpus', lambda t: t.drop('/cpus'), 5, 'cpus: the new tree has 0 of the 4'),
    ('all cpus disabled', no_cpus, 5, 'cpus: the new tree has 0 of the 4'),
    ('one cpu disabled', lambda t: t.text('/cpus/cpu@1', 'status', 'disabled'), 0,
     'warning: cpus: the new tree has 3 of the 4 that run'),
    ('other cpus', lambda t: each_cpu(t, lambda path: t.cell(path, 'reg', 0x700)), 5,
     'cpus: the new tree has 0 of the 4'),
    ('cpus that nothing can start', lambda t: each_cpu(t, lambda path: t.drop(path, 'enable-method')),
     5, 'cpus: the new tree has 0 of the 4'),
    ('cpus whose numbers are too short', lambda t: t.drop('/cpus', '#address-cells'), 5,
     'cpus: the new tree has 0 of the 4'),
    ('storage that may be taken out', lambda t: t.drop(MMC, 'non-removable'), 5,
     'storage of /: in the new tree it may be taken out'),
    ('storage that is looked for', lambda t: t.drop(MMC, 'non-removable').text(
        MMC, 'broken-cd', ''), 0, 'fits'),
    ('the number of a cpu in two cells', wide_cpus, 0, 'fits'),
    ('no memory', no_memory, 0, 'warning: memory: the new tree does not say how much there is'),
    ('clocks left out', lambda t: t.drop(MMC, 'clocks'), 5,
     f'storage of /: {MMC} has no clocks in the new tree'),
    ('clocks of the console left out', lambda t: t.drop(UART, 'clocks'), 5,
     f'console ttymxc1: {UART} has no clocks in the new tree'),
    ('pinctrl left out', lambda t: t.drop(MMC, 'pinctrl-0'), 5, f'{MMC} has no pinctrl-0'),
    ('pins that the controller holds itself', lambda t: t.drop(PINS, 'pinctrl-0'), 0, 'fits'),
    ('no clock of the storage', lambda t: t.cell(MMC, 'clocks'), 5, f'{MMC} has no clocks'),
    ('names of clocks left out', lambda t: t.drop(UART, 'clock-names'), 5,
     f'{UART} has no clock-names'),
    ('names of pins left out', lambda t: t.drop(UART, 'pinctrl-names'), 5,
     f'{UART} has no pinctrl-names'),
    ('the CPUs\' side of the interrupt controller moved', lambda t: t.cell(
        GIC, 'reg', 0x38800000, 0x10000, 0x39880000, 0xc0000), 5, f'{GIC} has another address'),
    ('the CPUs\' side of the interrupt controller left out', lambda t: t.cell(
        GIC, 'reg', 0x38800000, 0x10000), 5, f'{GIC} has another address'),
    ('another PHY', lambda t: t.text(f'{ETHERNET}/mdio/ethernet-phy@1', 'compatible',
                                     'ethernet-phy-id001c.c916'), 0, 'fits'),
    ('a later pinctrl left out', lambda t: t.drop(MMC, 'pinctrl-1'), 0, 'fits'),
    ('PHY left out', lambda t: t.drop(ETHERNET, 'phy-handle'), 5,
     f'network eth0: {ETHERNET} has no phy-handle'),
    ('a fixed link for the PHY', fixed_link, 0, 'warning: network eth0: it has a fixed-link in the new tree'),
    ('a bus that nobody looks at', lambda t: t.text('/soc@0', 'compatible', 'acme,soc'), 5,
     'no devices are made of what is on /soc@0'),
    ('a bus inside that nobody looks at', lambda t: t.drop('/soc@0/bus@30800000', 'compatible'), 5,
     '/soc@0/bus@30800000 is another device in the new tree'),
    ('another clock controller', lambda t: t.text(CCM, 'compatible', 'acme,ccm'), 5,
     f'{CCM} is another device in the new tree'),
    ('the oscillator is no device', lambda t: t.drop(OSC, 'compatible'), 5,
     f'console ttymxc1: {OSC} is another device in the new tree'),
    ('the oscillator is something else', lambda t: t.text(OSC, 'compatible', 'x,y'), 5,
     f'storage of /: {OSC} is another device in the new tree'),
    ('no frequency of the oscillator', lambda t: t.drop(OSC, 'clock-frequency'), 5,
     f'console ttymxc1: {OSC} has no clock-frequency in the new tree'),
    ('an empty frequency of the oscillator', lambda t: t.cell(OSC, 'clock-frequency', 0), 5,
     f'console ttymxc1: {OSC} has no clock-frequency in the new tree'),
    ('another name of the oscillator', lambda t: t.text(
        OSC, 'compatible', ['x,y', 'fixed-clock']), 0, 'fits'),
    ('a divider for the oscillator', lambda t: other_clock(t, 'clock-div', 'clock-mult'), 0, 'fits'),
    ('a divider that divides by nothing', lambda t: other_clock(t, 'clock-mult'), 5,
     f'console ttymxc1: {OSC} has no clock-div in the new tree'),
    ('a controller that takes no interrupts', lambda t: t.drop(GIC, 'interrupt-controller'), 5,
     f'root: {GIC} has no interrupt-controller'),
    ('no ranges of the SoC', lambda t: t.drop('/soc@0', 'ranges'), 5,
     f'console ttymxc1: {UART} has another address in the new tree, or none'),
    ('other ranges of the SoC', lambda t: t.cell('/soc@0', 'ranges', 0, 0, 0x40000000, 0x3e000000),
     5, f'console ttymxc1: {UART} has another address'),
    ('no #address-cells of the root', lambda t: t.drop('/', '#address-cells'), 5,
     'root: the new tree has no #address-cells'),
    ('no #size-cells of the root', lambda t: t.drop('/', '#size-cells'), 5,
     'root: the new tree has no #size-cells'),
    ('other cells of a bus', lambda t: t.cell('/soc@0/bus@30800000', '#address-cells', 2), 5,
     '/spba-bus@30800000 has another address'),
    ('console moved', lambda t: moved(t, UART), 5, f'console ttymxc1: {UART} has another address'),
    ('storage moved', lambda t: moved(t, MMC), 5, f'storage of /: {MMC} has another address'),
    ('network moved', lambda t: moved(t, ETHERNET), 5,
     f'network eth0: {ETHERNET} has another address'),
    ('clocks of the storage moved', lambda t: moved(t, CCM), 5, f'{CCM} has another address'),
    ('a longer register window', lambda t: t.cell(MMC, 'reg', 0x30b60000, 0x20000), 0, 'fits'),
    ('no interrupt of the storage', lambda t: t.drop(MMC, 'interrupts'), 5,
     'storage of /: it has no interrupt in the new tree'),
    ('another interrupt of the storage', lambda t: t.cell(MMC, 'interrupts', 0, 99, 4), 0,
     'storage of /: it has other interrupts in the new tree'),
    ('another trigger of an interrupt', lambda t: t.cell(MMC, 'interrupts', 0, 24, 1), 0, 'fits'),
    ('clocks that cannot be read', lambda t: t.drop(CCM, '#clock-cells'), 5,
     f'clocks of {UART} cannot be read'),
    ('a phandle twice', lambda t: t.cell(UART, 'phandle', labels_of(t, 'clocks')), 3,
     'two nodes with phandle'),
    ('a chip with a driver', lambda t: chip(t, 'maxim,ds3231'), 0, 'fits'),
    ('a chip whose module is not installed', lambda t: chip(t, 'nxp,pcf8563'), 8,
     'needs the kernel option CONFIG_RTC_DRV_PCF8563, which is not set'),
    ('an option that is not set', lambda t: t.add('/', 'rfkill', compatible='rfkill-gpio'), 8,
     'CONFIG_RFKILL_GPIO'),
    ('a module of ours for another kernel',
     lambda t: t.add('/', 'identify', compatible='balena,identify'), 8,
     'leds-identify was built for 6.12.1'),
    ('a module of ours that is missing',
     lambda t: t.add('/', 'seed', compatible='balena,rtc-seed'), 8,
     'needs the module rtc-seed, which is not installed'),
    ('a device that nobody knows', lambda t: t.add('/', 'ghost', compatible='acme,ghost'), 0,
     'no module says that it drives acme,ghost (/ghost)'),
)


def broken(tap, folder, good):
    """Files that are no trees."""
    data = pathlib.Path(good).read_bytes()
    for name, content, words in (
            ('an empty file', b'', 'not a device tree'),
            ('text', b'# not a tree\n' * 20, 'not a device tree'),
            ('a tree that was cut off', data[:len(data) // 2], 'not a device tree'),
            ('a header that lies about its size', data[:4] + b'\x7f' + data[5:], 'not a device tree'),
            ('a structure at an odd place', data[:11] + bytes([data[11] + 1]) + data[12:],
             'not a device tree: FDT_ERR_ALIGNMENT'),
            ('a structure that lies', data[:8] + b'\x00\xff\xff\xf0' + data[12:],
             'not a device tree')):
        path = folder / 'broken.dtb'
        path.write_bytes(content)
        done = swap('check', '--structure', path)
        tap.result(done.returncode == 3 and words in done.stdout, f'refused: {name}', done.stdout)
    old = folder / 'old.dtb'
    run('dtc', '-q', '-V', '16', '-o', old, '-', input='/dts-v1/; / { compatible = "acme,box"; ' +
        ''.join(f'n{i} {{ phandle = <{i}>; }}; ' for i in range(1, 99)) + '};')
    for words in (('--structure', old), (old, '--root', Device(folder / 'root', good).root)):
        done = swap('check', *words)
        tap.result(done.returncode == 3 and 'has version 16' in done.stdout,
                   'refused: a version that does not tell its sizes', done.stdout)
    done = swap('check', folder)
    tap.result(done.returncode == 1 and 'Is a directory' in done.stdout, 'a folder', done.stdout)
    done = swap('check', folder / 'nothing.dtb')
    tap.result(done.returncode == 1 and 'No such file' in done.stdout, 'a file that is not there',
               done.stdout)


def cases(tap, folder, good):
    """One change each."""
    made = device(folder / 'root', good)
    for name, change, status, words in CASES:
        tree = Tree(good)
        change(tree)
        path = tree.write(folder / 'new.dtb')
        done = swap('check', '--root', made.root, path)
        told = 'mend:' in done.stdout if status else words != 'fits' or 'the new' not in done.stdout
        tap.result(done.returncode == status and words in done.stdout and told, name,
                   f'status {done.returncode}\n{done.stdout}')
    tree = Tree(good).text('/', 'compatible', ['acme,box', 'fsl,imx8mp'])
    path = tree.write(folder / 'new.dtb')
    done = swap('check', '--root', made.root, '--accept-board', 'acme,box', path)
    tap.result(done.returncode == 0 and 'accepted by name' in done.stdout,
               'another board, accepted by its name', done.stdout)
    done = swap('check', '--root', made.root, '--json', path)
    several = swap('check', '--root', made.root, path, good, path)
    tap.result(several.returncode == 4 and several.stdout.count('the tree is for') == 2 and
               several.stdout.count('is sound and fits') == 1, 'each of several files is judged',
               several.stdout)
    answer = json.loads(done.stdout)
    tap.result(answer['status'] == 4 and answer['kind'] == 'board' and
               answer['findings'][0]['mend'], 'the same as JSON', done.stdout)


def memory(tap, folder):
    """A Raspberry Pi 4, whose controllers see memory elsewhere than its CPUs do."""
    good = shipped('6.12', 'bcm2711-rpi-4-b')
    for name, change, status, words in (
            ('no dma-ranges of the storage', lambda t: t.drop('/emmc2bus', 'dma-ranges'), 5,
             'storage of /: no bus above it has dma-ranges in the new tree'),
            ('empty dma-ranges of the storage', lambda t: t.cell('/emmc2bus', 'dma-ranges'), 5,
             'storage of /: no bus above it has dma-ranges'),
            ('dma-ranges as firmware corrects them', lambda t: t.cell(
                '/emmc2bus', 'dma-ranges', 0, 0, 0, 0, 0xfc000000), 0, 'fits')):
        made = Device(folder / 'root', good)
        made.disk(2, '/', '/emmc2bus/mmc@7e340000')
        tree = Tree(good)
        change(tree)
        done = swap('check', '--root', made.root, tree.write(folder / 'new.dtb'))
        tap.result(done.returncode == status and words in done.stdout, name, done.stdout)


def loaded(tap, folder):
    """A module that a container has loaded is not among those of the kernel."""
    good = shipped(*BOARD)
    tree = Tree(good).add('/', 'seed', compatible='balena,rtc-seed').write(folder / 'new.dtb')
    for name, module, status, words in (('loaded', 'rtc_seed', 0, 'warning: balena,rtc-seed (/seed): '
                                         'module rtc-seed is loaded, and not among'),
                                        ('not loaded', 'other', 8, 'needs the module rtc-seed')):
        made = Device(folder / 'root', good)
        made.modules(dep='kernel/x.ko:\n')
        made.put(f'sys/module/{module}/refcnt', '0\n')
        done = swap('check', '--root', made.root, tree)
        tap.result(done.returncode == status and words in done.stdout,
                   f'a module of ours that is {name}', done.stdout)


# On what the network is, in the running tree or not; what the new tree lacks; status; words.
FOUND = (
    ('on USB, and its hub is no node', 'usb', lambda t: t.drop('/soc/usb@7e980000/usb1@1'), 0,
     'warning: network eth0: its part /soc/usb@7e980000/usb1@1/ethernet@1 is not in'),
    ('on USB, which is off', 'usb', lambda t: t.text('/soc/usb@7e980000', 'status', 'disabled'), 5,
     'which is disabled in the new tree'),
    ('on PCI, which is off', 'pci', lambda t: t.text('/scb/pcie@7d500000', 'status', 'disabled'), 5,
     'which is disabled in the new tree'),
    ('on PCI', 'pci', lambda t: t, 0, 'fits this device'),
)
PORTS = '/soc@0/switch/ports'


def parts(tap, folder):
    """A port of a switch may have another name; it may not be missing."""
    good, running = shipped(*BOARD), folder / 'running.dtb'
    tree = Tree(good).add('/soc@0', 'switch', compatible='acme,switch').add('/soc@0/switch', 'ports')
    tree.add(PORTS, 'port@1').add(PORTS, 'port@2').write(running)
    for name, change, status, words in (
            ('is gone', lambda t: t.drop(f'{PORTS}/port@2'), 5, 'which the new tree does not have'),
            ('has another name', lambda t: t.drop(f'{PORTS}/port@2').add(PORTS, 'ethernet-port@2'), 0,
             'is not in the new tree, or called otherwise'),
            ('is there', lambda t: t, 0, 'fits this device')):
        made, tree = Device(folder / 'root', running), Tree(running)
        made.network('eth0', 'up', f'{PORTS}/port@2')
        change(tree)
        done = swap('check', '--root', made.root, tree.write(folder / 'new.dtb'))
        tap.result(done.returncode == status and words in done.stdout,
                   f'the port that the network is on {name}', done.stdout)


def found(tap, folder):
    """What buses find by themselves has no node that is needed, and its bus has one."""
    for name, bus, change, status, words in FOUND:
        usb = bus == 'usb'
        good = shipped('6.12', 'bcm2837-rpi-3-b' if usb else 'bcm2711-rpi-4-b')
        made, tree = Device(folder / 'root', good), Tree(good)
        made.network('eth0', 'up', '/soc/usb@7e980000/usb1@1/ethernet@1' if usb else
                     '/scb/pcie@7d500000/pci@0,0/ethernet@0,0')
        change(tree)
        done = swap('check', '--root', made.root, tree.write(folder / 'new.dtb'))
        tap.result(done.returncode == status and words in done.stdout, f'the network is {name}',
                   done.stdout)


def accepted(tap, folder):
    """What is refused can be accepted in its own words, and nothing else."""
    good = shipped(*BOARD)
    tree = Tree(good).drop(MMC, 'resets' if Tree(good).fdt.hasprop(Tree(good).node(MMC), 'resets')
                           else 'clocks').write(folder / 'new.dtb')
    made = Device(folder / 'root', good)
    made.disk(2, '/', MMC)
    first = swap('check', '--root', made.root, tree)
    causes = [line[len('refused: '):] for line in first.stdout.splitlines()
              if line.startswith('refused: ')]
    for name, words, status in (
            ('all', causes, 0), ('a part', [cause[:-1] for cause in causes], 5),
            ('something else', ['storage'], 5), ('more than there is room for', causes * 17, 2)):
        options = [word for cause in words for word in ('--accept', cause)]
        done = swap('check', *options, '--root', made.root, tree)
        tap.result(first.returncode == 5 and done.returncode == status and
                   (status or all(f'warning: {cause}' in done.stdout for cause in causes)),
                   f'what is refused, accepted: {name}', first.stdout + done.stdout)


def supplies(tap, folder):
    """The card's regulator is switched off where nobody names it, unless it stays on."""
    good, card = shipped(*BOARD), '/soc@0/bus@30800000/mmc@30b50000'
    phandle = int.from_bytes(Tree(good).fdt.getprop(Tree(good).node(card), 'vmmc-supply'), 'big')
    path = Tree(good).fdt.get_path(Tree(good).fdt.node_offset_by_phandle(phandle))
    left, other = f'{card} has no vmmc-supply', f'{path} is another device in the new tree'

    def leave(change):
        return lambda t: (t.drop(card, 'vmmc-supply'), change(t))

    def take(**props):
        return lambda t: (t.add('/', 'new-supply', **props), t.cell('/new-supply', 'phandle', 0x7ffe),
                          t.cell(card, 'vmmc-supply', 0x7ffe))

    for name, change, status, words in (
            ('left out, and nothing else', leave(lambda t: None), 5, left),
            ('left out, and it stays on', leave(lambda t: t.text(
                path, 'regulator-always-on', '')), 0, left),
            ('left out, and it is out of use', leave(lambda t: t.text(
                path, 'status', 'disabled')), 0, left),
            ('left out, and it is gone', leave(lambda t: t.drop(path)), 0, left),
            ('no device', lambda t: t.drop(path, 'compatible'), 5, other),
            ('a new one that is no device', take(status='okay'), 5,
             f'/new-supply, which {card} needs, is no device'),
            ('a new one', take(compatible='regulator-fixed', regulator_name='new'), 0, ''),
            ('something else', lambda t: t.text(path, 'compatible', 'x,y'), 5, other),
            ('without a name', lambda t: t.drop(path, 'regulator-name'), 5,
             f'{path} has no regulator-name in the new tree'),
            ('one with another voltage', lambda t: t.text(path, 'compatible', 'regulator-gpio'), 0,
             '')):
        made, tree = Device(folder / 'root', good), Tree(good)
        made.disk(1, '/', card)
        change(tree)
        done = swap('check', '--root', made.root, tree.write(folder / 'new.dtb'))
        level = 'refused' if status else 'warning'
        tap.result(done.returncode == status and f'{level}: storage of /: {words}' in done.stdout or
                   not words and path not in done.stdout and not done.returncode,
                   f'the supply of the card is {name}', done.stdout)


def firmware(tap, folder):
    """What bootloaders of 32-bit ARM write into the tree is not missed in its file."""
    good, running = shipped('6.12-armhf', 'sun8i-h3-orangepi-one'), folder / 'running.dtb'
    tree = Tree(good)
    each_cpu(tree, lambda path: tree.text(path, 'enable-method', 'psci'))
    tree.add('/', 'psci', compatible='arm,psci', method='smc')
    made = Device(folder / 'root', tree.write(running))
    done = swap('check', '--root', made.root, good)
    tap.result(done.returncode == 0 and 'warning: arm,psci: the new tree has none' in done.stdout,
               'the own tree of a board whose bootloader adds PSCI', done.stdout)
    tree = Tree(running).text('/psci', 'compatible', ['arm,psci-1.0', 'arm,psci'])
    made = Device(folder / 'root', tree.write(running))
    done = swap('check', '--root', made.root, tree.text('/psci', 'method', 'hvc').write(folder / 'new.dtb'))
    tap.result(done.stdout.count('its method is smc') == 1, 'a node of two names is told once', done.stdout)


# What an interface says of itself, and whether it counts as in use.
INTERFACES = (
    ('up', None, True), ('unknown', '0x1003', True), ('unknown', '0x10d1', True),
    ('unknown', '0x1002', False), ('unknown', None, False), ('down', '0x1003', False),
)


def interfaces(tap, folder, good):
    """An interface that is in use, also where its driver tells no carrier, and one that is not."""
    path = Tree(good).text(ETHERNET, 'status', 'disabled').write(folder / 'new.dtb')
    for state, flags, used in INTERFACES:
        made = Device(folder / 'root', good)
        made.network('wwan0', state, ETHERNET)
        if flags:
            made.put('sys/devices/platform/wwan0/net/wwan0/flags', f'{flags}\n')
        done = swap('check', '--root', made.root, path)
        words = f'{"refused" if used else "warning"}: network wwan0: it is {ETHERNET}'
        tap.result(done.returncode == (5 if used else 0) and words in done.stdout,
                   f'a network interface that is {state}, flags {flags}', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    good = shipped(*BOARD)
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        broken(tap, folder, good)
        cases(tap, folder, good)
        supplies(tap, folder)
        loaded(tap, folder)
        found(tap, folder)
        parts(tap, folder)
        accepted(tap, folder)
        firmware(tap, folder)
        memory(tap, folder)
        interfaces(tap, folder, good)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
