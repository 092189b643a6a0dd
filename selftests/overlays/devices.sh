#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What overlays have added to a board's tree works, from the tree alone: the clock chip
# is on its bus and rtc-seed prefers it, and identify finds the board's LED.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

tree=/proc/device-tree
seed=/sys/class/misc/rtc-seed
id=/sys/class/leds/identify
right=1927857906		# 2031-02-03, what QEMU gives the chip

[ -e $tree/clock ] || [ -e $tree/identify ] || skip_all "the tree has no overlay"

# chip() - the RTC that is on an I2C bus
chip() {
	for _rtc in /sys/class/rtc/rtc*; do
		case $(readlink -f "$_rtc/device/subsystem") in
		*/bus/i2c) basename "$_rtc" ;;
		esac
	done
}

has_chip() {
	[ -n "$(chip)" ]
}

clock_is_right() {
	_now=$(date +%s)
	[ "$_now" -ge $right ] && [ "$_now" -lt $((right + 3600)) ]
}

source_is_chip() {
	[ "$(cat $seed/source)" = "$(chip)" ]
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

# clock() - three results about the overlay of a clock chip
clock() {
	for module in rtc-seed i2c-mv64xxx i2c-bcm2835 rtc-ds1307; do
		modprobe $module 2>/dev/null
	done
	check "the clock chip is there" wait_for 20 has_chip
	check "the clock is set from it" wait_for 20 clock_is_right
	check "and rtc-seed says so" source_is_chip
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

plan 6
if [ -e $tree/clock ]; then
	clock
else
	for what in "the clock chip is there" "the clock is set from it" "and rtc-seed says so"; do
		skip "$what" "QEMU's virt has no I2C bus"
	done
fi
if [ -e $tree/identify ]; then
	identify
else
	for what in "identify finds an LED" "and blinks it" "and gives it back"; do
		skip "$what" "QEMU lacks the GPIO controller of the board's LEDs"
	done
fi
ktap_finished
