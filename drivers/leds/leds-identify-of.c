// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: targets from the device tree
 */

#include "leds-identify.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

static void identify_of_free_list(void *data)
{
	struct identify_list *list = data;
	unsigned int i;

	for (i = 0; i < list->n; i++)
		of_node_put(list->target[i].np);
	kfree(list);
}

static void identify_of_drop_list(void *data)
{
	identify_targets_drop_default(data);
	identify_kick();
	identify_settle();
}

/*
 * Writes down all targets of a node in the form that users write: phandles come
 * first, as "&node".
 */
static int identify_of_text(struct device *dev, int phandles, int names,
			    char *text, size_t size)
{
	struct device_node *np;
	const char *name;
	size_t len = 0;
	int i, ret;

	for (i = 0; i < phandles; i++) {
		np = of_parse_phandle(dev->of_node, "leds", i);
		if (!np)
			return dev_err_probe(dev, -EINVAL,
					     "leds: no node at entry %d\n", i);
		len += scnprintf(text + len, size - len, " &%s",
				 kbasename(np->full_name));
		of_node_put(np);
	}

	for (i = 0; i < names; i++) {
		ret = of_property_read_string_index(dev->of_node,
						    "linux,led-names", i, &name);
		if (ret || !*name || strpbrk(name, IDENTIFY_SPACE))
			return dev_err_probe(dev, -EINVAL,
					     "linux,led-names: entry %d is not a name\n",
					     i);
		len += scnprintf(text + len, size - len, " %s", name);
	}

	if (len == size - 1)
		return dev_err_probe(dev, -E2BIG, "too many names\n");

	return 0;
}

static struct identify_list *
identify_of_parse(struct device *dev, int phandles, int names)
{
	struct identify_list *list;
	const char *why;
	char *text;
	int i, ret;

	text = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return ERR_PTR(-ENOMEM);

	ret = identify_of_text(dev, phandles, names, text, PAGE_SIZE);
	if (ret) {
		list = ERR_PTR(ret);
	} else {
		list = identify_list_parse(text, &why);
		if (IS_ERR(list))
			dev_err(dev, "%s: %s\n", text + 1, why);
	}
	kfree(text);
	if (IS_ERR(list))
		return list;

	for (i = 0; i < phandles; i++)
		list->target[i].np = of_parse_phandle(dev->of_node, "leds", i);

	return list;
}

/* The count of a property that need not be there, but if so, has to have one. */
static int identify_of_count(struct device *dev, const char *name, int count)
{
	if (count > 0)
		return count;
	if (!of_find_property(dev->of_node, name, NULL))
		return 0;

	return dev_err_probe(dev, -EINVAL, "%s: cannot be counted\n", name);
}

static int identify_of_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct identify_list *list;
	int phandles, names, ret;

	phandles = of_property_count_elems_of_size(dev->of_node, "leds",
						   sizeof(__be32));
	phandles = identify_of_count(dev, "leds", phandles);
	if (phandles < 0)
		return phandles;

	names = of_property_count_strings(dev->of_node, "linux,led-names");
	names = identify_of_count(dev, "linux,led-names", names);
	if (names < 0)
		return names;

	if (!phandles && !names)
		return dev_err_probe(dev, -EINVAL,
				     "neither leds nor linux,led-names\n");

	list = identify_of_parse(dev, phandles, names);
	if (IS_ERR(list))
		return PTR_ERR(list);

	ret = devm_add_action_or_reset(dev, identify_of_free_list, list);
	if (ret)
		return ret;

	ret = identify_targets_use_default(list);
	if (ret)
		return dev_err_probe(dev, ret,
				     "another node names the LEDs already\n");

	ret = devm_add_action_or_reset(dev, identify_of_drop_list, list);
	if (ret)
		return ret;

	identify_kick();

	return 0;
}

static const struct of_device_id identify_of_match[] = {
	{ .compatible = "balena,identify" },
	{ }
};
MODULE_DEVICE_TABLE(of, identify_of_match);

static struct platform_driver identify_of_driver = {
	.probe = identify_of_probe,
	.driver = {
		.name = "leds-identify",
		.of_match_table = identify_of_match,
	},
};

/**
 * identify_of_register() - look for a node
 *
 * Return: 0 or a negative error code.
 */
int identify_of_register(void)
{
	return platform_driver_register(&identify_of_driver);
}

/**
 * identify_of_unregister() - let go of the node
 */
void identify_of_unregister(void)
{
	platform_driver_unregister(&identify_of_driver);
}
