# SPDX-License-Identifier: GPL-2.0-only

SUMMARY = "What of the pack goes into an image"
PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit boardpack-machine packagegroup

RDEPENDS:${PN} = "boardpack boardpack-units"
RDEPENDS:${PN} += "${@'boardpack-devicetree dtb-swap' if boardpack_trees(d) else ''}"
