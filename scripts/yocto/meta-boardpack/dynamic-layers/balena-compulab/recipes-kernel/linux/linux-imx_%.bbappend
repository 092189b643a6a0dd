# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# cl-som-imx8
# etcher-pro

inherit boardpack-family
