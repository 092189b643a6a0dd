// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with which every static check agrees.
 */

#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "demo.h"

struct demo {
	unsigned int level;
};

/**
 * demo_clamp() - bring a level into its range
 * @level: what was asked for
 *
 * Return: the nearest level that there is.
 */
unsigned int demo_clamp(unsigned int level)
{
	return min(level, 255U);
}

static ssize_t level_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct demo *demo = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", demo->level);
}

static ssize_t level_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	struct demo *demo = dev_get_drvdata(dev);
	unsigned int level;
	int err;

	err = kstrtouint(buf, 0, &level);
	if (err)
		return err;
	demo->level = demo_clamp(level);
	return count;
}
static DEVICE_ATTR_RW(level);

static struct attribute *demo_attrs[] = {
	&dev_attr_level.attr,
	NULL
};
ATTRIBUTE_GROUPS(demo);

static int demo_probe(struct platform_device *pdev)
{
	struct demo *demo;

	demo = devm_kzalloc(&pdev->dev, sizeof(*demo), GFP_KERNEL);
	if (!demo)
		return -ENOMEM;
	platform_set_drvdata(pdev, demo);
	return 0;
}

static const struct of_device_id demo_of_match[] = {
	{ .compatible = "balena,demo" },
	{ }
};
MODULE_DEVICE_TABLE(of, demo_of_match);

static struct platform_driver demo_driver = {
	.probe = demo_probe,
	.driver = {
		.name = "demo",
		.of_match_table = demo_of_match,
		.dev_groups = demo_groups,
	},
};
module_platform_driver(demo_driver);

MODULE_AUTHOR("boardpack");
MODULE_DESCRIPTION("Input of the static checks' own tests");
MODULE_LICENSE("GPL");
