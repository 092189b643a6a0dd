// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dead RTC is set when the system goes down, and right after it has come up.
 * This program runs twice: it reboots the machine when it finds the RTC dead. Till
 * then everything is asserted: of what is only expected nobody hears after a reboot.
 */

#include "../lib/clock.h"

#include <linux/reboot.h>
#include <linux/rtc.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/timex.h>

#include "kselftest_harness.h"

static long long rtc_sec(void)
{
	return atoll(file_read("/sys/class/rtc/rtc0/since_epoch"));
}

TEST(dead_rtc_is_right_after_a_reboot)
{
	struct timex ntp = { .modes = ADJ_FREQUENCY };

	if (rtc_sec() < RIGHT) {
		/* The clock is in the past as well: mainline believes the RTC. */
		ASSERT_TRUE(clock_is(rtc_sec()));
		ASSERT_EQ(0, seed_load("interval=3600"));
		ASSERT_TRUE(clock_is(seed_number("floor")));
		ASSERT_EQ(1, seed_number("rejected_past"));
		/* What an NTP daemon does. */
		ASSERT_EQ(0, clock_set(RIGHT));
		for (ntp.freq = 20 * 65536; ntp.freq < 30 * 65536; ntp.freq += 65536) {
			ASSERT_GE(adjtimex(&ntp), 0);
			sleep(2);
		}
		ASSERT_LT(rtc_sec(), RIGHT);
		sync();
		reboot(LINUX_REBOOT_CMD_RESTART);
		sleep(60);
	}

	/* Nothing of the pack has run since: this is the RTC alone. */
	EXPECT_FALSE(module_is_loaded("rtc_seed"));
	EXPECT_GE(rtc_sec(), RIGHT);
	EXPECT_LT(rtc_sec(), RIGHT + 600);
	EXPECT_TRUE(clock_is(rtc_sec()));
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(seed_reads("state", "seeded"));
	EXPECT_TRUE(seed_reads("source", "rtc0"));
}

int main(int argc, char **argv)
{
	clock_test_in_bench(NULL);
	if (access("/sys/class/rtc/rtc0/since_epoch", F_OK))
		ksft_exit_skip("this machine has no RTC\n");

	return test_harness_run(argc, argv);
}
