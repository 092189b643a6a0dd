# SPDX-License-Identifier: GPL-2.0-only

inherit boardpack-machine

IMAGE_INSTALL:append = " packagegroup-boardpack"

# Where the bootloader takes overlays from the boot partition, they lie there.
BOARDPACK_BOOT_FILES = "${@' '.join('devicetree/%s.dtbo:%s%s.dtbo' % (name, d.getVar('BOARDPACK_BOOT_OVERLAYS'), name) for name in boardpack_overlays(d)) if d.getVar('BOARDPACK_BOOT_OVERLAYS') else ''}"
BALENA_BOOT_PARTITION_FILES:append = " ${BOARDPACK_BOOT_FILES}"
do_resin_boot_dirgen_and_deploy[depends] += "${@'boardpack-devicetree:do_deploy' if d.getVar('BOARDPACK_BOOT_OVERLAYS') else ''}"
