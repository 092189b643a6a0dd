# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# beaglebone-ai64

inherit boardpack-family
