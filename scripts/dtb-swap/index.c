// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the nodes of a tree are. libfdt reads a tree from its begin for each question, which
 * takes minutes where somebody has made one of 20000 nodes. Trees that are not going to change
 * for a while are read once, and sorted; all others are asked as ever.
 */

#include <stdlib.h>
#include <string.h>

#include "swap.h"

#define DEEPEST 64	/* dtb_check() lets no more through */

/* struct known - a node; @up: number of the one above, -1 for the root */
struct known {
	int offset;
	int up;
	int length;
	unsigned int phandle;
	const char *name;
};

/* struct located - a node that has an address, and a name in its compatible, or none */
struct located {
	const void *reg;
	int length;
	int offset;
	const char *name;
};

/* struct index - @named: numbers, sorted by the one above and the name; @numbered: by phandle */
struct index {
	const void *fdt;
	struct known *list;
	int *named;
	int *numbered;
	struct located *kinds;
	int count;
	int kinds_count;
	struct index *next;
};

static struct index *indexes;
static const struct known *sorted;	/* qsort() has no word for it */

static const struct index *find_index(const void *fdt)
{
	const struct index *index = indexes;

	while (index && index->fdt != fdt)
		index = index->next;
	return index;
}

static int compare_text(const void *a, int length_a, const void *b, int length_b)
{
	int ret = memcmp(a, b, length_a < length_b ? length_a : length_b);

	return ret ? ret : length_a - length_b;
}

static int by_name(const void *a, const void *b)
{
	int i = *(const int *)a, j = *(const int *)b, ret = sorted[i].up - sorted[j].up;

	ret = ret ? ret : compare_text(sorted[i].name, sorted[i].length, sorted[j].name,
				       sorted[j].length);
	return ret ? ret : i - j;
}

static int by_phandle(const void *a, const void *b)
{
	int i = *(const int *)a, j = *(const int *)b;

	if (sorted[i].phandle != sorted[j].phandle)
		return sorted[i].phandle < sorted[j].phandle ? -1 : 1;
	return i - j;
}

/* Without an address it is any. */
static int compare_kind(const struct located *a, const struct located *b)
{
	int ret = strcmp(a->name, b->name);

	return ret || !a->reg || !b->reg ? ret : compare_text(a->reg, a->length, b->reg, b->length);
}

static int by_kind(const void *a, const void *b)
{
	const struct located *one = a, *two = b;
	int ret = compare_kind(one, two);

	return ret ? ret : one->offset - two->offset;
}

static int number_of(const struct index *index, int offset)
{
	int low = 0, high = index->count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (index->list[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < index->count && index->list[low].offset == offset ? low : -1;
}

/* Without room for them they are only counted. */
static void read_nodes(struct index *index, struct known *list)
{
	int node, depth = 0, above[DEEPEST + 2] = { -1 };

	index->count = 0;
	for (node = 0; node >= 0 && depth >= 0 && depth <= DEEPEST;
	     node = fdt_next_node(index->fdt, node, &depth)) {
		struct known *one = list ? &list[index->count] : NULL;

		above[depth + 1] = index->count++;
		if (!one)
			continue;
		*one = (struct known){ .offset = node, .up = above[depth] };
		one->phandle = fdt_get_phandle(index->fdt, node);
		one->name = fdt_get_name(index->fdt, node, &one->length);
	}
}

/* A node is listed once for each of its names, and not at all without an address. */
static int read_kinds(const struct index *index, struct located *kinds)
{
	int i, count = 0;

	for (i = 0; i < index->count; i++) {
		struct located one = { .offset = index->list[i].offset };
		struct names names = names_of(index->fdt, one.offset);

		one.reg = fdt_getprop(index->fdt, one.offset, "reg", &one.length);
		one.name = names_next(&names);
		if (!one.reg)
			continue;
		for (one.name = one.name ? one.name : ""; one.name; one.name = names_next(&names)) {
			if (kinds)
				kinds[count] = one;
			count++;
		}
	}
	return count;
}

static void sort_nodes(struct index *index)
{
	int i, kept = 0;

	for (i = 0; i < index->count; i++) {
		index->named[i] = i;
		index->numbered[i] = i;
	}
	sorted = index->list;
	qsort(index->named, index->count, sizeof(int), by_name);
	qsort(index->numbered, index->count, sizeof(int), by_phandle);
	qsort(index->kinds, index->kinds_count, sizeof(*index->kinds), by_kind);
	for (i = 0; i < index->kinds_count; i++)	/* a name may be there twice */
		if (!kept || by_kind(&index->kinds[kept - 1], &index->kinds[i]))
			index->kinds[kept++] = index->kinds[i];
	index->kinds_count = kept;
}

/**
 * index_open() - read a tree that is going to stay as it is until index_close()
 * @fdt: passed dtb_check()
 *
 * Without memory for it, it is asked as others are.
 */
void index_open(const void *fdt)
{
	struct index *index = calloc(1, sizeof(*index));

	if (!index)
		return;
	index->fdt = fdt;
	index->next = indexes;
	indexes = index;
	read_nodes(index, NULL);
	index->list = calloc(index->count, sizeof(*index->list));
	index->named = calloc(index->count, sizeof(*index->named));
	index->numbered = calloc(index->count, sizeof(*index->numbered));
	if (!index->list || !index->named || !index->numbered)
		goto close;
	read_nodes(index, index->list);
	index->kinds_count = read_kinds(index, NULL);
	index->kinds = calloc(index->kinds_count + 1, sizeof(*index->kinds));
	if (!index->kinds)
		goto close;
	read_kinds(index, index->kinds);
	sort_nodes(index);
	return;
close:
	index_close(fdt);
}

/**
 * index_close() - forget where its nodes are
 * @fdt: of index_open()
 */
void index_close(const void *fdt)
{
	struct index **at = &indexes, *index;

	while (*at && (*at)->fdt != fdt)
		at = &(*at)->next;
	index = *at;
	if (!index)
		return;
	*at = index->next;
	free(index->list);
	free(index->named);
	free(index->numbered);
	free(index->kinds);
	free(index);
}

/**
 * node_above() - fdt_parent_offset()
 * @fdt: the tree
 * @node: in it
 *
 * Return: offset, or a negative code
 */
int node_above(const void *fdt, int node)
{
	const struct index *index = find_index(fdt);
	int number = index ? number_of(index, node) : -1;

	if (number < 0)
		return fdt_parent_offset(fdt, node);
	number = index->list[number].up;
	return number < 0 ? -FDT_ERR_NOTFOUND : index->list[number].offset;
}

/**
 * node_numbered() - fdt_node_offset_by_phandle()
 * @fdt: the tree
 * @phandle: that a node has
 *
 * Return: offset, or a negative code
 */
int node_numbered(const void *fdt, unsigned int phandle)
{
	const struct index *index = find_index(fdt);
	int low = 0, high = index ? index->count : 0;

	if (!index || !phandle || phandle == ~0u)
		return fdt_node_offset_by_phandle(fdt, phandle);
	while (low < high) {
		int middle = low + (high - low) / 2;

		if (index->list[index->numbered[middle]].phandle < phandle)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->count || index->list[index->numbered[low]].phandle != phandle)
		return -FDT_ERR_NOTFOUND;
	return index->list[index->numbered[low]].offset;
}

static int search_child(const void *fdt, int node, const char *name, int length)
{
	int child, found;

	fdt_for_each_subnode(child, fdt, node) {
		const char *other = fdt_get_name(fdt, child, &found);

		if (other && found == length && !memcmp(other, name, length))
			return child;
	}
	return -FDT_ERR_NOTFOUND;
}

/**
 * node_below() - a child by its whole name; libfdt would take name@1 for name
 * @fdt: the tree
 * @node: in it
 * @name: of the child
 * @length: of @name
 *
 * Return: offset, or a negative code
 */
int node_below(const void *fdt, int node, const char *name, int length)
{
	const struct index *index = find_index(fdt);
	int low = 0, high = index ? index->count : 0, up = index ? number_of(index, node) : -1;
	const struct known *one = NULL;

	if (up < 0)
		return search_child(fdt, node, name, length);
	while (low < high) {
		int middle = low + (high - low) / 2;

		one = &index->list[index->named[middle]];
		if (one->up < up || (one->up == up &&
				     compare_text(one->name, one->length, name, length) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	one = low < index->count ? &index->list[index->named[low]] : NULL;
	return one && one->up == up && !compare_text(one->name, one->length, name, length) ?
	       one->offset : -FDT_ERR_NOTFOUND;
}

/**
 * node_path() - fdt_get_path()
 * @fdt: the tree
 * @node: in it
 * @path: where it goes
 * @size: of @path
 *
 * Return: 0 or a negative code
 */
int node_path(const void *fdt, int node, char *path, int size)
{
	const struct index *index = find_index(fdt);
	int number = index ? number_of(index, node) : -1, at = size - 1;

	if (number < 0)
		return fdt_get_path(fdt, node, path, size);
	path[at] = '\0';
	for (; number > 0; number = index->list[number].up) {
		const struct known *one = &index->list[number];

		if (at < one->length + 1)
			return -FDT_ERR_NOSPACE;
		at -= one->length;
		memcpy(path + at, one->name, one->length);
		path[--at] = '/';
	}
	if (at == size - 1 && at)
		path[--at] = '/';
	memmove(path, path + at, size - at);
	return 0;
}

/**
 * node_shown() - dtb_path(): the path of a node, as people are told it
 * @fdt: the tree
 * @node: in it
 * @path: where it goes
 * @size: of @path
 *
 * Return: @path
 */
const char *node_shown(const void *fdt, int node, char *path, int size)
{
	if (node_path(fdt, node, path, size))
		snprintf(path, size, "?");
	return path;
}

static bool is_new(const int *list, int count, int node)
{
	while (count--)
		if (list[count] == node)
			return false;
	return true;
}

static int search_alike(const void *from, int node, const void *fdt, bool placed, int *list,
			int most)
{
	int other, count = 0;

	for (other = 0; other >= 0 && count < most; other = fdt_next_node(fdt, other, NULL))
		if ((placed ? same_place(from, node, fdt, other) :
			      !!fdt_getprop(fdt, other, "reg", NULL)) &&
		    same_device(from, node, fdt, other))
			list[count++] = other;
	return count;
}

static int first_kind(const struct index *index, const struct located *kind)
{
	int low = 0, high = index->kinds_count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (compare_kind(&index->kinds[middle], kind) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * nodes_alike() - the nodes with an address and a name in common
 * @from: a tree
 * @node: in it
 * @fdt: another
 * @placed: the address is the same on their buses
 * @list: gets offsets in that
 * @most: room in @list
 *
 * Return: how many
 */
int nodes_alike(const void *from, int node, const void *fdt, bool placed, int *list, int most)
{
	const struct index *index = find_index(fdt);
	struct names names = names_of(from, node);
	const char *name = names_next(&names);
	struct located kind = { 0 };
	int count = 0, i;

	kind.reg = fdt_getprop(from, node, "reg", &kind.length);
	if (!index || !kind.reg)
		return kind.reg ? search_alike(from, node, fdt, placed, list, most) : 0;
	kind.reg = placed ? kind.reg : NULL;
	for (kind.name = name ? name : ""; kind.name && count < most;
	     kind.name = names_next(&names))
		for (i = first_kind(index, &kind); i < index->kinds_count && count < most &&
		     !compare_kind(&index->kinds[i], &kind); i++)
			if (is_new(list, count, index->kinds[i].offset))
				list[count++] = index->kinds[i].offset;
	return count;
}
