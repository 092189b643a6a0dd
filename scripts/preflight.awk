# SPDX-License-Identifier: GPL-2.0-only
#
# What a module says of itself, read from its ELF file, for busybox's awk too.
# KO in the environment is the file, DUMP a command that turns bytes of it into numbers of 4
# characters, told from where, how many, and of how many a line is. known is what the kernel's
# exports are known by.
#
# Prints a line each: machine arm64, info key=value, crc SYMBOL 0x01234567, and
# needs SYMBOL call, for a function that is called, or needs SYMBOL use: told apart where
# names of functions are all that is known.

# read_rows(at, length, width) - into row[], as DUMP prints them
function read_rows(at, length_, width,  command, line) {
	split("", row)
	n = 0
	if (!length_)
		return
	command = sprintf(ENVIRON["DUMP"], at, length_, width)
	while ((command | getline line) > 0)
		row[n++] = line
	close(command)
}

function num(line, at, length_,  i, value) {
	for (i = 0; i < length_; i++)
		value = value * 256 + substr(line, 4 * (big ? at + i : at + length_ - 1 - i) + 1, 4)
	return value + 0
}

# read_strings(at, length) - into text[], by the places where they start
function read_strings(at, length_,  command, line, place_) {
	split("", text)
	strings = place_ = 0
	if (!length_)
		return
	command = sprintf("tail -c +%d \"$KO\" | head -c %d | tr '\\000' '\\n'", at + 1, length_)
	while ((command | getline line) > 0) {
		start[strings++] = place_
		text[place_] = line
		place_ += length(line) + 1
	}
	close(command)
}

# str(at) - the end of a string is one, too
function str(at,  from_) {
	for (from_ = at; from_ > 0 && !(from_ in text); from_--)
		;
	return substr(text[from_], at - from_ + 1)
}

# read_header() - where the sections are
function read_header(  machines, head) {
	read_rows(0, 64, 64)
	head = row[0]
	if (head !~ /^ *127 +69 +76 +70 /)
		exit 1
	wide = num(head, 4, 1) == 2
	big = num(head, 5, 1) == 2
	machines[183] = "arm64"; machines[40] = "arm"; machines[62] = machines[3] = "x86"
	machine = (num(head, 18, 2) in machines) ? machines[num(head, 18, 2)] : "other"
	print "machine", machine
	headers = wide ? num(head, 40, 8) : num(head, 32, 4)
	sections = num(head, wide ? 60 : 48, 2)
	names = num(head, wide ? 62 : 50, 2)
}

# read_sections() - offset and size of each by name
function read_sections(  step, word, i, name) {
	step = wide ? 64 : 40
	word = wide ? 8 : 4
	read_rows(headers, step * sections, step)
	for (i = 0; i < sections; i++) {
		name[i] = num(row[i], 0, 4)
		from[i] = num(row[i], wide ? 24 : 16, word)
		long[i] = num(row[i], (wide ? 24 : 16) + word, word)
	}
	read_strings(from[names], long[names])
	for (i = 0; i < sections; i++) {
		place[i] = str(name[i])
		number[place[i]] = i
	}
}

# open_rows(name, width), open_strings(name) - of a section, which may not be there
function open_rows(name, width) {
	read_rows(from[number[name]], (name in number) ? long[number[name]] : 0, width)
}

function open_strings(name) {
	read_strings(from[number[name]], (name in number) ? long[number[name]] : 0)
}

# read_calls() - numbers of the symbols that instructions of code call
function read_calls(  i, k, at) {
	# R_AARCH64_CALL26 and JUMP26; R_ARM_CALL, JUMP24, THM_CALL and THM_JUMP24; R_X86_64_PLT32
	is_call["arm64", 283]; is_call["arm64", 282]; is_call["arm", 28]; is_call["arm", 29]
	is_call["arm", 10]; is_call["arm", 30]; is_call["x86", 4]
	at = wide ? 8 : 4
	for (i = 0; i < sections; i++) {
		if (place[i] !~ /^\.rela?\..*text/)
			continue
		read_rows(from[i], long[i], (wide ? 16 : 8) + (place[i] ~ /^\.rela/ ? at : 0))
		for (k = 0; k < n; k++)
			if ((machine, num(row[k], at, wide ? 4 : 1)) in is_call)
				called[wide ? num(row[k], 12, 4) : num(row[k], 5, 3)]
	}
}

function print_info(  i) {
	open_strings(".modinfo")
	for (i = 0; i < strings; i++)
		if (text[start[i]] != "")
			print "info", text[start[i]]
}

# print_crcs() - and the layout, which stands for struct module, is among what it needs
function print_crcs(  word, i, name) {
	word = wide ? 8 : 4
	open_rows("__versions", 64)
	open_strings("__versions")
	for (i = 0; i < n; i++) {
		name = str(64 * i + word)
		printf "crc %s 0x%04x%04x\n", name, num(row[i], big ? word - 4 : 2, 2),
			num(row[i], big ? word - 2 : 0, 2)
		if (name == "module_layout")
			print "needs", name, "use"
	}
}

# print_needs() - global symbols that are not in it; weak ones may be missing
function print_needs(  i, name) {
	if (known == "seen")
		read_calls()
	open_rows(".symtab", wide ? 24 : 16)
	open_strings(".strtab")
	for (i = 0; i < n; i++) {
		if (int(num(row[i], wide ? 4 : 12, 1) / 16) != 1 || num(row[i], wide ? 6 : 14, 2))
			continue
		name = str(num(row[i], 0, 4))
		if (name != "" && name != "_GLOBAL_OFFSET_TABLE_")
			print "needs", name, (i in called) ? "call" : "use"
	}
}

BEGIN {
	read_header()
	read_sections()
	print_info()
	print_crcs()
	print_needs()
}
