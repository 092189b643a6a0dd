# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# asus-tinker-edge-t
# coral-dev

inherit boardpack-family
