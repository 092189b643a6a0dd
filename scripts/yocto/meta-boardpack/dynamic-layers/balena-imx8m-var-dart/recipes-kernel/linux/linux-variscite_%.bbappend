# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# imx8m-var-dart
# imx8mm-var-dart
# imx8mm-var-dart-plt
# imx8mm-var-som
# imx8mp-var-dart

inherit boardpack-family
