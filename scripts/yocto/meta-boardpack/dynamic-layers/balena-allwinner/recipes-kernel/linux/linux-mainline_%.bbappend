# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# bananapi-m1-plus
# nanopi-neo-air
# orange-pi-lite
# orange-pi-one
# orange-pi-zero
# orangepi-plus2

inherit boardpack-family
