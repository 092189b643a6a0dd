# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests of late RTCs share, on the i.MX8M Plus EVK: a clock chip whose
# I2C controller is a module, and the RTC of the SoC. QEMU gives the chip
# 2031-02-03; the SoC's says 1970 at first, as one does that has no battery. Its
# driver cannot be bound twice: one order a boot.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

seed=/sys/class/misc/rtc-seed
right=1927857906
chip=/sys/bus/i2c/drivers/rtc-ds1307

[ "$PACK_MACHINE" = imx8mp-rtc ] || skip_all "not the machine whose RTCs are modules"
[ ! -e /sys/class/rtc/rtc0 ] || skip_all "an RTC is there already"

clock() {
	date +%s
}

# is_right() - the clock is in the first hour after what QEMU was given
is_right() {
	[ "$(clock)" -ge "$right" ] && [ "$(clock)" -lt $((right + 3600)) ]
}

# is_guess() - the clock is at the floor, or a few minutes after
is_guess() {
	[ "$(clock)" -ge "$(cat $seed/floor)" ] &&
		[ "$(clock)" -lt $(($(cat $seed/floor) + 600)) ]
}

reads() {
	[ "$(cat "$seed/$1")" = "$2" ]
}

# begin_in_1970() - load the module anew, with the clock that a boot begins with
begin_in_1970() {
	modprobe -r rtc-seed
	date -s @100000 >/dev/null
	modprobe rtc-seed
}

# chip_driver(action) - bind or unbind the chip
chip_driver() {
	echo 2-0068 >"$chip/$1"
}

# set_soc(seconds) - give the RTC of the SoC a time
set_soc() {
	date -s "@$1" >/dev/null
	hwclock -u -w -f "/dev/$(basename /sys/bus/platform/drivers/snvs_rtc/*/rtc/rtc*)"
}
