# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# bluechiptechnology-tm3

inherit boardpack-family
