// SPDX-License-Identifier: GPL-2.0-only
/*
 * By which names drivers find their clocks, resets, interrupts, addresses and pins: one that asks
 * for a name which is no more there does not come up.
 */

#include <stdio.h>
#include <string.h>

#include "needs.h"

/* A list of names, and what it names. Other names of DMA are told as any other value. */
static const struct row {
	const char *name;
	const char *of;
} ROWS[] = {
	{ "clock-names",	"clocks" },
	{ "reset-names",	"resets" },
	{ "reg-names",		"reg" },
	{ "interrupt-names",	"interrupts" },
	{ "phy-names",		"phys" },
	{ "power-domain-names",	"power-domains" },
};

static bool is_listed(const void *fdt, int node, const char *list, const char *name)
{
	return fdt_stringlist_search(fdt, node, list, name) >= 0;
}

/* The first name of a list in the running tree that the new one has not there, or NULL. */
static const char *lost_name(const struct need *need, int node, int old, const char *list)
{
	int i, count = fdt_stringlist_count(need->running, old, list);

	for (i = 0; i < count; i++) {
		const char *name = fdt_stringlist_get(need->running, old, list, i, NULL);

		if (name && !is_listed(need->fdt, node, list, name))
			return name;
	}
	return NULL;
}

static bool stays(const struct need *need, int node, int old, const char *name)
{
	int length, left;
	const void *was = fdt_getprop(need->running, old, name, &length);
	const void *is = fdt_getprop(need->fdt, node, name, &left);

	return was && is && length == left && same_value(need, was, is, length);
}

static bool is_qualcomm(const void *fdt, int node)
{
	const char *name = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);

	return name && !strncmp(name, "qcom,", strlen("qcom,"));
}

/*
 * Drivers that take all there is, and ask for no name: UFS, USB of any kind, many of Qualcomm's,
 * whose USB asks for each interrupt by platform_get_irq_byname_optional().
 */
static bool takes_all(const struct need *need, int node, int old, const struct row *row)
{
	const void *fdt = need->fdt;

	if (!strcmp(row->of, "clocks") && !fdt_node_check_compatible(fdt, node, "jedec,ufs-2.0"))
		return true;
	if (!strcmp(row->of, "phys") && (!fdt_node_check_compatible(fdt, node, "generic-xhci") ||
					 !fdt_node_check_compatible(fdt, node, "generic-ehci") ||
					 !fdt_node_check_compatible(fdt, node, "generic-ohci")))
		return true;
	if (!strcmp(row->of, "interrupts") && !fdt_node_check_compatible(fdt, node, "qcom,dwc3"))
		return true;
	return is_qualcomm(fdt, node) && fdt_stringlist_count(fdt, node, row->name) <
					 fdt_stringlist_count(need->running, old, row->name);
}

static void check_list(const struct need *all, int node, int old, const struct row *row)
{
	const char *name = lost_name(all, node, old, row->name);
	struct need need = *all;
	char path[256], text[96];

	node_shown(need.fdt, node, path, sizeof(path));
	if (need.kept || fdt_stringlist_count(need.running, old, row->name) == 1 ||
	    takes_all(&need, node, old, row) || !fdt_getprop(need.running, old, "reg", NULL))
		need.level = LEVEL_WARNING;
	snprintf(text, sizeof(text), "\"%s\" in its %s", name ? name : "", row->name);
	if (name) {
		complain(&need, "keep the names that its driver asks for",
			 "%s has no %s in the new tree", path, text);
		return;
	}
	need.level = LEVEL_WARNING;
	if (stays(&need, node, old, row->of) && !stays(&need, node, old, row->name))
		complain(&need, "see with dtb-swap diff that each name has what it names",
			 "%s has its %s in another order in the new tree", path, row->name);
}

/**
 * check_names() - refuse a tree where a driver does not find what it asks for by name
 * @need: is told
 * @node: in the tree to check
 * @old: the same in the running tree
 * @above: it is not the device itself that is needed; then its pins do not count
 *
 * A list that is left out is check_kept()'s.
 */
void check_names(struct need *need, int node, int old, bool above)
{
	char path[256];
	size_t i;

	for (i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++)
		if (fdt_stringlist_count(need->fdt, node, ROWS[i].name) > 0)
			check_list(need, node, old, &ROWS[i]);
	if (!above && is_listed(need->running, old, "pinctrl-names", "default") &&
	    fdt_stringlist_count(need->fdt, node, "pinctrl-names") > 0 &&
	    !is_listed(need->fdt, node, "pinctrl-names", "default"))
		complain(need, "call the pins that it comes up with \"default\"",
			 "%s has no \"default\" in its pinctrl-names in the new tree%s",
			 node_shown(need->fdt, node, path, sizeof(path)), "");
}
