// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identify LED is there before any target, says what was written to it, and
 * blinks by itself for as long as it was told.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

/* Clocks of a slow machine: what was read, between two looks at the time. */
struct countdown {
	long long before;
	long long after;
	int ms;
};

static void countdown_start(struct countdown *countdown, int seconds)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", seconds);
	countdown->before = now_ms();
	led_write(ID, "identify", text);
	countdown->after = now_ms();
	countdown->ms = seconds * 1000;
}

/* Whether the seconds that are left are rounded up. */
static bool countdown_is_right(const struct countdown *countdown)
{
	long long before = now_ms();
	int left = atoi(led_read(ID, "identify"));
	long long most = countdown->after + countdown->ms - before + 999;
	long long least = countdown->before + countdown->ms - now_ms() + 999;

	printf("# %d seconds left, should be %lld to %lld\n", left, least / 1000,
	       (most + 1) / 1000);

	return left >= least / 1000 && left <= (most + 1) / 1000;
}

FIXTURE(led) {
	int log;
};

FIXTURE_SETUP(led)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
}

FIXTURE_TEARDOWN(led)
{
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(led, is_there_before_any_target)
{
	static const char * const files[][2] = {
		{ "brightness", "0" }, { "max_brightness", "255" }, { "active", "0" },
		{ "identify", "0" }, { "blink_pattern", "200 200" }, { "hold_ms", "3000" },
		{ "leds", "no-such-led" },
	};
	unsigned int i;

	ASSERT_EQ(0, led_unload());
	ASSERT_EQ(0, led_load("leds=no-such-led"));
	for (i = 0; i < ARRAY_SIZE(files); i++)
		EXPECT_STREQ(files[i][1], led_read(ID, files[i][0]));
}

TEST_F(led, says_what_was_written)
{
	static const char * const levels[] = { "1", "255", "77", "0", "128", "0" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		EXPECT_EQ(0, led_write(ID, "brightness", levels[i]));
		EXPECT_STREQ(levels[i], led_read(ID, "brightness"));
	}
}

TEST_F(led, has_sessions_without_a_target)
{
	ASSERT_EQ(0, led_write(ID, "leds", "no-such-led"));
	ASSERT_EQ(0, led_write(ID, "brightness", "200"));
	EXPECT_STREQ("1", led_read(ID, "active"));
	EXPECT_STREQ("200", led_read(ID, "brightness"));
	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	EXPECT_STREQ("0", led_read(ID, "brightness"));
}

TEST_F(led, starts_no_session_for_0)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "0"));
	EXPECT_STREQ("0", led_read(ID, "active"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_STREQ("0", led_read(ID, "active"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
}

TEST_F(led, lights_its_target_while_it_is_not_0)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(led_is_lit(T1));
	ASSERT_EQ(0, led_write(ID, "brightness", "0"));
	EXPECT_FALSE(led_is_lit(T1));
	ASSERT_EQ(0, led_write(ID, "brightness", "255"));
	EXPECT_TRUE(led_is_lit(T1));
}

TEST_F(led, keeps_its_target_for_hold_ms)
{
	long long written;

	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_EQ(0, led_write(ID, "hold_ms", "400"));
	written = now_ms();
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(!led_is_borrowed(T1)));
	EXPECT_LE(400, now_ms() - written);
	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	EXPECT_STREQ("0", led_read(ID, "brightness"));
}

TEST_F(led, blinks_by_itself)
{
	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_STREQ("1", led_read(ID, "active"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(led_changes(T1, 6));
	EXPECT_STREQ("1", led_read(ID, "active"));
}

TEST_F(led, stops_at_once_for_0)
{
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_STREQ("0", led_read(ID, "identify"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_FALSE(led_is_lit(T1));
	EXPECT_STREQ("0", led_read(ID, "active"));
}

TEST_F(led, does_not_cut_a_longer_time_by_a_shorter)
{
	ASSERT_EQ(0, led_write(ID, "identify", "86400"));
	ASSERT_EQ(0, led_write(ID, "identify", "1"));
	EXPECT_LT(80000, atoi(led_read(ID, "identify")));
}

TEST_F(led, counts_down_and_ends_by_itself)
{
	struct countdown countdown;

	countdown_start(&countdown, 1);
	EXPECT_TRUE(countdown_is_right(&countdown));
	usleep(300000);
	countdown_start(&countdown, 2);
	EXPECT_TRUE(countdown_is_right(&countdown));
	usleep(1100000);
	EXPECT_TRUE(countdown_is_right(&countdown));
	EXPECT_TRUE(wait_until(led_reads(ID, "identify", "0")));
	EXPECT_LE(2000, now_ms() - countdown.before);
	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_FALSE(led_is_lit(T1));
}

TEST_F(led, shows_after_it_has_blinked_what_was_written_meanwhile)
{
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_EQ(0, led_write(ID, "brightness", "200"));
	EXPECT_STREQ("200", led_read(ID, "brightness"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(led_changes(T1, 2));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_is_lit(T1));
	EXPECT_STREQ("1", led_read(ID, "active"));
	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
	EXPECT_TRUE(wait_until(led_has_trigger(T1, "none")));
	EXPECT_FALSE(led_is_lit(T1));
}

int main(int argc, char **argv)
{
	led_test_begin(NULL);

	return test_harness_run(argc, argv);
}
