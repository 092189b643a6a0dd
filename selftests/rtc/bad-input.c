// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is wrong is told, and the clock has its seeder all the same.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

FIXTURE(parameter) {
	int log;
};

FIXTURE_VARIANT(parameter) {
	const char *text;
	const char *message;
};

FIXTURE_VARIANT_ADD(parameter, floor_is_a_word) {
	.text = "floor=yesterday", .message = "neither seconds nor",
};

FIXTURE_VARIANT_ADD(parameter, floor_is_empty) {
	.text = "floor=", .message = "neither seconds nor",
};

FIXTURE_VARIANT_ADD(parameter, floor_is_negative) {
	.text = "floor=-5", .message = "neither seconds nor",
};

FIXTURE_VARIANT_ADD(parameter, floor_is_no_date) {
	.text = "floor=20270229000000", .message = "neither seconds nor",
};

FIXTURE_VARIANT_ADD(parameter, floor_is_after_the_ceiling) {
	.text = "floor=99991231235959", .message = "after every plausible time",
};

FIXTURE_VARIANT_ADD(parameter, floor_has_too_many_digits) {
	.text = "floor=99999999999999999999999", .message = "after every plausible time",
};

FIXTURE_VARIANT_ADD(parameter, years_is_0) {
	.text = "years=0", .message = "years=0 is not within",
};

FIXTURE_VARIANT_ADD(parameter, years_is_too_large) {
	.text = "years=4000000000", .message = "is not within 1 to",
};

FIXTURE_VARIANT_ADD(parameter, rtc_is_too_long) {
	.text = "rtc=a,b,c,d,e,f,g,h,i", .message = "is not a list",
};

FIXTURE_VARIANT_ADD(parameter, rtc_has_an_empty_name) {
	.text = "rtc=a,,b", .message = "is not a list",
};

FIXTURE_SETUP(parameter)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
}

FIXTURE_TEARDOWN(parameter)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(parameter, is_told_and_not_used)
{
	ASSERT_EQ(0, seed_load(variant->text));
	EXPECT_EQ(1, log_count(self->log, variant->message));
	EXPECT_TRUE(clock_is(seed_number("floor")));
	EXPECT_LT(seed_number("floor"), RIGHT);
	EXPECT_GT(seed_number("ceiling"), RIGHT);
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	EXPECT_TRUE(wait_until(clock_is(RIGHT)));
}

FIXTURE(file) {
	int log;
};

FIXTURE_SETUP(file)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, seed_load(""));
}

FIXTURE_TEARDOWN(file)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(file, floor_takes_nothing_but_times)
{
	long long before = seed_number("floor");

	EXPECT_EQ(-EINVAL, seed_write("floor", "x"));
	EXPECT_EQ(-EINVAL, seed_write("floor", "\n"));
	EXPECT_EQ(-EINVAL, seed_write("floor", "-1"));
	EXPECT_EQ(-EINVAL, seed_write("floor", "20270229000000"));
	EXPECT_EQ(-ERANGE, seed_write("floor", "99991231235959"));
	EXPECT_EQ(-ERANGE, seed_write("floor", "99999999999999999999999"));
	EXPECT_EQ(before, seed_number("floor"));
}

TEST_F(file, floor_only_rises)
{
	long long before = seed_number("floor");

	EXPECT_EQ(0, seed_write("floor", "1000000000"));
	EXPECT_EQ(before, seed_number("floor"));
	EXPECT_EQ(0, seed_write("floor", "20300101000000\n"));
	EXPECT_EQ(1893456000, seed_number("floor"));
	EXPECT_TRUE(clock_is(1893456000));
	EXPECT_GT(seed_number("ceiling"), seed_number("floor"));
}

/* What was plausible may be so no more. */
TEST_F(file, floor_makes_an_rtc_implausible)
{
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("state", "seeded")));
	ASSERT_EQ(0, seed_write("floor", "20320101000000"));
	EXPECT_TRUE(clock_is(1956528000));
	EXPECT_EQ(1, seed_number("rejected_past"));
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
