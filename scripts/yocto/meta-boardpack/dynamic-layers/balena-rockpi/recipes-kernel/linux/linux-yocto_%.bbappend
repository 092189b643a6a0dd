# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# radxa-cm3-rpicm4-ioboard
# rockpi-4b-rk3399

inherit boardpack-family
