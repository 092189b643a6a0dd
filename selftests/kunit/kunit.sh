#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Load every KUnit module of the pack and report its suites' results, which
# KUnit keeps in debugfs.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

results=/sys/kernel/debug/kunit

for module in $PACK_MODULES; do
	installed "$module-kunit" && set -- "$@" "$module-kunit"
done
[ $# -gt 0 ] || skip_all "no KUnit module of the pack is installed: the kernel has no KUnit"

for module in "$@"; do
	modprobe "$module"
done
suites=$(ls "$results" 2>/dev/null)
plan $(($# + $(echo "$suites" | wc -w)))
for module in "$@"; do
	check "$module loads" loaded "$module"
done
for suite in $suites; do
	grep -E '^ +(# )?|^    ' "$results/$suite/results"
	check "$suite" eval "! grep -q '^ *not ok' $results/$suite/results"
done
for module in "$@"; do
	modprobe -r "$module"
done
ktap_finished
