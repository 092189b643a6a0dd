// SPDX-License-Identifier: GPL-2.0-only
/*
 * What install would say of a tree on this device, without touching anything.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "install.h"

#define PAD (8 << 10)		/* as install adds */
#define SPARE (64 << 10)	/* as store_ready() leaves */
#define NAME "swap-check-00000000.dtb"

/* Without a way to tell the bootloader a tree can be tried all the same. */
static void soften(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		struct finding *one = &report->list[i];
		char *text;

		if (one->level != LEVEL_REFUSAL)
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

static void check_room(const struct place *place, const char *folder, size_t size)
{
	char *path = sys_path(place->swap, folder);
	unsigned long long left;
	struct statvfs fs;

	if (path && !statvfs(path, &fs)) {
		left = (unsigned long long)fs.f_bavail * fs.f_frsize;
		if (left < size + SPARE)
			refuse(place->swap, KIND_ROOM,
			       "make room there: dtb-swap list shows old trees",
			       "%s has %llu bytes left, %zu are needed", folder, left,
			       size + SPARE);
	}
	free(path);
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
	struct swap own = *swap;
	struct place place = { 0 };

	own.dry = true;
	own.report = (struct report){ 0 };
	if (place_open(&place, &own)) {
		select_traps(&place, NAME);
		if (!verdict(&own.report))
			place_overlays(&place, fdt);
		if (!verdict(&own.report) && !is_selected(&place, fdt)) {
			check_room(&place, place.trees, fdt_totalsize(fdt) + PAD);
			check_room(&place, place.boot, 0);
		}
	} else if (!place.family || !place.trees) {
		soften(&own.report);
	}
	place_close(&place);
	report_join(&swap->report, &own.report);
}
