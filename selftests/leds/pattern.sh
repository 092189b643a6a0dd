#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The edges of a blink pattern, as seen on the pins: each at its time from the
# start, without drift, on all targets together. A guest or a device may stall at
# any time, so medians and shares are looked at, and a bad result must come
# three times.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"
# shellcheck source=selftests/lib/led.sh
. "$(dirname "$0")/../lib/led.sh"

start() {
	put "$ID/identify" "${seconds:-60}"
}

# blink(pattern, ms, led...) - record the edges from the very start
blink() {
	put "$ID/identify" 0
	put "$ID/blink_pattern" "$1"
	_time=$2
	shift 2
	record "$_time" start "$@"
}

# fits(pattern, share, led) - whether the edges of an LED are where the pattern
# has them, and at least that share of them, in percent
fits() {
	grep " $3 " "$TMP/edges" | awk -v pattern="$1" -v share="$2" '
	{ t[NR - 1] = $1 / 1000; on[NR - 1] = $3; n = NR }
	END {
		steps = split(pattern, ms, " ")
		tolerance = 30
		for (i = 1; i <= steps; i++) {
			at[i] = period
			period += ms[i]
			if (ms[i] / 4 < tolerance)
				tolerance = ms[i] / 4
		}
		start = t[0] - (on[0] ? 0 : at[2])
		for (e = 0; e < n; e++) {
			best = period
			for (i = on[e] ? 1 : 2; i <= steps; i += 2) {
				late = t[e] - start - at[i]
				late -= period * int(late / period + (late < 0 ? -0.5 : 0.5))
				if (late * late < best * best) {
					best = late
					step = i
				}
			}
			# in order, so that the middle one is the median
			for (k = seen[step]++; k > 0 && found[step, k - 1] > best; k--)
				found[step, k] = found[step, k - 1]
			found[step, k] = best
		}
		ideal = 1 + int((t[n - 1] - t[0]) / period * steps + 0.5)
		bad = n < ideal * share / 100 || n > ideal + steps
		for (i = 1; i <= steps; i++) {
			median = found[i, int((seen[i] - 1) / 2)]
			bad += !seen[i] || median > tolerance || median < -tolerance
			printf "# step %d of %d ms: %d times, %.1f ms late\n",
				i, ms[i], seen[i], median
		}
		printf "# %d edges of %d\n", n, ideal
		exit n < 3 || bad
	}'
}

blinks() { # (pattern, ms, share) - how the first target does it
	blink "$1" "$2" "$T1"
	fits "$1" "$3" "$T1"
}

starts_lit() {
	blink "2000 2000" 200 "$T1"
	[ "$(sed 's/.* //' "$TMP/edges")" = 1 ]
}

# The least delay of all edges in a third of the time tells drift from stalls.
no_drift() {
	# shellcheck disable=SC2086 # only the first is there for sure
	blink "20 20" 1800 "$T1" $T2 $T3
	grep " $T1 " "$TMP/edges" | awk 'NR == 1 { start = $1 }
	{
		late = ($1 - start) / 1000 + ($3 ? 0 : 20)
		late -= 40 * int(late / 40 + 0.5)
		third = int(($1 - start) / 600000)
		if (!(third in least) || late < least[third])
			least[third] = late
	}
	END {
		drift = least[2] - least[0]
		printf "# %d edges, drift %.2f ms\n", NR, drift
		exit NR < 45 || drift > 5 || drift < -5
	}'
}

# in_step() - whether the targets were so in what was recorded last
in_step() {
	awk '{
		t[$2, ++n[$2]] = $1 / 1000
		on[$2, n[$2]] = $3
		if (NR == 1)
			first = $2
	}
	END {
		for (led in n) {
			count = n[led] < n[first] ? n[led] : n[first]
			for (e = 1; e <= count; e++) {
				apart = t[led, e] - t[first, e]
				near += apart < 2 && apart > -2 && on[led, e] == on[first, e]
				all++
			}
			printf "# %s: %d edges\n", led, n[led]
			leds++
			bad += n[led] < n[first] - 1 || n[led] > n[first] + 1 || count < 15
		}
		printf "# %d of %d within 2 ms\n", near, all
		exit bad || leds < 2 || near < all * 0.8
	}' "$TMP/edges"
}

start_and_change() {
	start
	pause 300
	put "$ID/blink_pattern" 40 60
}

starts_anew() {
	put "$ID/identify" 0
	put "$ID/blink_pattern" 2000 2000
	record 500 start_and_change "$T1"
	awk 'NR == 1 { on = $1 } NR == 2 { exit $1 - on > 1500000 }' "$TMP/edges" &&
		sed -i 1d "$TMP/edges" && fits "40 60" 70 "$T1"
}

start_twice() {
	start
	pause 300
	start
}

# The second time, in the dark, must not light it up at once.
keeps_its_phase() {
	put "$ID/identify" 0
	put "$ID/blink_pattern" 200 200
	record 300 start_twice "$T1"
	awk 'NR == 1 { start = $1 } NR == 3 { late = ($1 - start) / 1000 - 400 }
	END { exit NR < 3 || late > 70 || late < -70 }' "$TMP/edges"
}

ends_dark() {
	blink "70 30" 130 "$T1"
	put "$ID/identify" 0
	dark "$T1"
}

whole_periods() {
	seconds=1
	blink "100 100" 1100 "$T1"
	seconds=
	[ "$(grep -c ' 1$' "$TMP/edges")" = 5 ] && [ "$(grep -c ' 0$' "$TMP/edges")" = 5 ]
}

led_setup
plan 13
load leds="$(echo "$TARGETS" | tr -s ' ')" hold_ms=3600000
put "$ID/brightness" 1
# shellcheck disable=SC2086 # a list of names
check "all targets are borrowed" wait_for 10 borrowed $TARGETS
put "$ID/brightness" 0

check "the edges of 200 200" three_times blinks "200 200" 600 80
check "a pattern starts lit" three_times starts_lit
check "the edges of 10 10, the shortest" three_times blinks "10 10" 250 50
check "the edges of 40 160, of different length" three_times blinks "40 160" 450 80
check "the edges of 60 40 100 80 40 60, of several blinks" \
	three_times blinks "60 40 100 80 40 60" 700 80
check "a pattern ends with the seconds, without half a blink" three_times whole_periods
check "a pattern that is stopped while it is lit ends dark" three_times ends_dark
check "a new pattern starts at once" three_times starts_anew
check "to start it again does not change its phase" three_times keeps_its_phase
check "a pattern does not drift" three_times no_drift
if [ -n "$T2" ] && pin_of "$T1"; then
	check "the targets blink in step" \
		eval "in_step || { blink '20 20' 1000 '$T1' '$T2' $T3 && in_step; }"
else
	skip "the targets blink in step" "this machine has not two LEDs with a GPIO to watch"
fi
check "the kernel has found nothing wrong" no_report
ktap_finished
