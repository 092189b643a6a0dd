# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# artik530
# artik533s

inherit boardpack-family
