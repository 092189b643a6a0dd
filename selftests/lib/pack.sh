# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What every shell test of the pack uses, on top of kselftest's own helpers.
# Runs under busybox.

# shellcheck source=/dev/null
. "$(dirname "$0")/../kselftest/ktap_helpers.sh"

# plan(n) - say how many results will follow
plan() {
	ktap_print_header
	ktap_set_plan "$1"
}

# check(what, command...) - one result: whether the command succeeds
check() {
	_what=$1
	shift
	if "$@"; then
		ktap_test_pass "$_what"
	else
		ktap_print_msg "failed: $*"
		ktap_test_fail "$_what"
	fi
}

# refuse(what, command...) - one result: whether the command fails
refuse() {
	_what=$1
	shift
	if "$@" 2>/dev/null; then
		ktap_print_msg "should have failed: $*"
		ktap_test_fail "$_what"
	else
		ktap_test_pass "$_what"
	fi
}

# equal(what, is, wanted) - one result: two texts are the same
equal() {
	[ "$2" = "$3" ] || ktap_print_msg "is '$2', wanted '$3'"
	check "$1" [ "$2" = "$3" ]
}

# skip(what, why) - one result: not tried
skip() {
	__ktap_test ok "$1" "SKIP $2"
	KTAP_CNT_SKIP=$((KTAP_CNT_SKIP + 1))
}

# skip_all(why) - nothing of this script can run here
skip_all() {
	ktap_print_header
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

# installed(module) - whether modprobe would find it
installed() {
	modprobe -n -q "$1" 2>/dev/null || modprobe -D "$1" >/dev/null 2>&1
}

# What whoever starts the tests names has to be there; else it is what is installed.
if [ -z "${PACK_MODULES:-}" ]; then
	for module in leds-identify rtc-seed usb-modeswitch; do
		! installed "$module" || PACK_MODULES="${PACK_MODULES:-} $module"
	done
fi

# loaded(module)
loaded() {
	[ -d "/sys/module/$(echo "$1" | tr - _)" ]
}

# put(file, text...) - write to a sysfs file; the status is the kernel's answer
put() {
	_file=$1
	shift
	printf '%s\n' "$*" >"$_file"
}

# now_ms() - milliseconds since boot, 10 ms steps
now_ms() {
	read -r _up _ </proc/uptime
	echo "${_up%.*}${_up#*.}0"
}

# wait_for(seconds, command...) - until the command succeeds, or not in time
wait_for() {
	_end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$_end" ] || return 1
		usleep 20000 2>/dev/null || sleep 0.02
	done
}
