# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# apalis-imx6q
# colibri-imx6dl

inherit boardpack-family
