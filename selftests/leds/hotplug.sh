#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Targets that come late, go while they blink and come back; names in order of
# preference; targets from the device tree.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

unplug() {
	put "$driver/unbind" "$device" && wait_for 10 [ ! -d "$LEDS/$T1" ]
}

plug() {
	put "$driver/bind" "$device" && wait_for 10 [ -d "$LEDS/$T1" ]
}

start() {
	put "$ID/identify" 60
}

stop() {
	put "$ID/identify" 0
	wait_for 10 reads "$ID/active" 0
}

come_and_go() {
	unplug
	load hold_ms=60000 leds="$T1"
	put "$ID/blink_pattern" 30 30
	mark
	start
	check "a target that is not there does not keep from blinking" reads "$ID/active" 1
	check "the log names it, once" wait_for 10 in_log "waiting for: $T1"
	plug
	check "a target that comes after the first blink is borrowed" wait_for 10 borrowed "$T1"
	check "and blinks" changes 4 20 "$T1"
	unplug
	check "a target can go in mid-blink" [ ! -d "$LEDS/$T1" ]
	check "the session goes on without it" \
		eval "reads $ID/active 1 && ! reads $ID/identify 0"
	plug
	check "it is borrowed again when it is back" wait_for 10 borrowed "$T1"
	check "and blinks again" changes 4 20 "$T1"
	stop
	check "after the session it is given back" \
		eval "has_trigger $T1 none && dark $T1"

	put "$ID/brightness" 1
	wait_for 10 lit "$T1"
	unplug
	plug
	check "it is lit when it comes back while brightness is 1" wait_for 10 lit "$T1"
	unplug
	put "$ID/hold_ms" 10
	check "a session can end while its target is away" wait_for 10 reads "$ID/active" 0
	plug
	check "a target that comes after the session is left alone" \
		eval "pause 200; free $T1 && dark $T1"
	check "the log says no more" logged_lines 1 waiting
	unload
}

prefer() {
	load leds="no-such-led,$T1,$T2"
	put "$LEDS/$T2/trigger" heartbeat
	start
	check "the first LED in a list of preference that is there is borrowed" \
		wait_for 10 borrowed "$T1"
	check "and no other" free "$T2"
	unplug
	check "the next one takes over when it goes" wait_for 10 borrowed "$T2"
	plug
	check "that one stays for this session" eval "pause 300; borrowed $T2 && free $T1"
	stop
	check "and is given back at the end" has_trigger "$T2" heartbeat
	start
	check "the next session begins with the first again" wait_for 10 borrowed "$T1"
	check "and leaves the other alone" has_trigger "$T2" heartbeat
	put "$ID/leds" "$T2"
	check "what is no longer a target is given back at once" has_trigger "$T1" none
	check "what has become a target is borrowed at once" borrowed "$T2"
	stop
	unload
}

# nodes() - the platform devices that the driver could take
nodes() {
	grep -l balena,identify /sys/bus/platform/devices/*/of_node/compatible 2>/dev/null |
		sed 's|/of_node/compatible||; s|.*/||'
}

tree() {
	mark
	load
	put "$ID/blink_pattern" 30 30
	_of=/sys/bus/platform/drivers/leds-identify
	for _taken in $(nodes); do
		[ ! -d "$_of/$_taken" ] || break
	done
	check "one node of the device tree is taken" [ -d "$_of/$_taken" ]
	_others=$(nodes | grep -vc "^$_taken\$")
	check "each other one is refused with one line" logged_lines "$_others" "another node"
	_first=$(cat "$ID/leds")
	check "its targets are in force" [ -n "$_first" ]
	# shellcheck disable=SC2086 # a list of names
	plain $TARGETS
	start
	check "they are borrowed" wait_for 10 any_borrowed
	put "$ID/leds" "$T1"
	check "the targets of the user go before" eval "reads $ID/leds $T1 && borrowed $T1"
	put "$ID/leds" ""
	check "without any, those of the tree are back" reads "$ID/leds" "$_first"
	check "and are borrowed again" wait_for 10 any_borrowed
	put "$_of/unbind" "$_taken"
	# shellcheck disable=SC2086 # a list of names
	check "unbinding the node in mid-blink gives them back" free $TARGETS
	check "and its targets are no longer named" reads "$ID/leds" ""
	if [ "$_others" -gt 0 ]; then
		_other=$(nodes | grep -v "^$_taken\$" | head -n 1)
		check "another node can be bound then" put "$_of/bind" "$_other"
		check "its targets join the session" wait_for 10 any_borrowed
		put "$_of/unbind" "$_other"
	else
		skip "another node can be bound then" "the device tree has only one"
		skip "its targets join the session" "the device tree has only one"
	fi
	check "the node can be bound again" put "$_of/bind" "$_taken"
	check "its targets join the session, too" wait_for 10 any_borrowed
	unload
	# shellcheck disable=SC2086 # a list of names
	check "removal gives them back" free $TARGETS
}

any_borrowed() {
	for _any in $TARGETS; do
		! has_trigger "$_any" identify || return 0
	done
	return 1
}

led_setup
device=$(readlink -f "$LEDS/$T1/device")
driver=$(readlink -f "$device/driver")
device=${device##*/}
plan 37
if [ -w "$driver/unbind" ] && unplug && plug; then
	come_and_go
	if [ -n "$T2" ] && unplug && [ -d "$LEDS/$T2" ]; then
		plug
		prefer
	else
		plug
		skips 9 "preference" "it takes LEDs of two devices"
	fi
else
	skips 22 "coming and going" "the driver of $T1 cannot be unbound"
fi
if [ -n "$(nodes)" ]; then
	tree
else
	skips 14 "targets from the device tree" "the device tree has no identify node"
fi
check "the kernel has found nothing wrong" no_report
ktap_finished
