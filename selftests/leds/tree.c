// SPDX-License-Identifier: GPL-2.0-only
/*
 * Targets from the device tree: nodes that are compatible with balena,identify.
 */

#include <glob.h>

#include "../lib/led.h"

#include "kselftest_harness.h"

#define DEVICES	"/sys/bus/platform/devices/"
#define BASE	"/sys/firmware/devicetree/base"

static int count;
static char nodes[8][PATH_MAX];

/* Nodes that could be used. */
static const char *find_nodes(void)
{
	char compatible[128], node[PATH_MAX];
	unsigned int i;
	ssize_t len;
	glob_t found;
	int fd;

	if (glob(DEVICES "*/of_node/compatible", 0, NULL, &found))
		return "this machine has no device tree";
	for (i = 0; i < found.gl_pathc; i++) {
		fd = open(found.gl_pathv[i], O_RDONLY);
		len = read(fd, compatible, sizeof(compatible) - 1);
		close(fd);
		compatible[len > 0 ? len : 0] = '\0';
		if (strcmp(compatible, "balena,identify") || count == ARRAY_SIZE(nodes))
			continue;
		*strrchr(found.gl_pathv[i], '/') = '\0';
		if (realpath(found.gl_pathv[i], node))
			snprintf(nodes[count++], sizeof(nodes[0]), "%s", node + strlen(BASE));
	}
	globfree(&found);

	return count ? NULL : "the device tree has no identify node";
}

/* Which LEDs are borrowed, a bit each. */
static unsigned int borrowed(void)
{
	unsigned int i, all = 0;

	for (i = 0; led_target(i); i++)
		all |= led_is_borrowed(led_target(i)) << i;

	return all;
}

FIXTURE(tree) {
	char leds[4096];
	int log;
};

FIXTURE_SETUP(tree)
{
	self->log = log_open();
	ASSERT_EQ(0, led_reload(""));
	memcpy(self->leds, led_read(ID, "leds"), sizeof(self->leds));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	ASSERT_TRUE(wait_until(borrowed()));
}

FIXTURE_TEARDOWN(tree)
{
	EXPECT_EQ(0, led_unload());
	EXPECT_FALSE(borrowed());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(tree, names_the_targets)
{
	EXPECT_STRNE("", self->leds);
}

TEST_F(tree, gives_way_to_the_user)
{
	ASSERT_EQ(0, led_write(ID, "leds", "no-such-led"));
	EXPECT_STREQ("no-such-led", led_read(ID, "leds"));
	EXPECT_FALSE(borrowed());
	ASSERT_EQ(0, led_write(ID, "leds", "\t\n"));
	EXPECT_STREQ(self->leds, led_read(ID, "leds"));
	EXPECT_TRUE(borrowed());
}

TEST_F(tree, can_be_read_and_written_back)
{
	unsigned int before = borrowed();

	ASSERT_EQ(0, led_write(ID, "leds", "no-such-led"));
	EXPECT_EQ(0, borrowed());
	ASSERT_EQ(0, led_write(ID, "leds", self->leds));
	EXPECT_STREQ(self->leds, led_read(ID, "leds"));
	EXPECT_EQ(before, borrowed());
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	EXPECT_EQ(0, borrowed());
	ASSERT_EQ(0, led_reload(self->leds));
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(borrowed() == before));
}

TEST_F(tree, gives_way_to_the_parameter)
{
	ASSERT_EQ(0, led_reload("no-such-led"));
	EXPECT_STREQ("no-such-led", led_read(ID, "leds"));
	ASSERT_EQ(0, led_write(ID, "leds", ""));
	ASSERT_EQ(0, led_write(ID, "leds", "\n"));
	EXPECT_STREQ(self->leds, led_read(ID, "leds"));
}

TEST_F(tree, has_one_node_in_force)
{
	if (count < 2)
		SKIP(return, "the device tree has only one identify node");
	EXPECT_EQ(count - 1, log_count(self->log, "another node names the LEDs already"));
}

/* Each goes and comes back in turn: the one in force, and what took over from it. */
TEST_F(tree, has_another_node_take_over)
{
	char arguments[PATH_MAX + 32];
	int i, taken = 0;

	if (count < 2)
		SKIP(return, "the device tree has only one identify node");
	if (!tree_can_change())
		SKIP(return, "this kernel cannot change its device tree");
	for (i = 0; i < count; i++) {
		snprintf(arguments, sizeof(arguments), "tree-change node=%s", nodes[i]);
		ASSERT_EQ(0, run_modprobe(arguments));
		taken += !led_reads(ID, "leds", self->leds);
		EXPECT_STRNE("", led_read(ID, "leds"));
		EXPECT_TRUE(wait_until(borrowed()));
		EXPECT_EQ(0, run_modprobe("-r tree-change"));
	}
	EXPECT_LT(0, taken);
}

int main(int argc, char **argv)
{
	led_test_begin(find_nodes);

	return test_harness_run(argc, argv);
}
