// SPDX-License-Identifier: GPL-2.0-only
/*
 * An LED whose driver keeps users away from it, and triggers whose settings depend on each
 * other and on how they were started: those of the module led-fake.
 */

#include <sys/wait.h>

#include "../lib/led.h"

#include "kselftest_harness.h"

#define FAKE	"pack:fake:test"

FIXTURE(odd_led) {
	int log;
};

FIXTURE_SETUP(odd_led)
{
	self->log = log_open();
	ASSERT_EQ(0, run_modprobe("led-fake"));
	ASSERT_EQ(0, led_reload(FAKE));
}

FIXTURE_TEARDOWN(odd_led)
{
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, run_modprobe("-r led-fake"));
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

#define HIGHEST	"/sys/module/led_fake/parameters/highest"

/* From 7.2 on the LED core does not cut down what comes before the driver is done. */
TEST_F(odd_led, whose_driver_is_slow_gets_no_more_than_its_maximum)
{
	int i;

	ASSERT_EQ(0, run_modprobe("-r led-fake"));
	ASSERT_EQ(0, run_modprobe("led-fake slow=1"));
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	ASSERT_EQ(0, led_write(ID, "identify", "2"));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, led_write(ID, "brightness", i % 5 ? "1" : "0"));
	EXPECT_TRUE(wait_until(atoi(file_read(HIGHEST)) >= 100));
	EXPECT_TRUE(holds_for(1000, atoi(file_read(HIGHEST)) == 100));
}

static bool session(void)
{
	return !led_write(ID, "identify", "60") && wait_until(led_is_borrowed(FAKE)) &&
	       !led_write(ID, "identify", "0");
}

TEST_F(odd_led, is_left_alone_while_users_are_kept_away)
{
	ASSERT_EQ(0, led_write(FAKE, "disabled", "1"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	/* Also of one that has not begun yet the later end counts. */
	ASSERT_EQ(0, led_write(ID, "identify", "1"));
	EXPECT_GT(atoi(led_read(ID, "identify")), 50);
	EXPECT_TRUE(holds_for(500, led_has_trigger(FAKE, "fake-plain")));
	ASSERT_EQ(0, led_write(FAKE, "disabled", "0"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(FAKE, "fake-plain"));
}

TEST_F(odd_led, gets_settings_back_that_depend_on_each_other)
{
	ASSERT_EQ(0, led_write(FAKE, "trigger", "fake-choosy"));
	EXPECT_EQ(-EINVAL, led_write(FAKE, "first", "1"));
	ASSERT_EQ(0, led_write(FAKE, "second", "0"));
	ASSERT_EQ(0, led_write(FAKE, "first", "1"));
	EXPECT_TRUE(session());
	EXPECT_STREQ("1", led_read(FAKE, "first"));
	EXPECT_STREQ("0", led_read(FAKE, "second"));
}

/* Its trigger has started it and would not do that again. */
TEST_F(odd_led, blinks_on_where_its_trigger_has_no_settings)
{
	ASSERT_EQ(0, led_write(FAKE, "blink", "1"));
	EXPECT_TRUE(led_changes(FAKE, 4));
	EXPECT_TRUE(session());
	EXPECT_TRUE(led_has_trigger(FAKE, "fake-plain"));
	EXPECT_TRUE(led_changes(FAKE, 4));
	ASSERT_EQ(0, led_write(FAKE, "brightness", "130"));
	EXPECT_TRUE(session());
	EXPECT_TRUE(wait_until(led_reads(FAKE, "brightness", "130")));
}

/* At the level that the user has chosen, not that of its trigger's last event. */
TEST_F(odd_led, blinks_on_at_its_level)
{
	ASSERT_EQ(0, led_write(FAKE, "event", "255"));
	ASSERT_EQ(0, led_write(FAKE, "blink", "1"));
	ASSERT_EQ(0, led_write(FAKE, "brightness", "130"));
	ASSERT_TRUE(wait_until(led_reads(FAKE, "brightness", "130")));
	EXPECT_TRUE(session());
	EXPECT_TRUE(wait_until(led_reads(FAKE, "brightness", "130")));
	EXPECT_TRUE(led_changes(FAKE, 4));
	EXPECT_TRUE(holds_for(200, !led_reads(FAKE, "brightness", "255")));
}

/* Newer kernels tell what a trigger has last said. */
static bool events_are_told(void)
{
	return !led_write(FAKE, "event", "255") && !led_write(FAKE, "trigger", "none") &&
	       !led_write(FAKE, "trigger", "fake-plain") && led_reads(FAKE, "brightness", "255");
}

TEST_F(odd_led, that_its_trigger_has_switched_on_meanwhile_blinks_no_more)
{
	if (!events_are_told())
		SKIP(return, "this kernel does not tell the last event of a trigger");
	ASSERT_EQ(0, led_write(FAKE, "event", "0"));
	ASSERT_EQ(0, led_write(FAKE, "blink", "1"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	ASSERT_EQ(0, led_write(FAKE, "event", "255"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(holds_for(200, led_reads(FAKE, "brightness", "255")));
	ASSERT_EQ(0, led_write(FAKE, "brightness", "130"));
	EXPECT_TRUE(session());
	EXPECT_TRUE(holds_for(200, led_reads(FAKE, "brightness", "130")));
}

/* Just when the LED is given back, which must not stop it. */
TEST_F(odd_led, that_its_trigger_lets_blink_meanwhile_blinks_on)
{
	if (!events_are_told())
		SKIP(return, "this kernel does not tell the last event of a trigger");
	ASSERT_EQ(0, led_write(FAKE, "blink", "1"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	ASSERT_EQ(0, led_write(FAKE, "blink", "again"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(FAKE, "fake-plain"));
	EXPECT_TRUE(led_changes(FAKE, 4));
}

TEST_F(odd_led, that_blinks_once_does_not_do_so_for_good)
{
	ASSERT_EQ(0, led_write(FAKE, "blink", "once"));
	EXPECT_TRUE(session());
	EXPECT_TRUE(led_has_trigger(FAKE, "fake-plain"));
	EXPECT_TRUE(holds_for(1500, led_reads(FAKE, "brightness", "0")));
}

/* As soon as there is a session, so that its LEDs are still being borrowed. */
static bool stop_at_the_start(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(!!led_write(ID, "identify", "60"));

	return wait_until(led_reads(ID, "active", "1")) && !led_write(ID, "identify", "0") &&
	       !led_is_borrowed(T1) && waitpid(pid, &status, 0) == pid && !status;
}

TEST_F(odd_led, that_is_tried_again_does_not_keep_another)
{
	char leds[NAME_MAX + sizeof(FAKE) + 1];
	bool stops = true;
	int i;

	snprintf(leds, sizeof(leds), "%s " FAKE, T1);
	ASSERT_EQ(0, led_write(ID, "leds", leds));
	ASSERT_EQ(0, led_write(FAKE, "disabled", "1"));
	for (i = 0; i < 50 && stops; i++)
		stops = stop_at_the_start();
	EXPECT_TRUE(stops);
	ASSERT_EQ(0, led_write(FAKE, "disabled", "0"));
}

/* The identify LED is told by a target what it has just been told. */
TEST_F(odd_led, that_the_identify_led_follows_does_not_lead_it)
{
	ASSERT_EQ(0, led_write(FAKE, "trigger", "none"));
	ASSERT_EQ(0, led_write(ID, "trigger", "fake-echo"));
	ASSERT_EQ(0, led_write(ID, "identify", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	EXPECT_TRUE(led_changes(FAKE, 4));
	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
	EXPECT_TRUE(wait_until(led_reads(ID, "identify", "0")));
	ASSERT_EQ(0, led_write(ID, "trigger", "none"));
	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	EXPECT_TRUE(led_has_trigger(FAKE, "none"));
}

/* Its driver tells what it shows: nothing then. */
FIXTURE(suspended_led) {
	int log;
};

FIXTURE_VARIANT(suspended_led) {
	bool at_start;
	bool at_end;
};

FIXTURE_VARIANT_ADD(suspended_led, before_it_starts) { .at_start = true };
FIXTURE_VARIANT_ADD(suspended_led, before_it_ends) { .at_end = true };
FIXTURE_VARIANT_ADD(suspended_led, all_the_time) { .at_start = true, .at_end = true };

FIXTURE_SETUP(suspended_led)
{
	self->log = log_open();
	ASSERT_EQ(0, run_modprobe("led-fake"));
	ASSERT_EQ(0, led_reload(FAKE));
	ASSERT_EQ(0, led_write(FAKE, "trigger", "none"));
	ASSERT_EQ(0, led_write(FAKE, "brightness", "130"));
}

FIXTURE_TEARDOWN(suspended_led)
{
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, run_modprobe("-r led-fake"));
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/* Its brightness must not be read meanwhile: the LED core would take it for what was set. */
TEST_F(suspended_led, gets_its_level_back)
{
	ASSERT_EQ(0, led_write(FAKE, "suspended", variant->at_start ? "1" : "0"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	if (variant->at_start != variant->at_end)
		ASSERT_EQ(0, led_write(FAKE, "suspended", variant->at_end ? "1" : "0"));
	if (!variant->at_end)
		EXPECT_TRUE(led_changes(FAKE, 4));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	ASSERT_EQ(0, led_write(FAKE, "suspended", "0"));
	EXPECT_TRUE(led_has_trigger(FAKE, "none"));
	EXPECT_STREQ("130", led_read(FAKE, "brightness"));
}

/* Whether a trigger is started as the default one, after another, after a session. */
static bool is_default_after(const char *first, bool with_session)
{
	return !run_modprobe("-r led-fake") && !run_modprobe("led-fake") &&
	       !led_write(FAKE, "trigger", first) &&
	       !led_write(FAKE, "trigger", "fake-plain") && (!with_session || session()) &&
	       !led_write(FAKE, "trigger", "fake-choosy") && led_reads(FAKE, "default", "1");
}

/* Which may be so in old kernels, where the default trigger has left that to another. */
TEST_F(odd_led, has_a_default_trigger_only_if_it_had_one)
{
	EXPECT_EQ(is_default_after("fake-plain", false), is_default_after("fake-plain", true));
	EXPECT_EQ(is_default_after("fake-choosy", false), is_default_after("fake-choosy", true));
}

static const char *no_fake(void)
{
	return run_modprobe("led-fake") || run_modprobe("-r led-fake") ?
	       "this machine has no module led-fake" : NULL;
}

int main(int argc, char **argv)
{
	led_test_begin(no_fake);

	return test_harness_run(argc, argv);
}
