# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# advantech-ecu1370

inherit boardpack-family
