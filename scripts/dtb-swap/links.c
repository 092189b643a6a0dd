// SPDX-License-Identifier: GPL-2.0-only
/*
 * References of nodes to nodes, and the same device in two trees.
 */

#include <stdlib.h>
#include <string.h>

#include "swap.h"

#define MOST_ALIKE 16

/*
 * What refers to nodes, by name or end of the name, and which property of the node there
 * says how many arguments follow. Without a vital one the driver does not come up.
 */
static const struct row {
	const char *name;
	bool ending;
	const char *cells;
	enum link_class class;
} ROWS[] = {
	{ "clocks",		false, "#clock-cells",			LINK_VITAL },
	{ "resets",		false, "#reset-cells",			LINK_VITAL },
	{ "power-domains",	false, "#power-domain-cells",		LINK_VITAL },
	{ "interrupts-extended", false, "#interrupt-cells",		LINK_VITAL },
	{ "interrupt-parent",	false, NULL,				LINK_VITAL },
	{ "phys",		false, "#phy-cells",			LINK_VITAL },
	{ "phy-handle",		false, NULL,				LINK_VITAL },
	{ "iommus",		false, "#iommu-cells",			LINK_VITAL },
	{ "mmc-pwrseq",		false, NULL,				LINK_VITAL },
	{ "-supply",		true,  NULL,				LINK_VITAL },
	{ "assigned-clocks",	false, "#clock-cells",			LINK_KEPT },
	{ "assigned-clock-parents", false, "#clock-cells",		LINK_KEPT },
	{ "dmas",		false, "#dma-cells",			LINK_KEPT },
	{ "mboxes",		false, "#mbox-cells",			LINK_KEPT },
	{ "shmem",		false, NULL,				LINK_KEPT },
	{ "interconnects",	false, "#interconnect-cells",		LINK_KEPT },
	{ "nvmem-cells",	false, "#nvmem-cell-cells",		LINK_KEPT },
	{ "io-channels",	false, "#io-channel-cells",		LINK_KEPT },
	{ "pwms",		false, "#pwm-cells",			LINK_KEPT },
	{ "leds",		false, NULL,				LINK_OTHER },
	{ "rtcs",		false, NULL,				LINK_OTHER },
	{ "memory-region",	false, NULL,				LINK_OTHER },
	{ "remote-endpoint",	false, NULL,				LINK_OTHER },
	{ "cpu",		false, NULL,				LINK_OTHER },
	{ "-gpios",		true,  "#gpio-cells",			LINK_KEPT },
	{ "-gpio",		true,  "#gpio-cells",			LINK_KEPT },
	{ "gpios",		false, "#gpio-cells",			LINK_KEPT },
	{ "gpio",		false, "#gpio-cells",			LINK_KEPT },
};

static bool is_pinctrl(const char *name)
{
	const char *number = name + strlen("pinctrl-");

	return !strncmp(name, "pinctrl-", strlen("pinctrl-")) &&
	       *number && strspn(number, "0123456789") == strlen(number);
}

static const struct row *find_row(const char *name)
{
	static const struct row pinctrl = { "pinctrl-", false, NULL, LINK_VITAL };
	size_t i, length = strlen(name);

	if (is_pinctrl(name))
		return &pinctrl;
	if (length > 9 && !strcmp(name + length - 9, ",nr-gpios"))	/* a number */
		return NULL;
	for (i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
		size_t end = strlen(ROWS[i].name);

		if (ROWS[i].ending ? length > end && !strcmp(name + length - end, ROWS[i].name) :
				     !strcmp(name, ROWS[i].name))
			return &ROWS[i];
	}
	return NULL;
}

/**
 * is_supply() - whether a property names a regulator
 * @name: of the property
 *
 * Return: true if it ends in -supply
 */
bool is_supply(const char *name)
{
	const struct row *row = find_row(name);

	return row && !strcmp(row->name, "-supply");
}

/**
 * link_class() - whether a property refers to nodes
 * @name: of the property
 *
 * Return: LINK_NONE if it does not, otherwise how much its driver needs them
 */
enum link_class link_class(const char *name)
{
	const struct row *row = find_row(name);

	return row ? row->class : LINK_NONE;
}

/* How many arguments a reference has; nvmem cells had none for long. */
static int arguments(const void *fdt, int node, const char *cells)
{
	const fdt32_t *value;
	int length;

	if (!cells)
		return 0;
	value = fdt_getprop(fdt, node, cells, &length);
	if (!value || length != 4)
		return strcmp(cells, "#nvmem-cell-cells") ? -1 : 0;
	return fdt32_to_cpu(*value) <= MOST_ARGS ? (int)fdt32_to_cpu(*value) : -1;
}

/**
 * each_link() - the references of a property
 * @fdt: the tree
 * @node: a GPIO hog has none: its GPIOs are its parent's
 * @prop: offset of a property
 * @fn: is told of each
 * @data: for @fn
 *
 * Return: 0, 1 where @fn has stopped it, or -FDT_ERR_BADVALUE where the property is not a
 * list of references, or not one that can be followed
 */
int each_link(const void *fdt, int node, int prop, link_fn *fn, void *data)
{
	const char *name = NULL;
	int length, i = 0;
	const fdt32_t *cell = fdt_getprop_by_offset(fdt, prop, &name, &length);
	const struct row *row = cell && name ? find_row(name) : NULL;

	if (!row || length % 4 || fdt_getprop(fdt, node, "gpio-hog", NULL))
		return -FDT_ERR_BADVALUE;
	while (i < length / 4) {
		struct link link = { .phandle = fdt32_to_cpu(cell[i++]), .args = &cell[i] };

		if (!link.phandle)
			continue;
		link.node = node_numbered(fdt, link.phandle);
		link.count = link.node < 0 ? 0 : arguments(fdt, link.node, row->cells);
		if (link.count < 0 || link.count > length / 4 - i)
			return -FDT_ERR_BADVALUE;
		if (fn(&link, data))
			return 1;
		if (link.node < 0 && row->cells)
			return -FDT_ERR_BADVALUE;
		i += link.count;
	}
	return 0;
}

/**
 * names_of() - the names in compatible, one after the other; libfdt counts from the first each time
 * @fdt: the tree
 * @node: in it
 *
 * Return: for names_next(); none where the property is no list of texts
 */
struct names names_of(const void *fdt, int node)
{
	int length = 0;
	const char *at = fdt_getprop(fdt, node, "compatible", &length);

	if (!at || length < 1 || at[length - 1])
		return (struct names){ 0 };
	return (struct names){ .at = at, .end = at + length };
}

/**
 * names_next() - the next of them
 * @names: of names_of()
 *
 * Return: the name, or NULL
 */
const char *names_next(struct names *names)
{
	const char *name = names->at;

	if (name == names->end)
		return NULL;
	names->at += strlen(name) + 1;
	return name;
}

/**
 * same_device() - whether two nodes are the same device to a driver
 * @a: a tree
 * @node_a: in it
 * @b: another
 * @node_b: in that
 *
 * Return: true where they have a name in compatible in common, or none has any
 */
bool same_device(const void *a, int node_a, const void *b, int node_b)
{
	struct names names = names_of(a, node_a), others = names_of(b, node_b);
	const char *name = names_next(&names);

	if (!name)
		return !names_next(&others);
	for (; name; name = names_next(&names))
		if (!fdt_node_check_compatible(b, node_b, name))
			return true;
	return false;
}

/**
 * same_place() - whether two nodes have the same address
 * @a: a tree
 * @node_a: in it
 * @b: another
 * @node_b: in that
 *
 * Return: true where both have one and it is the same
 */
bool same_place(const void *a, int node_a, const void *b, int node_b)
{
	int length_a, length_b;
	const void *reg_a = fdt_getprop(a, node_a, "reg", &length_a);
	const void *reg_b = fdt_getprop(b, node_b, "reg", &length_b);

	return reg_a && reg_b && length_a == length_b && !memcmp(reg_a, reg_b, length_a);
}

/**
 * find_path() - fdt_path_offset(), but that name@1 is not name, and there are no aliases
 * @fdt: the tree
 * @path: from its root
 *
 * Return: offset, or a negative code
 */
int find_path(const void *fdt, const char *path)
{
	int node = 0;

	while (node >= 0 && *(path += strspn(path, "/"))) {
		int length = strcspn(path, "/");

		node = node_below(fdt, node, path, length);
		path += length;
	}
	return node;
}

/* Parts of a device, such as ports, have no name in compatible: by the device. */
static int below_same(const void *from, int node, const void *fdt)
{
	int parent = node_above(from, node), other, found = -FDT_ERR_NOTFOUND;

	parent = parent > 0 ? find_device(from, parent, fdt) : -FDT_ERR_NOTFOUND;
	if (parent < 0)
		return parent;
	fdt_for_each_subnode(other, fdt, parent) {
		if (!same_place(from, node, fdt, other) || !same_device(from, node, fdt, other))
			continue;
		if (found >= 0)
			return -FDT_ERR_NOTFOUND;
		found = other;
	}
	return found;
}

/* The only one that has the same address for the CPU. */
static int reached(const void *from, int node, const void *fdt, const int *list, int count)
{
	int found = -FDT_ERR_NOTFOUND, i;

	for (i = 0; i < count && count <= MOST_ALIKE; i++) {
		if (!same_address(from, node, fdt, list[i]))
			continue;
		if (found >= 0)
			return -FDT_ERR_NOTFOUND;
		found = list[i];
	}
	return found;
}

/* A bus that has come to translate addresses gives what is on it others. */
static int anywhere(const void *from, int node, const void *fdt)
{
	int list[MOST_ALIKE + 1];
	int count = nodes_alike(from, node, fdt, true, list, MOST_ALIKE + 1);

	if (count == 1)
		return list[0];
	if (!count && fdt_stringlist_count(from, node, "compatible") > 0)
		count = nodes_alike(from, node, fdt, false, list, MOST_ALIKE + 1);
	return reached(from, node, fdt, list, count);
}

/**
 * find_device() - the same device in another tree
 * @from: a tree
 * @node: the device in it
 * @fdt: the other tree
 *
 * Trees of different kernels have the same devices at other paths (soc, soc@0), or under
 * other names (mmc@, sdhci@).
 *
 * Return: the node with the same path, otherwise the only one of its kind with the same
 * address on its bus, or for the CPU, below the same device or anywhere, or -FDT_ERR_NOTFOUND
 */
int find_device(const void *from, int node, const void *fdt)
{
	char path[512];
	int other;

	if (node_path(from, node, path, sizeof(path)))
		return -FDT_ERR_NOTFOUND;
	other = find_path(fdt, path);
	if (other < 0 && fdt_stringlist_count(from, node, "compatible") < 1)
		other = below_same(from, node, fdt);
	if (other < 0)
		other = anywhere(from, node, fdt);
	return other;
}
