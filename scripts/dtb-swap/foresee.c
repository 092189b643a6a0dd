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
		select_traps(&place, name, size);
		if (!verdict(&own.report))
			place_overlays(&place, fdt);
		if (!verdict(&own.report) && !store_same(&own, place.trees, name, kept, size)) {
			store_room(&own, place.trees, size);
			store_room(&own, place.boot, FILE_ROOM);
		}
	} else if (!place.family || !place.trees) {
		soften(&own.report);
	}
	place_close(&place);
	free(kept);
	free(name);
	report_join(&swap->report, &own.report);
}
