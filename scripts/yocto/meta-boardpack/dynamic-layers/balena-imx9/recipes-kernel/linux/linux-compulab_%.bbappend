# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# iot-link
# mcm-imx93
# ucm-imx93

inherit boardpack-family
