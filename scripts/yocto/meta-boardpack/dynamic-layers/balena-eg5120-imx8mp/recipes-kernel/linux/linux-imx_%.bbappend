# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# eg5120-imx8mp

inherit boardpack-family
