# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests of rtc-seed beside systemd, udev and chrony share. The guest has
# the pack's rules and units where an image has them.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

seed=/sys/class/misc/rtc-seed
fake=/sys/kernel/debug/rtc-fake
units=/run/systemd/system
# shellcheck disable=SC2034 # for those who read this
right=1927857906	# 2031-02-03T04:05:06

[ -d $units ] || skip_all "systemd does not run here"
[ -e /usr/lib/udev/rules.d/70-rtc-seed.rules ] || skip_all "no rules of the pack are installed"
modprobe -n -q rtc-fake || skip_all "the kernel has no module rtc-fake"

clock() {
	date +%s
}

# is_about(seconds) - the clock is at a time, or a few minutes after
is_about() {
	[ "$(clock)" -ge "$1" ] && [ "$(clock)" -lt $(($1 + 300)) ]
}

reads() {
	[ "$(cat "$seed/$1")" = "$2" ]
}

# rtc_says(number, seconds) - an RTC with that time is there
rtc_says() {
	echo 0 >"$fake/$1/present"
	echo "$2" >"$fake/$1/time"
	echo 1 >"$fake/$1/present"
}

no_rtcs() {
	echo 0 >$fake/0/present
	echo 0 >$fake/1/present
}

# eventually(seconds, command...) - as wait_for, for what takes minutes
eventually() {
	_left=$1
	shift
	until "$@"; do
		[ "$_left" -gt 0 ] || return 1
		_left=$((_left - 5))
		sleep 5
	done
}

# begin_at(seconds) - no RTC, and the module loaded anew with that clock
begin_at() {
	modprobe -r rtc-seed
	no_rtcs
	date -s "@$1" >/dev/null
	modprobe rtc-seed
	udevadm settle
}

# begin() - the same, as after a power cut
begin() {
	begin_at 1000000
}

active() {
	systemctl -q is-active "$1"
}
