// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory there is, and what of it nobody may touch: firmware runs there.
 */

#include <stdio.h>
#include <string.h>

#include "needs.h"

#define ADDED "keep it, unless the bootloader adds it"

static bool names_memory(const void *fdt)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0) {
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);

		if (type && !strcmp(type, "memory"))
			return true;
	}
	return false;
}

static bool same_cells(const void *fdt, int node, const char *name)
{
	int length, other;
	const void *cells = fdt_getprop(fdt, node, name, &length);
	const void *root = fdt_getprop(fdt, 0, name, &other);

	return cells && root && length == other && !memcmp(cells, root, length);
}

/* As the kernel sees it (__reserved_mem_check_root()), which otherwise takes no region at all. */
static bool is_read(const void *fdt, int parent)
{
	return fdt_getprop(fdt, parent, "ranges", NULL) &&
	       same_cells(fdt, parent, "#address-cells") && same_cells(fdt, parent, "#size-cells");
}

static bool is_kept_out(const void *fdt, int node)
{
	return dtb_enabled(fdt, node) && fdt_getprop(fdt, node, "no-map", NULL) &&
	       fdt_getprop(fdt, node, "reg", NULL);
}

static void check_regions(struct need need, int parent, int new)
{
	bool read = !is_read(need.running, parent) || new < 0 || is_read(need.fdt, new);
	bool lost = false;
	int node;

	fdt_for_each_subnode(node, need.running, parent) {
		int other, found = -1;

		if (!is_kept_out(need.running, node))
			continue;
		fdt_for_each_subnode(other, need.fdt, new)
			if (same_place(need.running, node, need.fdt, other) &&
			    is_kept_out(need.fdt, other))
				found = other;
		if (found < 0)
			complain(&need, ADDED, "the new tree does not reserve %s%s",
				 fdt_get_name(need.running, node, NULL), "");
		lost |= found >= 0 && !read;
	}
	need.level = LEVEL_REFUSAL;
	if (lost)
		complain(&need, "give it ranges, and the cells of the root",
			 "nothing in /reserved-memory of the new tree counts%s%s", "", "");
}

/* Bootloaders add their initramfs. */
static bool is_initramfs(const void *fdt, uint64_t at)
{
	int length = 0, chosen = fdt_path_offset(fdt, "/chosen");
	const void *start = fdt_getprop(fdt, chosen, "linux,initrd-start", &length);

	if (!start || (length != 4 && length != 8))
		return false;
	return at == (length == 8 ? fdt64_ld(start) : fdt32_ld(start));
}

static bool is_reserved(const struct need *need, uint64_t at, uint64_t size)
{
	int count = fdt_num_mem_rsv(need->fdt);
	uint64_t other, length;

	while (count-- > 0)
		if (!fdt_get_mem_rsv(need->fdt, count, &other, &length) && other <= at &&
		    at - other <= length && size <= length - (at - other))
			return true;
	return false;
}

static void check_entries(struct need *need)
{
	int i, count = fdt_num_mem_rsv(need->running);
	uint64_t at, size;
	char text[24];

	for (i = 0; i < count; i++) {
		if (fdt_get_mem_rsv(need->running, i, &at, &size) || is_reserved(need, at, size) ||
		    is_initramfs(need->running, at))
			continue;
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)at);
		complain(need, ADDED, "the new tree has no /memreserve/ of %s%s", text, "");
	}
}

/**
 * check_memory() - warn of a tree that tells less of memory than the running one
 * @need: is told
 */
void check_memory(struct need need)
{
	int parent = fdt_path_offset(need.running, "/reserved-memory");
	int new = fdt_path_offset(need.fdt, "/reserved-memory");

	need.what = "memory";
	need.level = LEVEL_WARNING;
	if (names_memory(need.running) && !names_memory(need.fdt))
		complain(&need, ADDED, "the new tree does not say how much there is%s%s", "", "");
	check_entries(&need);
	if (parent >= 0)
		check_regions(need, parent, new);
}
