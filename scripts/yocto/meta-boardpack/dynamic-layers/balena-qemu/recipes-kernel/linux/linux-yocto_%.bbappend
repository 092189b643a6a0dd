# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# qemux86
# qemux86-64

inherit boardpack-family
