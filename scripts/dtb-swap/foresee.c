// SPDX-License-Identifier: GPL-2.0-only
/*
 * What install would say of a tree on this device, without touching anything.
 */

#include <stdlib.h>
#include <string.h>

#include "install.h"

/**
 * soften() - make warnings of what is said of the selector
 * @report: has it
 *
 * Without a way to tell the bootloader a tree can be tried all the same.
 */
void soften(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		struct finding *one = &report->list[i];
		char *text;

		if (one->level != LEVEL_REFUSAL || one->kind != KIND_SELECTOR)
			continue;
		text = format_text("it can be tried, not installed: %s",
				   one->cause ? one->cause : "?");
		one->level = LEVEL_WARNING;
		report->no_memory |= !text;
		free(one->cause);
		one->cause = text;
	}
}

/*
 * The file that the running tree has come from: only a mark shows that. Another one would excuse
 * what it lacks itself, such as the new tree that was copied over the board's own.
 */
static void *if_running(const struct place *place, const char *name)
{
	void *fdt = name ? place_tree(place, name) : NULL;

	if (fdt && tree_running(place, name) == RUNS_YES)
		return fdt;
	free(fdt);
	return NULL;
}

/* What was installed since the start does not run yet. */
static void *running_file(const struct place *place)
{
	void *fdt = if_running(place, place->value);
	struct state state;

	if (fdt)
		return fdt;
	state_read(&state, place);
	fdt = if_running(place, state.previous);
	state_free(&state);
	return fdt;
}

/* What firmware is told by name has to be there: dtparam of config.txt, labels for overlays. */
static bool has_names(const void *fdt, const void *base, const char *path)
{
	int from = fdt_path_offset(base, path), to = fdt_path_offset(fdt, path), prop;
	const char *name = NULL;

	if (from < 0)
		return true;
	fdt_for_each_property_offset(prop, base, from) {
		fdt_getprop_by_offset(base, prop, &name, NULL);
		if (to < 0 || !name || !fdt_getprop(fdt, to, name, NULL))
			return false;
	}
	return true;
}

static void excuse(struct finding *one, const struct report *known)
{
	size_t i;

	for (i = 0; i < known->count; i++)
		if (same_text(one->cause, known->list[i].cause))
			one->level = LEVEL_WARNING;
}

/**
 * excuse_needs() - make warnings of what the system runs without, or gets from its bootloader
 * @swap: the run, which check_needs() has told
 * @running: the tree of the running kernel
 * @fdt: the tree to check
 * @said: how many findings there were before
 *
 * Firmware changes its tree in ways that are not followed (dtparam of config.txt): the file
 * that the running tree has come from lacks that, too. Where that is not known, --accept is left.
 */
void excuse_needs(struct swap *swap, const void *running, const void *fdt, size_t said)
{
	struct swap own = *swap;
	struct place place = { 0 };
	void *base = NULL, *started;

	if (!verdict(&swap->report))
		return;
	own.dry = true;
	own.report = (struct report){ 0 };
	if (place_open(&place, &own))
		base = running_file(&place);
	report_free(&own.report);
	started = base ? tree_started(swap, base) : NULL;
	if (base && has_names(fdt, base, "/__overrides__") &&
	    has_names(fdt, base, "/__symbols__")) {
		index_open(started ? started : base);
		check_needs(&own, running, started ? started : base);
		index_close(started ? started : base);
	}
	for (; said < swap->report.count; said++)
		if (swap->report.list[said].level == LEVEL_REFUSAL)
			excuse(&swap->report.list[said], &own.report);
	report_free(&own.report);
	place_close(&place);
	free(started);
	free(base);
}

/**
 * check_install() - say what would keep a tree from being installed
 * @swap: is told; has the root of the system
 * @fdt: the tree, which passed check_fit()
 * @path: that it has come from
 *
 * Where the bootloader cannot be told at all that is a warning.
 */
void check_install(struct swap *swap, const void *fdt, const char *path)
{
	struct swap own = *swap;
	struct place place = { 0 };
	char *name = NULL;
	size_t size;
	void *kept;

	own.dry = true;
	own.report = (struct report){ 0 };
	kept = tree_to_keep(&own, fdt, path, &name);
	if (kept && place_open(&place, &own)) {
		size = fdt_totalsize(kept);
		keep_name(&place, kept, &name);
		select_traps(&place, name, size);
		if (!verdict(&own.report))
			place_overlays(&place, fdt);
		if (!verdict(&own.report) && !store_same(&own, place.trees, name, kept, size)) {
			store_room(&own, place.trees, size);
			store_room(&own, place.boot, FILE_ROOM);
		}
		if (!verdict(&own.report))
			foresee_untried(&place, kept, name);
	} else if (!place.family || !place.trees) {
		soften(&own.report);
	}
	place_close(&place);
	free(kept);
	free(name);
	report_join(&swap->report, &own.report);
}
