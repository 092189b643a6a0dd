# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# iot-gate-imx8
# iot-gate-imx8-sb

inherit boardpack-family
