# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# nanopc-t4
# smarc-px30

inherit boardpack-family
