#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Load every KUnit module of the pack and report its suites' results, which
# KUnit keeps in debugfs.

named=${PACK_MODULES:-}
# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

results=/sys/kernel/debug/kunit
empty=			# modules that have brought no suite

[ -d "$results" ] || modprobe kunit 2>/dev/null
[ -d "$results" ] || skip_all "the kernel has no KUnit, or not its debugfs"
for module in ${PACK_MODULES:-}; do
	# DKMS and the container install none.
	if [ -n "$named" ] || installed "$module-kunit"; then
		set -- "$@" "$module-kunit"
	fi
done
[ $# -gt 0 ] || skip_all "no KUnit module of the pack is installed"

# suites() - the names of those that have run
suites() {
	for _suite in "$results"/*/results; do
		[ ! -e "$_suite" ] || basename "${_suite%/results}"
	done
}

# good(suite) - whether it has results, and none is bad
good() {
	grep -q '^ *ok ' "$results/$1/results" && ! grep -q '^ *not ok ' "$results/$1/results"
}

for module in "$@"; do
	before=$(suites | wc -l)
	modprobe "$module"
	[ "$(suites | wc -l)" -gt "$before" ] || empty="$empty $module "
done
plan $(($# * 2 + $(suites | wc -l)))
for module in "$@"; do
	check "$module loads" loaded "$module"
	check "$module runs a suite" eval "case '$empty' in *' $module '*) false ;; esac"
done
for suite in $(suites); do
	grep -E '^ +(# )?|^    ' "$results/$suite/results"
	check "$suite" good "$suite"
done
for module in "$@"; do
	modprobe -r "$module"
done
ktap_finished
