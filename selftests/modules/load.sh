#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Every module of the pack loads and unloads, twice: what the first round
# leaves behind makes the second fail. What was loaded is again at the end.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

# shellcheck disable=SC2086 # a list
set -- ${PACK_MODULES:-}
[ $# -gt 0 ] || skip_all "no module of the pack is installed"

# those_loaded(module...)
those_loaded() {
	for module; do
		! loaded "$module" || echo "$module"
	done
}

# put_back() - what was loaded is, and nothing else
put_back() {
	for module in $modules; do
		case " $(echo "$before" | tr '\n' ' ') " in
		*" $module "*) modprobe "$module" ;;
		*) ! loaded "$module" || modprobe -r "$module" ;;
		esac
	done
}

modules=$*
found=$(those_loaded "$@")
before=$found
trap put_back EXIT
trap 'exit 1' HUP INT TERM

plan $(($# * 4 + 1))
modprobe "$1"
before=$(those_loaded "$@")
for round in first second; do
	for module in "$@"; do
		modprobe "$module"
		check "$module loads, $round time" loaded "$module"
		modprobe -r "$module"
		check "$module unloads, $round time" eval "! loaded $module"
	done
done
put_back
equal "what was loaded is again" "$(those_loaded "$@")" "$before"
before=$found
ktap_finished
