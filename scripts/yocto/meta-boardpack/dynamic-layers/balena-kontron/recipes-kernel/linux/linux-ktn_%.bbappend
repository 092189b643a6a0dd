# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# kontron-mx8mm

inherit boardpack-family
