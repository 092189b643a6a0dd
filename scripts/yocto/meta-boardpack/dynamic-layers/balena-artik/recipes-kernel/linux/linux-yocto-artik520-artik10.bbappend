# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# artik10
# artik5
# kitra520

inherit boardpack-family
