// SPDX-License-Identifier: GPL-2.0-only
/*
 * Others who set the clock: root, programs that guess, what knows that it is right.
 */

#include "../lib/clock.h"
#include "../lib/uevent.h"

#include <sys/wait.h>

#include "kselftest_harness.h"

FIXTURE(others) {
	int log;
};

FIXTURE_SETUP(others)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
}

FIXTURE_TEARDOWN(others)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(others, step_back_by_root_is_respected)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("state", "seeded")));

	sleep(2);
	ASSERT_EQ(0, clock_set(Y2000));
	EXPECT_TRUE(wait_until(seed_reads("state", "left")));
	EXPECT_TRUE(seed_reads("source", "other"));
	EXPECT_TRUE(clock_is(Y2000));

	/* Nor does an RTC that comes afterwards change it, be it right or wrong. */
	ASSERT_EQ(0, fake_plug(0, RIGHT + 100));
	EXPECT_TRUE(wait_until(clock_sec() < Y2000 + 10));
	EXPECT_TRUE(holds_for(1500, clock_sec() < Y2000 + 10));
	EXPECT_EQ(0, seed_number("rewinds_undone"));
}

/* Also before any RTC has come: it is no guess, guesses go forward. */
TEST_F(others, step_back_by_root_at_the_floor_is_respected)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(Y2000));
	EXPECT_TRUE(wait_until(seed_reads("state", "left")));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	EXPECT_TRUE(wait_until(clock_sec() < Y2000 + 60));
	EXPECT_TRUE(holds_for(1500, clock_sec() < Y2000 + 60));
}

TEST_F(others, step_forward_after_seeding_is_respected)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("state", "seeded")));

	sleep(2);
	ASSERT_EQ(0, clock_set(RIGHT + 500));
	EXPECT_TRUE(wait_until(seed_reads("state", "left")));
	ASSERT_EQ(0, fake_plug(1, RIGHT + 1000));
	EXPECT_TRUE(wait_until(clock_sec() < RIGHT + 600));
	EXPECT_TRUE(holds_for(1500, clock_sec() < RIGHT + 600));
}

/* Also to the very time of an RTC that has just come: the kernel is another task. */
TEST_F(others, step_back_by_root_to_a_new_rtc_is_respected)
{
	if (!kernel_has_hctosys())
		SKIP(return, "the kernel does not set the clock from a late rtc0");
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("source", "other")));
	if (!fork())
		_exit(fake_plug(0, RIGHT - 3600) ? 1 : 0);
	ASSERT_TRUE(wait_until(seed_number("rewinds_undone") == 1));
	ASSERT_EQ(0, clock_set(RIGHT - 3600));
	EXPECT_TRUE(wait_until(seed_reads("state", "left")));
	EXPECT_TRUE(holds_for(1500, clock_sec() < RIGHT - 3000));
	EXPECT_EQ(1, seed_number("rewinds_undone"));
	wait(NULL);
}

/* As fake-hwclock does before the RTC is there. */
TEST_F(others, guess_is_replaced_by_the_first_rtc)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT - 7200));
	EXPECT_TRUE(wait_until(seed_reads("source", "other")));
	EXPECT_TRUE(seed_reads("state", "waiting"));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	EXPECT_TRUE(wait_until(clock_is(RIGHT)));
	EXPECT_TRUE(wait_until(seed_reads("state", "seeded")));
}

TEST_F(others, guess_after_the_rtc_is_kept)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, fake_plug(1, RIGHT - 7200));
	EXPECT_TRUE(wait_until(clock_sec() >= RIGHT));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= RIGHT));
}

TEST_F(others, guess_that_an_rtc_confirms_is_kept)
{
	int fd = uevents_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("source", "other")));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("state", "left")));
	EXPECT_TRUE(wait_until(uevents_have(fd, "SEEDED=rtc0", "rtc-seed")));
	ASSERT_EQ(0, fake_plug(1, RIGHT + 3600));
	EXPECT_TRUE(holds_for(2000, clock_sec() < RIGHT + 3000));
	close(fd);
}

TEST_F(others, user_space_can_say_that_the_clock_is_right)
{
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(seed_reads("disciplined", "0"));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_TRUE(seed_reads("disciplined", "1"));
	EXPECT_TRUE(seed_reads("state", "disciplined"));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	EXPECT_TRUE(wait_until(clock_sec() < RIGHT - 1000));
	EXPECT_TRUE(holds_for(1500, clock_sec() < RIGHT - 1000));
	EXPECT_EQ(-EINVAL, seed_write("disciplined", "0"));
	EXPECT_EQ(-EINVAL, seed_write("disciplined", "2"));
	EXPECT_EQ(-EINVAL, seed_write("disciplined", "x"));
}

/* Every RTC that is wrong is set, rtc0 or not; those that are right are not. */
TEST_F(others, wrong_rtcs_are_set_once_the_clock_is_right)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(0, 1000));
	ASSERT_EQ(0, fake_write(1, "error", -EINVAL));
	ASSERT_EQ(0, fake_plug(1, 0));
	sleep(2);
	ASSERT_EQ(0, clock_set(RIGHT));
	EXPECT_EQ(0, fake_read(0, "writes") + fake_read(1, "writes"));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_EQ(2, seed_number("written_back"));
	EXPECT_TRUE(fake_is_right(0) && fake_is_right(1));
	EXPECT_EQ(0, fake_read(1, "error"));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_EQ(2, seed_number("written_back"));
}

TEST_F(others, wrong_rtcs_are_set_now_and_then)
{
	ASSERT_EQ(0, seed_load("interval=2"));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_TRUE(wait_until(clock_is(RIGHT)));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_EQ(0, seed_number("written_back"));
	ASSERT_EQ(0, fake_write(0, "time", RIGHT - 60));
	EXPECT_TRUE(wait_until(fake_read(0, "writes") == 1));
	EXPECT_TRUE(fake_is_right(0));
}

/* Only then: others may set a chip meanwhile, and each write wears it. */
TEST_F(others, wrong_rtcs_are_not_set_before_that)
{
	ASSERT_EQ(0, seed_load("interval=600"));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_TRUE(wait_until(clock_is(RIGHT)));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	ASSERT_EQ(0, fake_write(0, "time", RIGHT - 60));
	EXPECT_TRUE(holds_for(3000, !fake_read(0, "writes")));
}

TEST_F(others, no_rtc_is_set_where_that_is_not_wanted)
{
	ASSERT_EQ(0, seed_load("interval=1 writeback=N"));
	ASSERT_EQ(0, fake_plug(0, 1000));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	sleep(3);
	EXPECT_EQ(0, fake_read(0, "writes"));
}

TEST_F(others, uevent_tells_of_the_seeding)
{
	int fd = uevents_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, seed_load(""));
	sleep(1);
	EXPECT_FALSE(uevents_have(fd, "SEEDED=rtc0", "rtc-seed"));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	EXPECT_TRUE(wait_until(uevents_have(fd, "SEEDED=rtc0", "rtc-seed")));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_TRUE(wait_until(uevents_have(fd, "SEEDED=ntp", "rtc-seed")));
	close(fd);
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
