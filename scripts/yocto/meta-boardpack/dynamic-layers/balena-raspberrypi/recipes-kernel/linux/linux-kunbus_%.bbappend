# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# revpi-connect-4
# revpi-connect-s

inherit boardpack-family
