// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device tree with a node for each thing that can be wrong, and one that is right:
 * each of the former is refused with its reason, and the latter is used.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

#define RIGHT	"identify-right"
#define WHITE	"/no-leds/led-1"
#define TARGETS	"&led-0 &led-0 &led-1 &pack-led &led,3 &led-2"
#define RED	"pack:red:user"
#define BLUE	"pack:blue:user"

FIXTURE(odd_tree) {
	int log;
};

FIXTURE_VARIANT(odd_tree) {
	const char *line;
};

FIXTURE_VARIANT_ADD(odd_tree, names_no_led) {
	.line = "neither leds nor linux,led-names",
};

FIXTURE_VARIANT_ADD(odd_tree, names_no_node) {
	.line = "leds: no node at entry 1",
};

FIXTURE_VARIANT_ADD(odd_tree, has_half_a_phandle) {
	.line = "leds: cannot be counted",
};

FIXTURE_VARIANT_ADD(odd_tree, has_no_string) {
	.line = "linux,led-names: cannot be counted",
};

FIXTURE_VARIANT_ADD(odd_tree, has_an_empty_name) {
	.line = "linux,led-names: entry 1 is not a name",
};

FIXTURE_VARIANT_ADD(odd_tree, has_two_names_in_one) {
	.line = "linux,led-names: entry 0 is not a name",
};

FIXTURE_VARIANT_ADD(odd_tree, fills_a_page) {
	.line = "too many names",
};

FIXTURE_VARIANT_ADD(odd_tree, has_17_targets) {
	.line = "&led-0: there are more than 16 targets",
};

FIXTURE_VARIANT_ADD(odd_tree, names_itself) {
	.line = "pack:red:user,identify: the identify LED cannot be its own target",
};

FIXTURE_SETUP(odd_tree)
{
	self->log = log_open();
	ASSERT_EQ(0, led_reload(""));
}

FIXTURE_TEARDOWN(odd_tree)
{
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(odd_tree, is_told_and_refused)
{
	EXPECT_EQ(1, log_count(self->log, variant->line));
}

FIXTURE(right_node) {
	int log;
};

FIXTURE_SETUP(right_node)
{
	self->log = log_open();
	ASSERT_EQ(0, led_reload(""));
}

FIXTURE_TEARDOWN(right_node)
{
	EXPECT_EQ(0, led_unload());
	EXPECT_FALSE(led_is_borrowed(RED));
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(right_node, is_used_beside_them)
{
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED) && led_is_borrowed(BLUE)));
	EXPECT_TRUE(led_changes(RED, 4));
}

TEST_F(right_node, can_be_written_back_where_names_are_the_same)
{
	ASSERT_EQ(0, led_write(ID, "leds", TARGETS));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED) && led_is_borrowed(BLUE)));
	ASSERT_EQ(0, led_write(ID, "leds", "no-such-led,&led-0"));
	EXPECT_TRUE(led_is_borrowed(RED));
	EXPECT_FALSE(led_is_borrowed(BLUE));
	ASSERT_EQ(0, led_write(ID, "leds", "&led-9"));
	EXPECT_FALSE(led_is_borrowed(RED));
}

/* A device that is bound goes with the driver of any node that it names (fw_devlink). */
TEST_F(right_node, keeps_a_target_when_the_driver_of_another_goes)
{
	char device[PATH_MAX], driver[PATH_MAX], unbind[PATH_MAX], bind[PATH_MAX];

	ASSERT_TRUE(led_device(BLUE, "", device) && led_device(BLUE, "/driver", driver));
	snprintf(unbind, sizeof(unbind), "%.4000s/unbind", driver);
	snprintf(bind, sizeof(bind), "%.4000s/bind", driver);
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED) && led_is_borrowed(BLUE)));
	ASSERT_EQ(0, file_write(unbind, strrchr(device, '/') + 1));
	EXPECT_FALSE(led_exists(BLUE));
	EXPECT_TRUE(holds_for(200, led_is_borrowed(RED)));
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
	ASSERT_EQ(0, file_write(bind, strrchr(device, '/') + 1));
	EXPECT_TRUE(wait_until(led_is_borrowed(BLUE)));
	EXPECT_TRUE(led_is_borrowed(RED));
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
}

TEST_F(right_node, is_read_again_when_it_names_another)
{
	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED)));
	ASSERT_EQ(0, run_modprobe("led-fake"));
	ASSERT_EQ(0, run_modprobe("tree-change node=/" RIGHT
				  " property=linux,led-names value=pack:fake:test"));
	EXPECT_STREQ(TARGETS " pack:fake:test", led_read(ID, "leds"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED) && led_is_borrowed("pack:fake:test")));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
	EXPECT_EQ(0, run_modprobe("-r led-fake"));
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED) && led_is_borrowed(BLUE)));
}

TEST_F(right_node, is_used_again_when_it_is_right_again)
{
	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
	ASSERT_EQ(0, run_modprobe("tree-change node=/" RIGHT " property=linux,led-names value="));
	EXPECT_STREQ("", led_read(ID, "leds"));
	EXPECT_EQ(1, log_count(self->log, RIGHT ": linux,led-names: entry 0 is not a name"));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
}

/* As with an overlay. */
TEST_F(right_node, can_come_and_go_in_mid_blink)
{
	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED)));
	ASSERT_EQ(0, run_modprobe("tree-change node=/" RIGHT));
	EXPECT_STREQ("", led_read(ID, "leds"));
	EXPECT_FALSE(led_is_borrowed(RED));
	EXPECT_STREQ("1", led_read(ID, "active"));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED) && led_is_borrowed(BLUE)));
}

/* An overlay whose node is held when it goes is leaked. */
TEST_F(right_node, does_not_hold_a_target_that_goes)
{
	int held;

	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
	ASSERT_EQ(0, led_unload());
	ASSERT_EQ(0, run_modprobe("tree-change node=" WHITE " detach=1"));
	held = tree_held();
	EXPECT_EQ(0, run_modprobe("-r tree-change"));

	ASSERT_EQ(0, led_load(""));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_EQ(0, run_modprobe("tree-change node=" WHITE " detach=1"));
	EXPECT_EQ(held, tree_held());
	ASSERT_EQ(0, run_modprobe("led-fake name=pack:white:test"));
	EXPECT_TRUE(wait_until(led_is_borrowed(RED)));
	EXPECT_TRUE(holds_for(500, !led_is_borrowed("pack:white:test")));
	EXPECT_STREQ(TARGETS, led_read(ID, "leds"));
	EXPECT_EQ(0, run_modprobe("-r tree-change"));
	EXPECT_TRUE(wait_until(led_is_borrowed("pack:white:test")));
	EXPECT_EQ(0, run_modprobe("-r led-fake"));
}

/* By its label, or by the name of the node. */
TEST_F(right_node, names_leds_that_tell_no_node)
{
	static const char * const names[] = { "pack:white:test", "pack-led", "led,3" };
	char arguments[64];
	unsigned int i;

	if (run_modprobe("-D led-fake"))
		SKIP(return, "this machine has no module led-fake");
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(arguments, sizeof(arguments), "led-fake name=%s", names[i]);
		EXPECT_EQ(0, run_modprobe(arguments));
		EXPECT_TRUE(wait_until(led_is_borrowed(names[i])));
		EXPECT_EQ(0, run_modprobe("-r led-fake"));
	}
}

int main(int argc, char **argv)
{
	if (access("/sys/bus/platform/devices/" RIGHT, F_OK))
		ksft_exit_skip("the device tree has no such nodes\n");
	led_test_begin(NULL);

	return test_harness_run(argc, argv);
}
