#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The real npm package that the balena supervisor blinks with, run by node, for
# the 15 s that a press of "identify" takes.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

# blink_and_read() - and sum up how often the value that is read back changes
blink_and_read() {
	node blinking.js "$ID/brightness" 15000 &
	node=$!
	wait_for 60 reads "$ID/active" 1
	check "the package starts a session" borrowed "$T1"
	_last=
	changes=0
	while kill -0 $node 2>/dev/null; do
		read -r _now <"$ID/brightness"
		[ "$_now" = "${_last:=$_now}" ] || changes=$((changes + 1))
		_last=$_now
		pause 30
	done
	wait $node
	check "the package meets no error" [ $? = 0 ]
}

command -v node >/dev/null || skip_all "this machine has no node"
package=${NODE_PATH:-node_modules}/blinking
[ -d "$package" ] ||
	skip_all "this machine has no package blinking: npm install blinking, NODE_PATH=..."
led_setup
plan 8
ktap_print_msg "blinking $(sed -n 's/^ *"version": "\(.*\)".*/\1/p' "$package/package.json")"
put "$LEDS/$T1/trigger" heartbeat
state_of "$T1"
before=$state
load leds="$T1"

if pin_of "$T1"; then
	record 0 blink_and_read "$T1"
	edges_of "$T1"
	ktap_print_msg "$edges edges on the pin"
	check "they are on the pin" [ "$edges" -gt 10 ]
else
	blink_and_read
	skip "they are on the pin" "the LED has no GPIO to watch"
fi
ktap_print_msg "$changes changes read back"
check "more than 10 changes are read back" [ "$changes" -gt 10 ]
check "it ends dark" reads "$ID/brightness" 0
check "the target is given back by itself" becomes "$T1" "$before"
check "it is not active then" wait_for 10 reads "$ID/active" 0

check "the kernel has found nothing wrong" no_report
ktap_finished
