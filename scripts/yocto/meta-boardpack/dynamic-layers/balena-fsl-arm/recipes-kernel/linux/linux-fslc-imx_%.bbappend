# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# imx8mm-lpddr4-evk

inherit boardpack-family
