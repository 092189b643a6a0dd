// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file "active" wakes up who polls it, when a session begins and when
 * everything has been given back, and at no other time.
 */

#include <poll.h>

#include "../lib/led.h"

#include "kselftest_harness.h"

static int active_read(int fd)
{
	char value = 0;

	return pread(fd, &value, 1, 0) == 1 ? value - '0' : -errno;
}

static short active_poll(int fd, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLPRI };

	return poll(&pollfd, 1, ms) > 0 ? pollfd.revents & POLLPRI : 0;
}

FIXTURE(active) {
	int log;
	int fd;
};

FIXTURE_SETUP(active)
{
	self->log = log_open();
	ASSERT_EQ(0, led_session_reset(T1));
	self->fd = open(LEDS ID "/active", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, active_read(self->fd));
	ASSERT_FALSE(active_poll(self->fd, 0));
}

FIXTURE_TEARDOWN(active)
{
	close(self->fd);
	EXPECT_TRUE(led_session_end());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(active, wakes_up_for_what_is_written)
{
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_TRUE(active_poll(self->fd, 20000));
	EXPECT_EQ(1, active_read(self->fd));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));

	ASSERT_EQ(0, led_write(ID, "brightness", "0"));
	ASSERT_EQ(0, led_write(ID, "brightness", "1"));
	EXPECT_FALSE(active_poll(self->fd, 100));

	ASSERT_EQ(0, led_write(ID, "hold_ms", "10"));
	EXPECT_TRUE(active_poll(self->fd, 20000));
	EXPECT_EQ(0, active_read(self->fd));
	EXPECT_FALSE(led_is_borrowed(T1));
	EXPECT_FALSE(active_poll(self->fd, 100));
}

TEST_F(active, wakes_up_for_what_blinks_by_itself)
{
	ASSERT_EQ(0, led_write(ID, "blink_pattern", "10 10"));
	ASSERT_EQ(0, led_write(ID, "identify", "1"));
	EXPECT_TRUE(active_poll(self->fd, 20000));
	EXPECT_EQ(1, active_read(self->fd));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));

	EXPECT_TRUE(active_poll(self->fd, 20000));
	EXPECT_EQ(0, active_read(self->fd));
	EXPECT_FALSE(led_is_borrowed(T1));
}

TEST_F(active, wakes_up_for_a_session_without_targets)
{
	ASSERT_EQ(0, led_write(ID, "leds", "no-such-led"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(active_poll(self->fd, 20000));
	EXPECT_EQ(1, active_read(self->fd));

	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_TRUE(active_poll(self->fd, 20000));
	EXPECT_EQ(0, active_read(self->fd));
}

TEST_F(active, sleeps_while_nothing_happens)
{
	EXPECT_EQ(0, led_write(ID, "brightness", "0"));
	EXPECT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_EQ(0, led_write(ID, "blink_pattern", "20 20"));
	EXPECT_EQ(0, led_write(ID, "hold_ms", "20"));
	EXPECT_EQ(0, led_write(ID, "leds", T1));
	EXPECT_FALSE(active_poll(self->fd, 100));
	EXPECT_EQ(0, active_read(self->fd));
}

TEST_F(active, does_not_keep_the_module_while_it_is_polled)
{
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(-ENODEV, active_read(self->fd));
	EXPECT_FALSE(led_exists(ID));
	EXPECT_FALSE(led_is_borrowed(T1));
}

int main(int argc, char **argv)
{
	led_test_begin(NULL);

	return test_harness_run(argc, argv);
}
