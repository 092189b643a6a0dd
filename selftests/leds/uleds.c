// SPDX-License-Identifier: GPL-2.0-only
/*
 * Targets with many levels, that come and go at will: LEDs of user space.
 */

#include <linux/uleds.h>
#include <poll.h>

#include "../lib/led.h"

#include "kselftest_harness.h"

#define LED	"pack:white:test"

/* Makes an LED, which goes when the returned file is closed. */
static int uled_new(const char *name, int max_brightness)
{
	struct uleds_user_dev dev = { .max_brightness = max_brightness };
	int fd = open("/dev/uleds", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(dev.name, sizeof(dev.name), "%s", name);
	if (fd >= 0 && write(fd, &dev, sizeof(dev)) != sizeof(dev)) {
		close(fd);
		return -1;
	}

	return fd;
}

/* Returns the next level that an LED is set to, -1 if there is none in time. */
static int uled_next(int fd, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int level;

	if (poll(&pollfd, 1, ms) <= 0 || read(fd, &level, sizeof(level)) < 0)
		return -1;

	return level;
}

/* Whether an LED is set to a level in 20 seconds. */
static bool uled_gets(int fd, int level)
{
	long long end = now_ms() + 20000;

	while (now_ms() < end)
		if (uled_next(fd, 100) == level)
			return true;

	return false;
}

/* Lets a level and the files of a trigger be seen again after a session. */
static bool session_restores(const char *const files[])
{
	char before[4][4096];
	unsigned int i;

	for (i = 0; files[i]; i++)
		memcpy(before[i], led_read(LED, files[i]), sizeof(before[i]));
	if (led_write(ID, "identify", "60") ||
	    !wait_until(led_is_borrowed(LED)) || led_write(ID, "identify", "0"))
		return false;

	for (i = 0; files[i]; i++)
		if (strcmp(before[i], led_read(LED, files[i])))
			return false;

	return true;
}

FIXTURE(uled) {
	int fd;
};

FIXTURE_SETUP(uled)
{
	self->fd = uled_new(LED, 1000);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, led_load("leds=" LED " hold_ms=60000"));
}

FIXTURE_TEARDOWN(uled)
{
	led_unload();
	close(self->fd);
}

TEST_F(uled, any_level_is_full_brightness)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(uled_gets(self->fd, 1000));
	ASSERT_EQ(0, led_write(ID, "brightness", "0"));
	EXPECT_TRUE(uled_gets(self->fd, 0));
	ASSERT_EQ(0, led_write(ID, "brightness", "128"));
	EXPECT_TRUE(uled_gets(self->fd, 1000));
	EXPECT_STREQ("128", led_read(ID, "brightness"));
}

TEST_F(uled, blinks_at_full_brightness)
{
	ASSERT_EQ(0, led_write(ID, "blink_pattern", "50 50"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(uled_gets(self->fd, 1000));
	EXPECT_TRUE(uled_gets(self->fd, 0));
	EXPECT_TRUE(uled_gets(self->fd, 1000));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_STREQ("0", led_read(LED, "brightness"));
}

TEST_F(uled, a_level_comes_back)
{
	static const char * const files[] = { "trigger", "brightness", NULL };

	ASSERT_EQ(0, led_write(LED, "brightness", "300"));
	EXPECT_TRUE(session_restores(files));
	EXPECT_TRUE(uled_gets(self->fd, 300));
	EXPECT_STREQ("300", led_read(LED, "brightness"));
}

TEST_F(uled, a_level_under_default_on_comes_back)
{
	static const char * const files[] = { "trigger", "brightness", NULL };

	if (!led_use_trigger(LED, "default-on"))
		SKIP(return, "no trigger default-on");
	ASSERT_EQ(0, led_write(LED, "brightness", "300"));
	EXPECT_TRUE(session_restores(files));
	EXPECT_STREQ("300", led_read(LED, "brightness"));
}

TEST_F(uled, a_gradual_pattern_comes_back)
{
	static const char * const files[] = { "trigger", "pattern", "repeat", NULL };
	long long end;
	int level, between = 0;

	if (!led_use_trigger(LED, "pattern"))
		SKIP(return, "no trigger pattern");
	ASSERT_EQ(0, led_write(LED, "pattern", "0 200 900 200"));
	EXPECT_TRUE(session_restores(files));
	for (end = now_ms() + 20000; now_ms() < end && between < 4;) {
		level = uled_next(self->fd, 20000);
		between += level > 0 && level < 900;
	}
	EXPECT_EQ(4, between);
}

TEST_F(uled, can_go_and_come_back_in_mid_blink)
{
	int i;

	ASSERT_EQ(0, led_write(ID, "blink_pattern", "10 10"));
	ASSERT_EQ(0, led_write(ID, "identify", "3600"));
	for (i = 0; i < 5; i++) {
		EXPECT_TRUE(uled_gets(self->fd, 1000));
		close(self->fd);
		EXPECT_FALSE(led_exists(LED));
		self->fd = uled_new(LED, 1000);
		ASSERT_LE(0, self->fd);
	}
	EXPECT_TRUE(uled_gets(self->fd, 1000));
	EXPECT_TRUE(led_is_borrowed(LED));
}

TEST_F(uled, can_go_while_the_session_ends)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, led_write(LED, "trigger", "none"));
		ASSERT_EQ(0, led_write(ID, "hold_ms", "60000"));
		ASSERT_EQ(0, led_write(ID, "brightness", "1"));
		EXPECT_TRUE(wait_until(led_is_borrowed(LED)));
		ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
		usleep(i * 2000);
		close(self->fd);
		self->fd = uled_new(LED, 1000);
		ASSERT_LE(0, self->fd);
		EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
		EXPECT_FALSE(led_is_borrowed(LED));
	}
}

TEST_F(uled, of_the_longest_name_is_found)
{
	char name[LED_MAX_NAME_SIZE];
	int fd;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fd = uled_new(name, 7);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, led_write(ID, "leds", name));
	EXPECT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(uled_gets(fd, 7));
	close(fd);
}

TEST_F(uled, called_identify_is_another_led_when_it_comes_later)
{
	int fd = uled_new("identify", 5);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(led_exists("identify_1"));
	EXPECT_STREQ("255", led_read(ID, "max_brightness"));
	EXPECT_EQ(0, led_write(ID, "leds", "identify_1"));
	EXPECT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(uled_gets(fd, 5));
	close(fd);
}

/* A level that is written while an LED blinks shows up when it lights up next. */
FIXTURE(timer) {
	int fd;
};

FIXTURE_VARIANT(timer) {
	int edges;
};

FIXTURE_VARIANT_ADD(timer, just_written) { .edges = 0 };
FIXTURE_VARIANT_ADD(timer, just_lit) { .edges = 1 };
FIXTURE_VARIANT_ADD(timer, just_off) { .edges = 2 };
FIXTURE_VARIANT_ADD(timer, known_for_long) { .edges = 5 };

FIXTURE_SETUP(timer)
{
	self->fd = uled_new(LED, 1000);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, led_load("leds=" LED " hold_ms=60000"));
}

FIXTURE_TEARDOWN(timer)
{
	led_unload();
	close(self->fd);
}

TEST_F(timer, level_comes_back)
{
	static const char * const files[] = { "trigger", "delay_on", "delay_off", NULL };
	int i, level;

	if (!led_use_trigger(LED, "timer"))
		SKIP(return, "no trigger timer");
	ASSERT_EQ(0, led_write(LED, "delay_on", "60"));
	ASSERT_EQ(0, led_write(LED, "delay_off", "70"));
	ASSERT_EQ(0, led_write(LED, "brightness", "300"));
	for (i = 0; i < variant->edges; i++)
		EXPECT_TRUE(uled_gets(self->fd, i % 2 ? 0 : 300));
	EXPECT_TRUE(session_restores(files));
	/* The first may still be from the session. */
	uled_next(self->fd, 20000);
	for (i = 0; i < 6; i++) {
		level = uled_next(self->fd, 20000);
		EXPECT_TRUE(level == 0 || level == 300)
			TH_LOG("level %d", level);
	}
}

TEST(module_is_refused_while_another_led_is_called_identify)
{
	int fd = uled_new("identify", 5), log = log_open();

	ASSERT_LE(0, fd);
	EXPECT_NE(0, led_load(""));
	EXPECT_EQ(1, log_count(log, "leds_identify: "));
	EXPECT_FALSE(led_exists("identify_1"));
	EXPECT_STREQ("5", led_read(ID, "max_brightness"));
	EXPECT_NE(0, access("/sys/module/leds_identify", F_OK));
	EXPECT_NE(0, run_modprobe("leds-identify"))
		TH_LOG("modprobe takes this error for success");

	close(fd);
	EXPECT_EQ(0, led_load(""));
	EXPECT_STREQ("255", led_read(ID, "max_brightness"));
	EXPECT_EQ(0, led_unload());
	close(log);
}

static const char *no_uleds(void)
{
	run_modprobe("-q uleds");

	return access("/dev/uleds", W_OK) ? "this kernel has no LEDs of user space (uleds)" : NULL;
}

int main(int argc, char **argv)
{
	led_test_begin(no_uleds);

	return test_harness_run(argc, argv);
}
