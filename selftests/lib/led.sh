# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests of leds-identify share, on top of pack.sh. They work on the
# LEDs that PACK_LEDS names, otherwise on those that the machine has: first the
# ones on GPIOs, whose pins are watched. No LED is left as it was not found,
# save for the settings of a trigger.

LEDS=/sys/class/leds
# shellcheck disable=SC2034 # for the tests
ID=$LEDS/identify
MODULE=leds-identify
GPIOS=/sys/kernel/debug/gpio

# pause(ms) - sleep, without a new process where the shell can
pause() {
	_part=$((1000 + $1 % 1000))
	_part=$(($1 / 1000)).${_part#1}
	# shellcheck disable=SC3045 # status 2 in a shell that cannot
	read -r -t "$_part" _ <&9 2>/dev/null
	[ $? != 2 ] || sleep "$_part"
}

# uptime() - set $ms, as now_ms() prints it
uptime() {
	read -r ms _ </proc/uptime
	ms=${ms%.*}${ms#*.}0
}

# wait_for(seconds, command...) - as in pack.sh, but cheap: tests do little else
wait_for() {
	uptime
	_until=$((ms + $1 * 1000))
	shift
	until "$@"; do
		uptime
		[ "$ms" -lt "$_until" ] || return 1
		pause 10
	done
}

# three_times(command...) - what depends on time may fail because of a stall: twice
three_times() {
	"$@" || "$@" || "$@"
}

# clock() - set $us, microseconds that only serve to measure time
clock() {
	# shellcheck disable=SC3028 # empty in a shell that does not have it
	us=${EPOCHREALTIME:-}
	us=${us%.*}${us#*.}
	[ -n "$us" ] || {
		uptime
		us=${ms}000
	}
}

# reads(file, value) - whether this is what the first line of a file says
reads() {
	read -r _line 2>/dev/null <"$1" && [ "$_line" = "$2" ]
}

# trigger_of(led) - set $trigger
trigger_of() {
	trigger=$(cat "$LEDS/$1/trigger" 2>/dev/null)
	trigger=${trigger##*[}
	trigger=${trigger%%]*}
}

has_trigger() { # (led, trigger)
	trigger_of "$1"
	[ "$trigger" = "$2" ]
}

borrowed() { # (led...)
	for _led; do
		has_trigger "$_led" identify || return 1
	done
}

free() { # (led...)
	for _led; do
		! has_trigger "$_led" identify || return 1
	done
}

# state_of(led) - set $state: all that can be read of an LED, and whether it is lit.
# What its trigger changes all the time is not state.
state_of() {
	trigger_of "$1"
	case $trigger in
	heartbeat | timer | pattern | activity | cpu*) _still= ;;
	*) _still=1 ;;
	esac
	state="trigger=$trigger"
	for _file in "$LEDS/$1"/*; do
		case ${_file##*/} in
		trigger | uevent) continue ;;
		brightness) [ -n "$_still" ] || continue ;;
		esac
		[ -f "$_file" ] || continue
		state="$state ${_file##*/}="
		while read -r _line; do
			state="$state$_line;"
		done <"$_file"
	done 2>/dev/null
	[ -z "$_still" ] || {
		level_of "$1"
		state="$state lit=$level"
	}
}

is_state() { # (led, state)
	state_of "$1"
	[ "$state" = "$2" ]
}

same_state() { # (led, state) - and tell what is not
	is_state "$@" || {
		ktap_print_msg "was $2"
		ktap_print_msg "is $state"
		false
	}
}

becomes() { # (led, state) - in time
	wait_for 20 is_state "$@" || same_state "$@"
}

# _learn_pin(led) - find the GPIO that goes one way and back when an LED does;
# where there is one, write its number and the level that is off
_learn_pin() {
	: >"$TRACE/trace"
	put "$TRACE/tracing_on" 1
	put "$LEDS/$1/brightness" 1
	put "$LEDS/$1/brightness" 0
	put "$TRACE/tracing_on" 0
	sed -n 's/.*gpio_value: \([0-9]*\) set \([01]\).*/\1 \2/p' "$TRACE/trace" |
		awk '{ n[$1]++; level[$1, n[$1]] = $2 }
		END {
			for (pin in n)
				if (n[pin] == 2 && level[pin, 1] != level[pin, 2]) {
					print pin, level[pin, 2]
					exit
				}
		}' >"$TMP/pin.$1"
}

# pin_of(led) - set $pin to the GPIO's number and $low to the level that is off, or
# fail where there is none that is traced
pin_of() {
	read -r pin low 2>/dev/null <"$TMP/pin.$1"
}

# level_of(led) - set $level: 1 if the LED is lit, by its pin where it has one
level_of() {
	level=
	while read -r _line; do
		case $_line in
		"gpio-"*"|$1 "*" out hi"*) level=1 ;;
		"gpio-"*"|$1 "*" out lo"*) level=0 ;;
		*) continue ;;
		esac
		case $_line in
		*"ACTIVE LOW"*) level=$((1 - level)) ;;
		esac
	done 2>/dev/null <"$GPIOS"
	[ -n "$level" ] || {
		read -r level <"$LEDS/$1/brightness"
		[ "$level" = 0 ] || level=1
	}
}

lit() { # (led...)
	for _led; do
		level_of "$_led"
		[ "$level" = 1 ] || return 1
	done
}

dark() { # (led...)
	for _led; do
		level_of "$_led"
		[ "$level" = 0 ] || return 1
	done
}

# record_start(led...), record_stop() - write the edges of LEDs to $TMP/edges, as
# "microseconds led level" in order: those of the pins
record_start() {
	: >"$TMP/pins"
	for _led; do
		pin_of "$_led" || return 1
		level_of "$_led"
		echo "$pin $low $level $_led" >>"$TMP/pins"
	done
	: >"$TRACE/trace"
	put "$TRACE/tracing_on" 1
}

record_stop() {
	put "$TRACE/tracing_on" 0
	awk 'NR == FNR { low[$1] = $2; last[$1] = $3; name[$1] = $4; next }
	{
		for (i = 1; i <= NF && $i != "gpio_value:"; i++)
			;
		pin = $(i + 1)
		if (!(pin in low) || $(i + 2) != "set")
			next
		level = $(i + 3) != low[pin]
		if (level != last[pin])
			printf "%.0f %s %d\n", $(i - 1) * 1e6, name[pin], level
		last[pin] = level
	}' "$TMP/pins" "$TRACE/trace" >"$TMP/edges"
}

# record(ms, command, led...) - start a command and note the edges of that time:
# of the pins, or where an LED has none, by reading its brightness all the time
record() {
	_ms=$1
	_command=$2
	unset _last_1 _last_2 _last_3
	shift 2
	if record_start "$@"; then
		$_command
		pause "$_ms"
		record_stop
		return
	fi
	{
		pause 20
		$_command
	} &
	clock
	_end=$((us + _ms * 1000))
	while [ "$us" -lt "$_end" ]; do
		_i=0
		for _led; do
			_i=$((_i + 1))
			read -r _new <"$LEDS/$_led/brightness" || continue
			eval "[ \"\$_new\" = \"\${_last_$_i:=$_new}\" ]" || {
				clock
				echo "$us $_led $((_new > 0))"
			}
			eval "_last_$_i=$_new"
		done
		clock
	done >"$TMP/edges"
	wait $!
}

edges_of() { # (led) - set $edges, their number
	# shellcheck disable=SC2034 # for the tests
	edges=$(grep -c " $1 " "$TMP/edges")
}

# mark() and logged(text) - set $count, how many lines the kernel has logged since
# that hold the text
mark() {
	_mark=$((${_mark:-0} + 1))
	echo "${0##*/}: $$.$_mark" >/dev/kmsg
}

logged() {
	count=$(dmesg | sed "1,/${0##*/}: $$.${2:-$_mark}\$/d" | grep -c "$1")
}

# no_report() - whether the kernel has found nothing wrong since led_setup()
no_report() {
	logged 'WARNING:\|BUG:\|Oops\|INFO: \|possible \|Call [Tt]race' 1
	[ "$count" = 0 ]
}

# shellcheck disable=SC2120 # the tests pass parameters
load() { # (parameter...)
	modprobe "$MODULE" "$@"
}

unload() {
	modprobe -r "$MODULE"
}

# plain(led...) - no trigger, off
plain() {
	for _led; do
		put "$LEDS/$_led/trigger" none && put "$LEDS/$_led/brightness" 0
	done
}

_find_leds() {
	for _path in "$LEDS"/*/brightness; do
		_led=${_path%/brightness}
		_led=${_led##*/}
		case $_led in
		\* | identify) continue ;;
		esac
		_driver=$(readlink -f "$LEDS/$_led/device/driver")
		if [ "${_driver##*/}" = leds-gpio ]; then
			_first="$_first $_led"
		else
			_second="$_second $_led"
		fi
	done
	echo "$_first" "$_second"
}

_clean_up() {
	for _job in $(jobs -p); do
		kill "$_job" 2>/dev/null
	done
	unload 2>/dev/null
	for _led in $TARGETS; do
		[ -d "$LEDS/$_led" ] || continue
		read -r trigger level <"$TMP/was.$_led"
		plain "$_led"
		put "$LEDS/$_led/trigger" "$trigger"
		[ "$trigger:$level" = none:0 ] || [ "$trigger" != none ] ||
			put "$LEDS/$_led/brightness" "$level"
	done 2>/dev/null
	[ -z "$TRACE" ] || rmdir "$TRACE"
	# shellcheck disable=SC2119
	[ -z "$WAS_LOADED" ] || load
	for _file in ${WAS_LOADED:+leds hold_ms blink_pattern}; do
		cmp -s "$ID/$_file" "$TMP/was_$_file" || cat "$TMP/was_$_file" >"$ID/$_file"
	done
	rm -rf "$TMP"
}

# led_setup() - begin a test: set TARGETS, and T1, T2, T3 to the first of them;
# all are off and without a trigger, the module is not loaded. At the end of the
# script, all is put back.
led_setup() {
	[ -w /dev/kmsg ] || skip_all "only root can run this"
	installed "$MODULE" || skip_all "the module $MODULE is not installed"
	WAS_LOADED=
	TARGETS=
	TRACE=
	TMP=$(mktemp -d)
	trap _clean_up EXIT
	trap 'exit 1' HUP INT TERM
	if loaded "$MODULE"; then
		for _file in leds hold_ms blink_pattern; do
			cat "$ID/$_file" >"$TMP/was_$_file"
		done
		WAS_LOADED=1
		unload || skip_all "the module $MODULE is in use or built in"
	fi
	mkfifo "$TMP/never"
	exec 9<>"$TMP/never"
	for _led in ${PACK_LEDS:-$(_find_leds)}; do
		trigger_of "$_led"
		read -r level <"$LEDS/$_led/brightness"
		echo "$trigger $level" >"$TMP/was.$_led"
		plain "$_led" 2>/dev/null && TARGETS="$TARGETS $_led"
	done
	# shellcheck disable=SC2086 # a list of names
	set -- $TARGETS
	[ $# -gt 0 ] || skip_all "this machine has no LED that can be written"
	# shellcheck disable=SC2034 # for the tests
	T1=$1 T2=${2:-} T3=${3:-}
	for _dir in /sys/kernel/tracing /sys/kernel/debug/tracing; do
		[ -z "$TRACE" ] || break
		[ -d "$_dir/events/gpio/gpio_value" ] || continue
		mkdir "$_dir/instances/pack-leds" 2>/dev/null || continue
		TRACE=$_dir/instances/pack-leds
		put "$TRACE/tracing_on" 0
		put "$TRACE/trace_clock" mono
		put "$TRACE/events/gpio/gpio_value/enable" 1
		for _led; do
			_learn_pin "$_led"
		done
	done
	mark
}
