# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# ccimx8x-sbc-pro

inherit boardpack-family
