# SPDX-License-Identifier: GPL-2.0-only
#
# Passes KTAP on, with a line "boardpack-result pass|fail|skip NAME" after each result
# of a program's tests, or of a program that told none, or failed otherwise.

/^# selftests: / {
	program = substr($0, 14)
	told = failed = 0
}

{ print }

/^(# *)?(not )?ok [0-9]+/ {
	inner = /^#/
	state = /# SKIP/ ? "skip" : /^(# *)?not/ ? "fail" : "pass"
	name = $0
	sub(/^(# *)?(not )?ok [0-9]+ *(- *)?(selftests: )?/, "", name)
	sub(/ *# (SKIP|exit=|TIMEOUT).*/, "", name)
	if (inner || !told || (state == "fail" && !failed))
		print "boardpack-result " state " " (inner ? program ": " : "") name
	if (inner) {
		told = 1
		failed += state == "fail"
	}
}

{ fflush() }
