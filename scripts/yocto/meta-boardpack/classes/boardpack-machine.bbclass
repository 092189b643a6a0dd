# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/boards.tsv says of the machine that is built for.

require conf/boardpack-machines.inc

BOARDPACK_LEDS ?= "${@boardpack_of(d, 'LEDS')}"
BOARDPACK_FAMILY ?= "${@boardpack_of(d, 'FAMILY')}"
# Folder of the boot partition for overlays; empty where the bootloader looks for none there.
BOARDPACK_BOOT_OVERLAYS ?= "${@boardpack_of(d, 'BOOT_OVERLAYS')}"
BOARDPACK_CARRIERS ?= ""
# What follows from them is otherwise hashed by the name of the machine, not by what is said of it.
BOARDPACK_LEDS[vardepvalue] = "${BOARDPACK_LEDS}"
BOARDPACK_FAMILY[vardepvalue] = "${BOARDPACK_FAMILY}"
BOARDPACK_BOOT_OVERLAYS[vardepvalue] = "${BOARDPACK_BOOT_OVERLAYS}"
BOARDPACK_IDENTIFY = "/sys/class/leds/identify/brightness"
# The supervisor's LED_FILE; empty leaves that of the board's own layer, or where it has none, identify.
BOARDPACK_LED_FILE ?= "${@boardpack_led_file(d)}"

def boardpack_of(d, what):
    """Return what is known of the machine, or nothing."""
    return d.getVarFlag('BOARDPACK_MACHINE_' + what, d.getVar('MACHINE')) or ''

def boardpack_overlays(d):
    """Return the names of the overlays for the machine's family, and of those for all."""
    names = [d.getVarFlag('BOARDPACK_OVERLAYS', family) or ''
             for family in ('generic', d.getVar('BOARDPACK_FAMILY')) if family]
    return ' '.join(names).split()

def boardpack_boot_files(d):
    """Return the overlays as BALENA_BOOT_PARTITION_FILES has them."""
    place = d.getVar('BOARDPACK_BOOT_OVERLAYS')
    return ' '.join('devicetree/%s.dtbo:%s%s.dtbo' % (name, place, name)
                    for name in boardpack_overlays(d)) if place else ''

def boardpack_led_options(d):
    """Return the options of leds-identify, or nothing."""
    leds = (d.getVar('BOARDPACK_LEDS') or '').strip()
    text = 'leds="%s"' if len(leds.split()) > 1 else 'leds=%s'
    return 'options leds-identify ' + text % leds if leds else ''

def boardpack_led_file(d):
    """Return the LED identify where it has LEDs: by its option, or by the tree of a carrier."""
    known = d.getVar('BOARDPACK_LEDS') or (d.getVar('BOARDPACK_CARRIERS') or '').strip()
    return d.getVar('BOARDPACK_IDENTIFY') if known else ''

def boardpack_trees(d):
    """Tell whether the machine has a device tree."""
    return d.getVar('TARGET_ARCH') not in ('x86_64', 'i386', 'i486', 'i586', 'i686')
