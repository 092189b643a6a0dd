#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A target is after a session exactly what it was before: its trigger, all that
# can be set there, its level; and it works as before. Sessions end in three ways.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

reload() {
	# shellcheck disable=SC2086 # the second may not be there
	load hold_ms=60000 leds="$T1${T2:+ $T2}" && put "$ID/blink_pattern" 20 20
}

by_identify() {
	put "$ID/identify" 60
	wait_for 10 borrowed "$@" && put "$ID/identify" 0
}

by_hold() {
	for _level in 1 0 1; do
		put "$ID/brightness" $_level
	done
	wait_for 10 borrowed "$@" && put "$ID/hold_ms" 10 &&
		wait_for 10 reads "$ID/active" 0
	put "$ID/hold_ms" 60000
}

by_unload() {
	put "$ID/identify" 60
	wait_for 10 borrowed "$@" && unload
}

# set_up(trigger, file=value...) - give the first target a trigger with settings
set_up() {
	put "$LEDS/$T1/trigger" "$1" || return
	shift
	for _setting; do
		put "$LEDS/$T1/${_setting%%=*}" "${_setting#*=}" || return
	done
}

# comes_back(what, command...) - three results: the first target is what the
# command makes of it, after sessions that end in each way
comes_back() {
	_case=$1
	shift
	plain "$T1"
	"$@" || ktap_print_msg "cannot do: $*"
	state_of "$T1"
	before=$state
	check "$_case comes back after identify" one by_identify
	check "$_case comes back after hold_ms" one by_hold
	check "$_case comes back when the module goes" one by_unload
	reload
}

# trigger_comes_back(trigger, file=value...) - the same for a trigger, and a
# fourth result: that it works, as "works" says
trigger_comes_back() {
	tried="$tried $1"
	modprobe -q "ledtrig-$1" 2>/dev/null
	if ! can_trigger "$T1" "$1"; then
		skips 4 "$1 comes back" "this machine has no trigger $1"
		return
	fi
	comes_back "$1" set_up "$@"
	# shellcheck disable=SC2086 # a command and its arguments
	check "$1 comes back and works" $works
}

blinks() {
	changes 4 20 "$T1"
}

read_disk() {
	put /proc/sys/vm/drop_caches 3
	dd if="$disk" of=/dev/null bs=64k count=16 2>/dev/null
}

shoot() {
	put "$LEDS/$T1/shot" 1
}

flashes() { # (command) - whether the LED changes when the command is done
	record 300 "$1" "$T1"
	edges_of "$T1"
	[ "$edges" -ge 2 ]
}

link_shows() {
	ip link set dummy0 down && wait_for 10 dark "$T1" &&
		ip link set dummy0 up && wait_for 10 lit "$T1"
}

one() {
	"$@" "$T1" && same_state "$T1" "$before"
}

both() {
	"$@" "$T1" "$T2" && same_state "$T1" "$before" && same_state "$T2" "$before2"
}

# every_trigger() - also those that have no test of their own
every_trigger() {
	_bad=
	modprobe -qa ledtrig-transient ledtrig-activity 2>/dev/null
	for _any in $(tr -d '[]' <"$LEDS/$T1/trigger"); do
		case $_any in
		identify | kbd-[!c]* | cpu[1-9]*) continue ;;
		esac
		case " $tried " in
		*" $_any "*) continue ;;
		esac
		put "$LEDS/$T1/trigger" "$_any" 2>/dev/null || continue
		state_of "$T1"
		before=$state
		by_identify "$T1" && same_state "$T1" "$before" || _bad="$_bad $_any"
	done
	[ -z "$_bad" ] || ktap_print_msg "not restored:$_bad"
	[ -z "$_bad" ]
}

led_setup
plan 42
read -r max <"$LEDS/$T1/max_brightness"
reload

comes_back "off" true
comes_back "on" put "$LEDS/$T1/brightness" "$max"
works=blinks
trigger_comes_back timer delay_on=70 delay_off=130
trigger_comes_back heartbeat invert=1
trigger_comes_back pattern pattern="$max 60 $max 0 0 40 0 0" repeat=100000
works="lit $T1"
trigger_comes_back default-on
works="flashes shoot"
trigger_comes_back oneshot delay_on=40 delay_off=30 invert=1
modprobe -q dummy && ip link set dummy0 up
works=link_shows
trigger_comes_back netdev device_name=dummy0 link=1 interval=90
works="flashes read_disk"
disk=/dev/mmcblk0
trigger_comes_back mmc0

check "every trigger of this kernel comes back" every_trigger

set_up timer delay_on=35 delay_off=45
put "$ID/identify" 60
wait_for 10 borrowed "$T1"
mark
if modprobe -r ledtrig-timer; then
	put "$ID/identify" 0
	check "a trigger that has been unloaded leaves the target off" \
		eval "has_trigger $T1 none && dark $T1"
	check "and one line in the log" logged_lines 1 "trigger timer is gone"
	modprobe ledtrig-timer
	set_up timer delay_on=35 delay_off=45
	state_of "$T1"
	put "$ID/identify" 60
	wait_for 10 borrowed "$T1"
	modprobe -r ledtrig-timer && modprobe ledtrig-timer
	put "$ID/identify" 0
	check "a trigger that has been loaded again comes back" same_state "$T1" "$state"
else
	skips 3 "a trigger is unloaded" "the trigger timer cannot be"
fi

if [ -n "$T2" ]; then
	plain "$T1" "$T2"
	set_up timer delay_on=55 delay_off=25
	put "$LEDS/$T2/trigger" default-on
	state_of "$T1"
	before=$state
	state_of "$T2"
	before2=$state
	check "two targets come back after identify" both by_identify
	check "two targets come back after hold_ms" both by_hold
	check "two targets come back when the module goes" both by_unload
else
	skips 3 "two targets come back" "this machine has only one LED"
fi
check "the kernel has found nothing wrong" no_report
ktap_finished
