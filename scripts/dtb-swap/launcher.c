// SPDX-License-Identifier: GPL-2.0-only
/*
 * What NVIDIA's L4TLauncher takes of an overlay: fragments with conditions in a node board_config
 * are for some modules, others are dropped with what refers to them, as by
 * ProcessOverlayDeviceTree() of edk2-nvidia's TegraDeviceTreeOverlayLibCommon.c.
 *
 * The numbers of module and carrier are in the running tree's /chosen/ids, as the firmware has
 * read them. Of fuses and odm-data nobody tells: what hangs on them is left out, so that
 * nothing stands on it.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "swap.h"

#define BOARD 10	/* of "3701-0000-500" before the fab */
#define FAB 3

/* The number in a fab such as "500" or "EB1", or -1. */
static int fab_of(const char *id, size_t *letters)
{
	int number = 0;
	size_t i;

	*letters = 0;
	if (strlen(id) < BOARD + FAB)
		return -1;
	for (i = BOARD; i < BOARD + FAB; i++) {
		if (isdigit((unsigned char)id[i]))
			number = number * 10 + id[i] - '0';
		else if (isalpha((unsigned char)id[i]))
			++*letters;
		else
			return -1;
	}
	return number;
}

/* @wanted: "3701-0000-*", "^3701", ">=3701-0000-400" */
static bool is_board(const char *wanted, const char *board)
{
	const char *id = wanted + strspn(wanted, "^<>=");
	bool same = wanted[0] && wanted[1] == '=';
	size_t letters, any;
	int least, fab;

	if (*wanted != '<' && *wanted != '>')
		return !strncmp(id, board, strcspn(id, "*"));
	least = fab_of(id, &letters);
	fab = fab_of(board, &any);
	if (least < 0 || fab < 0 || strncmp(id, board, BOARD + letters))
		return false;
	return (same && fab == least) || (*wanted == '>' ? fab > least : fab < least);
}

/* The numbers stand there with NUL, blank and newline between them. */
static bool has_board(const void *running, const char *wanted)
{
	int chosen = running ? fdt_path_offset(running, "/chosen") : -1, length, i, from = 0;
	const char *ids = chosen >= 0 ? fdt_getprop(running, chosen, "ids", &length) : NULL;
	char board[32] = "";

	if (!ids)
		return false;
	for (i = 0; i <= length; i++) {
		if (i < length && ids[i] && !isspace((unsigned char)ids[i]))
			continue;
		if (i > from && i - from < (int)sizeof(board)) {
			memcpy(board, ids + from, i - from);
			board[i - from] = '\0';
			if (is_board(wanted, board))
				return true;
		}
		from = i + 1;
	}
	return false;
}

static bool is_kernel(const void *running, const char *wanted)
{
	(void)running;
	return !strcasecmp(wanted, "kernel");
}

static bool nobody_tells(const void *running, const char *wanted)
{
	(void)running;
	(void)wanted;
	return false;
}

/* What is asked of each word of a property, of which one has to hold. */
static const struct condition {
	const char *name;
	bool (*holds)(const void *running, const char *wanted);
} CONDITIONS[] = {
	{ "ids", has_board },
	{ "sw-modules", is_kernel },
	{ "environment", nobody_tells },
	{ "odm-data", nobody_tells },
	{ "fuse-info", nobody_tells },
	{ "fuse-info-OR", nobody_tells },
};

static bool one_holds(const void *running, const void *overlay, int config,
		      const struct condition *condition)
{
	const char *word;
	int i;

	for (i = 0; (word = fdt_stringlist_get(overlay, config, condition->name, i, NULL)); i++)
		if (condition->holds(running, word))
			return true;
	return false;
}

/* Whether a fragment is for this module; where there are conditions, one has to be known. */
static bool is_for_module(const void *running, const void *overlay, int fragment)
{
	int config = fdt_subnode_offset(overlay, fragment, "board_config");
	bool any = false;
	size_t i;

	if (config < 0 || fdt_first_property_offset(overlay, config) < 0)
		return true;
	for (i = 0; i < sizeof(CONDITIONS) / sizeof(*CONDITIONS); i++) {
		if (fdt_stringlist_count(overlay, config, CONDITIONS[i].name) <= 0)
			continue;
		any = true;
		if (!one_holds(running, overlay, config, &CONDITIONS[i]))
			return false;
	}
	return any;
}

static bool begins(const char *text, const char *path, const char *ends)
{
	size_t length = strlen(path);

	return !strncmp(text, path, length) && text[length] && strchr(ends, text[length]);
}

/* Takes the places that begin with a path out of a list; returns its length then. */
static int thin_out(char *list, int length, const char *path)
{
	char *from = list, *to = list, *end = list + length;

	while (from < end) {
		size_t size = strnlen(from, end - from) + !!memchr(from, '\0', end - from);

		if (!begins(from, path, ":/")) {
			memmove(to, from, size);
			to += size;
		}
		from += size;
	}
	return to - list;
}

/* Of a list in a node; returns whether it is still there. */
static bool drop_list(void *overlay, int node, int prop, const char *path)
{
	const char *name = NULL;
	int length, left;
	const char *list = fdt_getprop_by_offset(overlay, prop, &name, &length);
	char *copy = list && length ? calloc(length + 1, 1) : NULL;

	if (!copy)
		return true;
	memcpy(copy, list, length);
	left = thin_out(copy, length, path);
	if (!left)
		fdt_delprop(overlay, node, name);
	else if (left < length)
		fdt_setprop(overlay, node, name, copy, left);
	free(copy);
	return left;
}

/* What a node lists of places in a fragment. */
static void drop_places(void *overlay, const char *lists, const char *fragment)
{
	int node = fdt_path_offset(overlay, lists);
	char *path = format_text("/%s", fragment);
	int prop = node >= 0 && path ? fdt_first_property_offset(overlay, node) : -1;

	while (prop >= 0)
		prop = drop_list(overlay, node, prop, path) ?
		       fdt_next_property_offset(overlay, prop) :
		       fdt_first_property_offset(overlay, node);
	free(path);
}

static void drop_node(void *overlay, const char *parent, const char *name)
{
	int node, above = fdt_path_offset(overlay, parent);

	fdt_for_each_subnode(node, overlay, above)	/* libfdt finds name@1, too */
		if (!strcmp(fdt_get_name(overlay, node, NULL), name)) {
			fdt_del_node(overlay, node);
			return;
		}
}

/* The names of the fragments that were dropped, a line each, for free(). */
static char *drop_foreign(void *overlay, const void *running, int *dropped)
{
	int fragment, *list = malloc(fdt_size_dt_struct(overlay) + sizeof(int)), count = 0;
	char *names = NULL;
	size_t size;
	FILE *out = list ? open_memstream(&names, &size) : NULL;

	if (out)
		fdt_for_each_subnode(fragment, overlay, 0)
			if (!is_for_module(running, overlay, fragment))
				list[count++] = fragment;
	*dropped = count;
	while (count--) {	/* the last first, so that the others stay where they are */
		fprintf(out, "%s\n", fdt_get_name(overlay, list[count], NULL));
		fdt_del_node(overlay, list[count]);
	}
	if (out && fclose(out)) {
		free(names);
		names = NULL;
	}
	free(list);
	return names;
}

/**
 * launcher_takes() - an overlay without the fragments that are for other modules
 * @swap: the run
 * @overlay: not changed
 * @dropped: gets how many there were
 *
 * Return: the overlay, for free(), or NULL without memory
 */
void *launcher_takes(const struct swap *swap, const void *overlay, int *dropped)
{
	struct swap own = *swap;
	struct dtb_error err;
	void *copy = dtb_copy(overlay, 0, &err), *running;
	char *names = NULL, *next, *name;

	own.report = (struct report){ 0 };
	running = sys_tree(&own);
	report_free(&own.report);
	*dropped = 0;
	if (copy)
		names = drop_foreign(copy, running, dropped);
	next = names;
	while (names && (name = strsep(&next, "\n")) && *name) {
		drop_places(copy, "/__fixups__", name);
		drop_places(copy, "/__symbols__", name);
		drop_node(copy, "/__local_fixups__", name);
	}
	free(names);
	free(running);
	return copy;
}

/**
 * launcher_overlay() - what the launcher takes of an overlay
 * @swap: is told of what it leaves out
 * @overlay: is let go
 * @name: of its file
 *
 * Return: the overlay, for free(), or NULL where nothing is left of it
 */
void *launcher_overlay(struct swap *swap, void *overlay, const char *name)
{
	int dropped;
	void *less = launcher_takes(swap, overlay, &dropped);

	if (dropped)
		say(&swap->report, LEVEL_NOTE, KIND_NONE, NULL,
		    "of %s %d fragments are for other modules (board_config)", name, dropped);
	swap->report.no_memory |= !less;
	free(overlay);
	if (!dropped || (less && is_overlay(less)))
		return less;
	free(less);
	return NULL;
}

static bool delete_all(void *fdt, const void *overlay, int fragment, const char *target,
		       const char *what)
{
	const char *word;
	int i, node, ret;

	for (i = 0; (word = fdt_stringlist_get(overlay, fragment, what, i, NULL)); i++) {
		node = fdt_path_offset(fdt, target);
		if (!strcmp(what, "delete_prop")) {
			ret = node < 0 ? node : fdt_delprop(fdt, node, word);
		} else {
			node = node < 0 ? node : fdt_subnode_offset(fdt, node, word);
			ret = node < 0 ? node : fdt_del_node(fdt, node);
		}
		if (ret)
			return false;
	}
	return true;
}

/**
 * launcher_deletes() - take out of a tree what fragments say in delete_node and delete_prop
 * @fdt: the tree
 * @overlay: of launcher_overlay()
 *
 * Return: true, or false where something is not there, and nothing of the overlay is put on
 */
bool launcher_deletes(void *fdt, const void *overlay)
{
	const char *target;
	int fragment;

	fdt_for_each_subnode(fragment, overlay, 0) {
		target = fdt_stringlist_get(overlay, fragment, "target-path", 0, NULL);
		if (target && (!delete_all(fdt, overlay, fragment, target, "delete_node") ||
			       !delete_all(fdt, overlay, fragment, target, "delete_prop")))
			return false;
	}
	return true;
}
