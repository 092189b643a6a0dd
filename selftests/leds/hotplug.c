// SPDX-License-Identifier: GPL-2.0-only
/*
 * Targets that come late, go while they blink and come back, and names in order
 * of preference.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

static char driver[PATH_MAX], device[PATH_MAX];

/* What T1 does of itself when it comes: a device tree may give it a trigger. */
static char fresh_trigger[128];
static bool fresh_level;

static int device_write(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.3000s/%s", driver, file);

	return file_write(path, strrchr(device, '/') + 1);
}

/* These act on the device of T1, which may have other LEDs as well. */

static bool unplug(void)
{
	return !device_write("unbind") && wait_until(!led_exists(T1));
}

static bool plug(void)
{
	return !device_write("bind") && wait_until(led_exists(T1));
}

static bool is_fresh(void)
{
	return led_has_trigger(T1, fresh_trigger) && led_is_lit(T1) == fresh_level;
}

static const char *no_hotplug(void)
{
	if (!led_device(T1, "", device) || !led_device(T1, "/driver", driver) ||
	    !unplug() || !plug())
		return "the LED cannot be unbound from its driver, or not bound again";

	snprintf(fresh_trigger, sizeof(fresh_trigger), "%.127s", led_trigger(T1));
	fresh_level = led_is_lit(T1);

	return NULL;
}

FIXTURE(late) {
	int log;
};

FIXTURE_SETUP(late)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
	ASSERT_TRUE(unplug());
}

FIXTURE_TEARDOWN(late)
{
	if (!led_exists(T1))
		plug();
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(late, target_is_waited_for)
{
	int lines = 0, log = log_open();

	ASSERT_EQ(0, led_write(ID, "leds", T1));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_STREQ("1", led_read(ID, "active"));
	EXPECT_TRUE(wait_until(lines += log_count(log, T1)));
	EXPECT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_STREQ("0", led_read(ID, "active"));
	EXPECT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_EQ(1, lines + log_count(log, T1));
	close(log);
}

TEST_F(late, target_joins_the_session)
{
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_TRUE(plug());
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(led_changes(T1, 4));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(is_fresh());
}

TEST_F(late, target_lights_up_if_brightness_is_1)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	ASSERT_TRUE(plug());
	EXPECT_TRUE(wait_until(led_is_borrowed(T1) && led_is_lit(T1)));
}

TEST_F(late, target_is_left_alone_after_the_session)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	ASSERT_TRUE(led_session_end());
	ASSERT_TRUE(plug());
	EXPECT_TRUE(holds_for(200, is_fresh()));
}

FIXTURE(target) {
	int log;
};

FIXTURE_SETUP(target)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
}

FIXTURE_TEARDOWN(target)
{
	if (!led_exists(T1))
		plug();
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(target, can_go_and_come_back_in_mid_blink)
{
	int i;

	ASSERT_EQ(0, led_write(ID, "blink_pattern", "10 10"));
	ASSERT_EQ(0, led_write(ID, "identify", "86400"));
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
		EXPECT_TRUE(led_changes(T1, 4));
		EXPECT_TRUE(unplug());
		EXPECT_STREQ("1", led_read(ID, "active"));
		EXPECT_LT(80000, atoi(led_read(ID, "identify")));
		EXPECT_TRUE(plug());
	}
}

TEST_F(target, can_go_before_the_session_ends)
{
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(unplug());
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_STREQ("0", led_read(ID, "active"));
}

TEST_F(target, can_go_before_the_module)
{
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(unplug());
	EXPECT_EQ(0, led_unload());
	EXPECT_TRUE(plug());
	EXPECT_TRUE(is_fresh());
}

/* A list of names in order of preference: one that is never there, T1, T2. */

FIXTURE(preference) {
	int log;
};

FIXTURE_SETUP(preference)
{
	char leds[600];

	self->log = log_open();
	if (!T2)
		SKIP(return, "this machine has only one LED");
	snprintf(leds, sizeof(leds), "no-such-led,%.255s,%.255s", T1, T2);
	ASSERT_EQ(0, led_session_reset(leds));
	led_use_trigger(T2, "heartbeat");
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_TRUE(wait_until(led_is_borrowed(T1)));
}

FIXTURE_TEARDOWN(preference)
{
	if (!led_exists(T1))
		plug();
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(preference, takes_the_first_that_is_there_and_no_other)
{
	EXPECT_TRUE(holds_for(100, led_is_borrowed(T1) && !led_is_borrowed(T2)));
}

TEST_F(preference, takes_the_first_also_right_after_loading)
{
	char leds[600];
	int i;

	snprintf(leds, sizeof(leds), "no-such-led,%.255s,%.255s", T1, T2);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, led_reload(leds));
		ASSERT_EQ(0, led_write(ID, "identify", "60"));
		EXPECT_TRUE(wait_until(led_is_borrowed(T1) || led_is_borrowed(T2)));
		EXPECT_TRUE(led_is_borrowed(T1));
	}
}

TEST_F(preference, is_kept_for_the_session)
{
	ASSERT_TRUE(unplug());
	if (!led_exists(T2))
		SKIP(return, "all LEDs belong to one device");
	EXPECT_TRUE(wait_until(led_is_borrowed(T2)));
	ASSERT_TRUE(plug());
	EXPECT_TRUE(holds_for(250, led_is_borrowed(T2) && !led_is_borrowed(T1)));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_FALSE(led_is_borrowed(T2));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_FALSE(led_is_borrowed(T2));
}

TEST_F(preference, can_be_changed_in_the_session)
{
	ASSERT_EQ(0, led_write(ID, "leds", T2));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_FALSE(led_is_lit(T1));
	EXPECT_TRUE(led_is_borrowed(T2));
	ASSERT_EQ(0, led_write(ID, "leds", T1));
	EXPECT_FALSE(led_is_borrowed(T2));
	EXPECT_TRUE(led_is_borrowed(T1));
}

int main(int argc, char **argv)
{
	led_test_begin(no_hotplug);

	return test_harness_run(argc, argv);
}
