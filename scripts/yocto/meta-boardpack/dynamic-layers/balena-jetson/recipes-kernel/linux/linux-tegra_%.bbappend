# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# apollo-tx2
# astro-tx2
# blackboard-tx2
# cnx100-xavier-nx
# floyd-nano
# jetson-nano
# jetson-nano-2gb-devkit
# jetson-nano-emmc
# jetson-tx1
# jetson-tx2
# jetson-tx2-nx-devkit
# jetson-xavier
# jetson-xavier-nx-devkit
# jetson-xavier-nx-devkit-emmc
# jetson-xavier-nx-devkit-seeed-2mic-hat
# jn30b-nano
# n310-tx2
# n510-tx2
# orbitty-tx2
# spacely-tx2

inherit boardpack-family
