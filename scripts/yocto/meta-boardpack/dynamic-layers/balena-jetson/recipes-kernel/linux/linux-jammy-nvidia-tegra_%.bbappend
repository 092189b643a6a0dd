# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# forecr-dsb-ornx-orin-nano-8gb
# jetson-agx-orin-devkit
# jetson-agx-orin-devkit-64gb
# jetson-orin-nano-devkit-nvme
# jetson-orin-nano-seeed-j3010
# jetson-orin-nx-seeed-j4012
# jetson-orin-nx-xavier-nx-devkit

inherit boardpack-family
