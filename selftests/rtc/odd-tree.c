// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device tree with two nodes, the first with too many RTCs and too large a memory:
 * what is wrong is told, what is right is used.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

TEST(what_is_wrong_is_told_and_the_rest_is_used)
{
	int log = log_open();

	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, run_modprobe("memory-fake"));
	ASSERT_EQ(0, seed_load("wait=8"));
	EXPECT_TRUE(clock_is(seed_number("floor")));
	ASSERT_EQ(0, fake_plug(0, RIGHT + 86400));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_LT(clock_sec(), RIGHT + 86400);
	ASSERT_EQ(0, clock_reset());
	EXPECT_EQ(0, run_modprobe("-r memory-fake"));
	EXPECT_EQ(4, log_count_any(log, (const char *const []){
		"rtc-seed: rtcs: more than 8 entries", "memory: the cell has 12 bytes, not 8",
		"rtc-seed: balena,floor-sec: not one cell",
		"there is another such node", NULL }));
	close(log);
}

int main(int argc, char **argv)
{
	if (access(OF_NODE "-again", F_OK))
		ksft_exit_skip("the device tree has no such nodes\n");
	clock_test_begin();

	return test_harness_run(argc, argv);
}
