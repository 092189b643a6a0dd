# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# rockchip-rk3288-tci

inherit boardpack-family
