# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The lines of a modem slot (dts/blocks/modem-slot.dtsi), as the GPIO controller has them.

trace=/sys/kernel/tracing

# gpio(name) - the line of debugfs about a GPIO, such as "gpio-528 (... ) out hi"
gpio() {
	grep -F "$1" /sys/kernel/debug/gpio
}

# drives(name, level) - whether a GPIO is an output of that level; names are cut off
drives() {
	gpio "$1" | grep -q "out $2"
}

# is_up() - whether the slot has power, and is not in reset
is_up() {
	drives modem-powe hi && drives modem-rese hi
}

# edge(name) - when the GPIO of that name became 1, in us of the kernel's log; the newest
# kernels' debugfs counts the lines of each controller, which has 32, the trace counts all
edge() {
	gpio "$1" | sed 's/^ *gpio-\([0-9]*\).*/\1/' | {
		read -r _line
		awk -v line="$_line" '/ gpio_value: [0-9]+ set 1/ && $(NF - 2) % 32 == line % 32 {
			sub(/:$/, "", $(NF - 4)); sub(/\./, "", $(NF - 4)); print $(NF - 4); exit
		}' $trace/trace
	}
}

# in_order() - whether the slot was powered for 100 ms when its reset went
in_order() {
	_power=$(edge modem-powe)
	_reset=$(edge modem-rese)
	ktap_print_msg "power at $_power us, reset at $_reset us"
	[ -n "$_power" ] && [ -n "$_reset" ] && [ $((_reset - _power)) -ge 100000 ]
}
