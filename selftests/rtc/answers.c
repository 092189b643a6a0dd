// SPDX-License-Identifier: GPL-2.0-only
/*
 * One RTC, whatever it says: there before the module, or late. It is rtc0, so
 * that the kernel sets the clock from it, too.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

enum { FLOOR = -1 };

FIXTURE(rtc) {
	int log;
};

FIXTURE_VARIANT(rtc) {
	long long time;		/* what the RTC says */
	int error;		/* or how it fails */
	long long clock;	/* what the clock is then */
	const char *state;
	const char *source;
	const char *counter;
};

FIXTURE_VARIANT_ADD(rtc, right) {
	.time = RIGHT, .clock = RIGHT, .state = "seeded", .source = "rtc0",
};

FIXTURE_VARIANT_ADD(rtc, in_1970) {
	.time = 1000, .clock = FLOOR, .state = "waiting", .source = "floor",
	.counter = "rejected_past",
};

FIXTURE_VARIANT_ADD(rtc, in_2000) {
	.time = Y2000, .clock = FLOOR, .state = "waiting", .source = "floor",
	.counter = "rejected_past",
};

/* The floor is the parameter's: 2030. */
FIXTURE_VARIANT_ADD(rtc, before_floor) {
	.time = 1893455000, .clock = FLOOR, .state = "waiting", .source = "floor",
	.counter = "rejected_past",
};

/* Seven years above it. */
FIXTURE_VARIANT_ADD(rtc, after_ceiling) {
	.time = Y2037 + 86400, .clock = FLOOR, .state = "waiting", .source = "floor",
	.counter = "rejected_future",
};

FIXTURE_VARIANT_ADD(rtc, in_2099) {
	.time = Y2099, .clock = FLOOR, .state = "waiting", .source = "floor",
	.counter = "rejected_future",
};

FIXTURE_VARIANT_ADD(rtc, without_power) {
	.time = RIGHT, .error = -EINVAL, .clock = FLOOR, .state = "waiting",
	.source = "floor", .counter = "rejected_invalid",
};

FIXTURE_VARIANT_ADD(rtc, that_errs) {
	.time = RIGHT, .error = -EIO, .clock = FLOOR, .state = "waiting",
	.source = "floor", .counter = "rejected_error",
};

static const char *const parameters = "floor=20300101000000 years=7";

FIXTURE_SETUP(rtc)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, fake_write(0, "error", variant->error));
}

FIXTURE_TEARDOWN(rtc)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static bool is_so(const struct _fixture_variant_rtc *variant)
{
	long long clock = variant->clock == FLOOR ? seed_number("floor") : variant->clock;

	return seed_reads("state", variant->state) &&
	       seed_reads("source", variant->source) &&
	       (!variant->counter || seed_number(variant->counter) == 1) &&
	       clock_is(clock);
}

TEST_F(rtc, there_before_the_module)
{
	ASSERT_EQ(0, fake_plug(0, variant->time));
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load(parameters));
	EXPECT_TRUE(is_so(variant));
}

/* As mainline leaves it: the clock is what the RTC said. */
TEST_F(rtc, believed_by_the_kernel_before)
{
	ASSERT_EQ(0, fake_plug(0, variant->time));
	ASSERT_EQ(0, seed_load(parameters));
	EXPECT_TRUE(is_so(variant));
}

TEST_F(rtc, late)
{
	ASSERT_EQ(0, seed_load(parameters));
	EXPECT_TRUE(clock_is(seed_number("floor")));
	EXPECT_TRUE(seed_reads("state", "waiting"));
	ASSERT_EQ(0, fake_plug(0, variant->time));
	EXPECT_TRUE(wait_until(is_so(variant)));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= seed_number("floor")));
}

static bool is_plausible(void)
{
	long long now = clock_sec();

	return now >= seed_number("floor") && now <= seed_number("ceiling");
}

TEST_F(rtc, comes_again)
{
	int i;

	ASSERT_EQ(0, seed_load(parameters));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, fake_plug(0, variant->time));
		ASSERT_EQ(0, fake_unplug(0));
	}
	ASSERT_EQ(0, fake_plug(0, variant->time));
	EXPECT_TRUE(wait_until(seed_reads("state", variant->state)));
	EXPECT_TRUE(wait_until(is_plausible()));
	EXPECT_TRUE(holds_for(500, is_plausible()));
}

FIXTURE(one) {
	int log;
};

FIXTURE_SETUP(one)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
}

FIXTURE_TEARDOWN(one)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(one, absent_leaves_the_floor)
{
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(clock_is(seed_number("floor")));
	EXPECT_TRUE(seed_reads("state", "waiting"));
	EXPECT_TRUE(seed_reads("source", "floor"));
	EXPECT_GT(seed_number("ceiling"), seed_number("floor"));
}

TEST_F(one, absent_leaves_a_plausible_clock)
{
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(clock_is(RIGHT));
	EXPECT_TRUE(seed_reads("source", "none"));
}

TEST_F(one, clock_after_the_ceiling_is_put_back)
{
	ASSERT_EQ(0, clock_set(Y2037 + 86400));
	ASSERT_EQ(0, seed_load(parameters));
	EXPECT_TRUE(clock_is(seed_number("floor")));
}

/* The first answers are errors: the clock is right when the first good one comes. */
TEST_F(one, errs_and_is_asked_again)
{
	ASSERT_EQ(0, fake_write(0, "error", -EIO));
	ASSERT_EQ(0, fake_write(0, "errors_left", 4));
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	EXPECT_TRUE(wait_until(clock_is(fake_read(0, "time"))));
	EXPECT_TRUE(wait_until(seed_reads("state", "seeded")));
	EXPECT_EQ(1, seed_number("rejected_error"));
}

TEST_F(one, changes_its_answer)
{
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_TRUE(wait_until(clock_is(RIGHT)));
	ASSERT_EQ(0, fake_write(0, "time", 1000));
	EXPECT_TRUE(wait_until(seed_number("rejected_past") == 1));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= RIGHT));
	ASSERT_EQ(0, fake_write(0, "time", Y2099));
	EXPECT_TRUE(wait_until(seed_number("rejected_future") == 1));
	EXPECT_TRUE(holds_for(1500, clock_sec() < RIGHT + 600));
}

/* It is asked once a look at most: no storm, whatever it does. */
TEST_F(one, is_not_asked_all_the_time)
{
	ASSERT_EQ(0, fake_write(0, "error", -EIO));
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	sleep(5);
	/* 0, 0.1, 0.3, 0.7, 1.5, 3.1 s, and the kernel's own */
	EXPECT_LE(fake_read(0, "reads"), 10);
	EXPECT_GE(fake_read(0, "reads"), 5);
}

/* Also where what is loaded is not ours: a device has it. */
TEST_F(one, module_is_there_again_after_the_tests)
{
	ASSERT_EQ(0, seed_load(""));
	modules_note(clock_modules);
	clock_test_end();
	EXPECT_TRUE(module_is_loaded("rtc_seed"));
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, run_modprobe("rtc-fake"));
}

/* The kernel's own time between two writes to an RTC, and ours. */
TEST_F(one, is_looked_at_every_11_minutes)
{
	ASSERT_EQ(0, seed_load(""));
	EXPECT_STREQ("660", file_read("/sys/module/rtc_seed/parameters/interval"));
}

/* Each is asked once in a look, however long the others take. */
TEST_F(one, does_not_keep_the_look_from_its_end)
{
	long long before;
	int n;

	for (n = 0; n < 2; n++) {
		ASSERT_EQ(0, fake_plug(n, RIGHT));
		ASSERT_EQ(0, fake_write(n, "error", -EIO));
		ASSERT_EQ(0, fake_write(n, "delay", 1000));
	}
	before = clock_ns(CLOCK_MONOTONIC);
	ASSERT_EQ(0, seed_load(""));
	EXPECT_LT(clock_ns(CLOCK_MONOTONIC) - before, 5000000000LL);
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
