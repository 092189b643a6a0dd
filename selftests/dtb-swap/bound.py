#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap check: what a needed device is bound to beside its own node, and what it can miss."""

import sys

import libfdt

from bench import Device, Tree, perform, shipped, swap
from kept import DISABLED, EQOS, EVK_SD, GPIO2, PI_SD, cells, evk, flags, kept, raspberry

GMAC, GMAC_CLOCK = '/ethernet@fe300000', '/external-gmac-clock'
SATA = '/sata@fc800000'
WIFI = '/soc/mmc@7e300000/wifi@1'
RESERVED, REGION = '/reserved-memory', '/reserved-memory/vdev0vring0@942f0000'
USB = '/soc@0/usb@32f10108/usb@38200000'


def number(tree, path):
    """By which others name a node."""
    return tree.fdt.get_phandle(tree.node(path))


def rockpi(folder):
    """A Rock Pi 4B, whose Ethernet has its clock from outside."""
    made = Device(folder, shipped('6.12', 'rk3399-rock-pi-4b'))
    made.network('eth0', 'up', GMAC)
    return made


def slot(folder, kind='SD'):
    """An EVK that knows what is in its slot."""
    made = evk(folder)
    made.put('sys/devices/platform/disk1/mmc_host/type', f'{kind}\n')
    return made


def multimedia(folder):
    """The same with an MMC."""
    return slot(folder, 'MMC')


def modem(folder):
    """A Verdin iMX8M Plus with a modem behind the hub of its carrier."""
    made = Device(folder, shipped('6.12', 'imx8mp-verdin-wifi-dahlia'))
    made.network('wwan0', 'up', f'{USB}/usb-hub@1')
    return made


def modem_both(folder):
    """The same on a controller that can be both."""
    made = modem(folder)
    Tree(made.root / 'sys/firmware/fdt').drop(USB, 'dr_mode').write(made.root / 'sys/firmware/fdt')
    return made


def modem_found(folder):
    """The same, where sysfs has it on USB."""
    made = modem_both(folder)
    made.device('platform/x', f'{USB}/usb-hub@1')
    made.put('sys/devices/platform/x/usb1/1-1/net/wwan1/operstate', 'up\n')
    made.link('sys/class/net/wwan1', 'sys/devices/platform/x/usb1/1-1/net/wwan1')
    return made


def modem_alone(folder):
    """The same whose hub has its supply by itself."""
    made = modem(folder)
    tree = Tree(made.root / 'sys/firmware/fdt').drop(f'{USB}/usb-hub@1', 'vdd-supply')
    tree.write(made.root / 'sys/firmware/fdt')
    return made


def wlan(folder):
    """A Raspberry Pi 4 on its WLAN."""
    made = raspberry(folder)
    made.network('wlan0', 'up', WIFI)
    return made


def wlan_woken(folder):
    """The same with a line by which the WLAN tells of itself."""
    made = wlan(folder)
    tree = Tree(made.root / 'sys/firmware/fdt')
    tree.cell(WIFI, 'interrupts-extended', number(tree, '/soc/gpio@7e200000'), 4, 8)
    tree.write(made.root / 'sys/firmware/fdt')
    return made


def with_initramfs(folder):
    """A Raspberry Pi 4 whose bootloader has put an initramfs where the tree reserves memory."""
    made = raspberry(folder)
    Tree(made.root / 'sys/firmware/fdt').cell('/chosen', 'linux,initrd-start', 0, 0).write(
        made.root / 'sys/firmware/fdt')
    return made


def unreserved(tree):
    """Without what only the file has."""
    while tree.fdt.num_mem_rsv():
        libfdt.fdt_del_mem_rsv(tree.fdt._fdt, 0)        # pylint: disable=protected-access


def sata(folder):
    """An Odroid M1 on a disk, with the tree of 7.2, where ports have PHYs."""
    made = Device(folder, shipped('7.2', 'rk3568-odroid-m1'))
    made.disk(1, '/', SATA)
    return made


def sata_older(folder):
    """The same with PHYs of controllers, as in 6.12."""
    made = sata(folder)
    from_port(Tree(made.root / 'sys/firmware/fdt')).write(made.root / 'sys/firmware/fdt')
    return made


def from_port(tree):
    """The controller gets the PHY of its port."""
    phys = cells(tree, f'{SATA}/sata-port@0', 'phys')
    return tree.drop(f'{SATA}/sata-port@0').cell(SATA, 'phys', *phys).text(SATA, 'phy-names', 'sata-phy')


def to_port(tree):
    """A port gets the PHY of its controller."""
    phys = cells(tree, SATA, 'phys')
    tree.drop(SATA, 'phys').add(SATA, 'sata-port@0')
    return tree.cell(f'{SATA}/sata-port@0', 'phys', *phys).cell(f'{SATA}/sata-port@0', 'reg', 0)


def sata_phy(tree):
    """The PHY of the port, as a path."""
    return tree.fdt.get_path(tree.fdt.node_offset_by_phandle(cells(tree, f'{SATA}/sata-port@0', 'phys')[0]))


# As CASES of kept.py.
CASES = (
    ('the clock that its own is to be made of is gone', rockpi, lambda t: t.drop(GMAC_CLOCK), 5,
     f'assigned-clock-parents of {GMAC} refers to a node that is not there'),
    ('it is disabled', rockpi, lambda t: t.text(GMAC_CLOCK, *DISABLED), 5,
     f'{GMAC_CLOCK}, which {GMAC} needs, is disabled'),
    ('a clock that is set leads nowhere', evk, lambda t: t.cell(EVK_SD, 'assigned-clocks', 0x7777, 5), 5,
     f'assigned-clocks of {EVK_SD} refers to a node that is not there'),
    ('nothing tells of the card any more', raspberry, lambda t: t.drop(PI_SD, 'broken-cd'), 5,
     'storage of /: in the new tree it may be taken out, and nothing tells'),
    ('it is said to stay', raspberry, lambda t: flags(t.drop(PI_SD, 'broken-cd'), PI_SD, 'non-removable'), 0,
     'fits'),
    ('the slot of an SD card is said to take none', slot, lambda t: flags(t, EVK_SD, 'no-sd', 'no-sdio'), 5,
     f'storage of /: {EVK_SD} has no-sd in the new tree'),
    ('it is said to take no MMC', slot, lambda t: flags(t, EVK_SD, 'no-mmc'), 0, 'fits'),
    ('that of an MMC is', multimedia, lambda t: flags(t, EVK_SD, 'no-mmc'), 5, 'has no-mmc in the new tree'),
    ('the USB controller is no host', modem, lambda t: t.text(USB, 'dr_mode', 'peripheral'), 5,
     'network wwan0: dr_mode is host, in the new tree it is peripheral'),
    ('it may be both', modem, lambda t: t.drop(USB, 'dr_mode'), 5, 'dr_mode is host, in the new tree it is otg'),
    ('it was both, and is no host', modem_both, lambda t: t.text(USB, 'dr_mode', 'peripheral'), 0,
     'warning: network wwan0: dr_mode is otg, in the new tree it is peripheral'),
    ('it was a host for sure', modem_found, lambda t: t.text(USB, 'dr_mode', 'peripheral'), 5,
     'refused: network wwan1: dr_mode is otg, in the new tree it is peripheral'),
    ('it was both, and is a host', modem_both, lambda t: t.text(USB, 'dr_mode', 'host'), 0, 'fits'),
    ('the hub, which has a supply, is not there', modem, lambda t: t.drop(f'{USB}/usb-hub@1'), 5,
     f'network wwan0: its part {USB}/usb-hub@1 is not in the new tree'),
    ('a hub without a supply is not there', modem_alone, lambda t: t.drop(f'{USB}/usb-hub@1'), 0,
     f'warning: network wwan0: its part {USB}/usb-hub@1'),
    ('its supply is, and it is another', modem, lambda t: t.text(f'{USB}/usb-hub@1', 'compatible', 'usb1,2'), 5,
     'it is driven as'),
    ('a hub is corrected', modem_alone, lambda t: t.text(f'{USB}/usb-hub@1', 'compatible', 'usb1,2'), 0,
     'warning: network wwan0: it is driven as'),
    ('no USB device at all', modem_alone, lambda t: t.text(f'{USB}/usb-hub@1', 'compatible', 'acme,hub'), 5,
     'it is driven as'),
    ('the node of a WLAN is gone', wlan, lambda t: t.drop(WIFI), 0,
     f'warning: network wlan0: its part {WIFI} is not in the new tree'),
    ('it has no compatible', wlan, lambda t: t.drop(WIFI, 'compatible'), 0,
     'warning: network wlan0: it is driven as brcm,bcm4329-fmac, in the new tree it is no compatible'),
    ('one with an interrupt has none', wlan_woken, lambda t: t.drop(WIFI, 'compatible'), 5, 'it is driven as'),
    ('it is gone', wlan_woken, lambda t: t.drop(WIFI), 5, 'which the new tree does not have'),
    ('no entry for where the firmware\'s CPUs wait', raspberry, unreserved, 0,
     'warning: memory: the new tree has no /memreserve/ of 0x0'),
    ('the firmware may be touched', evk, lambda t: t.drop(REGION, 'no-map'), 0,
     'warning: memory: the new tree does not reserve'),
    ('its memory is not in use', evk, lambda t: t.text(REGION, *DISABLED), 0,
     'warning: memory: the new tree does not reserve'),
    ('reserved memory has no ranges', evk, lambda t: t.drop(RESERVED, 'ranges'), 5,
     'memory: nothing in /reserved-memory of the new tree counts'),
    ('it has other cells than the root', evk, lambda t: t.cell(RESERVED, '#size-cells', 1), 5,
     'memory: nothing in /reserved-memory of the new tree counts'),
    ('the PHY gets an interrupt', evk, lambda t: t.cell(f'{EQOS}/mdio/ethernet-phy@1', 'interrupts-extended', number(
        t, GPIO2), 25, 8), 0, f'warning: network eth0: {EQOS}/mdio/ethernet-phy@1 gets an interrupt'),
    ('the PHY of its port is off', sata, lambda t: t.text(sata_phy(t), *DISABLED), 5,
     f'which {SATA}/sata-port@0 needs'),
    ('its port is off', sata, lambda t: t.text(f'{SATA}/sata-port@0', *DISABLED), 5,
     f'storage of /: its part {SATA}/sata-port@0 is not in use in the new tree'),
    ('its port is gone', sata, lambda t: t.drop(f'{SATA}/sata-port@0'), 5, f'its part {SATA}/sata-port@0'),
    ('its port has no PHY', sata, lambda t: t.drop(f'{SATA}/sata-port@0', 'phys'), 5,
     f'{SATA}/sata-port@0 has no phys in the new tree'),
    ('it has the PHY in the place of its port', sata, from_port, 0, 'fits'),
    ('its port has it in its place', sata_older, to_port, 0, 'fits'),
    ('that PHY is off', sata_older, lambda t: t.text(sata_phy(to_port(t)), *DISABLED), 5,
     f'which {SATA}/sata-port@0 needs'),
)


def bound(tap, folder):
    """One change each."""
    kept(tap, folder, CASES)


def initramfs(tap, folder):
    """Nobody is told of what the bootloader reserves for its initramfs."""
    made = with_initramfs(folder / 'root')
    tree = Tree(made.root / 'sys/firmware/fdt')
    unreserved(tree)
    done = swap('check', '--root', made.root, tree.write(folder / 'new.dtb'))
    tap.result(done.returncode == 0 and 'memreserve' not in done.stdout, 'where the initramfs was', done.stdout)


def main():
    """Run all."""
    return perform(bound, initramfs)


if __name__ == '__main__':
    sys.exit(main())
