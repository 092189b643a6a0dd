// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a tree newly takes away: where the bootloader puts the kernel, or most of it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "needs.h"

#define LEAVE "leave it out, or reserve what the board needs"

struct span {
	uint64_t at;
	uint64_t size;
};

/* struct taken - the sum of what the new tree takes, and where the kernel's code and data are */
struct taken {
	uint64_t sum;
	struct span kernel[2];
};

/* Of an address and a size, by the cells of the node above; false behind the last. */
static bool read_span(const void *fdt, int node, int index, struct span *span)
{
	int above = node_above(fdt, node), length, i;
	int na = above < 0 ? -1 : fdt_address_cells(fdt, above);
	int ns = above < 0 ? -1 : fdt_size_cells(fdt, above);
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);

	*span = (struct span){ 0 };
	if (!reg || na < 1 || na > 2 || ns < 1 || ns > 2 || length / 4 < (na + ns) * (index + 1))
		return false;
	reg += (na + ns) * index;
	for (i = 0; i < na; i++)
		span->at = span->at << 32 | fdt32_to_cpu(reg[i]);
	for (; i < na + ns; i++)
		span->size = span->size << 32 | fdt32_to_cpu(reg[i]);
	return true;
}

/* How much of both there is. */
static uint64_t common(const struct span *a, const struct span *b)
{
	uint64_t first = a->at > b->at ? a->at : b->at;
	uint64_t left_a = first - a->at, left_b = first - b->at;

	left_a = left_a < a->size ? a->size - left_a : 0;
	left_b = left_b < b->size ? b->size - left_b : 0;
	return left_a < left_b ? left_a : left_b;
}

static bool is_memory(const void *fdt, int node)
{
	const char *type = fdt_getprop(fdt, node, "device_type", NULL);

	return type && !strcmp(type, "memory");
}

/* Trees that are wrong may name more than there can be. */
static void add(uint64_t *sum, uint64_t size)
{
	*sum = size > UINT64_MAX - *sum ? UINT64_MAX : *sum + size;
}

/* All memory of a tree, and what of it a span is. */
static uint64_t of_memory(const void *fdt, const struct span *span, uint64_t *all)
{
	uint64_t sum = 0;
	struct span one;
	int node, i;

	*all = 0;
	fdt_for_each_subnode(node, fdt, 0)
		for (i = 0; is_memory(fdt, node) && read_span(fdt, node, i, &one); i++) {
			add(all, one.size);
			add(&sum, common(span, &one));
		}
	return sum;
}

static bool is_reserved_now(const struct need *need, const struct span *span)
{
	int node, i, parent = fdt_path_offset(need->running, "/reserved-memory");
	int count = fdt_num_mem_rsv(need->running);
	struct span one;

	for (i = 0; i < count; i++)
		if (!fdt_get_mem_rsv(need->running, i, &one.at, &one.size) &&
		    common(span, &one) == span->size)
			return true;
	fdt_for_each_subnode(node, need->running, parent)
		for (i = 0; read_span(need->running, node, i, &one); i++)
			if (common(span, &one) == span->size && dtb_enabled(need->running, node))
				return true;
	return false;
}

/* Where the kernel is: only root is told, and UEFI puts it elsewhere with the next start. */
static void find_kernel(const struct need *need, struct span kernel[2])
{
	char *text = sys_exists(need->swap, "/sys/firmware/efi") ? NULL :
		     sys_read(need->swap, "/proc/iomem", NULL), *line, *save = NULL;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long long first, last;
		const char *name = read_iomem(line, &first, &last);
		bool data = name && !strcmp(name, "Kernel data");

		if (name && (data || !strcmp(name, "Kernel code")) && last > first)
			kernel[data] = (struct span){ first, last - first + 1 };
	}
	free(text);
}

/* @taken: gets more by what the span takes of memory, unless the kernel may have it meanwhile */
static void check_span(struct need *need, const struct span *span, bool reusable,
		       struct taken *taken)
{
	const void *fdt = need->fdt;
	uint64_t all, part;
	char text[24];

	if (!span->size || is_reserved_now(need, span))
		return;
	part = of_memory(need->running, span, &all);
	add(&taken->sum, reusable ? 0 : all ? part : of_memory(fdt, span, &all));
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)span->at);
	if (common(span, &taken->kernel[0]) || common(span, &taken->kernel[1]))
		complain(need, LEAVE, "the new tree reserves what the kernel is in, at %s%s", text,
			 "");
}

static bool is_reusable(const void *fdt, int node)
{
	return fdt_getprop(fdt, node, "reusable", NULL);
}

/* What is kept for good where the kernel finds room for it. */
static uint64_t pool_size(const void *fdt, int node)
{
	int length = 0;
	const fdt32_t *size = fdt_getprop(fdt, node, "size", &length);

	if (!size || fdt_getprop(fdt, node, "reg", NULL) || is_reusable(fdt, node) ||
	    !dtb_enabled(fdt, node) || length != 4 * fdt_size_cells(fdt, node_above(fdt, node)))
		return 0;
	return length == 8 ? fdt64_ld((const fdt64_t *)size) : length == 4 ? fdt32_ld(size) : 0;
}

/* How much more of that there is than now. */
static uint64_t pool_grows(const struct need *need, int node)
{
	int parent = fdt_path_offset(need->running, "/reserved-memory");
	int old = fdt_subnode_offset(need->running, parent, fdt_get_name(need->fdt, node, NULL));
	uint64_t was = old < 0 ? 0 : pool_size(need->running, old);
	uint64_t is = pool_size(need->fdt, node);

	return is > was ? is - was : 0;
}

static void check_regions(struct need *need, struct taken *taken)
{
	int node, i, parent = fdt_path_offset(need->fdt, "/reserved-memory");
	struct span span;

	fdt_for_each_subnode(node, need->fdt, parent) {
		add(&taken->sum, pool_grows(need, node));
		for (i = 0; dtb_enabled(need->fdt, node) && read_span(need->fdt, node, i, &span);
		     i++)
			check_span(need, &span, is_reusable(need->fdt, node), taken);
	}
}

/**
 * check_reserved() - refuse a tree that leaves the kernel no memory, or not where it is
 * @need: is told
 */
void check_reserved(struct need need)
{
	int i, count = fdt_num_mem_rsv(need.fdt);
	struct taken taken = { 0 };
	struct span span;
	uint64_t all;
	char texts[2][24];

	need.what = "memory";
	find_kernel(&need, taken.kernel);
	for (i = 0; i < count; i++)
		if (!fdt_get_mem_rsv(need.fdt, i, &span.at, &span.size))
			check_span(&need, &span, false, &taken);
	check_regions(&need, &taken);
	of_memory(need.running, &(struct span){ 0 }, &all);
	if (!all)
		of_memory(need.fdt, &(struct span){ 0 }, &all);
	snprintf(texts[0], sizeof(texts[0]), "%llu", (unsigned long long)taken.sum >> 20);
	snprintf(texts[1], sizeof(texts[1]), "%llu", (unsigned long long)all >> 20);
	if (taken.sum && all && taken.sum >= all / 2)
		complain(&need, LEAVE, "the new tree reserves %s MiB of %s that are free now",
			 texts[0], texts[1]);
}
