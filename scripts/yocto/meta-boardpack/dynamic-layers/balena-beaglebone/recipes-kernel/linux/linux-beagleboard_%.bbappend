# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# beaglebone-black
# beaglebone-green
# beaglebone-green-gateway
# beaglebone-green-wifi

inherit boardpack-family
