#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Who ends a test in its midst has the LEDs and the module as they were before it.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

# ended_by(signal) - a run of tests, as soon as one of them blinks
ended_by() {
	./identify >"$TMP/log" 2>&1 &
	wait_for 20 borrowed "$T1" || return
	kill "-$1" $!
	wait $!
	[ $? -gt 128 ]
}

# as_before() - and nothing goes on
as_before() {
	pause 300
	has_trigger "$T1" heartbeat && reads "$ID/leds" "$leds" && reads "$ID/hold_ms" 1234 &&
		reads "$ID/blink_pattern" "30 40"
}

led_setup
put "$LEDS/$T1/trigger" heartbeat || {
	modprobe -q ledtrig-heartbeat
	put "$LEDS/$T1/trigger" heartbeat
} || skip_all "this machine has no trigger heartbeat"

plan 4
load "leds=$T1"
put "$ID/hold_ms" 1234
put "$ID/blink_pattern" 30 40
read -r leds <"$ID/leds"
for signal in HUP TERM; do
	check "a test is ended by SIG$signal" ended_by "$signal"
	check "and all is as before" as_before
done
ktap_finished
