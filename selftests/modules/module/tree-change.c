// SPDX-License-Identifier: GPL-2.0-only
/*
 * A change of the device tree, as an overlay makes it, for as long as this is loaded:
 * a node is disabled, has another property, or is taken out
 */

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/slab.h>

static char *node;
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "the path of a node");

static char *property = "status";
module_param(property, charp, 0444);
MODULE_PARM_DESC(property, "of the node");

static char *value = "disabled";
module_param(value, charp, 0444);
MODULE_PARM_DESC(value, "of the property, as a string");

static uint cell;
module_param(cell, uint, 0444);
MODULE_PARM_DESC(cell, "the same as a number");

static bool detach;
module_param(detach, bool, 0444);
MODULE_PARM_DESC(detach, "take the node out");

static struct device_node *changed;
static struct of_changeset change;

static int held_get(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%d\n", kref_read(&changed->kobj.kref) - 1);
}

static const struct kernel_param_ops held_ops = {
	.get = held_get,
};
module_param_cb(held, &held_ops, NULL, 0444);
MODULE_PARM_DESC(held, "how many references others have to the node");

/* The kernel keeps what it has taken, also when it is removed. */
static int change_property(void)
{
	struct property *prop = kzalloc(sizeof(*prop), GFP_KERNEL);
	__be32 number = cpu_to_be32(cell);
	int ret = -ENOMEM;

	if (!prop)
		return ret;
	prop->length = cell ? sizeof(number) : strlen(value) + 1;
	prop->value = kmemdup(cell ? (void *)&number : value, prop->length, GFP_KERNEL);
	prop->name = kstrdup(property, GFP_KERNEL);
	if (prop->name && prop->value)
		ret = of_find_property(changed, property, NULL) ?
		      of_changeset_update_property(&change, changed, prop) :
		      of_changeset_add_property(&change, changed, prop);
	if (ret) {
		kfree(prop->value);
		kfree(prop->name);
		kfree(prop);
	}

	return ret;
}

static int __init change_init(void)
{
	int ret;

	changed = of_find_node_by_path(node ?: "");
	if (!changed)
		return -ENODEV;

	of_changeset_init(&change);
	ret = detach ? of_changeset_detach_node(&change, changed) : change_property();
	if (!ret)
		ret = of_changeset_apply(&change);
	if (ret) {
		of_changeset_destroy(&change);
		of_node_put(changed);
	}

	return ret;
}
module_init(change_init);

static void __exit change_exit(void)
{
	of_changeset_revert(&change);
	of_changeset_destroy(&change);
	of_node_put(changed);
}
module_exit(change_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("A change of the device tree that tests need");
MODULE_LICENSE("GPL");
