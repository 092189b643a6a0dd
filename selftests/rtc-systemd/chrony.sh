#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# rtc-seed beside the real chrony, whose server is ours.

# shellcheck source=selftests/lib/units.sh
. "$(dirname "$0")/../lib/units.sh"

# serve(seconds) - the server's time is that from now on
serve() {
	[ -z "$server" ] || kill "$server"
	"$(dirname "$0")/ntp-server" 11123 "$1" >/dev/null 2>&1 &
	server=$!
}

# agrees(number) - an RTC tells the clock's time
agrees() {
	_late=$(($(clock) - $(cat "$fake/$1/time")))
	[ $_late -ge -2 ] && [ $_late -le 2 ]
}

server=
plan 10
modprobe rtc-fake
begin
rtc_says 1 $((right - 5000))
rtc_says 0 $((right - 7000))
# The device tree prefers one that is not there, which is waited for.
check "the clock is what the RTCs say" eventually 40 is_about $((right - 5000))
undone=$(cat $seed/rewinds_undone)

cp "$(dirname "$0")/chrony.conf" /etc/chrony/
serve $right
systemctl start chrony
check "chrony steps the clock forward" eventually 120 is_about $right
check "rtc-seed sees that chrony disciplines it" eventually 900 reads state disciplined
check "the second RTC is set from it" eventually 900 agrees 0

serve $((right - 86400))
check "chrony sets the clock a day back" eventually 600 is_about $((right - 86400))
sleep 700
refuse "rtc-seed lets it" [ "$(clock)" -ge $right ]
equal "and undoes nothing of it" "$(cat $seed/rewinds_undone)" "$undone"

systemctl stop chrony
echo 0 >$fake/0/present
rtc_says 0 $((right + 86400))
sleep 5
refuse "an RTC that comes after that sets nothing" [ "$(clock)" -ge $right ]
equal "state" "$(cat $seed/state)" disciplined
kill "$server"
modprobe -r rtc-seed
check "the module unloads" eval "! loaded rtc-seed"
ktap_finished
