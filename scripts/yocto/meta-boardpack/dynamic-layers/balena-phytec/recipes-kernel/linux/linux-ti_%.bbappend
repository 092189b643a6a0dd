# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# phyboard-lyra-am62xx-2

inherit boardpack-family
