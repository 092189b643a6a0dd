# SPDX-License-Identifier: GPL-2.0-only
#
# For the appends of the families: a kernel whose options kernel-balena does not set, such as
# another version of it, is left alone. kernel-resin is that class by its older name.

BOARDPACK_ASKED = "${@any(bb.data.inherits_class(name, d) for name in ('kernel-balena', 'kernel-resin'))}"
inherit ${@'boardpack' if d.getVar('BOARDPACK_ASKED') == 'True' else ''}
