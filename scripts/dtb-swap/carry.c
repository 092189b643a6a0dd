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
#define ROOM_MEND "dtb-swap rollback --own, then update; or an OS image that leaves more room"
#define OURS "swap-*.dtb"

/* struct move - where trees are, and where they go, from the root; @names: of what is there then */
struct move {
	struct place *place;
	const char *from;
	const char *to;
	FILE *names;
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

/* A tree that the new OS brings itself is its own business; those named swap- are ours. */
static bool brings(const struct move *move, const char *name)
{
	return strncmp(name, "swap-", 5) && sys_has(move->place->swap, move->to, name);
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
	/* Nobody writes there later: to the last block. */
	if (store_ready(swap, path, 0, &writable)) {
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

	if (brings(move, name))
		taken_name(move->names, name);
	if (from && to && !brings(move, name)) {
		data = sys_read(swap, from, &size);
		if (!data && errno != ENOENT)
			refuse(swap, KIND_ERROR, "look at the disk", "%s: %s", from,
			       strerror(errno));
		if (data && !is_named(name, data, size)) {
			refuse(swap, KIND_TREE, "install it again", "%s is damaged", from);
			free(data);
			data = NULL;
		}
		if (data)
			make_folders(swap, to);
		if (data && write_tree(swap, to, data, size)) {
			taken_name(move->names, name);
			fact(&swap->report, "carried", "%s, into the new root", name);
		}
	}
	free(data);
	free(from);
	free(to);
}

/*
 * What does not go along is not selected before the next start, and nothing else hangs on it.
 * @all: whatever it is, that is no more than a warning; otherwise what another OS changes not
 */
static void move_spare(const struct move *move, const char *name, bool all)
{
	struct report *report = &move->place->swap->report;
	size_t said = report->count;

	move_tree(move, name);
	for (; said < report->count; said++)
		if (all || report->list[said].kind == KIND_ROOM ||
		    report->list[said].kind == KIND_TREE)
			report->list[said].level = LEVEL_WARNING;
}

/* All that were installed, for the supervisor may select any; @before went before them. */
static void move_ours(const struct move *move, const char *before)
{
	const char *selected = place_selected(move->place);
	char *path = sys_path(move->place->swap, move->from);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (errno = 0, entry = readdir(dir)))
		if (!fnmatch(OURS, entry->d_name, 0) && !same_text(entry->d_name, selected) &&
		    !same_text(entry->d_name, before))
			move_spare(move, entry->d_name, true);
	if (errno)
		refuse(move->place->swap, KIND_ERROR, "look at the disk", "%s: %s", move->from,
		       strerror(errno));
	if (dir)
		closedir(dir);
	free(path);
}

/* The new root is made anew by each update: nobody makes room there. */
static void mend_room(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		struct finding *one = &report->list[i];

		if (one->kind != KIND_ROOM)
			continue;
		free(one->mend);
		one->mend = strdup(ROOM_MEND);
	}
}

static void move_trees(const struct move *move)
{
	const char *selected = place_selected(move->place);
	struct swap *swap = move->place->swap;
	struct state state;

	if (!sys_exists(swap, move->to)) {
		refuse(swap, KIND_ERROR, "see whether the new root is mounted",
		       NEW_ROOT " has no folder boot");
		return;
	}
	state_read(&state, move->place);
	if (selected)
		move_tree(move, selected);
	if (state.previous && !same_text(state.previous, selected))
		move_spare(move, state.previous, false);
	move_ours(move, state.previous);
	mend_room(&swap->report);
	if (!verdict(&swap->report))
		store_flush(swap, move->to, ".");	/* also what the new OS brings */
	state_free(&state);
}

/* The new OS has an extlinux.conf and overlays of its own, and nobody can mend them there. */
static void check_there(const struct move *move, const void *selected)
{
	const struct place *place = move->place;
	struct swap own = *place->swap;
	struct place there = *place;
	void *brought = NULL;
	size_t i;

	own.report = (struct report){ 0 };
	there.swap = &own;
	there.trees = (char *)move->to;
	there.more = NULL;
	if (brings(move, place_selected(place)))
		brought = place_tree(&there, place_selected(place));
	place_overlays(&there, brought ? brought : selected);
	for (i = 0; i < own.report.count; i++)
		say(&place->swap->report, own.report.list[i].level, own.report.list[i].kind,
		    "update to another OS, or dtb-swap rollback, then update", "%s",
		    own.report.list[i].cause ? own.report.list[i].cause : "?");
	report_free(&own.report);
	free(brought);
}

/*
 * Both roots have one selector: where the tree does not start, the OS before does not either. A
 * start by kexec stands on what the kernel before has switched on, and one that came before a trial
 * may have been such a one, too.
 */
static void check_started(const struct place *place)
{
	enum runs runs = place->value && !place->above ? tree_running(place, place->value) :
							 RUNS_YES;
	char *trial = place->value && !place->above ? trial_name(place->swap) : NULL;
	struct state state;

	state_read(&state, place);
	if (trial)
		refuse(place->swap, KIND_NOTHING, "start the device again, then update",
		       "this start is a trial by kexec, which proves no cold start of %s",
		       place->value);
	else if (runs != RUNS_YES && (never_started(place, &state) ||
				      (state.pending && (runs == RUNS_NO ||
							 first_start(place->swap, &state)))))
		refuse(place->swap, KIND_NOTHING,
		       "start the device with it once, or dtb-swap rollback, then update",
		       "%s is selected, and this device has not yet started with it",
		       place->value);
	state_free(&state);
	free(trial);
}

static void check_selected(const struct move *move, const char *checked)
{
	const struct place *place = move->place;
	const char *name = place_selected(place);
	void *fdt = name ? place_tree(place, name) : NULL;
	bool damaged = name && place_damaged(place, name);

	if (name && !fdt)
		say(&place->swap->report, place->family->fallback && !damaged ?
		    LEVEL_WARNING : LEVEL_REFUSAL, KIND_TREE,
		    "dtb-swap rollback, or install a tree",
		    "%s is selected, and is %s", name,
		    damaged ? "damaged" : "missing or broken");
	check_started(place);
	if (checked && !same_text(checked, name))
		refuse(place->swap, KIND_BUSY, "update again",
		       "%s is no more selected: another dtb-swap was at work", checked);
	if (fdt && move->from && place->family->how == HOW_ENV && sys_exists(place->swap, move->to))
		check_there(move, fdt);
	free(fdt);
}

/* Returns the names of the trees that the new root has then, for free(). */
static char *carry(struct call *call, struct place *place)
{
	char *names = NULL;
	size_t size;
	FILE *out = open_memstream(&names, &size);
	struct move move = { place, old_folder(place), new_folder(&call->swap), out };

	if (!call->back)
		check_selected(&move, call->count ? call->words[0] : NULL);
	if (out && move.from && !verdict(&call->swap.report))
		move_trees(&move);
	call->swap.report.no_memory |= !out || fclose(out);
	return names;
}

/**
 * carry_lacks() - whether the other root has not the selected tree
 * @place: where things are
 *
 * Return: true if so; false where the bootloader takes it from the boot partition, and where
 * nobody can tell
 */
bool carry_lacks(const struct place *place)
{
	const char *name = place_selected(place), *folder = new_folder(place->swap);
	struct dtb_error err;
	size_t size;
	char *path;
	void *fdt;
	bool lacks;

	if (!name || !place_in_root(place, name) || !sys_exists(place->swap, folder))
		return false;
	path = format_text("%s/%s", folder, name);
	fdt = path ? sys_read(place->swap, path, &size) : NULL;
	lacks = fdt ? dtb_check(fdt, size, name, &err) || !is_named(name, fdt, size) :
		path && (errno == ENOENT || errno == EISDIR);
	free(fdt);
	free(path);
	return lacks;
}

static void start_without(struct place *place)
{
	struct swap *swap = place->swap, own = *swap;

	refuse(swap, KIND_TREE, "install it again in the OS that is started next",
	       "%s is not in the root file system that is started next", place_selected(place));
	if (!select_first(place, LEVEL_WARNING))
		return;
	own.report = (struct report){ 0 };
	place->swap = &own;
	select_own(place);
	place->swap = swap;
	report_join(&swap->report, &own.report);
}

/*
 * At the end of this start: the new OS may have had no hook that takes the trees along, and
 * another tree may have been selected since. While an OS is on trial either root may be next. That
 * the bootloader stops ends such a trial, and it goes back; otherwise it would stop for good, and
 * nobody is left to be told: then it takes its own tree.
 */
static void carry_last(struct place *place)
{
	struct move move = { place, old_folder(place), new_folder(place->swap), NULL };
	enum slot_next next = move.from ? slot_next(place) : SLOT_SAME;

	if (next == SLOT_UNKNOWN)
		refuse(place->swap, KIND_ERROR,
		       "see resinOS_uEnv.txt or bootenv, and /proc/self/mountinfo",
		       "which root file system is started next cannot be read");
	if (next == SLOT_CHANGES || next == SLOT_TRIAL)
		move_trees(&move);
	if (next == SLOT_CHANGES && !place->family->fallback && carry_lacks(place))
		start_without(place);
}

/* Nothing of ours is there, and nothing may be: that is no matter of an update. */
static void hush(const struct place *place)
{
	if (place->boot && !sys_has(place->swap, place->boot, "dtb-swap.state"))
		report_free(&place->swap->report);
}

/**
 * run_carry() - the verb carry, for the hook of updates
 * @call: may have the name of the selected tree that was held against the new kernel
 *
 * Where nothing is selected, what does not go along cannot be selected until the next start.
 */
void run_carry(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	char *names = NULL;
	struct lock lock;

	if (lock_wait(&lock, swap, call->limit)) {
		if (call->forget)
			taken_forget(swap);
		else if (!place_open(&place, swap))
			hush(&place);
		else if (call->last)
			carry_last(&place);
		else
			names = carry(call, &place);
		if (place.boot && !call->last && sys_exists(swap, new_folder(swap)) &&
		    (!place_selected(&place) || !verdict(&swap->report)))
			taken_mark(&place, names ? names : "");
	}
	free(names);
	place_close(&place);
	lock_drop(&lock);
}
