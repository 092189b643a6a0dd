#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What overlays have added to a board's tree works, from the tree alone: rtc-seed believes
# the RTC that they prefer, identify finds the LED that they name, and the modem slot's
# lines are what a slot needs. The test bench says in PACK_OVERLAYS which the tree must have.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/slot.sh
. "$(dirname "$0")/../lib/slot.sh"

tree=/proc/device-tree
seed=/sys/class/misc/rtc-seed
id=/sys/class/leds/identify
right=1927857906		# 2031-02-03, what QEMU gives the chip
day=86400

# has(node, overlay) - whether the tree has an overlay's node, or has to
has() {
	case " ${PACK_OVERLAYS:-} " in
	*" $2"*) return 0 ;;
	esac
	[ -e "$tree/$1" ]
}

# preferred() - the RTC that the tree prefers
preferred() {
	for _rtc in /sys/class/rtc/rtc*; do
		if cmp -s "$_rtc/device/of_node/phandle" $tree/rtc-seed/rtcs; then
			basename "$_rtc"
		fi
	done
}

# others() - the RTCs that it does not
others() {
	for _rtc in /sys/class/rtc/rtc*; do
		[ "$(basename "$_rtc")" = "$(preferred)" ] || basename "$_rtc"
	done
}

is_there() {
	[ -n "$(preferred)" ]
}

has_others() {
	[ -n "$(others)" ]
}

# tell(rtc, seconds) - give an RTC a time
tell() {
	date -s "@$2" >/dev/null
	hwclock -u -w -f "/dev/$1"
}

# later(rtc, seconds) - whether an RTC has that time, or a later one
later() {
	[ "$(cat "/sys/class/rtc/$1/since_epoch")" -ge "$2" ]
}

clock_is_right() {
	_now=$(date +%s)
	[ "$_now" -ge $right ] && [ "$_now" -lt $((right + 3600)) ]
}

source_is_preferred() {
	[ "$(cat $seed/source)" = "$(preferred)" ]
}

# clock() - four results about the overlay of a clock chip, or of the preferred RTC
clock() {
	for module in rtc-snvs i2c-imx i2c-mv64xxx i2c-bcm2835 rtc-ds1307; do
		modprobe $module 2>/dev/null
	done
	check "the preferred RTC is there" wait_for 20 is_there
	wait_for 5 has_others
	later "$(preferred)" $right || tell "$(preferred)" $right
	for rtc in $(others); do
		tell "$rtc" $((right + day))	# where none is preferred, the latest is believed
	done
	date -s @100000 >/dev/null
	modprobe rtc-seed
	check "the clock is set from it" wait_for 20 clock_is_right
	check "and rtc-seed says so" source_is_preferred
	# Where the tree prefers one of two there must be two.
	if has_others || [ "${PACK_MACHINE:-}" = imx8mp-prefer ]; then
		check "though another one is later" later "$(others)" $((right + 3600))
	else
		skip "though another one is later" "the machine has one RTC"
	fi
}

# borrowed() - an LED that identify has borrowed
borrowed() {
	grep -l '\[identify\]' /sys/class/leds/*/trigger | sed 's:/trigger$::'
}

borrows() {
	[ -n "$(borrowed)" ]
}

blinks() {
	_led=$(borrowed)
	[ -n "$_led" ] && wait_for 5 grep -qx 0 "$_led/brightness" &&
		wait_for 5 grep -qvx 0 "$_led/brightness"
}

# identify() - three results about the overlay that names the LED
identify() {
	modprobe leds-gpio 2>/dev/null
	modprobe leds-identify
	echo 10 >$id/identify
	check "identify finds an LED" wait_for 5 borrows
	check "and blinks it" blinks
	echo 0 >$id/identify
	check "and gives it back" wait_for 5 eval "! borrows"
}

# slot() - five results about the overlay of the modem slot
slot() {
	echo 1 >$trace/events/gpio/gpio_value/enable
	modprobe fixed 2>/dev/null
	check "the modem slot has power, and is not in reset" wait_for 10 is_up
	check "which it was for 100 ms before that" in_order
	radio
}

# radio() - three results about the slot's W_DISABLE#
radio() {
	if ! modprobe rfkill-gpio 2>/dev/null; then
		for what in "its radio can be switched" "off, by W_DISABLE# low" "and on"; do
			skip "$what" "the kernel has no RFKILL_GPIO"
		done
		return
	fi
	check "its radio can be switched" wait_for 10 [ -e /sys/class/rfkill/rfkill0/soft ]
	echo 1 >/sys/class/rfkill/rfkill0/soft
	check "off, by W_DISABLE# low" wait_for 5 drives shutdown lo
	echo 0 >/sys/class/rfkill/rfkill0/soft
	check "and on" wait_for 5 drives shutdown hi
}

parts=
count=0
# part(function, results, node, overlay) - what of it is to be looked at
part() {
	if has "$3" "$4"; then
		parts="$parts $1"
		count=$((count + $2))
	fi
}

part slot 5 rfkill-modem modem-slot
part clock 4 clock rtc-
part identify 3 identify identify
[ -n "$parts" ] || skip_all "the tree has no overlay"

plan $count
for one in $parts; do
	$one
done
ktap_finished
