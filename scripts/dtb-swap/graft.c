// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree that a kernel is started with once: the new one, and what the bootloader had put
 * into the running one, since no bootloader is going to be asked.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "try.h"

#define ROOM (64 << 10)
#define DEEPEST 8
#define PANIC "panic=10 "
#define LONGEST_LINE 2047	/* arm64: COMMAND_LINE_SIZE; what is behind is cut off */

/* What is only true of the last start, or would stop the next. */
static const char *const STALE[] = {
	"kaslr-seed", "rng-seed", "linux,initrd-start", "linux,initrd-end", "linux,elfcorehdr",
	"linux,usable-memory-range", "phandle", "linux,phandle",
};

#define N_STALE (sizeof(STALE) / sizeof(*STALE))

static bool stale(const char *name)
{
	size_t i;

	for (i = 0; i < N_STALE; i++)
		if (!strcmp(name, STALE[i]))
			return true;
	return false;
}

/* A tree that was saved has them of the start in which it was. */
static void drop_stale(void *fdt)
{
	int node = fdt_path_offset(fdt, "/chosen");
	size_t i;

	for (i = 0; node >= 0 && i < N_STALE; i++)
		if (!strstr(STALE[i], "phandle"))
			fdt_delprop(fdt, node, STALE[i]);
}

static int copy_props(const void *from, int node, void *to, const char *path, bool all)
{
	int prop, ret = 0;

	fdt_for_each_property_offset(prop, from, node) {
		const char *name = NULL;
		int length, there = fdt_path_offset(to, path);
		const void *value = fdt_getprop_by_offset(from, prop, &name, &length);

		if (!value || there < 0 || stale(name) ||
		    (!all && fdt_getprop(to, there, name, NULL)))
			continue;
		ret = fdt_setprop(to, there, name, value, length);
		if (ret)
			break;
	}
	return ret;
}

/* @path: is made where it is not there */
static int copy_node(const void *from, int node, void *to, int parent, int depth)
{
	const char *name = fdt_get_name(from, node, NULL);
	char path[512];
	int child, new, ret;

	new = fdt_subnode_offset(to, parent, name);
	if (new < 0)
		new = fdt_add_subnode(to, parent, name);
	ret = new < 0 ? new : fdt_get_path(to, new, path, sizeof(path));
	if (!ret)
		ret = copy_props(from, node, to, path, true);
	fdt_for_each_subnode(child, from, node) {
		if (ret || depth == DEEPEST)
			break;
		ret = copy_node(from, child, to, fdt_path_offset(to, path), depth + 1);
	}
	return ret;
}

static bool is_memory(const void *fdt, int node)
{
	const char *type = fdt_getprop(fdt, node, "device_type", NULL);

	return type && !strcmp(type, "memory");
}

/* Memory nodes are the bootloader's, and what it has in /chosen. */
static int copy_bootloaders(const void *running, void *fdt)
{
	int node, next, ret = 0;

	if (fdt_address_cells(running, 0) != fdt_address_cells(fdt, 0) ||
	    fdt_size_cells(running, 0) != fdt_size_cells(fdt, 0))
		return -FDT_ERR_BADNCELLS;
	for (node = fdt_first_subnode(fdt, 0); node >= 0; node = next) {
		next = fdt_next_subnode(fdt, node);
		if (is_memory(fdt, node)) {
			fdt_del_node(fdt, node);
			next = fdt_first_subnode(fdt, 0);
		}
	}
	drop_stale(fdt);
	fdt_for_each_subnode(node, running, 0)
		if (!ret && (is_memory(running, node) ||
			     !strcmp(fdt_get_name(running, node, NULL), "chosen")))
			ret = copy_node(running, node, fdt, 0, 0);
	return ret;
}

/* The new tree's node for it, made where there is none; negative where it counts otherwise. */
static int reserved_node(const void *running, int old, void *fdt)
{
	int new = fdt_path_offset(fdt, "/reserved-memory"), ret;

	if (new < 0) {
		new = fdt_add_subnode(fdt, 0, "reserved-memory");
		ret = new < 0 ? new : copy_props(running, old, fdt, "/reserved-memory", true);
		return ret ? ret : fdt_path_offset(fdt, "/reserved-memory");
	}
	if (fdt_address_cells(running, old) != fdt_address_cells(fdt, new) ||
	    fdt_size_cells(running, old) != fdt_size_cells(fdt, new))
		return -FDT_ERR_BADNCELLS;
	return new;
}

/* Reserved memory that only the running tree has; where it refers to nothing. */
static int copy_reserved(const void *running, void *fdt)
{
	int old = fdt_path_offset(running, "/reserved-memory"), node, ret = 0, i;

	for (i = 0; i < fdt_num_mem_rsv(running) && !ret; i++) {
		uint64_t at, size;

		ret = fdt_get_mem_rsv(running, i, &at, &size);
		if (!ret && size)
			ret = fdt_add_mem_rsv(fdt, at, size);
	}
	if (old < 0 || ret)
		return ret;
	fdt_for_each_subnode(node, running, old) {
		int new = reserved_node(running, old, fdt);

		if (new < 0)
			return new;
		if (fdt_subnode_offset(fdt, new, fdt_get_name(running, node, NULL)) < 0)
			ret = copy_node(running, node, fdt, new, 0);
		if (ret)
			break;
	}
	return ret;
}

/* Addresses of network interfaces, which aliases lead to. */
static int copy_addresses(const void *running, void *fdt)
{
	int aliases = fdt_path_offset(running, "/aliases"), prop, ret = 0;

	if (aliases < 0)
		return 0;
	fdt_for_each_property_offset(prop, running, aliases) {
		const char *path = fdt_getprop_by_offset(running, prop, NULL, NULL), *value;
		int length, from = path ? fdt_path_offset(running, path) : -1;
		int to = from < 0 ? -1 : find_device(running, from, fdt);

		value = to < 0 ? NULL : fdt_getprop(running, from, "local-mac-address", &length);
		if (value && !ret)
			ret = fdt_setprop(fdt, to, "local-mac-address", value, length);
	}
	return ret;
}

/*
 * The running command line, without what an earlier trial has put there: what it is a trial of,
 * and the panic= right before that. A panic= of the user's stays; the kernel takes the last.
 */
static char *trial_line(const char *cmdline, const char *name)
{
	char *old = strdup(cmdline), *kept = calloc(1, strlen(cmdline) + 2), *line = NULL;
	char *next = old, *end = kept, *last = NULL, *word;

	while (old && kept && (word = strsep(&next, " "))) {
		if (strncmp(word, TRIAL_MARK, strlen(TRIAL_MARK))) {
			last = end;
			end = stpcpy(stpcpy(end, word), " ");
		} else if (last && !strcmp(last, PANIC)) {
			end = last;
			*end = '\0';
			last = NULL;
		}
	}
	if (old && kept)
		line = format_text("%s" PANIC TRIAL_MARK "%s", kept, name);
	free(kept);
	free(old);
	return line;
}

/**
 * start_tree() - a tree to start a kernel with
 * @swap: is told why there is none
 * @fdt: the new tree, not changed
 * @name: what the command line is going to say is being tried
 *
 * Return: the tree, with room for start_chosen(), for free(), or NULL
 */
void *start_tree(struct swap *swap, const void *fdt, const char *name)
{
	char *cmdline = sys_line(swap, "/proc/cmdline"), *line;
	struct dtb_error err = { 0 };
	void *running = sys_tree(swap), *copy = running ? dtb_copy(fdt, ROOM, &err) : NULL;
	int ret = -FDT_ERR_NOSPACE;

	line = trial_line(cmdline ? cmdline : "", name);
	if (line && strlen(line) > LONGEST_LINE)
		refuse(swap, KIND_KERNEL, "shorten it, or try --pending",
		       "the trial's command line has %zu characters, and the kernel takes %d",
		       strlen(line), LONGEST_LINE);
	if (copy && line && !verdict(&swap->report)) {
		ret = copy_bootloaders(running, copy);
		if (!ret)
			ret = copy_reserved(running, copy);
		if (!ret)
			ret = copy_addresses(running, copy);
		if (!ret)
			ret = fdt_setprop_string(copy, fdt_path_offset(copy, "/chosen"), "bootargs",
						 line);
	}
	if (ret && !verdict(&swap->report))
		refuse(swap, KIND_ERROR, ret == -FDT_ERR_BADNCELLS ?
		       "give / and /reserved-memory the #address-cells and #size-cells that run" :
		       "report this", "the tree cannot be completed: %s", fdt_strerror(ret));
	free(line);
	free(cmdline);
	free(running);
	if (!ret)
		return copy;
	free(copy);
	return NULL;
}

/**
 * start_chosen() - tell the next kernel where its initramfs is
 * @swap: is told why that failed
 * @fdt: of start_tree()
 * @start: has the place
 *
 * Return: true if it is in the tree
 */
bool start_chosen(struct swap *swap, void *fdt, const struct start *start)
{
	int node = fdt_path_offset(fdt, "/chosen"), ret = 0;

	if (start->initrd.size)
		ret = fdt_setprop_u64(fdt, node, "linux,initrd-start", start->initrd.at);
	if (!ret && start->initrd.size)
		ret = fdt_setprop_u64(fdt, node, "linux,initrd-end",
				      start->initrd.at + start->initrd.size);
	if (ret)
		refuse(swap, KIND_ERROR, "report this", "no room in /chosen: %s",
		       fdt_strerror(ret));
	return !ret;
}
