#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The identify LED is there before any target, says what was written to it, and
# blinks by itself for as long as it was told.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

# blink(seconds) - start, and note the times before and after
blink() {
	before_write=$(now_ms)
	put "$ID/identify" "$1"
	after_write=$(now_ms)
	duration=$(($1 * 1000))
}

# counts_down() - whether the seconds left are rounded up; the clock has 10 ms
counts_down() {
	_before=$(now_ms)
	read -r _left <"$ID/identify"
	_min=$(((before_write + duration - $(now_ms) - 20 + 999) / 1000))
	_max=$(((after_write + duration - _before + 20 + 999) / 1000))
	ktap_print_msg "$_left seconds left, should be $_min to $_max"
	[ "$_left" -ge $_min ] && [ "$_left" -le $_max ]
}

# ends_after(ms) - wait for the end of the blinking and look at the time
ends_after() {
	wait_for 20 reads "$ID/identify" 0
	_took=$(($(now_ms) - before_write))
	ktap_print_msg "took $_took ms, should be $1"
	[ $_took -ge "$1" ] && [ $_took -lt $(($1 + 10000)) ]
}

long_time_left() {
	read -r _left <"$ID/identify" && [ "$_left" -gt 20 ]
}

led_setup
plan 35

load leds=no-such-led hold_ms=20000
check "the LED exists from module load, with no target there" [ -f "$ID/brightness" ]
for file in identify blink_pattern hold_ms leds active; do
	check "it has the file $file" [ -f "$ID/$file" ]
done
check "its brightness goes up to 255" reads "$ID/max_brightness" 255
check "its brightness is 0 at first" reads "$ID/brightness" 0
check "it is not active at first" reads "$ID/active" 0
check "the parameter leds is in force" reads "$ID/leds" no-such-led
check "the parameter hold_ms is in force" reads "$ID/hold_ms" 20000
check "the pattern is 200 200 at first" reads "$ID/blink_pattern" "200 200"
for level in 1 255 77 0; do
	put "$ID/brightness" "$level"
	check "$level can be read back without a target" reads "$ID/brightness" "$level"
done
put "$ID/brightness" 1
check "a session starts without a target" reads "$ID/active" 1
put "$ID/hold_ms" 10
check "it ends without a target, at once with a shorter hold_ms" \
	wait_for 10 reads "$ID/active" 0
check "brightness is 0 after the end" reads "$ID/brightness" 0

put "$ID/leds" "$T1"
state_of "$T1"
before=$state
put "$ID/brightness" 0
check "writing 0 starts no session" reads "$ID/active" 0

put "$ID/blink_pattern" 60 40
put "$ID/identify" 60
check "the target is borrowed when the write returns" borrowed "$T1"
check "it is active while it blinks" reads "$ID/active" 1
check "it blinks after hold_ms though nobody writes" changes 6 20 "$T1"
put "$ID/identify" 1
check "a shorter time does not cut a longer one" \
	long_time_left
put "$ID/identify" 0
check "0 ends it at once" reads "$ID/identify" 0
check "the target is back when the write of 0 returns" same_state "$T1" "$before"
check "it is not active when the write of 0 returns" reads "$ID/active" 0

blink 1
pause 200
blink 2
check "the seconds left are rounded up" counts_down
pause 1100
check "the seconds left count down" counts_down
check "writing again extends the time, and it ends by itself" ends_after 2000
check "the target is given back by itself" becomes "$T1" "$before"
check "it is not active after the end" wait_for 10 reads "$ID/active" 0

put "$ID/hold_ms" 20000
put "$ID/identify" 60
put "$ID/brightness" 200
put "$ID/identify" 0
check "what was written meanwhile shows when the blinking ends" lit "$T1"
put "$ID/hold_ms" 10
check "and is given back hold_ms after it" becomes "$T1" "$before"
check "the kernel has found nothing wrong" no_report
ktap_finished
