#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest of make bench: how long after its registration a clock chip, which is
# rtc1, has set the clock; by rtc-seed, and by a udev rule that runs hwclock. The
# kernel's trace tells when. usage: clock.sh ROUNDS

chip=/sys/bus/i2c/drivers/rtc-ds1307
right=1927857906	# what QEMU begins with
rule=/run/udev/rules.d/85-hwclock.rules
unit=/run/systemd/system/systemd-udevd.service.d
tracing=/sys/kernel/tracing

right() {
	[ "$(date +%s)" -ge $right ]
}

# rounds(name, count) - let the chip come to a clock in the past
rounds() {
	for round in $(seq "$2"); do
		modprobe -r rtc-seed
		date -s @1000000 >/dev/null
		[ "$1" != rtc-seed ] || modprobe rtc-seed
		# hwclock waits for the RTC's next second: come at any time within one; and
		# nothing that is not measured needs the CPU then
		(
			sleep 1.$((round * 37 % 90 + 10))
			echo "round $1" >$tracing/trace_marker
			echo 2-0068 >$chip/bind
		) &
		sleep 3
		wait
		for _ in $(seq 100); do
			! right || break
			sleep 0.1
		done
		sleep 1
		echo 2-0068 >$chip/unbind
	done
}

modprobe rtc-snvs
modprobe rtc-ds1307
modprobe i2c-imx
udevadm settle
echo 2-0068 >$chip/unbind

rounds rtc-seed "$1"
modprobe -r rtc-seed

# systemd forbids what udev runs to set the clock: here it may (two locks).
mkdir -p ${rule%/*} $unit
printf '[Service]\nCapabilityBoundingSet=~\nSystemCallFilter=\n' >$unit/clock.conf
systemctl daemon-reload
systemctl restart systemd-udevd
echo 'ACTION=="add", KERNEL=="rtc1", RUN+="/usr/sbin/hwclock --hctosys --utc --rtc=/dev/%k"' >$rule
udevadm control --reload
rounds udev "$1"
cat $tracing/trace
