#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The main tests again, with a target whose driver sleeps, as the ones of LEDs
# behind I2C do: an LED on a line of gpio-sim, which the device tree of the test
# machine has.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

led=pack:sim:user

# again(test, argument...) - whether a test passes with this LED as target
again() {
	PACK_LEDS=$led "$@" >"$TMP/log" 2>&1 && return
	grep '^not ok\|Expected' "$TMP/log"
	false
}

modprobe -q gpio-sim 2>/dev/null
led_setup
wait_for 2 [ -d "$LEDS/$led" ] ||
	skip_all "this machine has no LED $led on a gpio-sim: the kernel or the device tree lacks it"

plan 4
check "an LED that sleeps is lit and blinks" \
	again ./identify -t lights_its_target_while_it_is_not_0 -t blinks_by_itself
check "an LED that sleeps works with triggers, and its user wins" \
	again ./trigger -t timer_drives_the_target -t who_writes_0_to_a_target_keeps_it
check "an LED that sleeps comes back" again ./restore -v on -v timer
check "an LED that sleeps can go, also together with the module" \
	again ./remove -t can_go_in_mid_blink -t can_go_while_a_target_goes
ktap_finished
