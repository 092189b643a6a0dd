// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a tree can be trusted with this device: all of its structure, then what only
 * this device can tell.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "swap.h"

#define ADDED (128 << 10)	/* room for the bootloader and for a trial */
#define MOST_ENTRIES 1024	/* each is looked for among those of another tree */
#define LARGEST (2 << 20)	/* arm64: Documentation/arch/arm64/booting.rst */

/**
 * is_overlay() - whether something is to be applied to a tree
 * @fdt: passed dtb_read()
 *
 * Return: true if it has a fragment
 */
bool is_overlay(const void *fdt)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0)
		if (fdt_subnode_offset(fdt, node, "__overlay__") >= 0)
			return true;
	return false;
}

/* Without room at its end. */
static unsigned int used_size(const void *fdt)
{
	return fdt_size_dt_struct(fdt) + fdt_size_dt_strings(fdt) + sizeof(struct fdt_header) +
	       (fdt_num_mem_rsv(fdt) + 1) * sizeof(struct fdt_reserve_entry);
}

static bool is_of_trial(const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	const char *line = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "bootargs", NULL);

	return line && strstr(line, TRIAL_MARK);
}

static int by_number(const void *a, const void *b)
{
	unsigned int one = *(const unsigned int *)a, two = *(const unsigned int *)b;

	return one < two ? -1 : one > two;
}

/* Two nodes with one phandle: which of them a reference means is chance. */
static bool twice(const void *fdt, unsigned int *phandle, bool *no_memory)
{
	unsigned int *list, count = 0, i;
	bool found = false;
	int node;

	list = calloc(fdt_size_dt_struct(fdt) / 4 + 1, sizeof(*list));
	*no_memory = !list;
	for (node = 0; list && node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		list[count] = fdt_get_phandle(fdt, node);
		count += list[count] != 0;
	}
	if (list)
		qsort(list, count, sizeof(*list), by_number);
	for (i = 1; i < count && !found; i++) {
		found = list[i] == list[i - 1];
		*phandle = list[i];
	}
	free(list);
	return found;
}

/**
 * check_structure() - refuse what is no complete tree
 * @swap: is told
 * @fdt: passed dtb_read()
 * @name: of the file
 *
 * Return: 0, or -1 where nothing more can be said of it
 */
int check_structure(struct swap *swap, const void *fdt, const char *name)
{
	unsigned int phandle = 0;
	bool no_memory = false;

	if (is_overlay(fdt))
		refuse(swap, KIND_TREE, "merge it into the board's tree, or install --overlay",
		       "%s is an overlay, not a tree", name);
	else if (used_size(fdt) > LARGEST - ADDED)
		refuse(swap, KIND_ROOM, "drop its labels (compile without -@), or parts of it",
		       "%s has %u bytes, the kernel takes %u with what is added for a start", name,
		       used_size(fdt), LARGEST);
	else if (fdt_num_mem_rsv(fdt) > MOST_ENTRIES)
		refuse(swap, KIND_TREE, "reserve what is side by side with one",
		       "%s has %d entries of /memreserve/, more than %d", name,
		       fdt_num_mem_rsv(fdt), MOST_ENTRIES);
	else if (is_of_trial(fdt))
		refuse(swap, KIND_TREE, "take the file that was tried: dtb-swap list",
		       "%s was saved during a trial, and would start another one each time", name);
	else if (twice(fdt, &phandle, &no_memory))
		refuse(swap, KIND_TREE, "compile it from source",
		       "%s has two nodes with phandle 0x%x", name, phandle);
	else if (fdt_stringlist_count(fdt, 0, "compatible") < 1)
		refuse(swap, KIND_TREE, "write the board's names into compatible of the root",
		       "%s does not say which board it is for", name);
	swap->report.no_memory |= no_memory;
	return verdict(&swap->report) ? -1 : 0;
}

/**
 * load_tree() - read a tree or an overlay
 * @swap: is told why not
 * @path: of the file
 *
 * Return: the tree, for free(), or NULL
 */
void *load_tree(struct swap *swap, const char *path)
{
	struct dtb_error err = { 0 };
	void *fdt = dtb_read(path, &err);

	if (!fdt && err.code == -FDT_ERR_NOTFOUND)
		refuse(swap, KIND_ERROR, "name a file that can be read", "%s", err.text);
	else if (!fdt && err.code == -FDT_ERR_BADVERSION)
		refuse(swap, KIND_TREE, "compile it with a dtc of this century", "%s", err.text);
	else if (!fdt && err.code == -FDT_ERR_BADPATH)
		refuse(swap, KIND_TREE, "write the whole path of its node", "%s", err.text);
	else if (!fdt && err.code == -FDT_ERR_NOSPACE)
		refuse(swap, KIND_ROOM, "name a device tree", "%s", err.text);
	else if (!fdt)
		refuse(swap, KIND_TREE, "compile it with dtc, copy it byte for byte (scp)", "%s",
		       err.text);
	return fdt;
}

static bool has_value(const void *fdt, int node, const char *name, const void **value, int *length)
{
	int i;

	*value = node < 0 ? NULL : fdt_getprop(fdt, node, name, length);
	for (i = 0; *value && i < *length; i++)
		if (((const char *)*value)[i])
			return true;
	return false;
}

/*
 * What a start has left in a tree that was saved from the running system. A bootloader that
 * gives the kernel an initramfs writes its place again; one that does not leaves what is there.
 */
static void check_chosen(struct swap *swap, const void *running, const void *fdt)
{
	static const char *const names[] = {
		"linux,initrd-start", "linux,initrd-end", "linux,elfcorehdr",
		"linux,usable-memory-range",
	};
	int old = fdt_path_offset(running, "/chosen"), new = fdt_path_offset(fdt, "/chosen");
	const void *was, *is;
	int length = 0, other = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!has_value(fdt, new, names[i], &is, &length))
			continue;
		if (has_value(running, old, names[i], &was, &other) &&
		    (strcmp(names[i], "linux,usable-memory-range") ||
		     (length == other && !memcmp(was, is, length))))
			continue;
		refuse(swap, KIND_TREE,
		       "take the board's tree from its file, or drop that property",
		       "/chosen has %s, which is of the start that it was saved in", names[i]);
	}
}

/* What the user has taken on himself, word by word. */
static void accept_needs(struct swap *swap, size_t said)
{
	struct finding *one;
	size_t i;

	for (i = 0; i < MOST_ACCEPTED && swap->accepted[i]; i++)
		for (one = swap->report.list + said; one < swap->report.list + swap->report.count;
		     one++)
			if (one->kind == KIND_NEED && same_text(one->cause, swap->accepted[i]))
				one->level = LEVEL_WARNING;
}

/**
 * check_fit() - refuse a tree that this device cannot live with
 * @swap: is told; has the root of the system
 * @running: the tree of the running kernel
 * @fdt: the tree, which passed check_structure()
 */
void check_fit(struct swap *swap, const void *running, const void *fdt)
{
	size_t said = swap->report.count;
	const void *all;
	void *started;

	check_board(swap, running, fdt);
	if (verdict(&swap->report))
		return;
	started = tree_started(swap, fdt);
	all = started ? started : fdt;
	check_chosen(swap, running, fdt);
	index_open(running);
	index_open(all);
	check_needs(swap, running, all);
	excuse_needs(swap, running, all, said);
	accept_needs(swap, said);
	check_kernel(swap, running, all);
	index_close(all);
	index_close(running);
	free(started);
}

/**
 * check_tree() - refuse a tree that is broken, or that this device cannot live with
 * @swap: is told; has the root of the system
 * @fdt: passed dtb_read()
 * @name: of the file
 */
void check_tree(struct swap *swap, const void *fdt, const char *name)
{
	void *running;

	if (check_structure(swap, fdt, name))
		return;
	running = sys_tree(swap);
	if (running)
		check_fit(swap, running, fdt);
	free(running);
}
