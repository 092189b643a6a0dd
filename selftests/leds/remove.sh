#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The module can go at any moment: while it blinks, while others write to all its
# files, while a target goes at the same time, after allocations have failed.
# Whatever it had borrowed is then what it was.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

FAIL=/sys/kernel/debug/failslab

# More of them find more: a race needs luck.
rounds=${PACK_ROUNDS:-5}

set_up() {
	if put "$LEDS/$T1/trigger" timer; then
		put "$LEDS/$T1/delay_on" 30
		put "$LEDS/$T1/delay_off" 45
	else
		put "$LEDS/$T1/brightness" 1
	fi
	[ -z "$T2" ] || put "$LEDS/$T2/trigger" heartbeat
	state_of "$T1"
	before=$state
}

as_before() {
	same_state "$T1" "$before" && { [ -z "$T2" ] || has_trigger "$T2" heartbeat; }
}

begin() {
	load leds="$T1 $T2" hold_ms=60000 && put "$ID/blink_pattern" 10 10 &&
		put "$ID/identify" 60 && wait_for 10 borrowed "$T1"
}

# hammer(file, text...) - write to a file for ever, whether it is there or not
hammer() {
	_file=$1
	shift
	while :; do
		for _text; do
			put "$ID/$_file" "$_text"
		done
	done 2>/dev/null
}

survives_writers() {
	hammer brightness 1 0 255 &
	_jobs=$!
	hammer identify 1 0 5 &
	_jobs="$_jobs $!"
	hammer blink_pattern "10 10" "20 30 40 50" &
	_jobs="$_jobs $!"
	hammer leds "$T1" no-such-led "$T1 $T2" &
	_jobs="$_jobs $!"
	hammer trigger timer none &
	_jobs="$_jobs $!"
	_round=0
	_failed=0
	while [ $_round -lt "$rounds" ]; do
		load leds="$T1 $T2" || _failed=$((_failed + 1))
		pause 30
		unload || _failed=$((_failed + 1))
		_round=$((_round + 1))
	done
	# shellcheck disable=SC2086 # a list of numbers
	kill $_jobs
	# shellcheck disable=SC2086
	wait $_jobs 2>/dev/null
	ktap_print_msg "$_failed of $((rounds * 2)) loads and unloads failed"
	[ $_failed = 0 ]
}

survives_unplugging() {
	_round=0
	while [ $_round -lt "$rounds" ]; do
		begin || return
		{
			usleep $((_round % 5 * 3000))
			put "$driver/unbind" "$device"
		} &
		unload || return
		wait $!
		put "$driver/bind" "$device" && wait_for 10 [ -d "$LEDS/$T1" ] || return
		_round=$((_round + 1))
	done
}

# fail_in_module() - only what the module allocates can fail; nothing does yet
fail_in_module() {
	put $FAIL/probability 0
	# shellcheck disable=SC2046 # two addresses
	set -- $(grep ' [tT] .*\[leds_identify\]' /proc/kallsyms | sort | sed -n '1p;$p' |
		sed 's/ .*//')
	put $FAIL/require-start "0x$1"
	put $FAIL/require-end "0x$2"
	put $FAIL/stacktrace-depth 32
	put $FAIL/ignore-gfp-wait N
	put $FAIL/verbose 0
}

# fail_nth(n) - let the nth allocation of the kernel's workers fail; false if none
# of them came that far since the last call
fail_nth() {
	_failed=1
	for _comm in /proc/[0-9]*/comm; do
		read -r _line <"$_comm" || continue
		case $_line in
		kworker*H*) ;;
		*) continue ;;
		esac
		reads "${_comm%comm}fail-nth" 0 && _failed=0
		put "${_comm%comm}fail-nth" "$1"
	done 2>/dev/null
	return $_failed
}

session() {
	put "$ID/leds" "$T1 $T2"
	put "$ID/identify" 60
	put "$ID/identify" 0
} 2>/dev/null

survives_one_failure() {
	_n=1
	_bad=
	fail_in_module
	fail_nth 1
	while :; do
		session
		fail_nth 0 || break
		wait_for 10 reads "$ID/active" 0
		as_before || _bad="$_bad $_n"
		_n=$((_n + (rounds < 15 ? 15 / rounds : 1)))
		fail_nth $_n
	done
	ktap_print_msg "$_n allocations, not as before when this one failed:${_bad:- none}"
	[ -z "$_bad" ] && [ $_n -gt 10 ]
}

survives_many_failures() {
	put $FAIL/interval 1
	put $FAIL/space 0
	put $FAIL/times -1
	put $FAIL/probability 30
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		session
	done
	put $FAIL/probability 0
	wait_for 10 reads "$ID/active" 0 && free "$T1" && { [ -z "$T2" ] || free "$T2"; }
}

led_setup
device=$(readlink -f "$LEDS/$T1/device")
driver=$(readlink -f "$device/driver")
device=${device##*/}
modprobe -qa ledtrig-timer ledtrig-heartbeat 2>/dev/null
plan 12

set_up
begin
check "the module can go in mid-blink" unload
check "the identify LED goes with it" [ ! -d "$ID" ]
check "the targets are then as before" as_before

check "the module can come and go while others write to all its files" survives_writers
check "the targets are as before, after that" as_before

if [ -w "$driver/unbind" ]; then
	check "the module and a target can go at the same time" survives_unplugging
	[ -z "$T2" ] || check "the other targets are as before, after that" \
		has_trigger "$T2" heartbeat
	[ -n "$T2" ] || skip "the other targets are as before, after that" "there is no other"
else
	skips 2 "the module and a target go at the same time" "the driver of $T1 cannot be unbound"
fi

set_up
load leds="$T1 $T2" hold_ms=10
if [ -w $FAIL/require-start ]; then
	check "whichever allocation fails, the targets are as before" survives_one_failure
	check "when many fail, nothing is left borrowed" survives_many_failures
	plain "$T1"
	put "$ID/leds" "$T1 $T2"
	put "$ID/identify" 60
	check "and all is well when no more fail" wait_for 10 borrowed "$T1"
else
	skips 3 "allocations fail" "this kernel has no failslab"
fi
check "the module can go, after all that" unload
check "the kernel has found nothing wrong" no_report
ktap_finished
