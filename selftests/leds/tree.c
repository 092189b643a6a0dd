// SPDX-License-Identifier: GPL-2.0-only
/*
 * Targets from the device tree: nodes that are compatible with balena,identify.
 */

#include <glob.h>

#include "../lib/led.h"

#include "kselftest_harness.h"

#define DEVICES	"/sys/bus/platform/devices/"
#define DRIVER	"/sys/bus/platform/drivers/leds-identify/"

static char nodes[8][NAME_MAX + 1];
static int count;

/* The platform devices that the driver could take. */
static const char *find_nodes(void)
{
	char compatible[128];
	unsigned int i;
	ssize_t len;
	glob_t found;
	int fd;

	if (glob(DEVICES "*/of_node/compatible", 0, NULL, &found))
		return "this machine has no device tree";
	for (i = 0; i < found.gl_pathc && count < 8; i++) {
		fd = open(found.gl_pathv[i], O_RDONLY);
		len = read(fd, compatible, sizeof(compatible) - 1);
		close(fd);
		compatible[len > 0 ? len : 0] = '\0';
		if (!strcmp(compatible, "balena,identify"))
			sscanf(found.gl_pathv[i], DEVICES "%255[^/]", nodes[count++]);
	}
	globfree(&found);

	return count ? NULL : "the device tree has no identify node";
}

static bool is_bound(const char *node)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVER "%s", node);

	return !access(path, F_OK);
}

static const char *bound_node(void)
{
	int i;

	for (i = 0; i < count; i++)
		if (is_bound(nodes[i]))
			return nodes[i];

	return NULL;
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
	const char *node;
	int log;
};

FIXTURE_SETUP(tree)
{
	self->log = log_open();
	ASSERT_EQ(0, led_reload(""));
	self->node = bound_node();
	ASSERT_TRUE(!!self->node);
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

	ASSERT_EQ(0, file_write(DRIVER "unbind", self->node));
	ASSERT_EQ(0, led_write(ID, "identify", "0"));
	ASSERT_EQ(0, file_write(DRIVER "bind", self->node));
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

TEST_F(tree, node_can_be_unbound_in_mid_blink)
{
	ASSERT_EQ(0, file_write(DRIVER "unbind", self->node));
	EXPECT_FALSE(borrowed());
	EXPECT_STREQ("", led_read(ID, "leds"));
	EXPECT_STREQ("1", led_read(ID, "active"));
	ASSERT_EQ(0, file_write(DRIVER "bind", self->node));
	EXPECT_STREQ(self->leds, led_read(ID, "leds"));
	EXPECT_TRUE(wait_until(borrowed()));
}

TEST_F(tree, has_one_node_in_force)
{
	int i, bound = 0;

	if (count < 2)
		SKIP(return, "the device tree has only one identify node");
	for (i = 0; i < count; i++)
		bound += is_bound(nodes[i]);
	EXPECT_EQ(1, bound);
	EXPECT_EQ(count - 1, log_count(self->log, "another node names the LEDs already"));
}

TEST_F(tree, other_node_can_be_bound_after_the_first)
{
	const char *other = self->node == nodes[0] ? nodes[1] : nodes[0];

	if (count < 2)
		SKIP(return, "the device tree has only one identify node");
	EXPECT_NE(0, file_write(DRIVER "bind", other));
	ASSERT_EQ(0, file_write(DRIVER "unbind", self->node));
	ASSERT_EQ(0, file_write(DRIVER "bind", other));
	EXPECT_STRNE(self->leds, led_read(ID, "leds"));
	EXPECT_TRUE(wait_until(borrowed()));
}

int main(int argc, char **argv)
{
	led_test_begin(find_nodes);

	return test_harness_run(argc, argv);
}
