# SPDX-License-Identifier: GPL-2.0-only

inherit boardpack-machine

IMAGE_INSTALL:append = " packagegroup-boardpack"

# Where the bootloader takes overlays from the boot partition, they lie there.
BALENA_BOOT_PARTITION_FILES:append = " ${@boardpack_boot_files(d)}"
BOARDPACK_DEPLOYED = "${@'boardpack-devicetree:do_deploy' if boardpack_boot_files(d) else ''}"
do_resin_boot_dirgen_and_deploy[depends] += "${BOARDPACK_DEPLOYED}"
