# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# emgw3
# nitrogen6x
# nitrogen6xq2g
# nitrogen8mm
# nitrogen8mm-dwe

inherit boardpack-family
