# SPDX-License-Identifier: GPL-2.0-only
#
# What a module says of itself, read from its ELF file, for busybox's awk too.
# KO in the environment is the file, DUMP a command that turns bytes into numbers.
#
# Prints a line each: machine arm64, info key=value, crc SYMBOL 0x01234567, and
# needs SYMBOL call, for a function that is called, or needs SYMBOL use.

# read_bytes(at, length) - into b[], as numbers
function read_bytes(at, length_,  command, line, part, i, many) {
	split("", b)
	n = 0
	command = sprintf("tail -c +%d \"$KO\" | head -c %d | eval \"$DUMP\"", at + 1, length_)
	while ((command | getline line) > 0) {
		many = split(line, part, " ")
		for (i = 1; i <= many; i++)
			b[n++] = part[i]
	}
	close(command)
}

function num(at, length_,  i, value) {
	for (i = 0; i < length_; i++)
		value = value * 256 + b[big ? at + i : at + length_ - 1 - i]
	return value + 0
}

function str(at,  text) {
	while (b[at] + 0)
		text = text sprintf("%c", b[at++])
	return text
}

# read_header() - where the sections are
function read_header(  machines) {
	read_bytes(0, 64)
	if (str(1) !~ /^ELF/)
		exit 1
	wide = b[4] == 2
	big = b[5] == 2
	machines[183] = "arm64"; machines[40] = "arm"; machines[62] = machines[3] = "x86"
	machine = (num(18, 2) in machines) ? machines[num(18, 2)] : "other"
	print "machine", machine
	headers = wide ? num(40, 8) : num(32, 4)
	sections = num(wide ? 60 : 48, 2)
	names = num(wide ? 62 : 50, 2)
}

# read_sections() - offset and size of each by name
function read_sections(  step, i, at, name) {
	step = wide ? 64 : 40
	read_bytes(headers, step * sections)
	for (i = 0; i < sections; i++) {
		name[i] = num(i * step, 4)
		at = i * step + (wide ? 24 : 16)
		from[i] = num(at, wide ? 8 : 4)
		long[i] = num(at + (wide ? 8 : 4), wide ? 8 : 4)
	}
	read_bytes(from[names], long[names])
	for (i = 0; i < sections; i++)
		place[i] = str(name[i])
}

# open_section(name) - its bytes into b[]
function open_section(name,  i) {
	split("", b)
	n = 0
	for (i = 0; i < sections; i++)
		if (place[i] == name)
			read_bytes(from[i], long[i])
}

# read_calls() - numbers of the symbols that instructions of code call
function read_calls(  i, at, step, info) {
	# R_AARCH64_CALL26 and JUMP26; R_ARM_CALL, JUMP24, THM_CALL and THM_JUMP24; R_X86_64_PLT32
	is_call["arm64", 283]; is_call["arm64", 282]; is_call["arm", 28]; is_call["arm", 29]
	is_call["arm", 10]; is_call["arm", 30]; is_call["x86", 4]
	for (i = 0; i < sections; i++) {
		if (place[i] !~ /^\.rela?\..*text/)
			continue
		open_section(place[i])
		step = (wide ? 16 : 8) + (place[i] ~ /^\.rela/ ? (wide ? 8 : 4) : 0)
		for (at = 0; at < n; at += step) {
			info = at + (wide ? 8 : 4)
			if (wide ? (machine, num(info, 4)) in is_call : (machine, num(info, 1)) in is_call)
				called[wide ? num(info + 4, 4) : num(info + 1, 3)]
		}
	}
}

function print_info(  at, text) {
	open_section(".modinfo")
	for (at = 0; at < n; at += length(text) + 1) {
		text = str(at)
		if (text != "")
			print "info", text
	}
}

function print_crcs(  at, word) {
	open_section("__versions")
	word = wide ? 8 : 4
	for (at = 0; at < n; at += 64)
		printf "crc %s 0x%04x%04x\n", str(at + word), num(at + (big ? word - 4 : 2), 2),
			num(at + (big ? word - 2 : 0), 2)
}

# print_needs() - global symbols that are not in it; weak ones may be missing
function print_needs(  step, at, name, count, i, how) {
	read_calls()
	count = 0
	open_section(".symtab")
	step = wide ? 24 : 16
	for (at = 0; at < n; at += step)
		if (num(at, 4) && !num(at + (wide ? 6 : 14), 2) && int(b[at + (wide ? 4 : 12)] / 16) == 1) {
			how[count] = (at / step in called) ? "call" : "use"
			name[count++] = num(at, 4)
		}
	open_section(".strtab")
	for (i = 0; i < count; i++)
		if (str(name[i]) != "_GLOBAL_OFFSET_TABLE_")
			print "needs", str(name[i]), how[i]
}

BEGIN {
	read_header()
	read_sections()
	print_info()
	print_crcs()
	print_needs()
}
