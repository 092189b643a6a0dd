# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# jetson-agx-thor-devkit

inherit boardpack-family
