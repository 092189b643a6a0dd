#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The rules and units of the pack, with the real udev and systemd.

# shellcheck source=selftests/lib/units.sh
. "$(dirname "$0")/../lib/units.sh"

device='dev-rtc\x2dseed.device'

needs_time_has_run() {
	[ -s /run/needs-time ]
}

install_units() {
	cp "$(dirname "$0")"/*.service $units/
	systemctl daemon-reload
}

plan 13
install_units
modprobe rtc-fake

udevadm settle
check "udev has loaded the module that the device tree asks for" loaded rtc-seed
refuse "nobody is taken to have set the clock" eval 'dmesg | grep "rtc_seed:.* by others"'
begin_at 4070908800
check "a clock in 2099 is nobody's, also where udev reads the state at once" \
	is_about "$(cat $seed/floor)"
begin
refuse "without an RTC the device for units is not there" active "$device"
systemctl --no-block start needs-time
sleep 30
refuse "and a unit that needs the time waits" needs_time_has_run

rtc_says 0 $right
check "it runs when an RTC has come" wait_for 20 needs_time_has_run
check "by then the clock is right" [ "$(cat /run/needs-time)" -ge $right ]
check "the device for units is there" active "$device"
modprobe -r rtc-seed
check "it goes with the module" wait_for 20 eval "! active '$device'"

begin
rtc_says 0 4070908800
sleep 2
systemctl start timeinit-rtc
equal "timeinit-rtc leaves the clock to rtc-seed" \
	"$(systemctl show -P ConditionResult timeinit-rtc)" no
check "so that 2099 is not believed" is_about "$(cat $seed/floor)"
modprobe -r rtc-seed
systemctl start timeinit-rtc
check "without rtc-seed it is" is_about 4070908800

modprobe -r rtc-seed
check "the module unloads" eval "! loaded rtc-seed"
ktap_finished
