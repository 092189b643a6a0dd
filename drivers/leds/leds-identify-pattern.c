// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: the blink pattern and its schedule, when an LED is ready, and how long
 * a writer counts
 */

#include "leds-identify.h"

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/time.h>

/*
 * Reads one number and stops at one above the highest that is allowed, so that
 * no count of digits overflows.
 */
static int identify_pattern_number(const char **pos, u32 *value)
{
	const char *s = *pos;
	u32 n = 0;

	if (!isdigit(*s))
		return -EINVAL;

	for (; isdigit(*s); s++)
		n = min_t(u32, n * 10 + (*s - '0'), IDENTIFY_MAX_STEP + 1);

	if (*s && !isspace(*s))
		return -EINVAL;

	*value = n;
	*pos = skip_spaces(s);

	return 0;
}

/**
 * identify_pattern_parse() - read a pattern from text
 * @pattern: where to put it; unchanged on error
 * @buf: an even count of numbers with white space between
 *
 * Return: 0, -EINVAL if this is not a pattern, or -ERANGE if one of the times
 * is too short or too long.
 */
int identify_pattern_parse(struct identify_pattern *pattern, const char *buf)
{
	struct identify_pattern new = { 0 };
	bool in_range = true;
	int ret;

	for (buf = skip_spaces(buf); *buf; new.steps++) {
		if (new.steps == IDENTIFY_MAX_STEPS)
			return -EINVAL;

		ret = identify_pattern_number(&buf, &new.ms[new.steps]);
		if (ret)
			return ret;

		if (new.ms[new.steps] < IDENTIFY_MIN_STEP ||
		    new.ms[new.steps] > IDENTIFY_MAX_STEP)
			in_range = false;
	}

	if (!new.steps || new.steps % 2)
		return -EINVAL;
	if (!in_range)
		return -ERANGE;

	*pattern = new;

	return 0;
}
EXPORT_SYMBOL_FOR_TEST(identify_pattern_parse);

/**
 * identify_pattern_print() - write a pattern as text
 * @pattern: the pattern
 * @buf: where to put the text
 * @size: the room there
 *
 * Return: the length of the text; it can be parsed again.
 */
int identify_pattern_print(const struct identify_pattern *pattern, char *buf,
			   size_t size)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < pattern->steps; i++)
		len += scnprintf(buf + len, size - len, "%s%u", i ? " " : "",
				 pattern->ms[i]);

	return len + scnprintf(buf + len, size - len, "\n");
}
EXPORT_SYMBOL_FOR_TEST(identify_pattern_print);

/**
 * identify_pattern_at() - what a pattern shows at one moment
 * @pattern: the pattern
 * @elapsed: nanoseconds since its start
 * @next: filled with the moment of the next edge, in the same measure
 *
 * Every edge is computed from the start, never from the edge before: whatever
 * comes late once is on time again at the next edge.
 *
 * Return: true if the LED is on.
 */
bool identify_pattern_at(const struct identify_pattern *pattern, u64 elapsed,
			 u64 *next)
{
	u64 period = 0, edge = 0, phase;
	unsigned int i;

	for (i = 0; i < pattern->steps; i++)
		period += (u64)pattern->ms[i] * NSEC_PER_MSEC;

	div64_u64_rem(elapsed, period, &phase);

	for (i = 0; i < pattern->steps; i++) {
		edge += (u64)pattern->ms[i] * NSEC_PER_MSEC;
		if (phase < edge)
			break;
	}

	*next = elapsed - phase + edge;

	return i % 2 == 0;
}
EXPORT_SYMBOL_FOR_TEST(identify_pattern_at);

/**
 * identify_settle_left() - how long the registration of an LED may still take
 * @added: when it began, in jiffies
 * @now: the present time, likewise
 *
 * The LED may have been there for longer than 32 bits of jiffies last.
 *
 * Return: ms, or 0 if it is over.
 */
unsigned int identify_settle_left(u64 added, u64 now)
{
	u64 end = added + IDENTIFY_SETTLE;

	return time_before64(now, end) ? jiffies_to_msecs(end - now) + 1 : 0;
}
EXPORT_SYMBOL_FOR_TEST(identify_settle_left);

/**
 * identify_hold_left() - how long what was written still counts
 * @written: when that was, in jiffies
 * @hold: how long it counts, in ms
 * @now: the present time, in jiffies
 *
 * A trigger may be silent for so long that jiffies seem to go back.
 *
 * Return: jiffies, or 0 if it is over.
 */
unsigned long identify_hold_left(unsigned long written, unsigned int hold,
				 unsigned long now)
{
	unsigned long end = written + msecs_to_jiffies(hold) + 1;

	return time_in_range_open(now, written, end) ? end - now : 0;
}
EXPORT_SYMBOL_FOR_TEST(identify_hold_left);
