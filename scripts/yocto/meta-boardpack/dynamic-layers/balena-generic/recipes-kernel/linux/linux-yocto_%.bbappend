# SPDX-License-Identifier: GPL-2.0-only
#
# made by scripts/yocto/generate
#
# For
# generic-aarch64
# generic-amd64
# generic-amd64-av
# generic-amd64-fs
# generic-amd64-xr
# studio-automatedx86-sb

inherit boardpack-family
