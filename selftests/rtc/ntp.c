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
TEST_F(ntp, the_clock_of_ntp_is_never_touched)
{
	struct timex ntp = { .modes = ADJ_FREQUENCY | ADJ_STATUS | ADJ_MAXERROR,
			     .freq = 65536, .status = STA_PLL };
	long long offset;

	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, clock_set(RIGHT));
	EXPECT_FALSE(seed_reads("state", "disciplined"));
	ASSERT_GE(adjtimex(&ntp), 0);
	sleep(15);
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
