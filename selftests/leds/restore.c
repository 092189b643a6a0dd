// SPDX-License-Identifier: GPL-2.0-only
/*
 * A target is after a session exactly what it was before: its trigger, all that
 * can be set there, its level; and it works as before. Sessions end in three ways.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

#define TRACING		"/sys/kernel/tracing/"
#define GPIO_TRACE	TRACING "events/gpio/gpio_value/"
#define SAW(text)	"grep -q '" text "' " TRACING "trace"

/* The three ways; false if the session was not as it should be. */

static bool by_identify(const char *led)
{
	return !led_write(ID, "identify", "60") && wait_until(led_is_borrowed(led)) &&
	       !led_write(ID, "identify", "0");
}

static bool by_hold(const char *led)
{
	return !led_write(ID, "brightness", "1") && !led_write(ID, "brightness", "0") &&
	       !led_write(ID, "brightness", "1") && wait_until(led_is_borrowed(led)) &&
	       !led_write(ID, "hold_ms", "10") && wait_until(led_reads(ID, "active", "0")) &&
	       !led_write(ID, "hold_ms", "60000");
}

static bool by_removal(const char *led)
{
	return !led_write(ID, "identify", "60") && wait_until(led_is_borrowed(led)) &&
	       !led_unload();
}

/* How a trigger shows that it works. */

static bool is_lit(void)
{
	return led_is_lit(T1);
}

static bool blinks(void)
{
	return led_changes(T1, 4);
}

/* A shot is short: on a busy machine not every one is seen. */
static bool shoots(void)
{
	bool level = led_is_lit(T1);

	return wait_until(!led_write(T1, "shot", "1") && led_is_lit(T1) != level) &&
	       wait_until(led_is_lit(T1) == level);
}

static bool shows_link(void)
{
	return !system("ip link set dummy0 down") && wait_until(!led_is_lit(T1)) &&
	       !system("ip link set dummy0 up") && wait_until(led_is_lit(T1));
}

/* A card is read in no time: only a trace of the pin tells that the LED was lit. */
static bool shows_card(void)
{
	bool read_it, changed;
	char *page;
	int fd;

	/* What others have left there would do as well: only the shell's > empties it. */
	if (file_write(GPIO_TRACE "enable", "1") || system(": >" TRACING "trace"))
		return false;
	page = aligned_alloc(4096, 1 << 16);
	fd = open("/dev/mmcblk0", O_RDONLY | O_DIRECT);
	read_it = fd >= 0 && pread(fd, page, 1 << 16, 0) > 0;
	changed = wait_until(!system(SAW("set 1") " && " SAW("set 0")));
	file_write(GPIO_TRACE "enable", "0");
	close(fd);
	free(page);

	return read_it && changed;
}

FIXTURE(target) {
	char before[4096];
	char after[4096];
	int log;
};

FIXTURE_VARIANT(target) {
	const char *trigger;
	const char *settings[4][2];
	bool (*works)(void);
};

FIXTURE_VARIANT_ADD(target, off) { .trigger = "none" };

FIXTURE_VARIANT_ADD(target, on) {
	.trigger = "none", .settings = { { "brightness", "255" } }, .works = is_lit,
};

FIXTURE_VARIANT_ADD(target, timer) {
	.trigger = "timer", .settings = { { "delay_on", "70" }, { "delay_off", "130" } },
	.works = blinks,
};

FIXTURE_VARIANT_ADD(target, heartbeat) {
	.trigger = "heartbeat", .settings = { { "invert", "1" } }, .works = blinks,
};

FIXTURE_VARIANT_ADD(target, pattern) {
	.trigger = "pattern",
	.settings = { { "pattern", "1 60 1 0 0 40 0 0" }, { "repeat", "100000" } },
	.works = blinks,
};

FIXTURE_VARIANT_ADD(target, hr_pattern) {
	.trigger = "pattern",
	.settings = { { "hr_pattern", "1 60 1 0 0 40 0 0" } },
	.works = blinks,
};

FIXTURE_VARIANT_ADD(target, default_on) { .trigger = "default-on", .works = is_lit };

FIXTURE_VARIANT_ADD(target, oneshot) {
	.trigger = "oneshot",
	.settings = { { "delay_on", "40" }, { "delay_off", "30" }, { "invert", "1" } },
	.works = shoots,
};

FIXTURE_VARIANT_ADD(target, netdev) {
	.trigger = "netdev",
	.settings = { { "device_name", "dummy0" }, { "link", "1" }, { "interval", "90" } },
	.works = shows_link,
};

FIXTURE_VARIANT_ADD(target, mmc0) { .trigger = "mmc0", .works = shows_card };

FIXTURE_SETUP(target)
{
	int i;

	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
	if (!strcmp(variant->trigger, "netdev") &&
	    (run_modprobe("dummy") || system("ip link set dummy0 up")))
		SKIP(return, "no network device to try it with");
	if (!led_use_trigger(T1, variant->trigger))
		SKIP(return, "this machine has no trigger %s", variant->trigger);
	for (i = 0; variant->settings[i][0]; i++) {
		if (!led_has(T1, variant->settings[i][0]))
			SKIP(return, "the trigger has no setting %s", variant->settings[i][0]);
		ASSERT_EQ(0, led_write(T1, variant->settings[i][0], variant->settings[i][1]));
	}
	led_state(T1, self->before, sizeof(self->before));
}

FIXTURE_TEARDOWN(target)
{
	led_plain(T1);
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(target, comes_back_after_a_session)
{
	if (variant->works == shows_card && access(GPIO_TRACE "enable", W_OK))
		SKIP(return, "no trace of GPIOs, and a card is read too fast to be seen");
	EXPECT_TRUE(by_identify(T1));
	led_state(T1, self->after, sizeof(self->after));
	EXPECT_STREQ(self->before, self->after)
		TH_LOG("after identify");

	EXPECT_TRUE(by_hold(T1));
	led_state(T1, self->after, sizeof(self->after));
	EXPECT_STREQ(self->before, self->after)
		TH_LOG("after hold_ms");

	if (variant->works)
		EXPECT_TRUE(variant->works());
}

TEST_F(target, comes_back_when_the_module_goes)
{
	EXPECT_TRUE(by_removal(T1));
	led_state(T1, self->after, sizeof(self->after));
	EXPECT_STREQ(self->before, self->after);
}

FIXTURE(others) {
	int log;
};

FIXTURE_SETUP(others)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
}

FIXTURE_TEARDOWN(others)
{
	led_plain(T1);
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/* Those that have no test of their own; one of each kind. */
static bool is_other_trigger(const char *name)
{
	static const char * const tested[] = { "", ID, "none", "timer", "heartbeat", "pattern",
					       "default-on", "oneshot", "netdev", "mmc0" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tested); i++)
		if (!strcmp(name, tested[i]))
			return false;
	if (!strncmp(name, "cpu", 3))
		return !name[3];

	return strncmp(name, "kbd-", 4) || !strcmp(name, "kbd-capslock");
}

TEST_F(others, every_trigger_comes_back)
{
	char list[4096], before[4096], after[4096];
	char *next = list, *name;

	run_modprobe("-qa ledtrig-transient ledtrig-activity");
	snprintf(list, sizeof(list), "%s", led_read(T1, "trigger"));
	while ((name = strsep(&next, " []\n"))) {
		if (!is_other_trigger(name) || led_write(T1, "trigger", name))
			continue;
		led_state(T1, before, sizeof(before));
		EXPECT_TRUE(by_identify(T1))
			TH_LOG("trigger %s", name);
		led_state(T1, after, sizeof(after));
		EXPECT_STREQ(before, after);
	}
}

/* Also after the next session. */
TEST_F(others, an_unloaded_trigger_leaves_the_target_off)
{
	int i, log = log_open();

	if (!led_use_trigger(T1, "timer") || run_modprobe("-r ledtrig-timer") ||
	    run_modprobe("ledtrig-timer"))
		SKIP(return, "the trigger timer cannot be unloaded");
	ASSERT_EQ(0, led_write(T1, "trigger", "timer"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_EQ(0, run_modprobe("-r ledtrig-timer"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "none"));
	EXPECT_FALSE(led_is_lit(T1));
	EXPECT_EQ(1, log_count(log, "timer is gone"));

	EXPECT_TRUE(by_identify(T1));
	for (i = 0; i < 100; i++) {
		EXPECT_FALSE(led_is_lit(T1))
			break;
		usleep(2000);
	}
	close(log);
}

TEST_F(others, a_reloaded_trigger_comes_back)
{
	if (!led_use_trigger(T1, "timer") || run_modprobe("-r ledtrig-timer") ||
	    run_modprobe("ledtrig-timer"))
		SKIP(return, "the trigger timer cannot be unloaded");
	ASSERT_EQ(0, led_write(T1, "trigger", "timer"));
	ASSERT_EQ(0, led_write(T1, "delay_on", "35"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_EQ(0, run_modprobe("-r ledtrig-timer"));
	EXPECT_EQ(0, run_modprobe("ledtrig-timer"));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(led_has_trigger(T1, "timer"));
	EXPECT_STREQ("35", led_read(T1, "delay_on"));
	EXPECT_TRUE(blinks());
}

TEST_F(others, two_targets_come_back)
{
	bool (* const ways[])(const char *led) = { by_identify, by_hold, by_removal };
	char before[2][4096], after[2][4096], leds[600];
	unsigned int i;

	if (!T2)
		SKIP(return, "this machine has only one LED");
	snprintf(leds, sizeof(leds), "%.255s %.255s", T1, T2);
	ASSERT_EQ(0, led_session_reset(leds));
	if (!led_use_trigger(T1, "timer"))
		SKIP(return, "this machine has no trigger timer");
	ASSERT_EQ(0, led_write(T1, "delay_off", "25"));
	ASSERT_EQ(0, led_write(T2, "brightness", "255"));
	led_state(T1, before[0], sizeof(before[0]));
	led_state(T2, before[1], sizeof(before[1]));
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		EXPECT_TRUE(ways[i](T2));
		led_state(T1, after[0], sizeof(after[0]));
		led_state(T2, after[1], sizeof(after[1]));
		EXPECT_STREQ(before[0], after[0]);
		EXPECT_STREQ(before[1], after[1]);
	}
	led_plain(T2);
}

int main(int argc, char **argv)
{
	led_test_begin(NULL);

	return test_harness_run(argc, argv);
}
