// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libfdt's code for overlays looks for in a whole tree, kept from one overlay that is
 * applied to the next. That code is compiled to call these in place of libfdt's own.
 */

#include "dt-apply.h"

struct dt_memo *dt_memo;

/**
 * dt_find_max_phandle() - fdt_find_max_phandle(), which is called for each overlay
 * @fdt: a tree
 * @phandle: set to the highest that it has
 *
 * Return: 0, or a negative code of libfdt's
 */
int dt_find_max_phandle(const void *fdt, unsigned int *phandle)
{
	int ret;

	if (dt_memo && dt_memo->highest) {
		*phandle = dt_memo->highest;
		return 0;
	}
	ret = fdt_find_max_phandle(fdt, phandle);
	if (!ret && dt_memo)
		dt_memo->highest = *phandle;
	return ret;
}

/**
 * dt_node_offset_by_phandle() - fdt_node_offset_by_phandle(), called twice for each fragment
 * @fdt: a tree
 * @phandle: of the node
 *
 * Return: the node, or a negative code of libfdt's
 */
int dt_node_offset_by_phandle(const void *fdt, unsigned int phandle)
{
	int offset;

	if (dt_memo && phandle && dt_memo->phandle == phandle)
		return dt_memo->offset;
	offset = fdt_node_offset_by_phandle(fdt, phandle);
	if (dt_memo && offset >= 0) {
		dt_memo->phandle = phandle;
		dt_memo->offset = offset;
	}
	return offset;
}

/**
 * dt_setprop() - fdt_setprop(): from now on it is another tree
 * @fdt: the tree
 * @node: of the property
 * @name: of the property
 * @value: what it is set to
 * @length: of @value, in bytes
 *
 * Return: 0, or a negative code of libfdt's
 */
int dt_setprop(void *fdt, int node, const char *name, const void *value, int length)
{
	dt_memo = NULL;

	return fdt_setprop(fdt, node, name, value, length);
}

/**
 * dt_add_subnode() - fdt_add_subnode(): from now on it is another tree
 * @fdt: the tree
 * @parent: of the node
 * @name: of the node
 *
 * Return: the new node, or a negative code of libfdt's
 */
int dt_add_subnode(void *fdt, int parent, const char *name)
{
	dt_memo = NULL;

	return fdt_add_subnode(fdt, parent, name);
}
