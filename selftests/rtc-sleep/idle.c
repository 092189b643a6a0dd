// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system sleeps for real, until its RTC wakes it.
 */

#include "../lib/clock.h"

#include <linux/rtc.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#define ALARM	"/sys/class/rtc/rtc0/wakealarm"

FIXTURE(idle) {
	int log;
};

static int rtc_is_dead(void)
{
	struct rtc_time y2000 = { .tm_year = 100, .tm_mday = 1 };
	int fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
	int ret = ioctl(fd, RTC_SET_TIME, &y2000) ? -errno : 0;

	close(fd);

	return ret;
}

FIXTURE_SETUP(idle)
{
	self->log = log_open();
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, rtc_is_dead());
	ASSERT_EQ(0, clock_set_1970());
}

FIXTURE_TEARDOWN(idle)
{
	EXPECT_EQ(0, seed_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static long long rtc_sec(void)
{
	return atoll(file_read("/sys/class/rtc/rtc0/since_epoch"));
}

/* Sleeps for 5 seconds; returns for how long by the RTC, or an error. */
static long long sleep_and_wake(void)
{
	long long before = rtc_sec();
	int ret;

	ret = file_write(ALARM, "0") ?: file_write(ALARM, "+5") ?:
	      file_write("/sys/power/state", "freeze");

	return ret ?: rtc_sec() - before;
}

/* The tests run from the first to the last or the other way: hence one test. */
TEST_F(idle, clock_goes_on_and_is_never_in_the_past)
{
	long long before, slept;

	ASSERT_EQ(0, seed_load(""));
	before = clock_sec();
	EXPECT_EQ(seed_number("floor"), before);
	slept = sleep_and_wake();
	ASSERT_GE(slept, 4);
	EXPECT_GE(clock_sec(), before + slept - 1);
	EXPECT_LT(clock_sec(), before + slept + 10);
	EXPECT_TRUE(seed_reads("state", "waiting"));

	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_LE(llabs(rtc_sec() - clock_sec()), 1);
	slept = sleep_and_wake();
	ASSERT_GE(slept, 4);
	EXPECT_LE(llabs(rtc_sec() - clock_sec()), 1);
	EXPECT_GE(clock_sec(), RIGHT + slept - 1);
	EXPECT_EQ(1, seed_number("written_back"));
}

int main(int argc, char **argv)
{
	clock_test_in_bench(NULL);
	if (access("/sys/power/state", W_OK) || access(ALARM, W_OK))
		ksft_exit_skip("this machine cannot sleep and be woken by an RTC\n");

	return test_harness_run(argc, argv);
}
