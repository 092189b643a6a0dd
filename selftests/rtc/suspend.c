// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RTC has gone on while the system slept, or has not. The kernel's test of
 * suspend stops where only the tasks are frozen, and comes back at once.
 */

#include "../lib/clock.h"
#include "../lib/uevent.h"

#include "kselftest_harness.h"

FIXTURE(suspend) {
	int log;
};

FIXTURE_SETUP(suspend)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("state", "seeded")));
}

FIXTURE_TEARDOWN(suspend)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static int sleep_and_wake(void)
{
	return file_write("/sys/power/pm_test", "freezer") ?:
	       file_write("/sys/power/state", "freeze") ?:
	       file_write("/sys/power/pm_test", "none");
}

/* And says so, though it had been seeded before. */
TEST_F(suspend, clock_follows_the_rtc)
{
	int fd = uevents_open();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fake_write(0, "time", RIGHT + 3600));
	ASSERT_EQ(0, sleep_and_wake());
	EXPECT_TRUE(wait_until(clock_sec() >= RIGHT + 3600));
	EXPECT_TRUE(seed_reads("source", "rtc0"));
	EXPECT_TRUE(wait_until(uevents_have(fd, "SEEDED=rtc0", "rtc-seed")));
	close(fd);
}

TEST_F(suspend, clock_does_not_follow_a_rtc_that_was_reset)
{
	ASSERT_EQ(0, fake_write(0, "time", 1000));
	ASSERT_EQ(0, sleep_and_wake());
	EXPECT_TRUE(wait_until(seed_number("rejected_past") == 1));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= RIGHT));
}

TEST_F(suspend, clock_that_is_disciplined_is_left)
{
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	ASSERT_EQ(0, fake_write(0, "time", RIGHT + 3600));
	ASSERT_EQ(0, sleep_and_wake());
	EXPECT_TRUE(holds_for(1500, clock_sec() < RIGHT + 600));
}

int main(int argc, char **argv)
{
	if (access("/sys/power/pm_test", W_OK))
		ksft_exit_skip("the kernel has no test of suspend\n");
	file_write("/sys/module/suspend/parameters/pm_test_delay", "0");
	clock_test_begin();

	return test_harness_run(argc, argv);
}
