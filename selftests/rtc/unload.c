// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module is unloaded at any moment: while RTCs come and go, while they are
 * read, while its files are, while the clock is set.
 */

#include "../lib/clock.h"

#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

FIXTURE(unload) {
	int log;
	pid_t child[4];
};

static void child_plugs(void)
{
	fake_plug(0, RIGHT);
	fake_unplug(0);
}

static void child_plugs_what_errs(void)
{
	fake_write(1, "error", -EIO);
	fake_plug(1, 1000);
	usleep(rand() % 3000);
	fake_unplug(1);
}

static void child_reads(void)
{
	seed_read("state");
	seed_read("source");
	seed_write("floor", "20270101000000");
}

static void child_sets_the_clock(void)
{
	clock_set(RIGHT);
	clock_set_1970();
	usleep(rand() % 2000);
}

FIXTURE_SETUP(unload)
{
	static void (*const what[])(void) = {
		child_plugs, child_plugs_what_errs, child_reads, child_sets_the_clock,
	};
	int i;

	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	for (i = 0; i < 4; i++) {
		self->child[i] = fork();
		while (!self->child[i])
			what[i]();
	}
}

FIXTURE_TEARDOWN(unload)
{
	int i;

	for (i = 0; i < 4; i++) {
		kill(self->child[i], SIGKILL);
		waitpid(self->child[i], NULL, 0);
	}
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F_TIMEOUT(unload, at_any_moment, 240)
{
	int i;

	for (i = 0; i < 24; i++) {
		ASSERT_EQ(0, seed_load(i % 2 ? "rtc=rtc-fake.1" : "interval=1"));
		usleep(i * i * 64);
		ASSERT_TRUE(wait_until(!seed_unload()));
	}
}

FIXTURE(slow) {
	int log;
};

/* When something goes: while the RTC is read, while it is set, while it is read again. */
FIXTURE_VARIANT(slow) {
	int ms;
};

FIXTURE_VARIANT_ADD(slow, read) {
	.ms = 500,
};

FIXTURE_VARIANT_ADD(slow, set) {
	.ms = 1500,
};

FIXTURE_VARIANT_ADD(slow, read_again) {
	.ms = 2500,
};

/* An RTC that takes a second for each answer is to be set, and that goes on for a while. */
FIXTURE_SETUP(slow)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(0, 1000));
	ASSERT_TRUE(wait_until(seed_number("rejected_past") == 1));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("source", "other")));
	ASSERT_EQ(0, fake_write(0, "delay", 1000));
	if (!fork())
		_exit(seed_write("disciplined", "1") ? 1 : 0);
	usleep(variant->ms * 1000);
}

FIXTURE_TEARDOWN(slow)
{
	wait(NULL);
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(slow, rtc_goes)
{
	EXPECT_EQ(0, fake_unplug(0));
	ASSERT_EQ(0, fake_plug(1, 1000));
	EXPECT_TRUE(wait_until(seed_number("rejected_past") == 2));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_TRUE(fake_is_right(1));
}

TEST_F(slow, module_goes)
{
	EXPECT_TRUE(wait_until(!seed_unload()));
	EXPECT_FALSE(module_is_loaded("rtc_seed"));
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
