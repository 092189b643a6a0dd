# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# lcbzu9
# tdpzu9

inherit boardpack-family
