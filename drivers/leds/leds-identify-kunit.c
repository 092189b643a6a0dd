// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: tests of what needs no device
 */

#include "leds-identify.h"

#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time.h>

#define MS(n) ((u64)(n) * NSEC_PER_MSEC)

struct identify_text_case {
	const char *text;
	int ret;
	const char *print;	/* what comes back if ret is 0 */
};

static const struct identify_text_case pattern_cases[] = {
	{ "200 200", 0, "200 200\n" },
	{ "200 200\n", 0, "200 200\n" },
	{ "\t 100\n\n50\v25 75 \r\n", 0, "100 50 25 75\n" },
	{ "0010 000010", 0, "10 10\n" },
	{ "10 10", 0, "10 10\n" },
	{ "60000 60000", 0, "60000 60000\n" },
	/* no pattern at all */
	{ "", -EINVAL },
	{ "\n", -EINVAL },
	{ " \t ", -EINVAL },
	{ "x", -EINVAL },
	{ "-10 10", -EINVAL },
	{ "+10 10", -EINVAL },
	{ "10 -10", -EINVAL },
	{ "10,10", -EINVAL },
	{ "10 10x", -EINVAL },
	{ "10 10 x", -EINVAL },
	{ "0x10 10", -EINVAL },
	{ "10.5 10", -EINVAL },
	{ "10 1e1", -EINVAL },
	/* a time without its other half */
	{ "10", -EINVAL },
	{ "10 10 10", -EINVAL },
	/* out of range */
	{ "0 0", -ERANGE },
	{ "0 10", -ERANGE },
	{ "10 0", -ERANGE },
	{ "9 10", -ERANGE },
	{ "10 9", -ERANGE },
	{ "60001 10", -ERANGE },
	{ "10 60001", -ERANGE },
	{ "65546 10", -ERANGE },			/* 2^16 + 10 */
	{ "4294967306 10", -ERANGE },			/* 2^32 + 10 */
	{ "10 18446744073709551626", -ERANGE },		/* 2^64 + 10 */
	{ "99999999999999999999999999999999999999999999 10", -ERANGE },
	/* both: then it is no pattern */
	{ "9 x", -EINVAL },
	{ "60001", -EINVAL },
};

static void pattern_parse_test(struct kunit *test)
{
	const struct identify_pattern before = { .steps = 2, .ms = { 11, 12 } };
	struct identify_pattern pattern;
	char buf[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pattern_cases); i++) {
		const struct identify_text_case *c = &pattern_cases[i];
		int ret;

		pattern = before;
		ret = identify_pattern_parse(&pattern, c->text);
		KUNIT_EXPECT_EQ_MSG(test, ret, c->ret, "'%s'", c->text);
		if (ret) {
			KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(&pattern, &before,
							    sizeof(before)),
					    "'%s' changed it", c->text);
			continue;
		}
		identify_pattern_print(&pattern, buf, sizeof(buf));
		KUNIT_EXPECT_STREQ_MSG(test, buf, c->print, "'%s'", c->text);
	}
}

/* Fills @buf with @n numbers and tells what becomes of it. */
static int pattern_parse_many(struct identify_pattern *pattern, char *buf,
			      unsigned int n)
{
	unsigned int i;
	char *end = buf;

	for (i = 0; i < n; i++)
		end += sprintf(end, "%u ", IDENTIFY_MAX_STEP - i);

	return identify_pattern_parse(pattern, buf);
}

static void pattern_count_test(struct kunit *test)
{
	struct identify_pattern pattern = { 0 }, again = { 0 };
	char buf[40 * 6 + 1];
	int len;

	KUNIT_EXPECT_EQ(test, pattern_parse_many(&pattern, buf, 33), -EINVAL);
	KUNIT_EXPECT_EQ(test, pattern_parse_many(&pattern, buf, 34), -EINVAL);
	KUNIT_EXPECT_EQ(test, pattern_parse_many(&pattern, buf, 40), -EINVAL);
	KUNIT_EXPECT_EQ(test, pattern_parse_many(&pattern, buf, 31), -EINVAL);
	KUNIT_EXPECT_EQ(test, pattern.steps, 0);

	KUNIT_EXPECT_EQ(test, pattern_parse_many(&pattern, buf, 32), 0);
	KUNIT_EXPECT_EQ(test, pattern.steps, 32);
	KUNIT_EXPECT_EQ(test, pattern.ms[31], IDENTIFY_MAX_STEP - 31);

	len = identify_pattern_print(&pattern, buf, sizeof(buf));
	KUNIT_EXPECT_EQ(test, len, (int)strlen(buf));
	KUNIT_EXPECT_EQ(test, identify_pattern_parse(&again, buf), 0);
	KUNIT_EXPECT_EQ(test, memcmp(&pattern, &again, sizeof(again)), 0);
}

static void pattern_print_short_test(struct kunit *test)
{
	const struct identify_pattern pattern = { .steps = 2, .ms = { 200, 300 } };
	char buf[10];
	size_t size;

	for (size = 1; size <= 9; size++) {
		memset(buf, 'x', sizeof(buf));
		identify_pattern_print(&pattern, buf, size);
		KUNIT_EXPECT_LT(test, strlen(buf), size);
		KUNIT_EXPECT_EQ(test, buf[size], 'x');
	}
}

static void expect_at(struct kunit *test, const struct identify_pattern *pattern,
		      u64 elapsed, bool on, u64 next)
{
	u64 got;

	KUNIT_EXPECT_EQ_MSG(test, identify_pattern_at(pattern, elapsed, &got),
			    on, "at %llu", elapsed);
	KUNIT_EXPECT_EQ_MSG(test, got, next, "at %llu", elapsed);
}

/* Every edge of a few periods that start at @origin, and 1 ns around it. */
static void expect_edges(struct kunit *test,
			 const struct identify_pattern *pattern, u64 origin)
{
	u64 edge = origin, next;
	unsigned int i;

	for (i = 0; i < 3 * pattern->steps; i++) {
		next = edge + MS(pattern->ms[i % pattern->steps]);
		expect_at(test, pattern, edge, i % 2 == 0, next);
		expect_at(test, pattern, edge + 1, i % 2 == 0, next);
		expect_at(test, pattern, next - 1, i % 2 == 0, next);
		edge = next;
	}
}

static void schedule_edges_test(struct kunit *test)
{
	struct identify_pattern pattern = { .steps = 2, .ms = { 200, 200 } };
	unsigned int i;

	expect_edges(test, &pattern, 0);

	pattern = (struct identify_pattern){ .steps = 4, .ms = { 10, 60000, 999, 37 } };
	expect_edges(test, &pattern, 0);

	pattern.steps = IDENTIFY_MAX_STEPS;
	for (i = 0; i < IDENTIFY_MAX_STEPS; i++)
		pattern.ms[i] = i % 3 ? IDENTIFY_MIN_STEP : IDENTIFY_MAX_STEP;
	expect_edges(test, &pattern, 0);
}

static void schedule_no_drift_test(struct kunit *test)
{
	const struct identify_pattern pattern = { .steps = 2, .ms = { 200, 133 } };
	const u64 period = MS(333);
	u64 t = 0, next, wrong = 0;
	unsigned int i;
	bool on;

	for (i = 0; i < 1000000; i++) {
		on = identify_pattern_at(&pattern, t, &next);
		wrong += !on || next != i * period + MS(200);
		t = next;
		on = identify_pattern_at(&pattern, t, &next);
		wrong += on || next != (i + 1) * period;
		t = next;
	}

	KUNIT_EXPECT_EQ(test, wrong, 0ULL);
	KUNIT_EXPECT_EQ(test, t, 1000000 * period);
}

/* Late by any time, the next edge is where it would have been. */
static void schedule_late_test(struct kunit *test)
{
	const struct identify_pattern pattern = { .steps = 2, .ms = { 100, 100 } };

	expect_at(test, &pattern, MS(100) + 1, false, MS(200));
	expect_at(test, &pattern, MS(250), true, MS(300));
	expect_at(test, &pattern, MS(1000000099), true, MS(1000000100));
}

static void schedule_years_test(struct kunit *test)
{
	const struct identify_pattern pattern = { .steps = 2, .ms = { 200, 200 } };
	const u64 years = 100ULL * 365 * 86400 * NSEC_PER_SEC;
	u64 next;

	expect_edges(test, &pattern, years);

	/* ktime_t ends after 292 years. */
	identify_pattern_at(&pattern, S64_MAX, &next);
	KUNIT_EXPECT_GT(test, next, (u64)S64_MAX);
	KUNIT_EXPECT_LE(test, next, (u64)S64_MAX + MS(200));
}

#define NAME_63 "123456789012345678901234567890123456789012345678901234567890123"
#define NAMES_16 "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"

static const struct identify_text_case list_cases[] = {
	{ "", 0, "" },
	{ " \t\n", 0, "" },
	{ "ACT", 0, "ACT" },
	{ "ACT,led0\n", 0, "ACT,led0" },
	{ " ACT,led0\t\n usr3\r\n", 0, "ACT,led0 usr3" },
	{ "beaglebone:green:usr3", 0, "beaglebone:green:usr3" },
	{ "\xc3\xa0:\xff", 0, "\xc3\xa0:\xff" },	/* 0xa0 is no separator */
	{ "%s%n,../x", 0, "%s%n,../x" },
	{ NAME_63, 0, NAME_63 },
	{ NAMES_16, 0, NAMES_16 },
	{ "a a a,a", 0, "a a a,a" },
	{ "identify2 my-identify Identify", 0, "identify2 my-identify Identify" },
	{ ",", -EINVAL },
	{ ",a", -EINVAL },
	{ "a,", -EINVAL },
	{ "a,,b", -EINVAL },
	{ "a ,b", -EINVAL },
	{ "a , b", -EINVAL },
	{ "identify", -EINVAL },
	{ "identify\n", -EINVAL },
	{ "a b,identify", -EINVAL },
	{ "identify,a", -EINVAL },
	{ NAME_63 "4", -ENAMETOOLONG },
	{ "a," NAME_63 "4,b", -ENAMETOOLONG },
	{ NAMES_16 " 17", -E2BIG },
};

static void list_parse_test(struct kunit *test)
{
	struct identify_list *list;
	const char *why;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(list_cases); i++) {
		const struct identify_text_case *c = &list_cases[i];

		why = NULL;
		list = identify_list_parse(c->text, &why);
		KUNIT_EXPECT_EQ_MSG(test, (int)PTR_ERR_OR_ZERO(list), c->ret,
				    "'%s'", c->text);
		if (IS_ERR(list)) {
			KUNIT_EXPECT_TRUE(test, why && *why);
			continue;
		}
		if (!c->ret)
			KUNIT_EXPECT_STREQ(test, (const char *)list->text,
					   c->print);
		kfree(list);
	}
}

static void list_long_test(struct kunit *test)
{
	struct identify_list *list;
	const char *why;
	char *text;

	text = kunit_kzalloc(test, 4096, GFP_KERNEL);
	KUNIT_ASSERT_FALSE(test, !text);

	memset(text, 'a', 4095);
	list = identify_list_parse(text, &why);
	KUNIT_EXPECT_EQ(test, (int)PTR_ERR_OR_ZERO(list), -ENAMETOOLONG);

	memset(text, ' ', 4095);
	list = identify_list_parse(text, &why);
	KUNIT_ASSERT_EQ(test, (int)PTR_ERR_OR_ZERO(list), 0);
	KUNIT_EXPECT_EQ(test, list->n, 0);
	kfree(list);
}

static void list_targets_test(struct kunit *test)
{
	struct identify_list *list;
	const char *names, *why, *name;
	size_t left, len;

	list = identify_list_parse("ACT,led0  x", &why);
	KUNIT_ASSERT_EQ(test, (int)PTR_ERR_OR_ZERO(list), 0);
	KUNIT_EXPECT_EQ(test, list->n, 2);

	names = list->target[0].names;
	left = list->target[0].len;
	name = identify_names_next(&names, &left, &len);
	KUNIT_EXPECT_TRUE(test, len == 3 && !memcmp(name, "ACT", 3));
	name = identify_names_next(&names, &left, &len);
	KUNIT_EXPECT_TRUE(test, len == 4 && !memcmp(name, "led0", 4));
	KUNIT_EXPECT_FALSE(test, !!identify_names_next(&names, &left, &len));

	names = list->target[1].names;
	left = list->target[1].len;
	name = identify_names_next(&names, &left, &len);
	KUNIT_EXPECT_TRUE(test, len == 1 && *name == 'x');
	KUNIT_EXPECT_FALSE(test, !!identify_names_next(&names, &left, &len));

	kfree(list);
}

/* Also of an LED that has been there for longer than 32 bits of jiffies last. */
static void settle_left_test(struct kunit *test)
{
	static const u64 added[] = { 0, (u32)INITIAL_JIFFIES, U32_MAX, BIT_ULL(31),
				     BIT_ULL(40) };
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(added); i++) {
		u64 end = added[i] + IDENTIFY_SETTLE;

		KUNIT_EXPECT_EQ(test, identify_settle_left(added[i], added[i]),
				jiffies_to_msecs(IDENTIFY_SETTLE) + 1);
		KUNIT_EXPECT_EQ(test, identify_settle_left(added[i], end - 1),
				jiffies_to_msecs(1) + 1);
		KUNIT_EXPECT_EQ(test, identify_settle_left(added[i], end), 0);
		for (bit = 1; bit < 50; bit++) {
			u64 later = end + BIT_ULL(bit);

			KUNIT_EXPECT_EQ(test, identify_settle_left(added[i],
								   later - 1), 0);
			KUNIT_EXPECT_EQ(test, identify_settle_left(added[i],
								   later + 1), 0);
		}
	}
}

/* Also where jiffies wrap, and where they seem to be before the write. */
static void hold_left_test(struct kunit *test)
{
	static const unsigned long written[] = { 0, INITIAL_JIFFIES, LONG_MAX, ULONG_MAX };
	static const unsigned int hold[] = { IDENTIFY_MIN_HOLD, IDENTIFY_DEFAULT_HOLD,
					     IDENTIFY_MAX_HOLD };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(written) * ARRAY_SIZE(hold); i++) {
		unsigned int ms = hold[i % ARRAY_SIZE(hold)];
		unsigned long start = written[i / ARRAY_SIZE(hold)];
		unsigned long all = msecs_to_jiffies(ms) + 1;

		KUNIT_EXPECT_EQ(test, identify_hold_left(start, ms, start), all);
		KUNIT_EXPECT_EQ(test, identify_hold_left(start, ms, start + all - 1), 1UL);
		KUNIT_EXPECT_EQ(test, identify_hold_left(start, ms, start + all), 0UL);
		KUNIT_EXPECT_EQ(test, identify_hold_left(start, ms, start - 1), 0UL);
		KUNIT_EXPECT_EQ(test, identify_hold_left(start, ms, start + LONG_MAX), 0UL);
	}
}

static struct kunit_case identify_cases[] = {
	KUNIT_CASE(pattern_parse_test),
	KUNIT_CASE(pattern_count_test),
	KUNIT_CASE(pattern_print_short_test),
	KUNIT_CASE(schedule_edges_test),
	KUNIT_CASE(schedule_no_drift_test),
	KUNIT_CASE(schedule_late_test),
	KUNIT_CASE(schedule_years_test),
	KUNIT_CASE(list_parse_test),
	KUNIT_CASE(list_long_test),
	KUNIT_CASE(list_targets_test),
	KUNIT_CASE(settle_left_test),
	KUNIT_CASE(hold_left_test),
	{ }
};

static struct kunit_suite identify_suite = {
	.name = "leds-identify",
	.test_cases = identify_cases,
};

kunit_test_suite(identify_suite);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("KUnit tests for the identify LED");
MODULE_LICENSE("GPL");
