# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# bigmak-imx8m-plus

inherit boardpack-family
