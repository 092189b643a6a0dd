// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: what the device tree says
 *
 * The node is read as soon as the module is loaded: its device is probed only when
 * the memory that it names is there, which may be late, and RTCs do not wait.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/printk.h>

#define SEED_COMPATIBLE	"balena,rtc-seed"

/* These need seed_lock. */
static struct device_node *seed_of_node;
static struct device_node *seed_of_rtcs[SEED_MAX_WANTED];
static unsigned int seed_of_n_rtcs;

static void seed_of_drop_rtcs(void)
{
	seed_prefer_nodes(NULL, 0);
	while (seed_of_n_rtcs)
		of_node_put(seed_of_rtcs[--seed_of_n_rtcs]);
}

/* An entry that is wrong is told and left out: the others still count. */
static void seed_of_read_rtcs(bool again)
{
	int i, n = of_property_count_elems_of_size(seed_of_node, "rtcs",
						   sizeof(__be32));
	const char *name = kbasename(seed_of_node->full_name);
	struct device_node *np;

	for (i = 0; i < n && seed_of_n_rtcs < SEED_MAX_WANTED; i++) {
		np = of_parse_phandle(seed_of_node, "rtcs", i);
		if (np)
			seed_of_rtcs[seed_of_n_rtcs++] = np;
		else if (!again)
			pr_err("%s: rtcs: no node at entry %d\n", name, i);
	}
	if (i < n && !again)
		pr_err("%s: rtcs: more than %d entries\n", name,
		       SEED_MAX_WANTED);
	seed_prefer_nodes(seed_of_rtcs, seed_of_n_rtcs);
}

static void seed_of_read_floor(bool again)
{
	const char *name = kbasename(seed_of_node->full_name);
	const char *property = "balena,floor-sec";
	u32 floor;

	if (!of_find_property(seed_of_node, property, NULL))
		return;
	if (of_property_count_elems_of_size(seed_of_node, property,
					    sizeof(__be32)) != 1 ||
	    of_property_read_u32(seed_of_node, property, &floor)) {
		if (!again)
			pr_err("%s: %s: not one cell\n", name, property);
	} else if (seed_set_floor(floor) && !again) {
		pr_err("%s: %s: %u is after every plausible time\n", name,
		       property, floor);
	}
}

static void seed_of_release(void)
{
	seed_of_drop_rtcs();
	of_node_put(seed_of_node);
	seed_of_node = NULL;
}

static int seed_of_use(struct device_node *np)
{
	int ret = 0;

	mutex_lock(&seed_lock);
	if (of_node_check_flag(np, OF_DETACHED)) {
		ret = -ENODEV;
	} else if (!seed_of_node) {
		seed_of_node = of_node_get(np);
		seed_of_read_rtcs(false);
		seed_of_read_floor(false);
	} else if (seed_of_node != np) {
		ret = -EBUSY;
	}
	mutex_unlock(&seed_lock);

	return ret;
}

static void seed_of_look(void)
{
	struct device_node *np;

	for_each_compatible_node(np, NULL, SEED_COMPATIBLE)
		if (of_device_is_available(np))
			break;
	if (np)
		seed_of_use(np);
	of_node_put(np);
}

static void seed_of_read_again(void)
{
	mutex_lock(&seed_lock);
	if (seed_of_node && (of_node_check_flag(seed_of_node, OF_DETACHED) ||
			     !of_device_is_available(seed_of_node)))
		seed_of_release();
	if (seed_of_node) {
		seed_of_drop_rtcs();
		seed_of_read_rtcs(true);
		seed_of_read_floor(true);
	}
	mutex_unlock(&seed_lock);
}

/*
 * An overlay brings nodes or rewords one, and it is leaked if someone holds one of its
 * nodes when it goes. Whatever has changed, all is looked up again.
 */
static int seed_of_changed(struct notifier_block *nb, unsigned long action,
			   void *data)
{
	seed_of_read_again();
	seed_of_look();
	seed_kick();

	return NOTIFY_OK;
}

static struct notifier_block seed_of_nb = {
	.notifier_call = seed_of_changed,
};

/**
 * seed_of_find() - read the node that there is, or that comes
 */
void seed_of_find(void)
{
	of_reconfig_notifier_register(&seed_of_nb);
	seed_of_look();
}

/**
 * seed_of_drop() - let go of the node
 */
void seed_of_drop(void)
{
	of_reconfig_notifier_unregister(&seed_of_nb);
	mutex_lock(&seed_lock);
	seed_of_release();
	mutex_unlock(&seed_lock);
}

/* What the node says holds on without the memory. */
static void seed_of_drop_memory(void *unused)
{
	seed_memory_drop();
}

static int seed_of_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	int ret;

	ret = seed_of_use(dev->of_node);
	if (ret)
		return dev_err_probe(dev, ret, "there is another such node\n");

	seed_memory_use(dev);
	ret = devm_add_action_or_reset(dev, seed_of_drop_memory, NULL);
	if (ret)
		return ret;
	seed_kick();

	return 0;
}

static const struct of_device_id seed_of_match[] = {
	{ .compatible = SEED_COMPATIBLE },
	{ }
};
MODULE_DEVICE_TABLE(of, seed_of_match);

static struct platform_driver seed_of_driver = {
	.probe = seed_of_probe,
	.driver = {
		.name = SEED_NAME,
		.of_match_table = seed_of_match,
	},
};

/**
 * seed_of_register() - wait for the memory of the node, or for a node
 *
 * Return: 0 or a negative error code.
 */
int seed_of_register(void)
{
	return platform_driver_register(&seed_of_driver);
}

/**
 * seed_of_unregister() - wait for neither any more
 */
void seed_of_unregister(void)
{
	platform_driver_unregister(&seed_of_driver);
}
