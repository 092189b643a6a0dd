# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# bluechiptechnology-db1

inherit boardpack-family
