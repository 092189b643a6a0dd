// SPDX-License-Identifier: GPL-2.0-only
/*
 * NTP disciplines the clock. This slews it, which cannot be undone, so that it has
 * to be the last program of the folder.
 */

#include "../lib/clock.h"

#include <sys/timex.h>

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

/* As an NTP daemon does: from now on the clock runs 1 ppm faster. */
static long long slew_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_MONOTONIC_RAW);
}

TEST_F_TIMEOUT(ntp, the_clock_of_ntp_is_never_touched, 120)
{
	struct timex ntp = { .modes = ADJ_FREQUENCY | ADJ_STATUS | ADJ_MAXERROR,
			     .freq = 65536, .status = STA_PLL };
	long long offset;

	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT));
	TH_LOG("the clock has moved %lld ns against the hardware in %lld s", slew_ns(),
	       clock_ns(CLOCK_BOOTTIME) / 1000000000);
	EXPECT_FALSE(seed_reads("state", "disciplined"));
	ASSERT_GE(adjtimex(&ntp), 0);
	sleep(20);
	TH_LOG("and then %lld ns in 20 s", slew_ns());
	EXPECT_TRUE(seed_reads("state", "disciplined"));

	offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, fake_plug(0, RIGHT + 3600));
	ASSERT_EQ(0, fake_plug(1, 1000));
	sleep(2);
	EXPECT_LT(llabs(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) - offset),
		  50000000);

	/* Loaded anew, it sees at once that somebody has slewed the clock. */
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(seed_reads("state", "disciplined"));
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
