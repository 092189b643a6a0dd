# SPDX-License-Identifier: GPL-2.0-only
#
# What the kernel makes of each symbol that a module needs, for busybox's awk too, in the
# kernel's order. Its files are called exports (symbol, CRC or -, owner, gpl or -, name space
# or -), crcs, module (what preflight.awk says) and needs. known is what exports is made of,
# name the module's, lax 1 where the kernel only warns of name spaces.
#
# Prints a line each: ok, crc, missing, unknown, license or namespace, the symbol, its owner, the
# option that brings it, and more: for ok whether CRCs agree, for namespace which one.

# option(symbol) - the kernel's option that brings it
function option(symbol) {
	if (symbol ~ /^(devm_)?led_trigger_/)
		return "LEDS_TRIGGERS"
	if (symbol ~ /^((devm_)?(of_)?led|leds)_/)
		return "LEDS_CLASS"
	if (symbol ~ /^(__)?(devm_)?rtc_/)
		return "RTC_CLASS"
	if (symbol ~ /^usb_stor_/)
		return "USB_STORAGE"
	if (symbol ~ /^(__)?usb_/)
		return "USB"
	if (symbol ~ /nvmem_/)
		return "NVMEM"
	if (symbol ~ /^(__)?of_/)
		return "OF"
	if (symbol ~ /^(__)?kunit_/)
		return "KUNIT"
	return symbol ~ /^sysfs_/ ? "SYSFS" : "-"
}

# say(kind, more) - of the need of this line
function say(kind, more) {
	print kind, $1, ($1 in owner) ? owner[$1] : "-", option($1), more
}

# imported(space) - a name space may also be the modules that it is for: module:a,b*
function imported(space_,  n, i, names) {
	if (lax || (space_ in imports))
		return 1
	n = sub(/^module:/, "", space_) ? split(space_, names, ",") : 0
	for (i = 1; i <= n; i++) {
		gsub(/-/, "_", names[i])
		if (names[i] == name || (sub(/\*$/, "", names[i]) && index(name, names[i]) == 1))
			return 1
	}
	return 0
}

FILENAME ~ /exports$/ {
	if (!($1 in owner) || owner[$1] == "?")
		owner[$1] = $3
	if ($2 != "-")
		crc[$1] = $2
	if ($4 == "gpl")
		gpl[$1]
	if (NF > 4 && $5 != "-")
		space[$1] = $5
	next
}

FILENAME ~ /crcs$/ {
	crc[$1] = $2
	if (!($1 in owner))
		owner[$1] = "?"
	next
}

FILENAME ~ /module$/ {
	if ($1 == "crc")
		has[$2] = $3
	if ($1 == "info" && sub(/^import_ns=/, "", $2))
		imports[$2]
	# The first counts.
	if (sub(/^info license=/, "") && !licensed++)
		free = /^(GPL|GPL v2|GPL and additional rights|Dual (BSD|MIT|MPL)\/GPL)$/
	next
}

# Without CONFIG_KALLSYMS_ALL the functions alone are listed.
!($1 in owner) {
	say((known == "" || known == "seen" && $2 != "call") ? "unknown" : "missing", "-")
	next
}

($1 in gpl) && !free {
	say("license", "-")
	next
}

($1 in has) && ($1 in crc) && has[$1] != crc[$1] {
	say("crc", has[$1] "/" crc[$1])
	next
}

($1 in space) && !imported(space[$1]) {
	say("namespace", space[$1])
	next
}

{
	say("ok", ($1 in has) && ($1 in crc) ? "crc" : "-")
}
