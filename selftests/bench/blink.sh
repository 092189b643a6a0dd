#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest of make bench, or on a device whose LEDs are called bench:<way>:
# blink each LED in another way at the same time and under the same load, and
# print when the levels of the pins changed. The time stamps are the kernel's, of
# the moment at which it sets the pin.
#
# usage: blink.sh SECONDS

seconds=$1
here=$(cd "$(dirname "$0")" && pwd)
leds=/sys/class/leds
tracing=/sys/kernel/tracing
pattern='1 200 1 0 0 200 0 0'

# event(event, key) - count what happens by key, where the kernel can
event() {
	echo "hist:keys=$2" >"$tracing/events/$1/trigger" 2>/dev/null
}

# tasks(way, pid) - which threads belong to it
tasks() {
	for task in "/proc/$2/task/"*; do
		echo "task $1 ${task##*/}"
	done
}

for module in leds-identify ledtrig-timer ledtrig-pattern; do
	file=$(find /lib/modules -name "$module.ko")
	[ -z "$file" ] || "$here/loadtime" "$file" "$(echo $module | tr - _)" 9
	modprobe $module
done

echo mono >$tracing/trace_clock
echo 8192 >$tracing/buffer_size_kb
echo 1 >$tracing/events/gpio/gpio_value/enable
# Kernels number pins as they like: switch each once to see its number.
for led in "$leds"/bench:*; do
	echo "pin ${led##*:}" >$tracing/trace_marker
	echo 1 >"$led/brightness"
	echo 0 >"$led/brightness"
done

node "$here/supervisor.js" $leds/bench:supervisor/brightness &
supervisor=$!
"$here/writer" $leds/bench:writer/brightness &
writer=$!
echo timer >$leds/bench:timer/trigger
echo 200 >$leds/bench:timer/delay_on
echo 200 >$leds/bench:timer/delay_off
echo pattern >$leds/bench:pattern/trigger
echo "$pattern" >$leds/bench:pattern/pattern
echo pattern >$leds/bench:hr_pattern/trigger
if [ -e $leds/bench:hr_pattern/hr_pattern ]; then
	echo "$pattern" >$leds/bench:hr_pattern/hr_pattern
fi
echo bench:identify >$leds/identify/leds
echo $((seconds + 60)) >$leds/identify/identify
sleep 5

# Load: on each CPU two that never wait, one in user space, one in the kernel.
for cpu in $(seq "$(nproc)"); do
	while :; do :; done &
	while :; do
		dd if=/dev/zero of="/tmp/load.$cpu" bs=1M count=16 2>/dev/null
	done &
done
sleep 1

tasks supervisor $supervisor
tasks writer $writer
event timer/hrtimer_expire_entry function.sym
event timer/timer_expire_entry function.sym
event sched/sched_wakeup pid
echo begin >$tracing/trace_marker
sleep "$seconds"
echo end >$tracing/trace_marker
echo 0 >$tracing/tracing_on

cat $tracing/events/timer/*_expire_entry/hist $tracing/events/sched/sched_wakeup/hist
cat $tracing/trace
echo "ok 1 blinked for $seconds s"
echo 1..1
