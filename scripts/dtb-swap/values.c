// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the values of a needed node say: properties that it has not now, the windows of a bridge.
 */

#include <stdio.h>
#include <string.h>

#include "needs.h"

/* With these the host of a card, a network or a console works otherwise than without. */
static const char *const NEW[] = {
	"cd-inverted", "max-frequency", "no-1-8-v", "max-speed", "maximum-speed",
	"clock-frequency", "reg-offset", "reg-shift", "reg-io-width", "big-endian",
};

static void check_new(struct need *need, int node, int old, const char *path)
{
	struct need inner = *need;
	size_t i;

	inner.level = LEVEL_WARNING;
	for (i = 0; i < sizeof(NEW) / sizeof(*NEW); i++)
		if (fdt_getprop(need->fdt, node, NEW[i], NULL) &&
		    !fdt_getprop(need->running, old, NEW[i], NULL))
			complain(&inner, "see with dtb-swap diff what its driver will make of that",
				 "%s has %s in the new tree, and not now", path, NEW[i]);
}

/* The number that a property begins with, where it is one of a node, or 0. */
static unsigned int first_phandle(const void *fdt, int node, const char *name)
{
	int length;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &length);

	return cell && length >= 4 && !(length % 4) ? fdt32_ld(cell) : 0;
}

/*
 * A property that is not known to refer to anything may do so: its number is the same, and what
 * had it is gone.
 */
static void check_dangling(struct need *need, int node, int old, const char *path)
{
	struct need inner = *need;
	int prop;

	inner.level = LEVEL_WARNING;
	fdt_for_each_property_offset(prop, need->fdt, node) {
		const char *name = NULL;
		unsigned int phandle;

		fdt_getprop_by_offset(need->fdt, prop, &name, NULL);
		phandle = name && link_class(name) == LINK_NONE && strcmp(name, "reg") &&
			  strcmp(name, "phandle") && strcmp(name, "linux,phandle") ?
			  first_phandle(need->fdt, node, name) : 0;
		if (phandle && phandle == first_phandle(need->running, old, name) &&
		    node_numbered(need->running, phandle) > 0 &&
		    node_numbered(need->fdt, phandle) < 0)
			complain(&inner, "see with dtb-swap diff whether it names a node",
				 "%s of %s begins with the number of a node that is not there",
				 name, path);
	}
}

/* Of a bridge: <child address, 3 cells; address, cells of the bus above; size, 2 cells> */
static int count_windows(const void *fdt, int node)
{
	int length = 0, i, count = 0, up = node_above(fdt, node);
	int one = 5 + (up < 0 ? up : fdt_address_cells(fdt, up));
	const fdt32_t *cell = fdt_getprop(fdt, node, "ranges", &length);

	for (i = one; one > 5 && cell && i <= length / 4; i += one)
		count += cell[i - 2] || cell[i - 1];
	return count;
}

static bool is_bridge(const void *fdt, int node)
{
	const char *type = fdt_getprop(fdt, node, "device_type", NULL);

	return type && !strcmp(type, "pci");
}

/* What is on PCI has its addresses in these. */
static void check_windows(const struct need *all, int node, int old, const char *path)
{
	struct need need = *all;
	int length = 0, left = 0;
	const void *was = fdt_getprop(need.running, old, "ranges", &length);
	const void *is = fdt_getprop(need.fdt, node, "ranges", &left);

	if (!is_bridge(need.running, old) || !was || !is || !count_windows(need.running, old))
		return;
	if (!count_windows(need.fdt, node)) {
		complain(&need, "give it the ranges that it has now",
			 "%s has no window in its ranges in the new tree%s", path, "");
		return;
	}
	need.level = LEVEL_WARNING;
	if (length != left || memcmp(was, is, length))
		complain(&need, "see with dtb-swap diff that what is on it has room",
			 "%s has other ranges in the new tree%s", path, "");
}

/**
 * check_values() - refuse a tree where a needed node has values that its driver cannot work with
 * @need: is told
 * @node: in the tree to check
 * @old: the same in the running tree
 * @above: it is not the device itself that is needed
 */
void check_values(struct need *need, int node, int old, bool above)
{
	char path[256];

	node_shown(need->fdt, node, path, sizeof(path));
	check_windows(need, node, old, path);
	check_dangling(need, node, old, path);
	if (!above)
		check_new(need, node, old, path);
}
