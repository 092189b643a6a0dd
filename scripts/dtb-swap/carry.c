// SPDX-License-Identifier: GPL-2.0-only
/*
 * An update of the host OS: the trees go into the root file system of the new OS, where its
 * bootloader is going to look for them.
 */

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "install.h"

#define NEW_ROOT "/mnt/sysroot/inactive"

/* struct move - where trees are, and where they go, from the root */
struct move {
	struct place *place;
	const char *from;
	const char *to;
};

static const char *new_folder(const struct swap *swap)
{
	return sys_exists(swap, NEW_ROOT "/current/boot") ? NEW_ROOT "/current/boot" :
							     NEW_ROOT "/boot";
}

/* Trees of the root file system; what is on the boot partition stays as it is. */
static const char *old_folder(const struct place *place)
{
	return strcmp(place->trees, place->boot) ? place->trees : place->more;
}

static bool is_there(const struct swap *swap, const char *folder, const char *name)
{
	char *path = format_text("%s/%s", folder, name);
	bool there = path && sys_exists(swap, path);

	free(path);
	return there;
}

/* A tree that the new OS brings itself is its own business; those named swap- are ours. */
static bool brings(const struct move *move, const char *name)
{
	return strncmp(name, "swap-", 5) && is_there(move->place->swap, move->to, name);
}

/* Each folder that the name of a file has; what cannot be made is found when it is written. */
static void make_folders(const struct swap *swap, const char *path)
{
	char *all = sys_path(swap, path), *slash = all ? all + strlen(swap->root) : NULL;

	while (slash && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(all, 0755);
		*slash = '/';
	}
	free(all);
}

static bool write_tree(struct swap *swap, char *path, const char *data, size_t size)
{
	char *name = strrchr(path, '/');
	unsigned long writable;
	bool good = false;

	*name++ = '\0';
	if (store_same(swap, path, name, data, size))
		return store_flush(swap, path, name);
	if (store_ready(swap, path, size, &writable)) {
		good = store_write(swap, path, name, data, size);
		store_done(swap, path, writable);
	}
	return good;
}

static void move_tree(const struct move *move, const char *name)
{
	struct swap *swap = move->place->swap;
	char *from = format_text("%s/%s", move->from, name);
	char *to = format_text("%s/%s", move->to, name), *data = NULL;
	size_t size;

	if (from && to && !brings(move, name)) {
		data = sys_read(swap, from, &size);
		if (!data && errno != ENOENT)
			refuse(swap, KIND_ERROR, "look at the disk", "%s: %s", from,
			       strerror(errno));
		if (data)
			make_folders(swap, to);
		if (data && write_tree(swap, to, data, size))
			fact(&swap->report, "carried", "%s, into the new root", name);
	}
	free(data);
	free(from);
	free(to);
}

/* All that were installed, for the supervisor may select any. */
static void move_ours(const struct move *move)
{
	char *path = sys_path(move->place->swap, move->from);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (errno = 0, entry = readdir(dir)))
		if (!fnmatch("swap-*.dtb", entry->d_name, 0))
			move_tree(move, entry->d_name);
	if (errno)
		refuse(move->place->swap, KIND_ERROR, "look at the disk", "%s: %s", move->from,
		       strerror(errno));
	if (dir)
		closedir(dir);
	free(path);
}

static void move_trees(const struct move *move)
{
	struct swap *swap = move->place->swap;
	const char *value = move->place->value;
	struct state state;

	if (!sys_exists(swap, move->to)) {
		refuse(swap, KIND_ERROR, "see whether the new root is mounted",
		       NEW_ROOT " has no folder boot");
		return;
	}
	state_read(&state, move->place);
	move_ours(move);
	if (value)
		move_tree(move, value);
	if (state.previous)
		move_tree(move, state.previous);
	if (!verdict(&swap->report))
		store_flush(swap, move->to, ".");	/* also what the new OS brings */
	state_free(&state);
}

static void check_selected(const struct place *place, const char *checked)
{
	void *fdt = place->value ? place_tree(place, place->value) : NULL;

	if (place->value && !fdt)
		refuse(place->swap, KIND_TREE, "dtb-swap rollback, or install a tree",
		       "%s is selected, and is missing or broken", place->value);
	if (checked && !same_text(checked, place->value))
		refuse(place->swap, KIND_BUSY, "update again",
		       "%s is no more selected: another dtb-swap was at work", checked);
	free(fdt);
}

/**
 * run_carry() - the verb carry, for the hook of updates
 * @call: may have the name of the selected tree that was held against the new kernel
 */
void run_carry(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	struct lock lock;

	if (lock_wait(&lock, swap, call->limit) && place_open(&place, swap)) {
		struct move move = { &place, old_folder(&place), new_folder(swap) };

		check_selected(&place, call->count ? call->words[0] : NULL);
		if (move.from && !verdict(&swap->report))
			move_trees(&move);
	}
	place_close(&place);
	lock_drop(&lock);
}
