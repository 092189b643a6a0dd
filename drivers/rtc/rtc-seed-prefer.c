// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: which RTC is wanted before others
 *
 * The nodes of the device tree come first, then the names of the parameter. All
 * of this needs seed_lock.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/string.h>

#define SEED_NAME_SIZE	32

static struct device_node *seed_nodes[SEED_MAX_WANTED];
static unsigned int seed_n_nodes;
static char seed_names[SEED_MAX_WANTED][SEED_NAME_SIZE];
static unsigned int seed_n_names;

/**
 * seed_prefer_names() - take over names, such as "rtc1,1-0068,rtc-ds1307"
 * @names: names of RTCs, of their devices or of these devices' drivers
 *
 * Return: 0 or a negative error code.
 */
int seed_prefer_names(const char *names)
{
	unsigned int n = 0;
	size_t len;

	while (*names) {
		len = strcspn(names, ",\n");
		if (n == SEED_MAX_WANTED)
			return -E2BIG;
		if (!len || len >= SEED_NAME_SIZE)
			return -EINVAL;
		memcpy(seed_names[n], names, len);
		seed_names[n++][len] = '\0';
		names += len;
		if (*names)
			names++;
	}
	seed_n_names = n;

	return 0;
}

/**
 * seed_prefer_nodes() - take over nodes
 * @nodes: the nodes of RTCs; they belong to the caller, who keeps them
 * @n: how many there are
 */
void seed_prefer_nodes(struct device_node **nodes, unsigned int n)
{
	memcpy(seed_nodes, nodes, n * sizeof(*nodes));
	seed_n_nodes = n;
}

static bool seed_has_name(struct device *rtc, const char *name)
{
	struct device *parent = rtc->parent;

	if (!strcmp(dev_name(rtc), name))
		return true;
	if (!parent)
		return false;

	return !strcmp(dev_name(parent), name) ||
	       !strcmp(dev_driver_string(parent), name);
}

/**
 * seed_prefer_rank() - tell how much an RTC is wanted
 * @rtc: the RTC, which cannot go away meanwhile
 *
 * Return: its rank: 0 is best, SEED_UNRANKED if it was not named.
 */
unsigned int seed_prefer_rank(struct device *rtc)
{
	struct device_node *np = rtc->of_node;
	unsigned int i;

	if (!np && rtc->parent)
		np = rtc->parent->of_node;

	for (i = 0; np && i < seed_n_nodes; i++)
		if (seed_nodes[i] == np)
			return i;

	for (i = 0; i < seed_n_names; i++)
		if (seed_has_name(rtc, seed_names[i]))
			return seed_n_nodes + i;

	return SEED_UNRANKED;
}

/**
 * seed_prefer_wanted() - tell how many RTCs are wanted
 *
 * Return: how many ranks there are.
 */
unsigned int seed_prefer_wanted(void)
{
	return seed_n_nodes + seed_n_names;
}

/**
 * seed_prefer_text() - say who has a rank
 * @rank: the rank
 *
 * Return: the name of an RTC or of a node.
 */
const char *seed_prefer_text(unsigned int rank)
{
	if (rank < seed_n_nodes)
		return kbasename(seed_nodes[rank]->full_name);

	return seed_names[rank - seed_n_nodes];
}
