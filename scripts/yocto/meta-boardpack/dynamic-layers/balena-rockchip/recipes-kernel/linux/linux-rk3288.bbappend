# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# aio-3288c
# firefly-rk3288

inherit boardpack-family
