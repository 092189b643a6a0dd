// SPDX-License-Identifier: GPL-2.0-only
/*
 * What install would say of a tree on this device, without touching anything.
 */

#include <stdlib.h>
#include <string.h>

#include "install.h"

#define NAME "swap-check-00000000.dtb"

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

static bool is_selected(const struct place *place, const void *fdt)
{
	void *old = place->value ? place_tree(place, place->value) : NULL;
	struct dtb_error err;
	void *copy = old ? dtb_copy(fdt, 0, &err) : NULL;
	bool same = false;

	if (copy && !fdt_pack(copy) && !fdt_pack(old))
		same = fdt_totalsize(copy) == fdt_totalsize(old) &&
		       !memcmp(copy, old, fdt_totalsize(copy));
	free(copy);
	free(old);
	return same;
}

/**
 * check_install() - say what would keep a tree from being installed
 * @swap: is told; has the root of the system
 * @fdt: the tree, which passed check_fit()
 *
 * Where the bootloader cannot be told at all that is a warning.
 */
void check_install(struct swap *swap, const void *fdt)
{
	size_t size = fdt_totalsize(fdt) + TREE_PAD;
	struct swap own = *swap;
	struct place place = { 0 };

	own.dry = true;
	own.report = (struct report){ 0 };
	if (place_open(&place, &own)) {
		select_traps(&place, NAME, size);
		if (!verdict(&own.report))
			place_overlays(&place, fdt);
		if (!verdict(&own.report) && !is_selected(&place, fdt)) {
			store_room(&own, place.trees, size);
			store_room(&own, place.boot, FILE_ROOM);
		}
	} else if (!place.family || !place.trees) {
		soften(&own.report);
	}
	place_close(&place);
	report_join(&swap->report, &own.report);
}
