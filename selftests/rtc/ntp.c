// SPDX-License-Identifier: GPL-2.0-only
/*
 * NTP disciplines the clock. This slews it, which cannot be undone, so that it has
 * to be the last program of the folder.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

FIXTURE(ntp) {
	int log;
};

FIXTURE_SETUP(ntp)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
}

FIXTURE_TEARDOWN(ntp)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static long long slew_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_MONOTONIC_RAW);
}

/* As an NTP daemon does: it steers. */
static int steer(int ppm)
{
	int i, ret = 0;

	for (i = 0; i < 6 && !ret; i++) {
		ret = clock_set_rate(ppm + i);
		sleep(2);
	}

	return ret;
}

/*
 * The tests run from the last to the first on some machines, and none can be
 * undone: hence one test.
 */
TEST_F_TIMEOUT(ntp, clock_of_ntp_is_never_touched, 240)
{
	long long offset;

	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_load("interval=1"));
	TH_LOG("the clock has moved %lld ns against the hardware in %lld s", slew_ns(),
	       clock_ns(CLOCK_BOOTTIME) / 1000000000);
	EXPECT_FALSE(seed_reads("state", "disciplined"));
	/* The first one is the kernel's to set, the other ours. */
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_EQ(0, fake_plug(1, RIGHT - 600));

	/* A daemon starts, with the rate of its last run: that proves nothing. */
	ASSERT_EQ(0, clock_set_rate(10));
	sleep(10);
	EXPECT_FALSE(seed_reads("state", "disciplined"));
	EXPECT_EQ(0, fake_read(1, "writes"));

	ASSERT_EQ(0, steer(20));
	EXPECT_TRUE(seed_reads("state", "disciplined"));
	EXPECT_TRUE(wait_until(fake_read(1, "writes") == 1));

	offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, fake_unplug(0));
	ASSERT_EQ(0, fake_unplug(1));
	ASSERT_EQ(0, fake_plug(0, RIGHT + 3600));
	ASSERT_EQ(0, fake_plug(1, 1000));
	sleep(2);
	EXPECT_LT(llabs(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) - offset),
		  50000000);

	/* Loaded anew, it leaves a plausible clock alone that is slewed, ... */
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_load("interval=1"));
	EXPECT_TRUE(seed_reads("state", "disciplined"));
	/* ... but does not set RTCs from it, until somebody steers. */
	ASSERT_EQ(0, fake_plug(0, RIGHT - 3600));
	sleep(3);
	EXPECT_EQ(0, fake_read(0, "writes"));
	EXPECT_GE(clock_sec(), RIGHT);

	/* A clock in the past is not right, whoever slews it. */
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(clock_is(seed_number("floor")));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("state", "seeded")));
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
