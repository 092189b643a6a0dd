// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two RTCs: which of them is believed, in which order they may come, and what
 * happens when the chosen one goes.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

#define LATER	(RIGHT + 86400)

FIXTURE(several) {
	int log;
};

FIXTURE_VARIANT(several) {
	int first;
};

FIXTURE_VARIANT_ADD(several, first_0) {
	.first = 0,
};

FIXTURE_VARIANT_ADD(several, first_1) {
	.first = 1,
};

FIXTURE_SETUP(several)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
}

FIXTURE_TEARDOWN(several)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static int plug_both(int first, long long time0, long long time1)
{
	return fake_plug(first, first ? time1 : time0) ?:
	       fake_plug(!first, first ? time0 : time1);
}

TEST_F(several, dead_and_good)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, plug_both(variant->first, Y2000, RIGHT));
	EXPECT_TRUE(wait_until(clock_is(RIGHT)));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= RIGHT));
}

TEST_F(several, dead_and_good_before_the_module)
{
	ASSERT_EQ(0, plug_both(variant->first, Y2000, RIGHT));
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(clock_is(RIGHT));
	EXPECT_TRUE(seed_reads("source", fake_name(1)));
}

TEST_F(several, latest_is_believed)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, plug_both(variant->first, RIGHT, LATER));
	EXPECT_TRUE(wait_until(clock_is(LATER)));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
}

/* Of two that are named it is the first, though the second one is later. */
TEST_F(several, preferred_by_name_is_believed)
{
	static const char names[] = "rtc=rtc-fake.9,rtc-fake.0,rtc-fake.1 wait=5";

	ASSERT_EQ(0, seed_load(names));
	ASSERT_EQ(0, fake_plug(variant->first, variant->first ? LATER : RIGHT));
	/* The kernel itself may take the time of the first one. */
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, seed_load(names));
	ASSERT_EQ(0, fake_plug(!variant->first, variant->first ? RIGHT : LATER));
	EXPECT_TRUE(holds_for(1000, clock_sec() < LATER));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(0))));
	EXPECT_LT(clock_sec(), RIGHT + 60);
	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_TRUE(holds_for(6000, clock_sec() < LATER));
}

/* The names of an RTC, of its device and of its driver: none is waited for in vain. */
TEST_F(several, preferred_by_each_name_is_believed)
{
	char names[64];

	ASSERT_EQ(0, plug_both(variant->first, RIGHT, LATER));
	ASSERT_EQ(0, clock_set_1970());
	snprintf(names, sizeof(names), "rtc=%s wait=600", fake_name(0));
	ASSERT_EQ(0, seed_load(names));
	EXPECT_TRUE(seed_reads("source", fake_name(0)));
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load("rtc=rtc-fake.0 wait=600"));
	EXPECT_TRUE(seed_reads("source", fake_name(0)));
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load("rtc=rtc-fake wait=600"));
	EXPECT_TRUE(seed_reads("source", fake_name(1)));
}

TEST_F(several, preferred_by_name_is_passed_over_when_dead)
{
	ASSERT_EQ(0, seed_load("rtc=rtc-fake.0"));
	ASSERT_EQ(0, plug_both(variant->first, Y2000, RIGHT));
	EXPECT_TRUE(wait_until(clock_is(RIGHT)));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
}

TEST_F(several, preferred_by_name_is_not_waited_for_for_ever)
{
	ASSERT_EQ(0, plug_both(variant->first, Y2000, RIGHT));
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load("rtc=rtc7 wait=3"));
	EXPECT_TRUE(clock_is(seed_number("floor")));
	EXPECT_TRUE(wait_until(clock_is(RIGHT + 3)));
	EXPECT_EQ(1, log_count(self->log, "rtc7: is no RTC"));
}

/* One whose number was free again is rtc0, which the kernel believes. */
TEST_F(several, preferred_is_not_overruled_by_the_kernel)
{
	ASSERT_EQ(0, seed_load("rtc=rtc-fake.1 wait=3"));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	ASSERT_EQ(0, fake_unplug(0));
	ASSERT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	ASSERT_EQ(0, fake_plug(0, LATER));
	ASSERT_TRUE(wait_until(clock_sec() < LATER));
	EXPECT_TRUE(holds_for(4000, clock_sec() < LATER));
	EXPECT_TRUE(seed_reads("source", fake_name(1)));
}

TEST_F(several, preferred_is_waited_for_whatever_the_kernel_does)
{
	ASSERT_EQ(0, seed_load("rtc=rtc-fake.1 wait=10"));
	ASSERT_EQ(0, fake_plug(0, LATER));
	ASSERT_TRUE(wait_until(clock_sec() < LATER));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_TRUE(holds_for(11000, clock_sec() < LATER));
}

TEST_F(several, the_chosen_one_goes)
{
	ASSERT_EQ(0, seed_load(""));
	ASSERT_EQ(0, plug_both(variant->first, RIGHT, RIGHT + 3));
	ASSERT_TRUE(wait_until(clock_is(RIGHT + 3)));
	ASSERT_EQ(0, fake_unplug(1));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= RIGHT + 3));
	EXPECT_TRUE(seed_reads("state", "seeded"));
	ASSERT_EQ(0, fake_plug(1, LATER));
	EXPECT_TRUE(wait_until(clock_is(LATER)));
}

/* It is looked at only after the kernel has set the clock from it. */
TEST_F(several, the_kernel_takes_a_later_one)
{
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_EQ(0, fake_plug(0, Y2000));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	ASSERT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	ASSERT_EQ(0, fake_unplug(0));
	ASSERT_EQ(0, fake_write(1, "delay", 1000));
	ASSERT_EQ(0, fake_write(1, "reads", 0));
	ASSERT_TRUE(wait_until(fake_read(1, "reads") > 0));
	ASSERT_EQ(0, fake_plug(0, LATER));
	EXPECT_TRUE(wait_until(clock_is(LATER)));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(0))));
	EXPECT_TRUE(seed_reads("state", "seeded"));
}

/* The driver of an RTC can be unloaded: nobody keeps it busy. */
TEST_F(several, drivers_can_be_unloaded)
{
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_EQ(0, plug_both(variant->first, Y2000, RIGHT));
	ASSERT_TRUE(wait_until(clock_is(RIGHT)));
	EXPECT_EQ(0, syscall(SYS_delete_module, "rtc_fake", O_NONBLOCK));
	EXPECT_TRUE(holds_for(1500, clock_sec() >= RIGHT));
	ASSERT_EQ(0, run_modprobe("rtc-fake"));
}

int main(int argc, char **argv)
{
	clock_test_begin();

	return test_harness_run(argc, argv);
}
