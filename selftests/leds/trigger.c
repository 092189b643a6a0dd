// SPDX-License-Identifier: GPL-2.0-only
/*
 * Triggers: any of them can drive the identify LED, the trigger "identify" can
 * drive any other LED, and a user who takes a target in a session keeps it.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

/* Gives the identify LED a trigger, and the target one to get back. */
static bool have(const char *trigger)
{
	led_write(ID, "hold_ms", "10");
	led_use_trigger(T1, "heartbeat");

	return led_use_trigger(ID, trigger);
}

static bool target_is_back(void)
{
	return !led_write(ID, "trigger", "none") &&
	       wait_until(led_reads(ID, "active", "0")) && !led_is_borrowed(T1) &&
	       led_reads(ID, "brightness", "0");
}

FIXTURE(trigger) {
	int log;
};

FIXTURE_SETUP(trigger)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
}

FIXTURE_TEARDOWN(trigger)
{
	if (T2)
		led_plain(T2);
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(trigger, timer_drives_the_target)
{
	if (!have("timer"))
		SKIP(return, "this machine has no trigger timer");
	ASSERT_EQ(0, led_write(ID, "delay_on", "30"));
	ASSERT_EQ(0, led_write(ID, "delay_off", "20"));
	EXPECT_TRUE(led_changes(T1, 6));
	EXPECT_TRUE(led_is_borrowed(T1));
	EXPECT_TRUE(target_is_back());
}

TEST_F(trigger, that_is_silent_keeps_the_target)
{
	if (!have("timer"))
		SKIP(return, "this machine has no trigger timer");
	ASSERT_EQ(0, led_write(ID, "delay_off", "60000"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1) && !led_is_lit(T1)));
	EXPECT_TRUE(holds_for(150, led_is_borrowed(T1)));
	EXPECT_TRUE(target_is_back());
}

TEST_F(trigger, heartbeat_drives_the_target)
{
	if (!have("heartbeat"))
		SKIP(return, "this machine has no trigger heartbeat");
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(led_changes(T1, 2));
	EXPECT_TRUE(target_is_back());
}

TEST_F(trigger, pattern_drives_the_target)
{
	if (!have("pattern"))
		SKIP(return, "this machine has no trigger pattern");
	ASSERT_EQ(0, led_write(ID, "pattern", "255 30 255 0 0 20 0 0"));
	EXPECT_TRUE(led_changes(T1, 6));
	EXPECT_STREQ("20 20", led_read(ID, "blink_pattern"));
	EXPECT_TRUE(target_is_back());
	EXPECT_STREQ("20 20", led_read(ID, "blink_pattern"));
}

TEST_F(trigger, default_on_lights_the_target_beyond_hold_ms)
{
	if (!have("default-on"))
		SKIP(return, "this machine has no trigger default-on");
	EXPECT_TRUE(wait_until(led_is_lit(T1) && led_is_borrowed(T1)));
	EXPECT_TRUE(holds_for(150, led_is_lit(T1)));
	EXPECT_STREQ("255", led_read(ID, "brightness"));
	EXPECT_TRUE(target_is_back());
}

/* Not every kernel tells the writer that a trigger could not be attached. */
TEST_F(trigger, identify_is_refused_to_the_identify_led)
{
	led_write(ID, "trigger", ID);
	EXPECT_TRUE(led_has_trigger(ID, "none"));
	EXPECT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(led_is_lit(T1) && led_is_borrowed(T1)));
}

TEST_F(trigger, identify_mirrors_the_targets)
{
	if (!T2)
		SKIP(return, "this machine has only one LED");
	ASSERT_EQ(0, led_write(T2, "trigger", ID));
	EXPECT_FALSE(led_is_lit(T2));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(led_changes(T2, 6));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_TRUE(led_is_borrowed(T2));
	EXPECT_FALSE(led_is_lit(T2));

	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(led_is_lit(T2)));
	EXPECT_EQ(0, led_write(T2, "trigger", "none"));
	EXPECT_TRUE(led_has_trigger(T2, "none"));
}

TEST_F(trigger, identify_of_the_user_stays_on_a_target)
{
	ASSERT_EQ(0, led_write(T1, "trigger", ID));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(led_changes(T1, 4));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_is_borrowed(T1));
	EXPECT_FALSE(led_is_lit(T1));
	ASSERT_EQ(0, led_unload());
	EXPECT_TRUE(led_has_trigger(T1, "none"));
}

/* Kernels from 6.9 on ask for it so where it is the default trigger of an LED. */
TEST_F(trigger, identify_loads_the_module)
{
	ASSERT_EQ(0, led_unload());
	EXPECT_EQ(0, run_modprobe("ledtrig:identify"));
	EXPECT_TRUE(led_is_loaded());
}

/* A user who takes a target. */

FIXTURE(user) {
	int log;
};

FIXTURE_SETUP(user)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
	if (!led_use_trigger(T1, "heartbeat"))
		SKIP(return, "this machine has no trigger heartbeat");
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_TRUE(wait_until(led_is_borrowed(T1)));
}

FIXTURE_TEARDOWN(user)
{
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/* The module looks at its targets again, in the same session. */
static int look_again(void)
{
	return led_write(ID, "hold_ms", "50000");
}

TEST_F(user, who_writes_0_to_a_target_keeps_it)
{
	ASSERT_EQ(0, led_write(T1, "brightness", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	ASSERT_EQ(0, look_again());
	EXPECT_TRUE(holds_for(150, led_has_trigger(T1, "none") && !led_is_lit(T1)));
	EXPECT_STREQ("1", led_read(ID, "active"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_FALSE(led_is_lit(T1));
}

TEST_F(user, who_selects_a_trigger_keeps_it)
{
	ASSERT_EQ(0, led_write(T1, "trigger", "heartbeat"));
	ASSERT_EQ(0, led_write(T1, "invert", "1"));
	ASSERT_EQ(0, look_again());
	EXPECT_TRUE(holds_for(150, led_has_trigger(T1, "heartbeat")));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "heartbeat"));
	EXPECT_STREQ("1", led_read(T1, "invert"));
}

/* That is what 0 is for: the next edge overwrites any other level. */
TEST_F(user, who_writes_another_level_does_not_keep_it)
{
	ASSERT_EQ(0, led_write(T1, "trigger", "none"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	ASSERT_EQ(0, led_write(T1, "brightness", "0"));
	ASSERT_EQ(0, led_write(ID, "blink_pattern", "200 200"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_TRUE(wait_until(led_reads(T1, "brightness", "0")));
	ASSERT_EQ(0, led_write(T1, "brightness", "128"));
	EXPECT_TRUE(led_is_borrowed(T1));
	EXPECT_TRUE(led_changes(T1, 4));
	EXPECT_TRUE(led_is_borrowed(T1));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_TRUE(led_reads(T1, "brightness", "0"));
	EXPECT_FALSE(led_is_lit(T1));
}

TEST_F(user, who_takes_a_target_keeps_it_when_the_module_goes)
{
	ASSERT_EQ(0, led_write(T1, "trigger", "none"));
	ASSERT_EQ(0, led_write(T1, "brightness", "255"));
	ASSERT_EQ(0, led_unload());
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_TRUE(led_is_lit(T1));
}

TEST_F(user, shares_it_again_in_the_next_session)
{
	ASSERT_EQ(0, led_write(T1, "brightness", "0"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	ASSERT_EQ(0, led_write(T1, "brightness", "255"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_TRUE(led_is_lit(T1));
}

TEST_F(user, who_gives_a_target_the_trigger_identify_is_not_undone)
{
	ASSERT_EQ(0, led_write(T1, "trigger", "none"));
	ASSERT_EQ(0, led_write(T1, "trigger", ID));
	EXPECT_TRUE(led_changes(T1, 4));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_is_borrowed(T1));
}

int main(int argc, char **argv)
{
	led_test_begin(NULL);

	return test_harness_run(argc, argv);
}
