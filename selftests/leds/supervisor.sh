#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the balena supervisor does with LED_FILE, and what balena's test of it
# wants to see: a digit per edge, each with its own open(), read back meanwhile.
# When the supervisor dies, the LEDs become what they were.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

blink() { # (times)
	_i=0
	while [ $_i -lt "$1" ]; do
		for _digit in 1 0; do
			printf %s $_digit >"$ID/brightness"
			pause 200
		done
		_i=$((_i + 1))
	done
}

# supervise() - the pattern of the supervisor while it is offline, once and a half;
# counts how often what is read back changes, and how often the target is lost
supervise() {
	{
		blink 4
		pause 1000
		blink 4
	} &
	_writer=$!
	changes=0
	lost=0
	_last=
	while kill -0 $_writer 2>/dev/null; do
		read -r _now <"$ID/brightness"
		[ "$_now" = "${_last:=$_now}" ] || changes=$((changes + 1))
		_last=$_now
		borrowed "$T1" || lost=$((lost + 1))
		pause 90
	done
	wait $_writer
	ktap_print_msg "$changes changes read back, target lost $lost times"
}

watch() {
	printf 1 >"$ID/brightness"
	wait_for 10 borrowed "$T1"
	printf 0 >"$ID/brightness"
	if pin_of "$T1"; then
		record 0 supervise "$T1"
		edges_of "$T1"
	else
		supervise
	fi
	[ "$lost" = 0 ]
}

# dies_at(level) - a writer that is killed; sets $died to the time of its last
# write, or just before
dies_at() {
	put "$ID/hold_ms" 60000
	(
		for _digit in 1 0 1 0 "$1"; do
			printf %s "$_digit" >"$ID/brightness"
			pause 50
		done
		died=$(now_ms)
		printf %s "$1" >"$ID/brightness"
		echo "$died" >"$TMP/died"
		exec sleep 100
	) &
	wait_for 10 [ -s "$TMP/died" ]
	borrowed "$T1" && reads "$ID/brightness" "$1"
	_status=$?
	put "$ID/hold_ms" 400
	kill -9 $!
	wait $! 2>/dev/null
	read -r died <"$TMP/died"
	rm "$TMP/died"
	return $_status
}

given_back_in_time() {
	wait_for 20 free "$T1"
	_took=$(($(now_ms) - died))
	ktap_print_msg "after $_took ms, hold_ms is 400"
	[ $_took -ge 400 ] && [ $_took -lt 10000 ]
}

led_setup
plan 15
put "$LEDS/$T1/trigger" heartbeat
state_of "$T1"
before=$state

load leds="$T1"
check "hold_ms is 3000 at first" reads "$ID/hold_ms" 3000
check "4 blinks and a pause of 1000 ms keep the target" three_times watch
check "more than 10 changes are read back" [ "$changes" -gt 10 ]
if pin_of "$T1"; then
	equal "each write is an edge on the pin" "$edges" 16
else
	skip "each write is an edge on the pin" "the LED has no GPIO to watch"
fi

for level in 1 0; do
	check "a writer that is killed at $level has the target until then" dies_at $level
	check "after that the target is given back after hold_ms" given_back_in_time
	check "with its trigger" same_state "$T1" "$before"
	check "it is not active then" wait_for 10 reads "$ID/active" 0
	check "brightness reads 0 then" reads "$ID/brightness" 0
done
check "the kernel has found nothing wrong" no_report
ktap_finished
