# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# asus-tinker-board
# asus-tinker-board-s

inherit boardpack-family
