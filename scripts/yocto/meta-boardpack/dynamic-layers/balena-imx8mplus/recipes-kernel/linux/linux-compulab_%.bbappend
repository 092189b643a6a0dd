# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# iot-gate-imx8plus
# iot-gate-imx8plus-d1d8
# iot-gate-imx8plus-sb
# iotdin-imx8p
# iotdin-imx8p-d1d8

inherit boardpack-family
