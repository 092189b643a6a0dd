// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system is suspended as far as its devices, or for real, and wakes: a session goes on
 * after it, or its time has run out, and the targets get back what they had.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

#define PM_TEST	"/sys/power/pm_test"
#define DELAY	"/sys/module/suspend/parameters/pm_test_delay"
#define ALARM	"/sys/class/rtc/rtc0/wakealarm"
#define FAKE	"pack:fake:test"

/* Has the devices sleep for so many seconds, in which time goes on. */
static int sleep_and_wake(const char *seconds)
{
	return file_write(DELAY, seconds) ?: file_write(PM_TEST, "devices") ?:
	       file_write("/sys/power/state", "freeze") ?: file_write(PM_TEST, "none");
}

/* Sleeps as deep as the machine can, until the RTC wakes it after three seconds. */
static int sleep_for_real(void)
{
	return file_write(ALARM, "0") ?: file_write(ALARM, "+3") ?:
	       file_write("/sys/power/state", "mem");
}

/* For how many seconds the time of a session has stood still since the start. */
static long long slept(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);

	return now.tv_sec - now_ms() / 1000;
}

FIXTURE(suspend) {
	char before[3][4096];
	char after[4096];
	int log;
};

/* One target blinks, one is lit, and one has a beat, as far as there are so many. */
FIXTURE_SETUP(suspend)
{
	char leds[1024];
	int i;

	self->log = log_open();
	snprintf(leds, sizeof(leds), "%.255s %.255s %.255s", T1, T2 ?: "", led_target(2) ?: "");
	ASSERT_EQ(0, led_reload(leds));
	if (!led_use_trigger(T1, "timer"))
		SKIP(return, "this machine has no trigger timer");
	ASSERT_EQ(0, led_write(T1, "delay_on", "70"));
	ASSERT_EQ(0, led_write(T1, "delay_off", "130"));
	if (T2)
		ASSERT_EQ(0, led_write(T2, "brightness", "255"));
	if (led_target(2) && led_use_trigger(led_target(2), "heartbeat"))
		ASSERT_EQ(0, led_write(led_target(2), "invert", "1"));
	for (i = 0; i < 3 && led_target(i); i++)
		led_state(led_target(i), self->before[i], sizeof(self->before[i]));
}

FIXTURE_TEARDOWN(suspend)
{
	int i;

	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	for (i = 0; i < 3 && led_target(i); i++) {
		led_state(led_target(i), self->after, sizeof(self->after));
		EXPECT_STREQ(self->before[i], self->after);
	}
	EXPECT_TRUE(led_changes(T1, 4));
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/* A session of 60 s that began then goes on, with all its targets and for the rest. */
static bool all_blink_on(long long begin)
{
	long long passed;
	int i;

	for (i = 0; i < 3 && led_target(i); i++)
		if (!led_is_borrowed(led_target(i)) || !led_changes(led_target(i), 4))
			return false;
	passed = (now_ms() - begin) / 1000;

	return llabs(atoi(led_read(ID, "identify")) - (60 - passed)) <= 1;
}

TEST_F(suspend, in_mid_blink_is_no_end)
{
	long long begin = now_ms();

	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_EQ(0, sleep_and_wake("1"));
	EXPECT_TRUE(all_blink_on(begin));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
}

/* To RAM the time of a session stands still; to idle it may go on. */
TEST_F(suspend, for_real_is_no_end)
{
	bool deep = strstr(file_read("/sys/power/mem_sleep"), "[deep]");
	long long begin = now_ms(), before = slept();
	int times = 4;

	if (access(ALARM, W_OK))
		SKIP(return, "this machine has no RTC that could wake it");
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	/* A busy machine may need most of the three seconds to fall asleep. */
	do {
		ASSERT_EQ(0, sleep_for_real());
	} while (deep && slept() - before < 2 && --times);
	EXPECT_NE(0, times);
	EXPECT_TRUE(all_blink_on(begin));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
}

TEST_F(suspend, does_not_stop_the_time)
{
	ASSERT_EQ(0, led_write(ID, "identify", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_EQ(0, sleep_and_wake("2"));
	EXPECT_STREQ("0", led_read(ID, "identify"));
}

TEST_F(suspend, ends_no_session_of_a_writer)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	ASSERT_EQ(0, sleep_and_wake("0"));
	EXPECT_TRUE(led_is_borrowed(T1) && led_is_lit(T1));
	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
}

/* The trigger of the identify LED switches it on when all are asleep. */
TEST_F(suspend, can_be_when_a_session_begins)
{
	int i;

	if (!led_use_trigger(ID, "transient"))
		SKIP(return, "no trigger transient");
	ASSERT_EQ(0, led_write(ID, "duration", "500"));
	ASSERT_EQ(0, led_write(ID, "activate", "1"));
	ASSERT_EQ(0, sleep_and_wake("1"));
	for (i = 0; i < 3 && led_target(i); i++)
		EXPECT_TRUE(wait_until(led_is_borrowed(led_target(i)) &&
				       led_is_lit(led_target(i))));
	ASSERT_EQ(0, led_write(ID, "trigger", "none"));
	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
}

/* A bus that sleeps would lose what an LED behind it is set to. */
TEST(what_is_given_back_is_awake)
{
	int log = log_open();

	if (run_modprobe("led-fake"))
		SKIP(return, "this machine has no module led-fake");
	ASSERT_EQ(0, led_reload(FAKE));
	ASSERT_EQ(0, led_write(FAKE, "trigger", "fake-choosy"));
	ASSERT_EQ(0, led_write(ID, "identify", "1"));
	EXPECT_TRUE(wait_until(led_is_borrowed(FAKE)));
	ASSERT_EQ(0, sleep_and_wake("2"));
	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	EXPECT_TRUE(led_has_trigger(FAKE, "fake-choosy"));
	EXPECT_STREQ("0", led_read(FAKE, "asleep"));
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, run_modprobe("-r led-fake"));
	EXPECT_EQ(0, log_reports(log));
	close(log);
}

static const char *no_pm_test(void)
{
	return access(PM_TEST, W_OK) || access(DELAY, W_OK) ?
	       "this kernel has no test of suspend" : NULL;
}

int main(int argc, char **argv)
{
	led_test_begin(no_pm_test);

	return test_harness_run(argc, argv);
}
