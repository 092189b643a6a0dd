// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without an RTC the time before a reboot is the floor after it. This program runs
 * twice: it reboots the machine when it finds the memory empty. Till then everything
 * is asserted: of what is only expected nobody hears after a reboot.
 */

#include "../lib/clock.h"

#include <linux/reboot.h>
#include <sys/reboot.h>

#include "kselftest_harness.h"

TEST(last_good_time_is_the_floor_after_a_reboot)
{
	int log = log_open();

	lseek(log, 0, SEEK_SET);
	ASSERT_LT(clock_sec(), 1000000);
	ASSERT_EQ(0, seed_load("interval=3600"));
	ASSERT_EQ(0, run_modprobe("i2c-imx"));
	ASSERT_EQ(0, run_modprobe("at24"));
	sleep(3);

	if (log_count(log, "memory: holds no time")) {
		ASSERT_TRUE(seed_reads("source", "floor"));
		ASSERT_EQ(0, clock_set(RIGHT));
		sync();
		reboot(LINUX_REBOOT_CMD_RESTART);
		sleep(60);
	}

	EXPECT_TRUE(seed_reads("source", "memory"));
	EXPECT_TRUE(seed_reads("state", "waiting"));
	EXPECT_GE(seed_number("floor"), RIGHT);
	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_LT(clock_sec(), RIGHT + 600);
	EXPECT_EQ(0, log_reports(log));
}

int main(int argc, char **argv)
{
	clock_test_in_bench(NULL);
	if (access("/proc/device-tree/rtc-seed/nvmem-cells", F_OK))
		ksft_exit_skip("the device tree names no memory\n");

	return test_harness_run(argc, argv);
}
