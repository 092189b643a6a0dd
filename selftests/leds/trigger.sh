#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Triggers: any of them can drive the identify LED, the trigger "identify" can
# drive any other LED, and a user who takes a target in a session keeps it.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

# beyond_hold(command...) - whether it still holds when hold_ms is long over
beyond_hold() {
	pause 300
	"$@"
}

start() {
	put "$ID/identify" 60
}

mirrors() {
	record 400 start "$T1" "$T2"
	put "$ID/identify" 0
	edges_of "$T1"
	_first=$edges
	edges_of "$T2"
	ktap_print_msg "$_first edges of the target, $edges of the mirror"
	[ "$edges" -ge 4 ] && [ "$edges" -ge $((_first - 1)) ]
}

led_setup
plan 31
put "$LEDS/$T1/trigger" heartbeat
state_of "$T1"
before=$state
load leds="$T1" hold_ms=20
put "$ID/blink_pattern" 40 40

modprobe -qa ledtrig-timer ledtrig-heartbeat ledtrig-default-on ledtrig-pattern 2>/dev/null
if can_trigger identify timer; then
	put "$ID/trigger" timer
	put "$ID/delay_on" 50
	put "$ID/delay_off" 40
	check "the trigger timer blinks the target" changes 6 20 "$T1"
	check "the target is borrowed for it" borrowed "$T1"
	put "$ID/delay_off" 60000
	wait_for 10 dark "$T1"
	check "and stays so beyond hold_ms while the trigger is silent" \
		beyond_hold borrowed "$T1"
	put "$ID/trigger" none
	check "the target is given back after the trigger" becomes "$T1" "$before"
else
	skips 4 "the trigger timer works" "this kernel has no trigger timer"
fi

if can_trigger identify heartbeat; then
	put "$ID/trigger" heartbeat
	check "the trigger heartbeat blinks the target" changes 4 20 "$T1"
	put "$ID/trigger" none
	check "the target is given back after heartbeat" becomes "$T1" "$before"
else
	skips 2 "the trigger heartbeat works" "this kernel has no trigger heartbeat"
fi

if can_trigger identify default-on; then
	put "$ID/trigger" default-on
	check "the trigger default-on lights the target" wait_for 10 lit "$T1"
	check "beyond hold_ms" beyond_hold lit "$T1"
	check "brightness is then 255" reads "$ID/brightness" 255
	put "$ID/trigger" none
	check "the target is given back after default-on" becomes "$T1" "$before"
else
	skips 4 "the trigger default-on works" "this kernel has no trigger default-on"
fi

if can_trigger identify pattern; then
	put "$ID/trigger" pattern
	put "$ID/pattern" "255 40 255 0 0 50 0 0"
	check "the trigger pattern blinks the target" changes 6 20 "$T1"
	check "its file pattern is not the one of the identify LED" \
		reads "$ID/blink_pattern" "40 40"
	put "$ID/trigger" none
	check "the target is given back after pattern" becomes "$T1" "$before"
else
	skips 3 "the trigger pattern works" "this kernel has no trigger pattern"
fi

# Not every kernel tells the writer that a trigger could not be attached.
put "$ID/trigger" identify 2>/dev/null
check "the identify LED cannot have the trigger identify" has_trigger identify none
put "$ID/brightness" 1
check "and works after that" wait_for 10 lit "$T1"
wait_for 10 free "$T1"
start
wait_for 10 borrowed "$T1"
put "$LEDS/$T1/brightness" 0
check "writing 0 to a target takes it back" has_trigger "$T1" none
check "it stays dark in this session" beyond_hold dark "$T1"
check "and is not borrowed again" free "$T1"
check "while the session goes on" reads "$ID/active" 1
put "$ID/identify" 0
check "after the session it is what the user made it" \
	eval "has_trigger $T1 none && dark $T1"
start
check "the next session borrows it again" wait_for 10 borrowed "$T1"
put "$LEDS/$T1/trigger" heartbeat
put "$LEDS/$T1/invert" 1
check "another trigger for a target takes it, too" beyond_hold has_trigger "$T1" heartbeat
put "$ID/identify" 0
check "and stays after the session, with its settings" \
	eval "has_trigger $T1 heartbeat && reads $LEDS/$T1/invert 1"
start
wait_for 10 borrowed "$T1"
put "$LEDS/$T1/trigger" none
put "$LEDS/$T1/trigger" identify
put "$ID/identify" 0
check "a target that the user gives the trigger identify is not given back" \
	has_trigger "$T1" identify

plain "$T1"
if [ -n "$T2" ]; then
	put "$LEDS/$T2/trigger" identify
	check "an LED with the trigger identify is dark when nothing blinks" dark "$T2"
	check "it mirrors the targets" three_times mirrors
	check "it keeps the trigger after the session" has_trigger "$T2" identify
	check "it is dark after the session" dark "$T2"
	put "$ID/leds" "$T1 $T2"
	put "$ID/identify" 60
	put "$ID/identify" 0
	check "it keeps the trigger also when it is a target" has_trigger "$T2" identify
	put "$LEDS/$T2/trigger" none
	check "and the user can take it off" has_trigger "$T2" none
else
	skips 6 "the trigger identify on another LED" "this machine has only one LED"
fi
check "the kernel has found nothing wrong" no_report
ktap_finished
