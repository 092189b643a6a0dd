#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A carrier's functions, from the device tree alone: the identify LED on its GPIO, the
# clock chip whose bus comes late, the modem slot's lines and what is plugged into its USB
# host, the watchdog. No module has a parameter.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/slot.sh
. "$(dirname "$0")/../lib/slot.sh"

tree=/proc/device-tree
seed=/sys/class/misc/rtc-seed
id=/sys/class/leds/identify
radio=/sys/class/rfkill/rfkill0
slot=38200000.usb		# the host of the modem slot
right=1927857906		# 2031-02-03, what QEMU gives the chip

[ -e $tree/identify ] || skip_all "the tree has no identify node"

# changes(name) - whether both levels are seen while identify runs
changes() {
	wait_for 5 drives "$1" hi && wait_for 5 drives "$1" lo
}

beats() {
	grep -q '\[heartbeat\]' /sys/class/leds/green:status/trigger
}

clock_is_right() {
	_now=$(date +%s)
	[ "$_now" -ge $right ] && [ "$_now" -lt $((right + 3600)) ]
}

reads() {
	[ "$(cat "$1")" = "$2" ]
}

chip_time() {
	[ "$(cat "$1/since_epoch")" -ge $right ]
}

# behind_slot(device) - whether it is on the host that the slot has
behind_slot() {
	readlink -f "$1" | grep -q "/$slot/"
}

# was_off() - whether the slot had no power for 500 ms before it came, as the trace has it
was_off() {
	_line=$(gpio modem-powe | sed 's/^ *gpio-\([0-9]*\).*/\1/')
	_off=$(awk -v line="$_line" '/ gpio_value: [0-9]+ set [01]/ && $(NF - 2) % 32 == line % 32 {
		sub(/:$/, "", $(NF - 4)); sub(/\./, "", $(NF - 4))
		if ($NF) { print $(NF - 4) - off; exit }
		off = $(NF - 4)
	}' $trace/trace)
	ktap_print_msg "no power for $_off us"
	[ "${_off:-0}" -ge 500000 ]
}

plan 22
modprobe ledtrig-heartbeat
modprobe leds-gpio
check "the LED is there" wait_for 10 [ -e /sys/class/leds/green:status ]
check "it beats" beats
modprobe leds-identify
echo 5 >$id/identify
check "identify borrows it, as the tree says" wait_for 5 eval "! beats"
check "and blinks its GPIO" changes green:status
echo 0 >$id/identify
check "its trigger is back" wait_for 5 beats

check "the tree prefers the chip" eval "find $tree/soc@0 -path '*/rtc@68/phandle' |
	xargs cmp $tree/rtc-seed/rtcs"
check "no clock chip is there yet" [ ! -e /sys/class/rtc/rtc0/name ]
modprobe rtc-seed
refuse "the clock is not right yet" clock_is_right
modprobe i2c-imx
modprobe rtc-ds1307
check "the clock chip is there" wait_for 20 [ -e /sys/class/rtc/rtc0/name ]
check "it has the time" wait_for 20 chip_time /sys/class/rtc/rtc0
check "rtc-seed sets the clock from it" wait_for 20 clock_is_right
check "and says so" reads $seed/source rtc0

echo 1 >$trace/events/gpio/gpio_value/enable
modprobe fixed
check "the modem has power, and is not in reset" wait_for 10 is_up
check "which it was for 100 ms before that" in_order
check "and it had no power for 500 ms, so that it starts anew" was_off
modprobe rfkill-gpio
check "its radio can be switched" wait_for 10 [ -e $radio/soft ]
echo 1 >$radio/soft
check "off, by W_DISABLE# low" wait_for 5 drives shutdown lo
echo 0 >$radio/soft
check "and on" wait_for 5 drives shutdown hi
for module in phy-fsl-imx8mq-usb xhci-plat-hcd; do
	modprobe $module
done
check "a device in the slot is found" wait_for 30 [ -e /sys/bus/usb/devices/1-1/bDeviceClass ]
check "behind the slot's USB host" behind_slot /sys/bus/usb/devices/1-1
modprobe imx2_wdt 2>/dev/null
check "the watchdog is there" wait_for 10 [ -e /sys/class/watchdog/watchdog0/timeout ]
check "with the time that the tree says" reads /sys/class/watchdog/watchdog0/timeout 60
ktap_finished
