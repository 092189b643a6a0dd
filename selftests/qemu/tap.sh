# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the shell tests that run on the machine that builds share: their results, in TAP.

num=0
# shellcheck disable=SC2034 # their exit status
failed=0
said=/dev/null

# plan(count)
plan() {
	echo "TAP version 13"
	echo "1..$1"
}

# result(status, what) - one line, and behind a bad one what $said ends with
result() {
	num=$((num + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $num $2"
	else
		echo "not ok $num $2"
		tail -n 30 "$said" | sed 's/^/# /'
		# shellcheck disable=SC2034 # as above
		failed=1
	fi
}
