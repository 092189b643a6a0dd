// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: tests of what needs no device, each named after its rule
 */

#include "rtc-seed.h"

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/time64.h>

#define T2000		946684800LL
#define T2026		1767225600LL
#define T2038		2147483648LL	/* 2^31 */
#define T2046		2398377600LL
#define T2100		4102444800LL
#define T2106		4294967296LL	/* 2^32 */
#define SEC(n)		((s64)(n) * NSEC_PER_SEC)

static const struct seed_window window = { .floor = T2026, .ceiling = T2046 };

struct seed_text_case {
	const char *text;
	int ret;
	time64_t time;
};

static const struct seed_text_case text_cases[] = {
	/* seconds */
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "1767225600\n", 0, T2026 },
	{ "2147483647", 0, T2038 - 1 },
	{ "2147483648", 0, T2038 },
	{ "4294967295", 0, T2106 - 1 },
	{ "4294967296", 0, T2106 },
	{ "0001767225600", 0, T2026 },
	/* stamps */
	{ "19700101000000", 0, 0 },
	{ "20000229235959", 0, 951868799 },
	{ "20260101000000", 0, T2026 },
	{ "20380119031408\n", 0, T2038 },
	{ "20991231235959", 0, T2100 - 1 },
	{ "21000101000000", 0, T2100 },
	{ "21060207062816", 0, T2106 },
	/* leap days that are, and that are not */
	{ "20280229000000", 0, 1835395200 },
	{ "20270229000000", -EINVAL },
	{ "21000229000000", -EINVAL },
	{ "20000230000000", -EINVAL },
	/* no such time */
	{ "20261301000000", -EINVAL },
	{ "20260001000000", -EINVAL },
	{ "20260100000000", -EINVAL },
	{ "20260132000000", -EINVAL },
	{ "20260101240000", -EINVAL },
	{ "20260101006000", -EINVAL },
	{ "20260101000060", -EINVAL },
	{ "19691231235959", -EINVAL },
	/* no time at all */
	{ "", -EINVAL },
	{ "\n", -EINVAL },
	{ "x", -EINVAL },
	{ "-1", -EINVAL },
	{ "+1", -EINVAL },
	{ " 1", -EINVAL },
	{ "1 ", -EINVAL },
	{ "1\n\n", -EINVAL },
	{ "1.5", -EINVAL },
	{ "0x10", -EINVAL },
	{ "1e9", -EINVAL },
	{ "2026-01-01", -EINVAL },
	{ "2026010100000x", -EINVAL },
	{ "9223372036854775808", -ERANGE },
	{ "99999999999999999999999999999999999", -ERANGE },
};

static void text_of_a_time_test(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(text_cases); i++) {
		const struct seed_text_case *c = &text_cases[i];
		time64_t time = -42;

		KUNIT_EXPECT_EQ_MSG(test, seed_time_parse(c->text, &time), c->ret, "'%s'", c->text);
		KUNIT_EXPECT_EQ_MSG(test, time, c->ret ? -42 : c->time, "'%s'", c->text);
	}
}

static void time_for_people_test(struct kunit *test)
{
	char buf[SEED_TIME_TEXT];

	KUNIT_EXPECT_STREQ(test, seed_time_print(0, buf), "1970-01-01T00:00:00");
	KUNIT_EXPECT_STREQ(test, seed_time_print(951868799, buf), "2000-02-29T23:59:59");
	KUNIT_EXPECT_STREQ(test, seed_time_print(T2038, buf), "2038-01-19T03:14:08");
	KUNIT_EXPECT_STREQ(test, seed_time_print(T2100, buf), "2100-01-01T00:00:00");
}

static void memory_keeps_a_time_test(struct kunit *test)
{
	static const time64_t times[] = { 0, 1, T2026, T2038 - 1, T2038, T2100, T2106,
					  (1LL << 40) - 1 };
	u8 bytes[SEED_MEMORY_SIZE];
	time64_t time;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		seed_memory_pack(times[i], bytes);
		time = -1;
		KUNIT_EXPECT_TRUE(test, seed_memory_unpack(bytes, &time));
		KUNIT_EXPECT_EQ(test, time, times[i]);
	}
}

/* What a unit has written before an update is read after it: the layout stays. */
static void memory_of_older_versions_is_read_test(struct kunit *test)
{
	static const u8 old[] = { 0x00, 0xb9, 0x55, 0x69, 0x00, 0xe3, 0xfe, 0x07 };
	u8 bytes[SEED_MEMORY_SIZE];

	seed_memory_pack(T2026, bytes);
	KUNIT_EXPECT_EQ(test, memcmp(bytes, old, sizeof(old)), 0);
}

static void memory_blank_is_no_time_test(struct kunit *test)
{
	u8 bytes[SEED_MEMORY_SIZE];
	time64_t time = -1;

	memset(bytes, 0, sizeof(bytes));
	KUNIT_EXPECT_FALSE(test, seed_memory_unpack(bytes, &time));
	memset(bytes, 0xff, sizeof(bytes));
	KUNIT_EXPECT_FALSE(test, seed_memory_unpack(bytes, &time));
	KUNIT_EXPECT_EQ(test, time, -1);
}

/* The power fails between any two bytes of a write. */
static void memory_torn_is_no_time_test(struct kunit *test)
{
	u8 old[SEED_MEMORY_SIZE], new[SEED_MEMORY_SIZE];
	unsigned int i, step, torn = 0;
	time64_t time;

	for (step = 1; step < 100000; step += 997) {
		for (i = 1; i < SEED_MEMORY_SIZE; i++) {
			seed_memory_pack(T2026, old);
			seed_memory_pack(T2026 + step, new);
			memcpy(old, new, i);
			if (seed_memory_unpack(old, &time) &&
			    time != T2026 && time != T2026 + step)
				torn++;
		}
	}
	KUNIT_EXPECT_EQ(test, torn, 0);
}

static void memory_bit_flip_is_no_time_test(struct kunit *test)
{
	u8 bytes[SEED_MEMORY_SIZE];
	time64_t time;
	unsigned int bit;

	for (bit = 0; bit < 8 * SEED_MEMORY_SIZE; bit++) {
		seed_memory_pack(T2026, bytes);
		bytes[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_FALSE_MSG(test, seed_memory_unpack(bytes, &time), "bit %u", bit);
	}
}

static void ceiling_is_years_above_floor_test(struct kunit *test)
{
	time64_t end = seed_ceiling(T2026, 20, 64);

	KUNIT_EXPECT_GT(test, end, T2046 - 2 * 86400);
	KUNIT_EXPECT_LT(test, end, T2046 + 2 * 86400);
	KUNIT_EXPECT_GT(test, seed_ceiling(T2026, 100, 64), T2100);
}

static void ceiling_on_32_bits_is_2038_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, seed_ceiling(T2026, 20, 32), T2038 - 1);
	KUNIT_EXPECT_LT(test, seed_ceiling(T2026, 5, 32), T2038 - 1);
	KUNIT_EXPECT_EQ(test, seed_ceiling(T2046, 20, 32), T2038 - 1);
}

static void ceiling_is_a_time_the_clock_takes_test(struct kunit *test)
{
	struct timespec64 ts = { .tv_sec = seed_ceiling(T2100, SEED_MAX_YEARS, 64) };

	KUNIT_EXPECT_TRUE(test, timespec64_valid_settod(&ts));
	ts.tv_sec = seed_ceiling(S64_MAX / 2, SEED_MAX_YEARS, 64);
	KUNIT_EXPECT_TRUE(test, timespec64_valid_settod(&ts));
}

static void rtc_in_1970_or_before_is_past_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, 0), SEED_PAST);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, 1000), SEED_PAST);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, -1), SEED_PAST);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, S64_MIN), SEED_PAST);
}

/* The year 2099 of a chip with two digits is followed by 2000. */
static void rtc_with_two_digits_rolls_over_test(struct kunit *test)
{
	const struct seed_window late = { .floor = T2100 - 10, .ceiling = T2106 };

	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2000), SEED_PAST);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2100 - 1), SEED_FUTURE);
	KUNIT_EXPECT_EQ(test, seed_judge(&late, 0, T2100 - 1), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&late, 0, T2000), SEED_PAST);
}

/* The RTC core has applied start-year: a chip that counts from 2100 is good. */
static void rtc_with_start_year_test(struct kunit *test)
{
	const struct seed_window late = { .floor = T2100, .ceiling = T2106 };

	KUNIT_EXPECT_EQ(test, seed_judge(&late, 0, T2100 + 86400), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2100 + 86400), SEED_FUTURE);
}

static void rtc_at_floor_and_ceiling_is_good_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2026 - 1), SEED_PAST);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2026), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2046), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2046 + 1), SEED_FUTURE);
}

static void rtc_across_2038_and_2106_test(struct kunit *test)
{
	const struct seed_window wide = { .floor = T2026, .ceiling = T2106 + 10 };

	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2038 - 1), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, T2038), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&wide, 0, T2106), SEED_GOOD);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, 0, S64_MAX), SEED_FUTURE);
}

static void rtc_that_lost_power_is_invalid_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, seed_judge(&window, -EINVAL, T2026), SEED_INVALID);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, -ENODATA, T2026), SEED_INVALID);
	KUNIT_EXPECT_EQ(test, seed_judge(&window, -ERANGE, T2026), SEED_INVALID);
	KUNIT_EXPECT_TRUE(test, seed_judge_final(SEED_INVALID));
}

static void rtc_that_errs_is_asked_again_test(struct kunit *test)
{
	static const int errors[] = { -EIO, -EAGAIN, -EBUSY, -ETIMEDOUT, -ENXIO, -ENODEV,
				      -EREMOTEIO };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		KUNIT_EXPECT_EQ(test, seed_judge(&window, errors[i], T2026), SEED_ERROR);
	KUNIT_EXPECT_FALSE(test, seed_judge_final(SEED_ERROR));
	KUNIT_EXPECT_FALSE(test, seed_judge_final(SEED_PENDING));
}

static void backoff_doubles_up_to_a_minute_test(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, seed_backoff(1), 100);
	for (i = 2; i <= 10; i++)
		KUNIT_EXPECT_EQ(test, seed_backoff(i), 2 * seed_backoff(i - 1));
	KUNIT_EXPECT_EQ(test, seed_backoff(11), 60000);
	KUNIT_EXPECT_EQ(test, seed_backoff(UINT_MAX), 60000);
}

static void choose_the_latest_test(struct kunit *test)
{
	const struct seed_candidate c[] = {
		{ SEED_GOOD, SEED_UNRANKED, T2026 + 10 },
		{ SEED_GOOD, SEED_UNRANKED, T2026 + 20 },
		{ SEED_FUTURE, SEED_UNRANKED, T2100 },
		{ SEED_PENDING, SEED_UNRANKED, 0 },
	};

	KUNIT_EXPECT_EQ(test, seed_choose(c, 4, SEED_UNRANKED), 1);
	KUNIT_EXPECT_EQ(test, seed_choose(c, 1, SEED_UNRANKED), 0);
	KUNIT_EXPECT_EQ(test, seed_choose(c + 2, 2, SEED_UNRANKED), -1);
	KUNIT_EXPECT_EQ(test, seed_choose(c, 0, SEED_UNRANKED), -1);
}

static void choose_the_preferred_test(struct kunit *test)
{
	struct seed_candidate c[] = {
		{ SEED_GOOD, SEED_UNRANKED, T2026 + 30 },
		{ SEED_GOOD, 1, T2026 + 10 },
		{ SEED_GOOD, 0, T2026 },
	};

	KUNIT_EXPECT_EQ(test, seed_choose(c, 3, SEED_UNRANKED), 2);
	c[2].verdict = SEED_INVALID;
	KUNIT_EXPECT_EQ(test, seed_choose(c, 3, SEED_UNRANKED), 1);
	c[1].verdict = SEED_PAST;
	KUNIT_EXPECT_EQ(test, seed_choose(c, 3, SEED_UNRANKED), 0);
}

static void choose_waits_for_the_preferred_test(struct kunit *test)
{
	const struct seed_candidate c[] = {
		{ SEED_GOOD, SEED_UNRANKED, T2026 },
		{ SEED_GOOD, 1, T2026 },
	};

	KUNIT_EXPECT_EQ(test, seed_choose(c, 1, 0), -1);
	KUNIT_EXPECT_EQ(test, seed_choose(c, 2, 0), -1);
	KUNIT_EXPECT_EQ(test, seed_choose(c, 2, 1), 1);
	KUNIT_EXPECT_EQ(test, seed_choose(c, 2, 2), 1);
}

static enum seed_action decide(time64_t now, enum seed_owner owner, bool seeded,
			       time64_t rtc)
{
	const struct seed_situation situation = {
		.window = window, .now = now, .owner = owner, .seeded = seeded,
	};
	const struct seed_candidate chosen = { SEED_GOOD, 0, rtc };

	return seed_decide(&situation, rtc ? &chosen : NULL);
}

#define EXPECT_ACTION(what, ...) KUNIT_EXPECT_EQ(test, decide(__VA_ARGS__), what)

static void clock_below_floor_is_raised_test(struct kunit *test)
{
	EXPECT_ACTION(SEED_RAISE, 10, SEED_BY_NOBODY, false, 0);
	EXPECT_ACTION(SEED_RAISE, T2026 - 1, SEED_BY_NOBODY, false, 0);
	EXPECT_ACTION(SEED_KEEP, T2026, SEED_BY_NOBODY, false, 0);
}

static void clock_after_ceiling_is_put_back_test(struct kunit *test)
{
	EXPECT_ACTION(SEED_KEEP, T2046, SEED_BY_NOBODY, false, 0);
	EXPECT_ACTION(SEED_RAISE, T2046 + 1, SEED_BY_NOBODY, false, 0);
	EXPECT_ACTION(SEED_TAKE, T2100, SEED_BY_NOBODY, false, T2026 + 5);
}

static void clock_never_goes_back_to_an_rtc_test(struct kunit *test)
{
	const time64_t now = T2026 + 1000;

	EXPECT_ACTION(SEED_KEEP, now, SEED_BY_NOBODY, false, now - 1);
	EXPECT_ACTION(SEED_KEEP, now, SEED_BY_US, true, T2026);
	EXPECT_ACTION(SEED_KEEP, now, SEED_BY_US, true, now);
	EXPECT_ACTION(SEED_KEEP, now, SEED_BY_US, true, now + 1);
	EXPECT_ACTION(SEED_TAKE, now, SEED_BY_US, true, now + 2);
}

static void clock_set_back_by_root_is_left_test(struct kunit *test)
{
	EXPECT_ACTION(SEED_KEEP, 10, SEED_BY_ROOT, false, 0);
	EXPECT_ACTION(SEED_KEEP, 10, SEED_BY_ROOT, true, T2026);
	EXPECT_ACTION(SEED_KEEP, T2100, SEED_BY_ROOT, true, T2026);
}

static void clock_of_ntp_is_left_test(struct kunit *test)
{
	EXPECT_ACTION(SEED_KEEP, 10, SEED_BY_NTP, false, 0);
	EXPECT_ACTION(SEED_KEEP, T2026, SEED_BY_NTP, false, T2046);
	EXPECT_ACTION(SEED_KEEP, T2100, SEED_BY_NTP, true, T2026);
}

/* fake-hwclock and timeinit-buildtime only guess. */
static void clock_of_a_guess_takes_the_first_rtc_test(struct kunit *test)
{
	const time64_t now = T2026 + 1000;

	EXPECT_ACTION(SEED_TAKE, now, SEED_BY_OTHERS, false, now + 60);
	EXPECT_ACTION(SEED_KEEP, now, SEED_BY_OTHERS, true, now + 60);
	EXPECT_ACTION(SEED_KEEP, T2100, SEED_BY_OTHERS, false, 0);
}

static enum seed_step step(enum seed_owner owner, s64 before, s64 now, bool kernel)
{
	return seed_judge_step(&window, owner, SEC(before), SEC(now),
			       kernel ? SEED_SET_BY_KERNEL : SEED_SET_BY_OTHERS);
}

#define EXPECT_STEP(kind, ...)	KUNIT_EXPECT_EQ(test, step(__VA_ARGS__), kind)

static void step_of_others_is_told_apart_test(struct kunit *test)
{
	EXPECT_STEP(SEED_STEP_FORWARD, SEED_BY_US, T2026, T2026 + 1, false);
	EXPECT_STEP(SEED_STEP_BACK, SEED_BY_US, T2026, T2026 - 1, false);
}

static enum seed_step step_ms(int ms, enum seed_setter setter)
{
	return seed_judge_step(&window, SEED_BY_US, SEC(T2026),
			       SEC(T2026) + ms * (s64)NSEC_PER_MSEC, setter);
}

static void step_too_small_is_none_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, step_ms(99, SEED_SET_BY_OTHERS), SEED_STEP_NONE);
	KUNIT_EXPECT_EQ(test, step_ms(-99, SEED_SET_BY_KERNEL), SEED_STEP_NONE);
	KUNIT_EXPECT_EQ(test, step_ms(-101, SEED_SET_BY_OTHERS), SEED_STEP_BACK);
	KUNIT_EXPECT_EQ(test, step_ms(3000, SEED_SET_BY_KERNEL_AMISS), SEED_STEP_UNDO);
}

static void rewind_by_hctosys_is_undone_test(struct kunit *test)
{
	EXPECT_STEP(SEED_STEP_UNDO, SEED_BY_NOBODY, T2026 + 9, 1000, true);
	EXPECT_STEP(SEED_STEP_UNDO, SEED_BY_US, T2026 + 99, T2026, true);
	EXPECT_STEP(SEED_STEP_UNDO, SEED_BY_NTP, T2026 + 99, T2026 + 98, true);
}

static void leap_by_hctosys_after_ceiling_is_undone_test(struct kunit *test)
{
	EXPECT_STEP(SEED_STEP_UNDO, SEED_BY_US, T2026, T2100, true);
}

static void plausible_hctosys_is_left_test(struct kunit *test)
{
	EXPECT_STEP(SEED_STEP_KERNEL, SEED_BY_NOBODY, 5, T2026, true);
	EXPECT_STEP(SEED_STEP_KERNEL, SEED_BY_US, T2026, T2026 + 600, true);
	EXPECT_STEP(SEED_STEP_KERNEL, SEED_BY_US, T2026 + 2, T2026 + 1, true);
}

static void hctosys_never_overrules_root_and_ntp_test(struct kunit *test)
{
	EXPECT_STEP(SEED_STEP_UNDO, SEED_BY_NTP, T2026, T2026 + 600, true);
	EXPECT_STEP(SEED_STEP_UNDO, SEED_BY_ROOT, 100, T2026, true);
}

static void slew_is_ntp_test(struct kunit *test)
{
	const u64 tick = ((u64)NSEC_PER_SEC << 32) / HZ;
	const s64 hour = SEC(3600);

	KUNIT_EXPECT_FALSE(test, seed_is_slewed(0, 0) || seed_is_slewed(0, hour));
	/* 10 ppm, seen after a few seconds; either way; 0.1 ppm, seen in time */
	KUNIT_EXPECT_TRUE(test, seed_is_slewed(20000, SEC(2)) && seed_is_slewed(-20000, SEC(2)));
	KUNIT_EXPECT_TRUE(test, seed_is_slewed(360000, hour));
	/* rounding is no slew, not in 10 years either */
	KUNIT_EXPECT_FALSE(test, seed_is_slewed(5000, SEC(1)));
	KUNIT_EXPECT_FALSE(test, seed_is_slewed(1000000, 24 * 3650 * hour));
	KUNIT_EXPECT_FALSE(test, seed_tick_is_slewed(tick));
	KUNIT_EXPECT_TRUE(test, seed_tick_is_slewed(tick + (tick >> 22)) &&
			  seed_tick_is_slewed(tick - (tick >> 22)));
}

static struct kunit_case seed_cases[] = {
	KUNIT_CASE(text_of_a_time_test),
	KUNIT_CASE(time_for_people_test),
	KUNIT_CASE(memory_keeps_a_time_test),
	KUNIT_CASE(memory_of_older_versions_is_read_test),
	KUNIT_CASE(memory_blank_is_no_time_test),
	KUNIT_CASE(memory_torn_is_no_time_test),
	KUNIT_CASE(memory_bit_flip_is_no_time_test),
	KUNIT_CASE(ceiling_is_years_above_floor_test),
	KUNIT_CASE(ceiling_on_32_bits_is_2038_test),
	KUNIT_CASE(ceiling_is_a_time_the_clock_takes_test),
	KUNIT_CASE(rtc_in_1970_or_before_is_past_test),
	KUNIT_CASE(rtc_with_two_digits_rolls_over_test),
	KUNIT_CASE(rtc_with_start_year_test),
	KUNIT_CASE(rtc_at_floor_and_ceiling_is_good_test),
	KUNIT_CASE(rtc_across_2038_and_2106_test),
	KUNIT_CASE(rtc_that_lost_power_is_invalid_test),
	KUNIT_CASE(rtc_that_errs_is_asked_again_test),
	KUNIT_CASE(backoff_doubles_up_to_a_minute_test),
	KUNIT_CASE(choose_the_latest_test),
	KUNIT_CASE(choose_the_preferred_test),
	KUNIT_CASE(choose_waits_for_the_preferred_test),
	KUNIT_CASE(clock_below_floor_is_raised_test),
	KUNIT_CASE(clock_after_ceiling_is_put_back_test),
	KUNIT_CASE(clock_never_goes_back_to_an_rtc_test),
	KUNIT_CASE(clock_set_back_by_root_is_left_test),
	KUNIT_CASE(clock_of_ntp_is_left_test),
	KUNIT_CASE(clock_of_a_guess_takes_the_first_rtc_test),
	KUNIT_CASE(step_of_others_is_told_apart_test),
	KUNIT_CASE(step_too_small_is_none_test),
	KUNIT_CASE(rewind_by_hctosys_is_undone_test),
	KUNIT_CASE(leap_by_hctosys_after_ceiling_is_undone_test),
	KUNIT_CASE(plausible_hctosys_is_left_test),
	KUNIT_CASE(hctosys_never_overrules_root_and_ntp_test),
	KUNIT_CASE(slew_is_ntp_test),
	{ }
};

static struct kunit_suite seed_suite = {
	.name = "rtc-seed",
	.test_cases = seed_cases,
};

kunit_test_suite(seed_suite);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("KUnit tests for the clock seeder");
MODULE_LICENSE("GPL");
