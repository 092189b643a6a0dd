// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is selected, what runs, and what there is.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "install.h"

static const char *board_of(const void *fdt)
{
	const char *name = fdt_stringlist_get(fdt, 0, "compatible", 0, NULL);

	return name ? name : "no board";
}

/* Why the bootloader would not take what is selected, as far as its files tell. */
static void tell_why(const struct place *place, const void *fdt)
{
	struct swap own = *place->swap;
	struct place there = *place;
	size_t i;

	own.report = (struct report){ 0 };
	there.swap = &own;
	select_traps(&there, place->value, fdt_totalsize(fdt));
	place_overlays(&there, fdt);
	for (i = 0; i < own.report.count; i++) {
		const struct finding *one = &own.report.list[i];

		if (one->level == LEVEL_REFUSAL && one->kind != KIND_BUSY)
			say(&place->swap->report, LEVEL_WARNING, one->kind, one->mend, "%s",
			    one->cause ? one->cause : "?");
	}
	report_free(&own.report);
}

/* Whether the kernel runs on what is selected. */
static void tell_runs(const struct place *place, const void *fdt)
{
	struct report *report = &place->swap->report;
	enum runs runs = tree_running(place, place->value);
	char *trial = trial_name(place->swap);
	struct state state;
	bool known, fresh;

	state_read(&state, place);
	known = same_text(state.installed, place->value) && state.start;
	fresh = known && first_start(place->swap, &state);
	if (runs != RUNS_UNKNOWN)
		fact(report, "runs", "%s", runs == RUNS_YES ? "yes" :
		     fresh ? "not yet, it was selected in this start" :
		     trial ? "no, another one is tried" : "no");
	if (runs == RUNS_NO)
		tell_why(place, fdt);
	if (runs == RUNS_NO && !fresh && !trial)
		say(report, LEVEL_WARNING, KIND_SELECTOR,
		    "start the device again, and see what the bootloader says",
		    "another tree runs than %s: the bootloader did not take it%s", place->value,
		    known ? "" : ", or it was selected in this start");
	state_free(&state);
	free(trial);
}

/* A tree that is damaged is taken all the same: only its name tells. */
static void tell_missing(const struct place *place)
{
	const char *name = place_selected(place);
	bool damaged = place_damaged(place, name), goes_on = place->family->fallback;

	say(&place->swap->report, goes_on && !damaged ? LEVEL_WARNING : LEVEL_REFUSAL, KIND_TREE,
	    "dtb-swap rollback, or install a tree", "%s/%s is selected, and is %s", place->trees,
	    name, damaged ? "damaged: it is not the tree that was kept" :
	    goes_on ? "missing or broken: the bootloader will take its own" :
	    "missing or broken: the device will not boot");
}

static void tell_selected(const struct place *place)
{
	struct report *report = &place->swap->report;
	const char *name = place_selected(place);
	void *fdt = name ? place_tree(place, name) : NULL, *ours;

	if (!name) {
		fact(report, "selected", "the bootloader's own tree");
		select_hidden(place);
		return;
	}
	fact(report, "selected", "%s", name);
	select_first(place, LEVEL_WARNING);
	select_last(place, true);
	if (fdt)
		fact(report, "tree", "%s, %u bytes, sound", board_of(fdt), fdt_totalsize(fdt));
	else
		tell_missing(place);
	ours = place->value ? place_tree(place, place->value) : NULL;
	if (ours)
		tell_runs(place, ours);
	free(ours);
	if (strchr(name, '\r'))
		say(report, LEVEL_WARNING, KIND_SELECTOR, "end its lines with LF alone",
		    "%s/%s has lines that end with CR LF", place->boot, place->family->file);
	free(fdt);
}

static void tell_state(const struct place *place)
{
	struct report *report = &place->swap->report;
	char *name = trial_name(place->swap);
	enum slot_next next;
	struct state state;
	bool ours;

	state_read(&state, place);
	if (name)
		fact(report, "trial", "%s%s", name,
		     trial_over(place->swap) || (same_text(name, place->value) && !state.pending) ?
		     ", committed" : ", not committed: a start is on what is selected");
	free(name);
	if (state.back)
		fact(report, "before", "%s",
		     state.previous ? state.previous : "the bootloader's own tree");
	if (taken(place))
		fact(report, "update", "the trees went into the new OS, which is started next");
	next = slot_next(place);
	if ((next == SLOT_CHANGES || next == SLOT_TRIAL) && carry_lacks(place))
		say(report, LEVEL_WARNING, KIND_TREE,
		    "let dtb-swap-carry.service run at shutdown, or dtb-swap carry --last now",
		    "the next start may be on the other root, which has not %s",
		    place_selected(place));
	ours = place->value && is_ours(place->value);
	if (state.damaged)
		state_damaged(place, ours ? LEVEL_REFUSAL : LEVEL_WARNING);
	if (state.pending)
		fact(report, "pending", "not committed, started %u times", state.boots);
	if (state.installed && (!place->value || strcmp(state.installed, place->value)))
		say(report, LEVEL_WARNING, KIND_SELECTOR, "install it again if it is wanted",
		    "%s was installed, and is not selected", state.installed);
	state_free(&state);
}

/*
 * As place_open(), but where nothing of ours is installed, it is no error of who looks that
 * the bootloader cannot be told.
 */
static bool look(struct place *place, struct swap *swap)
{
	struct swap own = *swap;
	char *path;
	bool good;
	size_t i;

	own.report = (struct report){ 0 };
	own.dry = true;
	good = place_open(place, &own);
	place->swap = swap;
	path = format_text("%s/dtb-swap.state", place->boot ? place->boot : "");
	if (place->boot && !place->family && path && !sys_exists(swap, path))
		for (i = 0; i < own.report.count; i++)
			if (own.report.list[i].kind == KIND_SELECTOR)
				own.report.list[i].level = LEVEL_WARNING;
	free(path);
	report_join(&swap->report, &own.report);
	return good;
}

/**
 * run_status() - the verb status
 * @call: without words
 */
void run_status(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	void *running = sys_tree(swap);

	if (running)
		fact(&swap->report, "running", "%s", board_of(running));
	if (running && look(&place, swap)) {
		fact(&swap->report, "device", "%s", place.device ? place.device : "unknown");
		fact(&swap->report, "family", "%s", place.family->name);
		fact(&swap->report, "selector", "%s=%s in %s/%s", place.key,
		     place.value ? place.value : "", place.boot, place.family->file);
		fact(&swap->report, "trees", "%s", place.trees);
		tell_selected(&place);
		tell_state(&place);
	}
	free(running);
	place_close(&place);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void tell_tree(const struct place *place, const struct state *state, const char *name)
{
	void *fdt = place_tree(place, name);

	fact(&place->swap->report, "tree", "%s: %s%s%s", name, fdt ? board_of(fdt) : "broken",
	     same_text(place_selected(place), name) ? ", selected" : "",
	     state->previous && !strcmp(state->previous, name) ? ", the one before" : "");
	free(fdt);
}

static void tell_folder(const struct place *place, const char *folder)
{
	char *path = sys_path(place->swap, folder);
	struct dirent **names = NULL;
	int count = path ? scandir(path, &names, NULL, by_name) : 0, i;
	struct state state;

	state_read(&state, place);
	for (i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		size_t length = strlen(name);

		if (length > 4 && !strcmp(name + length - 4, ".dtb") && *name != '.' &&
		    (folder == place->trees || !sys_has(place->swap, place->trees, name)))
			tell_tree(place, &state, name);
		free(names[i]);
	}
	free(names);
	free(path);
	state_free(&state);
}

/**
 * run_list() - the verb list
 * @call: without words
 */
void run_list(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };

	if (call->all) {
		family_list(call->json ? &swap->report : NULL);
		return;
	}
	if (look(&place, swap) || (!verdict(&swap->report) && place.trees)) {
		tell_folder(&place, place.trees);
		if (place.more)
			tell_folder(&place, place.more);
	}
	place_close(&place);
}
