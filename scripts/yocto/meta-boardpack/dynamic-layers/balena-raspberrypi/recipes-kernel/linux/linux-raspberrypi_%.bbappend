# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# npe-x500-m3
# raspberry-pi
# raspberry-pi2
# raspberrypi0-2w-64
# raspberrypi3
# raspberrypi3-64
# raspberrypi3-unipi-neuron
# raspberrypi4-64
# raspberrypi4-superhub
# raspberrypi4-unipi-neuron
# raspberrypi400-64
# raspberrypi5
# raspberrypicm4-ioboard
# raspberrypicm4-ioboard-sb
# rt-rpi-300

inherit boardpack-family
