// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make the bootloader take another tree.
 *
 * The order of writes: the tree under a name of its own, what to go back to, the line that
 * selects. A tree that is selected is never written to.
 */

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "install.h"

#define LONGEST_STEM 24

/**
 * tree_hash() - a short name for what is in a file
 * @data: of it
 * @size: of @data
 *
 * Return: the hash, FNV-1a
 */
unsigned int tree_hash(const void *data, size_t size)
{
	const unsigned char *c = data, *end = c + size;
	unsigned int sum = 2166136261u;

	while (c < end)
		sum = (sum ^ *c++) * 16777619u;
	return sum;
}

/**
 * is_ours() - whether a tree has been kept by this tool
 * @name: of its file
 *
 * Return: true if so, by the name
 */
bool is_ours(const char *name)
{
	const char *end = strrchr(name, '-');

	return !strncmp(name, "swap-", 5) && end && strspn(end + 1, "0123456789abcdef") == 8 &&
	       !strcmp(end + 9, ".dtb");
}

/**
 * is_named() - whether a file is what its name says
 * @name: of the file
 * @data: of it
 * @size: of @data
 *
 * Return: true if so, also where the name has no hash
 */
bool is_named(const char *name, const void *data, size_t size)
{
	return !is_ours(name) ||
	       strtoul(strrchr(name, '-') + 1, NULL, 16) == tree_hash(data, size);
}

/* Names of ours have nothing in them that a bootloader's shell would take for its own. */
static bool is_plain(const char *name)
{
	while (isalnum((unsigned char)*name) || *name == '-')
		name++;
	return !strcmp(name, ".dtb");
}

/*
 * The same tree always has the same name, another one never the name of the selected. One that
 * has been kept and comes back has its name already. FAT takes two names for one file where
 * they differ in case only, so that there is but one case.
 */
static char *name_for(const char *path, const void *data, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *stem = slash ? slash + 1 : path;
	unsigned int sum = tree_hash(data, size);
	bool back = is_ours(stem) && is_plain(stem) && is_named(stem, data, size);
	size_t i, dot = strcspn(stem, ".");
	char kept[LONGEST_STEM + 1], *name, *c;

	for (i = 0; i < LONGEST_STEM && i < dot; i++)
		kept[i] = isalnum((unsigned char)stem[i]) ? stem[i] : '-';
	kept[i] = '\0';
	name = back ? strdup(stem) : format_text("swap-%s-%08x.dtb", kept, sum);
	for (c = name; c && *c; c++)
		*c = tolower((unsigned char)*c);
	return name;
}

/* Older versions have kept the case of a name, and FAT lists it. */
static bool same_file(const char *a, const char *b)
{
	return a && b && !strcasecmp(a, b);
}

/*
 * Trees of ours that are neither selected nor remembered, do not run, and that the supervisor
 * cannot select: it does not look whether the tree is there, nor do some bootloaders.
 */
static void clean_up(const struct place *place, const struct state *state)
{
	char *trial = trial_name(place->swap);
	char *path = supervisor_variable(place) ? NULL : sys_path(place->swap, place->trees);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!is_ours(name) || same_file(name, state->installed) ||
		    same_file(name, state->previous) || same_file(name, place->value) ||
		    same_file(name, trial) || tree_running(place, name) == RUNS_YES)
			continue;
		store_drop(place->swap, place->trees, name);
	}
	if (dir)
		closedir(dir);
	free(trial);
	free(path);
}

/* What cannot be read may be pending. */
static bool is_pending(const struct place *place)
{
	struct state state;
	bool pending = !state_read(&state, place) || state.pending;

	state_free(&state);
	return pending;
}

/**
 * trial_ends() - a trial is over as soon as its tree is selected for good
 * @place: where things are; whatever is selected later
 */
void trial_ends(const struct place *place)
{
	char *name = trial_name(place->swap);

	if (name && same_text(name, place->value) && !is_pending(place))
		trial_end(place->swap);
	free(name);
}

/* What is installed for good has been waited for by nobody. */
static bool settle(struct place *place)
{
	struct state state;
	bool good;

	good = state_read(&state, place) && state_settle(&state, place);
	state_free(&state);
	return good;
}

static bool is_there(const struct place *place, const char *name)
{
	return sys_has(place->swap, place->trees, name) ||
	       (place->more && sys_has(place->swap, place->more, name));
}

/*
 * What to go back to: never a tree that is pending, since nobody has committed that, nor one that
 * no start has been on. Where one that is gone was selected, a bootloader that goes on has taken
 * its own.
 */
static char *way_back(const struct state *old, const struct place *place)
{
	bool unproven = old->pending || never_ran(place, old) ||
			(old->damaged && place->value &&
			 tree_running(place, place->value) == RUNS_NO);
	const char *value = unproven ? old->previous : place->value;

	if (value && place->family->fallback && !is_there(place, value))
		value = NULL;
	return value ? strdup(value) : NULL;
}

/* Whether what is selected is that tree already, and nothing has to be written. */
static bool stays(const struct place *place, const void *fdt, const char *name)
{
	return same_text(place->value, name) && select_last(place, false) &&
	       store_same(place->swap, place->trees, name, fdt, fdt_totalsize(fdt));
}

/* Guard could not give up a tree that has none before it; nor one that is selected for good. */
static bool can_go_back(const struct place *place, const void *fdt, const char *name)
{
	struct swap *swap = place->swap;
	struct state old;
	char *value;
	void *before;

	if (!state_read(&old, place))
		return false;
	value = way_back(&old, place);
	before = value && strcmp(value, name) ? place_tree(place, value) : NULL;
	if (!old.pending && same_text(place->value, name) && !stays(place, fdt, name))
		refuse(swap, KIND_NOTHING, "dtb-swap rollback --own, then try it",
		       "%s is selected for good%s: nothing would give it up", name,
		       is_there(place, name) ? "" : ", and not there");
	else if (value && strcmp(value, name) && !before)
		refuse(swap, KIND_NOTHING, "dtb-swap rollback --own, then try it; or install",
		       "the tree before, %s, is not there, or broken: nothing could go back to it",
		       value);
	free(before);
	free(value);
	state_free(&old);
	return !verdict(&swap->report);
}

/* What is selected may not be on the disk: somebody has copied it, or a write failed late. */
static bool flush_selected(const struct place *place, const char *name)
{
	return store_flush(place->swap, place->trees, name) &&
	       store_flush(place->swap, place->boot, place->family->file);
}

/* All that is written, in its order. */
static bool write_tree(struct place *place, const void *fdt, const char *name, bool pending)
{
	struct state old, state = { 0 };
	bool good, again = same_text(place->value, name);

	if (store_same(place->swap, place->trees, name, fdt, fdt_totalsize(fdt)))
		good = store_flush(place->swap, place->trees, name);
	else
		good = store_write(place->swap, place->trees, name, fdt, fdt_totalsize(fdt));
	if (again)	/* it was damaged, or not the last; what was before it is known */
		return good && (select_last(place, false) ? flush_selected(place, name) :
							    select_value(place, name)) &&
		       (pending || settle(place));
	good = state_read(&old, place) && good;
	state.previous = way_back(&old, place);
	state.installed = strdup(name);
	state.back = !same_text(state.previous, name);
	state.pending = pending && state.back;	/* what was there before has been proven */
	state.start = sys_line(place->swap, THIS_START);
	good = good && state_write(&old, &state, place) && select_value(place, name);
	if (good) {
		state_finish(&state, place);
		clean_up(place, &state);
	}
	state_free(&old);
	state_free(&state);
	return good;
}

/* Guard watches the tree that is tried, and in the start after it nobody does. */
static void tell_trial(const struct place *place)
{
	char *name = trial_name(place->swap);

	if (name && !trial_over(place->swap) && !same_text(name, place->value))
		say(&place->swap->report, LEVEL_WARNING, KIND_NOTHING,
		    "dtb-swap rollback; commit first, then install",
		    "nobody has committed %s: guard is going to restart the system, with %s", name,
		    place->value);
	free(name);
}

/* What is tried already has one start, and guard has seen that; what was committed has none. */
static void tell_again(const struct place *place, const char *name)
{
	struct state state;

	if (state_read(&state, place) && (!state.pending || state.boots))
		say(&place->swap->report, LEVEL_WARNING, KIND_NOTHING, state.pending ?
		    "dtb-swap commit; or rollback, then try it" : "dtb-swap rollback, then try it",
		    "%s is %s", name, state.pending ?
		    "tried in this start: the next start gives it up unless it is committed" :
		    "selected for good: nothing will give it up");
	state_free(&state);
}

/**
 * install_tree() - make the bootloader take a tree
 * @place: where things are
 * @fdt: the tree, which passed check_tree()
 * @name: under which it is kept
 * @pending: give it up unless it is committed
 *
 * Return: true when the bootloader will take it; otherwise the run is told, and the
 * bootloader takes what it took before, unless the place is told that it is late
 */
bool install_tree(struct place *place, const void *fdt, const char *name, bool pending)
{
	struct swap *swap = place->swap;
	unsigned long trees = 0, boot = 0;
	bool good = false, there;
	size_t size = fdt_totalsize(fdt);

	if (select_refresh(place))
		select_traps(place, name, size);
	if (!verdict(&swap->report))
		place_overlays(place, fdt);
	if (verdict(&swap->report) || (pending && !can_go_back(place, fdt, name)))
		return false;
	trial_ends(place);
	there = store_same(swap, place->trees, name, fdt, size);
	if (stays(place, fdt, name)) {
		if (!flush_selected(place, name) || (!pending && !settle(place)))
			return false;
		trial_ends(place);
		fact(&swap->report, "installed", "%s, it was before", name);
		if (pending)
			tell_again(place, name);
		return true;
	}
	if (store_ready(swap, place->trees, there ? 0 : size, &trees)) {
		if (store_ready(swap, place->boot, there ? 0 : FILE_ROOM, &boot)) {
			good = write_tree(place, fdt, name, pending);
			store_done(swap, place->boot, boot);
		}
		store_done(swap, place->trees, trees);
	}
	if (good) {
		trial_ends(place);
		fact(&swap->report, "installed", "%s in %s, selected in %s/%s", name, place->trees,
		     place->boot, place->family->file);
		fact(&swap->report, "next", "it is used from the next boot on; %s",
		     pending && is_pending(place) ?
		     "say dtb-swap commit then, or guard gives it up" : "undo: rollback");
		tell_trial(place);
		supervisor_warn(place, pending);
	}
	return good;
}

/**
 * tree_to_keep() - a tree as it is kept on the disk
 * @swap: is told why there is none
 * @fdt: the tree, not changed
 * @path: that it has come from
 * @name: gets the name that it is kept under, for free()
 *
 * Return: the tree with room for what the bootloader adds, for free(), or NULL
 */
void *tree_to_keep(struct swap *swap, const void *fdt, const char *path, char **name)
{
	struct dtb_error err = { 0 };
	void *packed = dtb_copy(fdt, STAMP_ROOM, &err), *copy = NULL;

	if (packed && !tree_stamp(packed))
		copy = dtb_copy(packed, TREE_PAD, &err);
	if (copy)
		memset((char *)copy + fdt_totalsize(copy) - TREE_PAD, 0, TREE_PAD);
	else
		refuse(swap, KIND_ERROR, "free some memory", "%s", err.text);
	free(packed);
	*name = copy ? name_for(path, copy, fdt_totalsize(copy)) : NULL;
	return copy;
}

/**
 * keep_name() - what is selected, or was before, is the same tree under whatever name
 * @place: where things are
 * @fdt: the tree, as it is kept
 * @name: that it would be kept under; gets that which it has, for free()
 */
void keep_name(const struct place *place, const void *fdt, char **name)
{
	struct state state;
	const char *known[2];
	size_t i;

	state_read(&state, place);
	known[0] = place->value;
	known[1] = state.previous;
	for (i = 0; i < 2; i++) {
		if (!known[i] || !is_ours(known[i]) ||
		    !store_same(place->swap, place->trees, known[i], fdt, fdt_totalsize(fdt)))
			continue;
		free(*name);
		*name = strdup(known[i]);
		break;
	}
	state_free(&state);
}

/**
 * wanted_tree() - the tree that the words of a call mean
 * @call: a tree, or overlays; is told what is wrong with it
 * @place: where things are
 * @name: gets the name that it is kept under, for free()
 *
 * Return: the tree, checked and with room in it, for free(), or NULL
 */
void *wanted_tree(struct call *call, struct place *place, char **name)
{
	struct swap *swap = &call->swap;
	bool before = false;
	void *kept = NULL, *fdt = NULL;

	if (call->overlay)
		fdt = overlay_tree(call, place, &before);
	else if (call->count > 1)
		refuse(swap, KIND_USAGE, "say --overlay if they are overlays",
		       "one tree at a time");
	else
		fdt = load_tree(swap, call->words[0]);
	if (fdt && before) {
		*name = strdup(place->value);
		free(fdt);
		return place_tree(place, place->value);
	}
	if (fdt)
		check_tree(swap, fdt, call->words[0]);
	if (fdt && !verdict(&swap->report))
		kept = tree_to_keep(swap, fdt, call->words[0], name);
	if (kept && place->family)
		keep_name(place, kept, name);
	free(fdt);
	return kept;
}

/**
 * run_install() - the verb install
 * @call: the tree, or the overlays
 */
void run_install(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	struct lock lock;
	bool alone = lock_take(&lock, swap), untried, done;
	char *name = NULL;
	void *fdt = NULL;

	if (alone && place_open(&place, swap))
		fdt = wanted_tree(call, &place, &name);
	untried = fdt && name && check_untried(call, &place, fdt, name);
	done = fdt && name && !verdict(&swap->report) && install_tree(&place, fdt, name, false);
	if (done)
		guard_forget(swap);
	if (done && untried)
		warn_untried(swap, name);
	if (verdict(&swap->report) && !done && !place.late)
		say(&swap->report, LEVEL_NOTE, KIND_NONE, NULL,
		    "the bootloader takes what it took before");
	free(name);
	free(fdt);
	place_close(&place);
	lock_drop(&lock);
}
