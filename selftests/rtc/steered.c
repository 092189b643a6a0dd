// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has slewed the clock when the module is loaded is seen by its rate. How far its
 * time is from the hardware's says nothing: on x86 it is from the start.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

/* Whether it finds the clock disciplined, at a rate that is so much off; or an error. */
static int is_disciplined_at(int ppm)
{
	int ret = seed_unload() ?: clock_set_rate(ppm);

	sleep(1);
	ret = ret ?: clock_set(RIGHT) ?: seed_load("");
	if (ret)
		return ret;
	ret = seed_reads("state", "disciplined");

	return seed_unload() ?: ret;
}

TEST(a_clock_is_disciplined_where_somebody_slews_it)
{
	EXPECT_EQ(0, is_disciplined_at(0));
	EXPECT_EQ(1, is_disciplined_at(10));
	EXPECT_EQ(1, is_disciplined_at(-10));
	EXPECT_EQ(0, is_disciplined_at(0));
}

int main(int argc, char **argv)
{
	clock_test_in_bench(NULL);

	return test_harness_run(argc, argv);
}
