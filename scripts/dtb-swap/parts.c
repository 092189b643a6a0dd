// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes that are no devices by themselves: what a bus finds, ports of a switch.
 */

#include <ctype.h>
#include <string.h>

#include "needs.h"

/* What is on USB or PCI is found by its bus. */
static bool is_found(const void *fdt, int node)
{
	const char *name = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);

	return name && (!strncmp(name, "usb", 3) || !strncmp(name, "pci", 3)) &&
	       isxdigit((unsigned char)name[3]);
}

/* Whether the new tree has a part of a device that the running one has not: another name. */
static bool is_renamed(const struct need *need, int node)
{
	int up = node_above(need->running, node), child;
	int device = find_device(need->running, up, need->fdt);

	if (up <= 0 || device <= 0 || fdt_stringlist_count(need->running, node, "compatible") >= 0)
		return false;
	fdt_for_each_subnode(child, need->fdt, device) {
		const char *name = fdt_get_name(need->fdt, child, NULL);

		if (dtb_enabled(need->fdt, child) &&
		    fdt_stringlist_count(need->fdt, child, "compatible") < 0 &&
		    fdt_subnode_offset(need->running, up, name) < 0)
			return true;
	}
	return false;
}

/**
 * whole_device() - what a device is in the new tree, or what it is a part of
 * @need: is warned where a part is not there
 * @old: the node in the running tree
 * @new: gets the node in the new tree, negative where there is none
 *
 * Return: the node in the running tree that @new is
 */
int whole_device(struct need *need, int old, int *new)
{
	struct need inner = *need;
	char path[256];
	int node = old;

	*new = find_device(need->running, old, need->fdt);
	while (*new < 0 && node > 0 &&
	       (is_found(need->running, node) || is_renamed(need, node))) {
		node = node_above(need->running, node);
		*new = find_device(need->running, node, need->fdt);
	}
	if (*new <= 0)
		return old;
	if (node != old) {
		inner.level = LEVEL_WARNING;
		complain(&inner, KEEP, "its part %s is not in the new tree, or called otherwise%s",
			 node_shown(need->running, old, path, sizeof(path)), "");
	}
	return node;
}
