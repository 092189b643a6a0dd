# SPDX-License-Identifier: GPL-2.0-only
#
# For the appends of the families: a kernel whose options kernel-balena does not set, such as
# another version of it, is left alone. kernel-resin is that class by its older name.

inherit ${@'boardpack' if bb.data.inherits_class('kernel-balena', d) or bb.data.inherits_class('kernel-resin', d) else ''}
