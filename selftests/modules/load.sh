#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Every module of the pack loads and unloads, twice: what the first round
# leaves behind makes the second fail.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

# shellcheck disable=SC2086 # a list
set -- ${PACK_MODULES:-}
[ $# -gt 0 ] || skip_all "no module of the pack is installed"

plan $(($# * 4))
for round in first second; do
	for module in "$@"; do
		modprobe "$module"
		check "$module loads, $round time" loaded "$module"
		modprobe -r "$module"
		check "$module unloads, $round time" eval "! loaded $module"
	done
done
ktap_finished
