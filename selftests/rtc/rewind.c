// SPDX-License-Identifier: GPL-2.0-only
/*
 * A late rtc0 that is wrong: the kernel sets the clock from it, and that is undone.
 * The same without the module shows what would have been.
 */

#include "../lib/clock.h"

#include <sys/wait.h>

#include "kselftest_harness.h"

FIXTURE(rewind) {
	int log;
};

FIXTURE_VARIANT(rewind) {
	long long time;
};

FIXTURE_VARIANT_ADD(rewind, to_1970) {
	.time = 1000,
};

FIXTURE_VARIANT_ADD(rewind, to_2000) {
	.time = Y2000,
};

FIXTURE_VARIANT_ADD(rewind, by_an_hour) {
	.time = RIGHT - 3600,
};

FIXTURE_VARIANT_ADD(rewind, to_2099) {
	.time = Y2099,
};

FIXTURE_SETUP(rewind)
{
	self->log = log_open();
	if (!kernel_has_hctosys())
		SKIP(return, "the kernel does not set the clock from a late rtc0");
	if (sizeof(long) == 4 && variant->time > 0x7fffffff)
		SKIP(return, "a 32-bit kernel refuses this time by itself");
}

FIXTURE_TEARDOWN(rewind)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/*
 * Looks at the clock all the time while a child plugs in the RTC; returns for how
 * long it was wrong, in ns, and whether it was so in the end.
 */
static long long watch_the_clock(long long time, bool *in_the_end)
{
	long long now, before = 0, wrong = 0;
	long long end = clock_ns(CLOCK_MONOTONIC) + 2000000000LL;
	bool is_wrong = false;

	if (!fork())
		_exit(fake_plug(0, time) ? 1 : 0);

	do {
		now = clock_ns(CLOCK_MONOTONIC);
		if (is_wrong)
			wrong += now - before;
		before = now;
		is_wrong = !clock_is(RIGHT + 2);
	} while (now < end);
	*in_the_end = is_wrong;

	return wrong;
}

TEST_F(rewind, is_undone)
{
	long long wrong;
	bool in_the_end;

	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	wrong = watch_the_clock(variant->time, &in_the_end);
	TH_LOG("the clock was wrong for %lld us", wrong / 1000);
	EXPECT_FALSE(in_the_end);
	EXPECT_LT(wrong, 500000000);
	EXPECT_EQ(1, seed_number("rewinds_undone"));
	EXPECT_EQ(1, log_count(self->log, "the kernel had set the clock"));
}

TEST_F(rewind, without_the_module_stays)
{
	long long wrong;
	bool in_the_end;

	ASSERT_EQ(0, clock_set(RIGHT));
	wrong = watch_the_clock(variant->time, &in_the_end);
	EXPECT_TRUE(in_the_end);
	EXPECT_GT(wrong, 500000000);
}

/* The kernel is about to set the clock, and is kept waiting by the RTC. */
TEST_F(rewind, of_a_registration_that_the_module_meets)
{
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, fake_write(0, "delay", 700));
	if (!fork())
		_exit(fake_plug(0, variant->time) ? 1 : 0);
	ASSERT_TRUE(wait_until(!access("/sys/class/rtc/rtc0", F_OK)));
	ASSERT_EQ(0, seed_load(""));
	wait(NULL);
	EXPECT_TRUE(wait_until(seed_number("rewinds_undone") == 1));
	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_LT(clock_sec(), RIGHT + 60);
}

/* The clock is right, and nobody looks for 2 s: another RTC answers slowly. */
static bool is_busy_with_another(void)
{
	long long reads;

	if (fake_plug(0, RIGHT) || fake_plug(1, RIGHT) || fake_unplug(0) ||
	    seed_load("interval=1") || !wait_until(clock_sec() >= RIGHT) ||
	    fake_write(1, "delay", 2000))
		return false;
	reads = fake_read(1, "reads");

	return wait_until(fake_read(1, "reads") > reads);
}

/* It could be read when the kernel did so, and cannot any more when we do. */
TEST_F(rewind, by_an_rtc_that_then_errs)
{
	ASSERT_TRUE(is_busy_with_another());
	ASSERT_EQ(0, fake_plug(0, variant->time));
	ASSERT_EQ(0, fake_write(0, "error", -EINVAL));
	EXPECT_TRUE(clock_is(variant->time));
	EXPECT_TRUE(wait_until(seed_number("rewinds_undone") == 1));
	EXPECT_EQ(1, seed_number("rejected_invalid"));
	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_LT(clock_sec(), RIGHT + 60);
}

TEST_F(rewind, by_an_rtc_that_is_gone_again)
{
	ASSERT_TRUE(is_busy_with_another());
	ASSERT_EQ(0, fake_plug(0, variant->time));
	ASSERT_EQ(0, fake_unplug(0));
	EXPECT_FALSE(clock_is(RIGHT));
	EXPECT_TRUE(wait_until(seed_number("rewinds_undone") == 1));
	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_LT(clock_sec(), RIGHT + 60);
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
