// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has slewed the clock when the module is loaded is seen by its rate. How far its
 * time is from the hardware's says nothing: on x86 it is from the start.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

TEST(a_clock_is_disciplined_where_somebody_slews_it)
{
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_load(""));
	EXPECT_FALSE(seed_reads("state", "disciplined"));
	ASSERT_EQ(0, seed_unload());

	ASSERT_EQ(0, clock_set_rate(10));
	sleep(1);
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(seed_reads("state", "disciplined"));
	ASSERT_EQ(0, seed_unload());

	ASSERT_EQ(0, clock_set_rate(0));
	sleep(1);
	ASSERT_EQ(0, seed_load(""));
	EXPECT_FALSE(seed_reads("state", "disciplined"));
	ASSERT_EQ(0, seed_unload());
}

int main(int argc, char **argv)
{
	clock_test_in_bench(NULL);

	return test_harness_run(argc, argv);
}
