# SPDX-License-Identifier: GPL-2.0-only
#
# What a kernel's Module.symvers says of the symbols that the first file names, for busybox's
# awk too: symbol, CRC or -, module or vmlinux, gpl or -, name space or -.

NR == FNR {
	want[$1] = 1
	next
}

# 5.4 had the name space, which may be empty, before the module.
$2 in want {
	split($0, part, "\t")
	type = (part[4] ~ /^EXPORT/) ? 4 : 5
	owner = part[type - 1]
	space = part[type == 4 ? 5 : 3]
	sub(/.*\//, "", owner)
	sub(/\.ko$/, "", owner)
	print $2, $1 ~ /^0x0*$/ ? "-" : $1, owner, part[type] ~ /_GPL$/ ? "gpl" : "-",
		space == "" ? "-" : space
}
