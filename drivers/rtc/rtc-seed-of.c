// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: what the device tree says
 */

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>

struct seed_of {
	unsigned int n;
	struct device_node *nodes[SEED_MAX_WANTED];
};

static struct seed_of *seed_of_used;

static void seed_of_put(struct seed_of *of)
{
	unsigned int i;

	for (i = 0; i < of->n; i++)
		of_node_put(of->nodes[i]);
}

static void seed_of_drop(void *data)
{
	struct seed_of *of = data;

	mutex_lock(&seed_lock);
	seed_prefer_nodes(NULL, 0);
	seed_of_used = NULL;
	mutex_unlock(&seed_lock);
	seed_memory_drop();
	seed_of_put(of);
}

/* An entry that is wrong is told and left out: the others still count. */
static void seed_of_read_rtcs(struct device *dev, struct seed_of *of)
{
	int i, n = of_property_count_elems_of_size(dev->of_node, "rtcs",
						   sizeof(__be32));
	struct device_node *np;

	for (i = 0; i < n; i++) {
		if (of->n == SEED_MAX_WANTED) {
			dev_err(dev, "rtcs: more than %d entries\n",
				SEED_MAX_WANTED);
			return;
		}
		np = of_parse_phandle(dev->of_node, "rtcs", i);
		if (np)
			of->nodes[of->n++] = np;
		else
			dev_err(dev, "rtcs: no node at entry %d\n", i);
	}
}

static void seed_of_read_floor(struct device *dev)
{
	u32 floor;

	if (of_property_read_u32(dev->of_node, "balena,floor-sec", &floor))
		return;
	if (seed_set_floor(floor))
		dev_err(dev, "balena,floor-sec: %u is after every plausible time\n",
			floor);
}

static int seed_of_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct seed_of *of;
	int ret = 0;

	of = devm_kzalloc(dev, sizeof(*of), GFP_KERNEL);
	if (!of)
		return -ENOMEM;
	seed_of_read_rtcs(dev, of);

	mutex_lock(&seed_lock);
	if (seed_of_used) {
		ret = -EBUSY;
	} else {
		seed_of_used = of;
		seed_prefer_nodes(of->nodes, of->n);
		seed_of_read_floor(dev);
	}
	mutex_unlock(&seed_lock);
	if (ret) {
		seed_of_put(of);
		return dev_err_probe(dev, ret, "there is another such node\n");
	}

	seed_memory_use(dev);
	ret = devm_add_action_or_reset(dev, seed_of_drop, of);
	if (ret)
		return ret;
	seed_kick();

	return 0;
}

static const struct of_device_id seed_of_match[] = {
	{ .compatible = "balena,rtc-seed" },
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
 * seed_of_register() - look for a node
 *
 * Return: 0 or a negative error code.
 */
int seed_of_register(void)
{
	return platform_driver_register(&seed_of_driver);
}

/**
 * seed_of_unregister() - let go of the node
 */
void seed_of_unregister(void)
{
	platform_driver_unregister(&seed_of_driver);
}
