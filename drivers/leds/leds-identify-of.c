// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: targets from the device tree
 *
 * The node is read, and no driver is bound to it: fw_devlink would let that one wait
 * until each LED of the node has a driver, and unbind it with the first that goes.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "leds-identify.h"

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

static DEFINE_MUTEX(identify_of_lock);	/* for the two below */
static struct device_node *identify_of_node;
static struct identify_list *identify_of_list;

static const struct of_device_id identify_of_match[] = {
	{ .compatible = "balena,identify" },
	{ }
};
MODULE_DEVICE_TABLE(of, identify_of_match);

static void identify_of_free(struct identify_list *list)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		of_node_put(list->target[i].np);
	kfree(list);
}

/*
 * Writes down all targets of a node in the form that users write: phandles come
 * first, as "&node".
 */
static int identify_of_text(struct device_node *node, int phandles,
			    int names, char *text, size_t size)
{
	struct device_node *np;
	const char *name;
	size_t len = 0;
	int i, ret;

	for (i = 0; i < phandles; i++) {
		np = of_parse_phandle(node, "leds", i);
		if (!np) {
			pr_err("%s: leds: no node at entry %d\n",
			       of_node_full_name(node), i);
			return -EINVAL;
		}
		len += scnprintf(text + len, size - len, " &%s",
				 kbasename(np->full_name));
		of_node_put(np);
	}

	for (i = 0; i < names; i++) {
		ret = of_property_read_string_index(node, "linux,led-names", i,
						    &name);
		if (ret || !*name || strpbrk(name, IDENTIFY_SPACE)) {
			pr_err("%s: linux,led-names: entry %d is not a name\n",
			       of_node_full_name(node), i);
			return -EINVAL;
		}
		len += scnprintf(text + len, size - len, " %s", name);
	}

	if (len == size - 1) {
		pr_err("%s: too many names\n", of_node_full_name(node));
		return -E2BIG;
	}

	return 0;
}

static struct identify_list *
identify_of_parse(struct device_node *node, int phandles, int names)
{
	struct identify_list *list;
	const char *why;
	char *text;
	int i, ret;

	text = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return ERR_PTR(-ENOMEM);

	ret = identify_of_text(node, phandles, names, text, PAGE_SIZE);
	if (ret) {
		list = ERR_PTR(ret);
	} else {
		list = identify_list_parse(text, &why);
		if (IS_ERR(list))
			pr_err("%s: %s: %s\n", of_node_full_name(node), text + 1,
			       why);
	}
	kfree(text);
	if (IS_ERR(list))
		return list;

	for (i = 0; i < phandles; i++)
		list->target[i].np = of_parse_phandle(node, "leds", i);

	return list;
}

/* The count of a property that need not be there, but if so, has to have one. */
static int identify_of_count(struct device_node *node, const char *name,
			     int count)
{
	if (count > 0)
		return count;
	if (!of_find_property(node, name, NULL))
		return 0;

	pr_err("%s: %s: cannot be counted\n", of_node_full_name(node), name);

	return -EINVAL;
}

static void identify_of_read(struct device_node *node)
{
	struct identify_list *list;
	int phandles, names;

	phandles = of_property_count_elems_of_size(node, "leds", sizeof(__be32));
	phandles = identify_of_count(node, "leds", phandles);
	if (phandles < 0)
		return;

	names = of_property_count_strings(node, "linux,led-names");
	names = identify_of_count(node, "linux,led-names", names);
	if (names < 0)
		return;

	if (!phandles && !names) {
		pr_err("%s: neither leds nor linux,led-names\n",
		       of_node_full_name(node));
		return;
	}

	list = identify_of_parse(node, phandles, names);
	if (IS_ERR(list))
		return;
	if (identify_of_node) {
		pr_err("%s: another node names the LEDs already\n",
		       of_node_full_name(node));
		identify_of_free(list);
		return;
	}

	identify_of_node = of_node_get(node);
	identify_of_list = list;
	identify_targets_use_default(list);
	identify_kick();
}

static void identify_of_drop(void)
{
	if (!identify_of_node)
		return;

	identify_targets_use_default(NULL);
	identify_kick();
	identify_settle();
	identify_of_free(identify_of_list);
	of_node_put(identify_of_node);
	identify_of_node = NULL;
}

static void identify_of_look(void)
{
	struct device_node *node;

	for_each_matching_node(node, identify_of_match)
		if (of_device_is_available(node) && node != identify_of_node)
			identify_of_read(node);
}

/* Where a whole node comes or goes, there is no property. */
static bool identify_of_is_reworded(const struct of_reconfig_data *change)
{
	return change->prop && of_match_node(identify_of_match, change->dn) &&
	       (!strcmp(change->prop->name, "leds") ||
		!strcmp(change->prop->name, "linux,led-names"));
}

static bool identify_of_names(const struct identify_target *target,
			      const struct device_node *np)
{
	const char *name = kbasename(np->full_name);

	return target->len == strlen(name) + 1 &&
	       !memcmp(target->names + 1, name, target->len - 1);
}

/*
 * The node of a target may go with its overlay, which is leaked if someone holds it, and
 * come again. Its phandle may be another's then: the name decides.
 */
static void identify_of_follow(struct device_node *dn)
{
	bool gone = of_node_check_flag(dn, OF_DETACHED);
	struct identify_target *target;
	struct device_node *np;
	unsigned int i;

	for (i = 0; identify_of_node && i < identify_of_list->n; i++) {
		target = &identify_of_list->target[i];
		np = target->np;
		if (gone && np == dn) {
			identify_target_use_node(target, NULL);
			of_node_put(np);
		} else if (!gone && !np) {
			np = of_parse_phandle(identify_of_node, "leds", i);
			if (np != dn || !identify_of_names(target, np)) {
				of_node_put(np);
				continue;
			}
			identify_target_use_node(target, np);
			identify_kick();
		}
	}
}

/*
 * A node may come and go with an overlay, and be changed by one; one that went is in
 * the tree no more.
 */
static int identify_of_changed(struct notifier_block *nb, unsigned long action,
			       void *data)
{
	struct of_reconfig_data *change = data;
	int state = of_reconfig_get_state_change(action, change);
	bool reworded = identify_of_is_reworded(change);

	mutex_lock(&identify_of_lock);
	if (reworded || (state == OF_RECONFIG_CHANGE_REMOVE &&
			 change->dn == identify_of_node)) {
		if (change->dn == identify_of_node)
			identify_of_drop();
		if (!identify_of_node)
			identify_of_look();
	}
	if (state == OF_RECONFIG_CHANGE_ADD && change->dn != identify_of_node &&
	    of_match_node(identify_of_match, change->dn))
		identify_of_read(change->dn);
	identify_of_follow(change->dn);
	mutex_unlock(&identify_of_lock);

	return NOTIFY_OK;
}

static struct notifier_block identify_of_nb = {
	.notifier_call = identify_of_changed,
};

/**
 * identify_of_register() - look for a node, now and later
 */
void identify_of_register(void)
{
	of_reconfig_notifier_register(&identify_of_nb);

	mutex_lock(&identify_of_lock);
	identify_of_look();
	mutex_unlock(&identify_of_lock);
}

/**
 * identify_of_unregister() - let go of the node
 */
void identify_of_unregister(void)
{
	of_reconfig_notifier_unregister(&identify_of_nb);

	mutex_lock(&identify_of_lock);
	identify_of_drop();
	mutex_unlock(&identify_of_lock);
}
