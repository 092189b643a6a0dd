// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random RTCs and a random memory, which come, go and change their minds at any moment: the
 * clock is within floor and ceiling unless somebody else has set it, and the module can be
 * unloaded.
 */

#include "meddle.h"
#include "../lib/hostile.h"

#include <sys/wait.h>

#include "kselftest_harness.h"

#define SOON_MS		2000
#define UNLOAD_MS	5000	/* four RTCs that take their time for each answer */

static int load(__u64 *random)
{
	static const char *const parameters[] = {
		"", "interval=1", "interval=1 years=1", "floor=20300101000000 years=7",
		"rtc=rtc-fake.1 wait=3", "rtc=rtc0,rtc-fake.3,rtc7 wait=1 interval=1",
		"floor=-1 years=0 interval=0 wait=4000000000", "floor=99999999999999999999",
		"years=200 floor=4294967296 interval=1", "writeback=N interval=1",
		"rtc=,,,, floor=x",
	};

	return seed_load(random_of(random, parameters));
}

static bool unload(void)
{
	long long begin = now_ms();

	return !seed_unload() && now_ms() - begin < UNLOAD_MS;
}

/* What others have set is theirs. */
static bool is_ours(void)
{
	return (seed_reads("state", "waiting") || seed_reads("state", "seeded")) &&
	       !seed_reads("source", "other");
}

static bool is_plausible(void)
{
	return clock_sec() >= seed_number("floor") && clock_sec() <= seed_number("ceiling") + 1;
}

/* Soon: that what was found out is acted on at once is no promise. */
static bool is_well(void)
{
	long long begin = now_ms();

	for (; is_ours() && !is_plausible(); usleep(20000))
		if (now_ms() - begin > SOON_MS)
			return false;

	return true;
}

static const char *check(void)
{
	static char said[256];
	const char *state = seed_read("state");

	if (strcmp(state, "waiting") && strcmp(state, "seeded") && strcmp(state, "left") &&
	    strcmp(state, "disciplined"))
		return "there is no such state";
	if (seed_number("floor") >= seed_number("ceiling"))
		return "no time is plausible";
	if (is_well())
		return NULL;
	snprintf(said, sizeof(said), "%lld is not within %lld and %lld, state %s, from %s",
		 clock_sec(), seed_number("floor"), seed_number("ceiling"), seed_read("state"),
		 seed_read("source"));

	return said;
}

/* The module comes and goes while somebody else does the rest. */
static const char *come_and_go(__u64 *random)
{
	unsigned int i, n = random_below(random, 5);
	const char *why = NULL;
	pid_t child = fork();

	if (!child) {
		for (i = 0; i < 20; i++)
			meddle(random);
		_exit(0);
	}
	for (i = 0; !why && i < n; i++) {
		usleep(random_below(random, random_one_in(random, 2) ? 300000 : 5000));
		if (!unload())
			why = "the module is not unloaded in time while RTCs come and go";
		else if (load(random))
			why = "the module is not loaded while RTCs come and go";
	}
	waitpid(child, NULL, 0);

	return why;
}

static const char *rtc_round(__u64 *random)
{
	unsigned int i, n = 1 + random_below(random, 12);
	const char *why = NULL;

	for (i = random_below(random, 3); i; i--)
		fake_plug(random_below(random, FAKES), any_time(random));
	if (random_one_in(random, 2))
		clock_set(any_time(random));
	if (load(random))
		return "the module is not loaded";
	if (random_one_in(random, 4))
		why = come_and_go(random);
	for (i = 0; !why && i < n; i++) {
		why = check();
		meddle(random);
	}
	why = why ?: check();
	if (!unload())
		why = why ?: "the module is not unloaded in time";
	file_write(FAILS "read_error", "0");
	file_write(FAILS "write_error", "0");

	return why ?: clock_reset() ? "RTCs do not go" : NULL;
}

FIXTURE(clocks) { };

FIXTURE_SETUP(clocks)
{
	ASSERT_EQ(0, clock_reset());
	run_modprobe("memory-fake");
}

FIXTURE_TEARDOWN(clocks)
{
	EXPECT_EQ(0, clock_reset());
	run_modprobe("-r memory-fake");
}

TEST_F_TIMEOUT(clocks, of_any_kind, 1 << 30)
{
	EXPECT_STREQ("", hostile_rounds("rtc", 30, rtc_round));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	clock_test_begin();

	return test_harness_run(argc, argv);
}
