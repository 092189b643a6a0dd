// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device tree says: of the RTCs that it names one is nowhere, one is no
 * RTC and one is the second of ours. The driver of the memory is a module, and what
 * the memory holds is what an earlier test has left there.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

#define LATER	(RIGHT + 86400)
#define FLOOR	1830297600LL
#define YEAR	31556952LL
#define MEMORY	"/sys/bus/platform/drivers/memory-fake/"
#define SEED_DRIVER	"/sys/bus/platform/drivers/rtc-seed/"
#define AUTOPROBE	"/sys/bus/platform/drivers_autoprobe"
#define FAILS	"/sys/module/memory_fake/parameters/"

FIXTURE(tree) {
	int log;
};

FIXTURE_VARIANT(tree) {
	int first;
};

FIXTURE_VARIANT_ADD(tree, first_0) {
	.first = 0,
};

FIXTURE_VARIANT_ADD(tree, first_1) {
	.first = 1,
};

FIXTURE_SETUP(tree)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
}

FIXTURE_TEARDOWN(tree)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(tree, preferred_rtc_is_believed)
{
	ASSERT_EQ(0, fake_plug(variant->first, variant->first ? RIGHT : LATER));
	ASSERT_EQ(0, clock_set_1970());
	ASSERT_EQ(0, seed_load("wait=8"));
	ASSERT_EQ(0, fake_plug(!variant->first, variant->first ? LATER : RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_TRUE(clock_is(fake_read(1, "time")));
	EXPECT_TRUE(holds_for(9000, clock_sec() < LATER));
	EXPECT_EQ(2, log_count_any(self->log, (const char *const []){
		"rtcs: no node at entry 0", "pl061@9030000: is no RTC", NULL }));
}

/* As with an overlay, which is leaked if a node of it is held when it goes. */
FIXTURE(overlay) {
	int log;
};

FIXTURE_VARIANT(overlay) {
	const char *without;
};

FIXTURE_VARIANT_ADD(overlay, with_the_node) {
	.without = "tree-change detach=1 node=/rtc-seed",
};

FIXTURE_VARIANT_ADD(overlay, with_a_preferred_rtc) {
	.without = "tree-change detach=1 node=/rtc-fake-1",
};

FIXTURE_SETUP(overlay)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
}

FIXTURE_TEARDOWN(overlay)
{
	EXPECT_EQ(0, file_write(AUTOPROBE, "1"));
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(overlay, that_goes_is_let_go)
{
	int held;

	ASSERT_EQ(0, run_modprobe(variant->without));
	held = tree_held();
	EXPECT_EQ(0, run_modprobe("-r tree-change"));

	ASSERT_EQ(0, seed_load("wait=8"));
	ASSERT_EQ(0, run_modprobe(variant->without));
	EXPECT_TRUE(wait_until(tree_held() == held));
	ASSERT_EQ(0, fake_plug(0, RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(0))));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
}

/* Whether or not a driver is bound to its device. */
TEST_F(overlay, that_comes_is_used)
{
	ASSERT_EQ(0, run_modprobe(variant->without));
	ASSERT_EQ(0, seed_load("wait=8"));
	ASSERT_EQ(0, file_write(AUTOPROBE, "0"));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
	ASSERT_EQ(0, file_write(AUTOPROBE, "1"));
	ASSERT_EQ(0, fake_plug(0, LATER));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_LT(clock_sec(), LATER);
}

TEST_F(tree, is_read_again_when_it_says_another_floor)
{
	char arguments[128];

	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
	ASSERT_EQ(0, seed_load(""));
	EXPECT_EQ(FLOOR, seed_number("floor"));
	snprintf(arguments, sizeof(arguments),
		 "tree-change node=/rtc-seed property=balena,floor-sec cell=%lld", RIGHT);
	ASSERT_EQ(0, run_modprobe(arguments));
	EXPECT_EQ(RIGHT, seed_number("floor"));
	EXPECT_TRUE(wait_until(clock_is(RIGHT)));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
	EXPECT_EQ(RIGHT, seed_number("floor"));
}

FIXTURE(memory) {
	int log;
};

static int memory_bind(bool bind)
{
	return file_write(bind ? MEMORY "bind" : MEMORY "unbind", "memory-fake");
}

/* A memory that holds a time, and is not there yet. */
FIXTURE_SETUP(memory)
{
	self->log = log_open();
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, run_modprobe("memory-fake"));
	memory_bind(true);
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	ASSERT_TRUE(wait_until(atoi(file_read(FAILS "writes")) > 0));
	ASSERT_EQ(0, clock_reset());
	ASSERT_EQ(0, memory_bind(false));
	ASSERT_EQ(0, file_write(FAILS "writes", "0"));
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_EQ(0, clock_reset());
	EXPECT_EQ(0, run_modprobe("-r memory-fake"));
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(memory, is_not_waited_for)
{
	ASSERT_EQ(0, seed_load("wait=8"));
	EXPECT_EQ(FLOOR, seed_number("floor"));
	EXPECT_TRUE(clock_is(FLOOR));
	ASSERT_EQ(0, fake_plug(0, LATER));
	ASSERT_EQ(0, fake_plug(1, RIGHT));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_LT(clock_sec(), LATER);
}

TEST_F(memory, that_comes_late_is_the_floor)
{
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(seed_reads("source", "floor"));
	ASSERT_EQ(0, memory_bind(true));
	EXPECT_TRUE(wait_until(seed_reads("source", "memory")));
	EXPECT_GE(seed_number("floor"), RIGHT);
	EXPECT_EQ(seed_number("floor") + 20 * YEAR, seed_number("ceiling"));
	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_LT(clock_sec(), RIGHT + 600);
}

TEST_F(memory, that_cannot_be_read_is_read_later)
{
	ASSERT_EQ(0, file_write(FAILS "read_error", "-5"));
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_EQ(0, clock_set(LATER));
	ASSERT_TRUE(wait_until(seed_reads("source", "other")));
	EXPECT_TRUE(holds_for(4000, seed_reads("source", "other")));
	EXPECT_EQ(1, log_count(self->log, "memory: cannot be read: error -5"));
	/* What it holds is not known: it may be later. */
	EXPECT_EQ(0, atoi(file_read(FAILS "writes")));
	ASSERT_EQ(0, file_write(FAILS "read_error", "0"));
	EXPECT_TRUE(wait_until(seed_number("floor") >= RIGHT));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 1));
}

TEST_F(memory, that_cannot_be_written_is_told)
{
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	ASSERT_EQ(0, file_write(FAILS "write_error", "-5"));
	ASSERT_EQ(0, clock_set(LATER));
	EXPECT_TRUE(wait_until(log_count(self->log, "memory: cannot be written: error -5")));
	EXPECT_TRUE(clock_is(LATER));
	ASSERT_EQ(0, file_write(FAILS "write_error", "0"));
}

/* The preferences of the node stay, and so does the module. */
TEST_F(memory, that_goes_is_let_go)
{
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1 wait=3"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	ASSERT_EQ(0, memory_bind(false));
	ASSERT_EQ(0, clock_set(LATER));
	EXPECT_TRUE(holds_for(2500, clock_sec() >= LATER));
	EXPECT_EQ(0, atoi(file_read(FAILS "writes")));
	ASSERT_EQ(0, fake_plug(0, LATER + 86400));
	ASSERT_EQ(0, fake_plug(1, LATER + 3600));
	EXPECT_TRUE(wait_until(seed_reads("source", fake_name(1))));
	EXPECT_LT(clock_sec(), LATER + 86400);
}

static int seed_bind(bool bind)
{
	return file_write(bind ? SEED_DRIVER "bind" : SEED_DRIVER "unbind", "rtc-seed");
}

/* Another one has come, which is new: what the first held says nothing of it. */
TEST_F(memory, that_holds_no_time_is_written)
{
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	EXPECT_TRUE(holds_for(2000, !atoi(file_read(FAILS "writes"))));
	ASSERT_EQ(0, seed_bind(false));
	ASSERT_EQ(0, file_write(FAILS "blank", "Y"));
	ASSERT_EQ(0, seed_bind(true));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 1));
}

/* The time that was saved was wrong: who knows better sets the clock back. */
TEST_F(memory, that_was_ahead_is_put_right)
{
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	/* Not by a time that was not plausible before. */
	ASSERT_EQ(0, clock_set(FLOOR - 86400));
	EXPECT_TRUE(holds_for(1500, seed_number("floor") >= RIGHT));
	ASSERT_EQ(0, fake_plug(1, RIGHT - 86400));
	ASSERT_TRUE(wait_until(seed_number("rejected_past") == 1));
	ASSERT_EQ(0, clock_set(RIGHT - 3600));
	EXPECT_TRUE(wait_until(seed_number("floor") == FLOOR));
	EXPECT_EQ(FLOOR + 20 * YEAR, seed_number("ceiling"));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 1));
	EXPECT_EQ(1, log_count(self->log, "memory: was ahead"));
	ASSERT_EQ(0, fake_write(1, "time", RIGHT - 7200));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_TRUE(wait_until(seed_number("written_back") == 1));
	EXPECT_EQ(1, seed_number("rejected_past"));
	EXPECT_EQ(1, atoi(file_read(FAILS "writes")));
}

/* What somebody has asked for meanwhile holds. */
TEST_F(memory, that_was_ahead_leaves_the_floor_of_others)
{
	char text[32];

	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	snprintf(text, sizeof(text), "%lld", RIGHT - 7200);
	ASSERT_EQ(0, seed_write("floor", text));
	EXPECT_GE(seed_number("floor"), RIGHT);
	ASSERT_EQ(0, clock_set(RIGHT - 86400));
	EXPECT_TRUE(holds_for(2500, seed_number("floor") >= RIGHT));
	ASSERT_EQ(0, clock_set(RIGHT - 3600));
	EXPECT_TRUE(wait_until(seed_number("floor") == RIGHT - 7200));
	snprintf(text, sizeof(text), "%lld", LATER);
	ASSERT_EQ(0, seed_write("floor", text));
	ASSERT_EQ(0, clock_set(RIGHT));
	EXPECT_TRUE(holds_for(2500, seed_number("floor") == LATER));
}

/* By itself once an hour, and not sooner: an EEPROM takes only so many writes. */
TEST_F(memory, is_written_hourly)
{
	long long held;

	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	held = seed_number("floor");
	ASSERT_EQ(0, clock_set(held + 3500));
	EXPECT_TRUE(holds_for(2500, !atoi(file_read(FAILS "writes"))));
	ASSERT_EQ(0, clock_set(held + 3600));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 1));
	ASSERT_EQ(0, clock_set(held + 3600 + 3500));
	EXPECT_TRUE(holds_for(2500, atoi(file_read(FAILS "writes")) == 1));
	ASSERT_EQ(0, clock_set(held + 3600 + 3660));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 2));
}

/* By a mistake, after NTP: how long its proof holds does not matter. */
TEST_F(memory, that_was_written_ahead_is_put_right)
{
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_TRUE(wait_until(seed_reads("source", "memory")));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	ASSERT_EQ(0, clock_set(LATER));
	ASSERT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 1));
	ASSERT_EQ(0, clock_set(RIGHT + 600));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 2));
	ASSERT_EQ(0, seed_unload());
	ASSERT_EQ(0, seed_load(""));
	EXPECT_LT(seed_number("floor"), LATER);
}

/* These are last, as a slew cannot be undone. The rate of a last run proves nothing. */
TEST_F(memory, is_not_doubted_for_a_rate)
{
	ASSERT_EQ(0, clock_set(FLOOR + 86400));
	ASSERT_EQ(0, clock_set_rate(100));
	sleep(2);
	ASSERT_EQ(0, memory_bind(true));
	ASSERT_EQ(0, seed_load("interval=1"));
	EXPECT_TRUE(seed_reads("state", "disciplined"));
	EXPECT_TRUE(wait_until(seed_number("floor") >= RIGHT));
	EXPECT_TRUE(holds_for(3000, seed_number("floor") >= RIGHT));
	EXPECT_EQ(0, atoi(file_read(FAILS "writes")));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	EXPECT_TRUE(wait_until(seed_number("floor") == FLOOR));
	EXPECT_TRUE(wait_until(atoi(file_read(FAILS "writes")) == 1));
}

/* Nor does it make a time right that is before the floor of the tree. */
TEST_F(memory, leaves_a_slewed_clock_to_the_floor)
{
	ASSERT_EQ(0, clock_set(FLOOR - 86400));
	ASSERT_EQ(0, clock_set_rate(100));
	sleep(2);
	ASSERT_EQ(0, seed_load(""));
	EXPECT_TRUE(clock_is(FLOOR));
	EXPECT_FALSE(seed_reads("state", "disciplined"));
}

int main(int argc, char **argv)
{
	if (access(OF_NODE "/rtcs", F_OK) || !access(OF_NODE "-again", F_OK))
		ksft_exit_skip("the device tree has no such node\n");
	clock_test_begin();

	return test_harness_run(argc, argv);
}
