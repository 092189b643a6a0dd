# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# genericx86-64-ext
# intel-nuc
# surface-go
# surface-pro-6

inherit boardpack-family
