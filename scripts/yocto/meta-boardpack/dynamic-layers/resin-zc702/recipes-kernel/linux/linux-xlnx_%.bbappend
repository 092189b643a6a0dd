# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# zc702-zynq7

inherit boardpack-family
