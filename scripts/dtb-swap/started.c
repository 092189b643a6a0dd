// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the bootloader puts on the tree that it takes: overlays of extlinux.conf and config.txt.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"

/* @level: of an overlay that does not apply */
static void apply_on_top(const struct place *place, void **fdt, const char *name,
			 enum level level)
{
	const char *file = strncmp(name, "/boot/", 6) ? name : name + 6;
	void *overlay = place_tree(place, file), *result = NULL;
	struct dtb_error err = { 0 };

	if (!overlay) {
		say(&place->swap->report, LEVEL_WARNING, KIND_OVERLAY, "see why",
		    "the bootloader is told to apply %s, which is not there", name);
		return;
	}
	if (place->family->extlinux)
		overlay = launcher_overlay(place->swap, overlay, name);
	if (!overlay || (place->family->extlinux && !launcher_deletes(*fdt, overlay))) {
		free(overlay);
		return;
	}
	result = dtb_apply(*fdt, overlay, 256 << 10, &err);
	if (result) {
		free(*fdt);
		*fdt = result;
	} else {
		say(&place->swap->report, level, KIND_OVERLAY,
		    "compile the tree with labels (dtc -@), or drop that overlay from its list",
		    "the bootloader will apply %s, and cannot: %s", name, err.text);
	}
	free(overlay);
}

/* The list in overlay_files takes the place of that in extlinux.conf as a whole. */
static char *extlinux_list(const struct place *place)
{
	char *list = extlinux_get(place, "OVERLAYS");
	char *other = list ? env_get(place->family, "overlay_files", place->text) : NULL;

	if (!other)
		return list;
	free(list);
	return other;
}

/* A tree that is named there is taken, whatever is selected. */
static void extlinux_traps(const struct place *place)
{
	char *wrong = extlinux_wrong(place);

	if (wrong)
		refuse(place->swap, KIND_SELECTOR,
		       "write FDT default there, once, under the label that is started",
		       "%s/extlinux/extlinux.conf %s", place->trees, wrong);
	free(wrong);
}

static const char *after_key(const char *line, const char *key)
{
	line += strspn(line, " \t");
	return strncmp(line, key, strlen(key)) ? NULL : line + strlen(key);
}

/*
 * The files that dtoverlay of config.txt names and that are there: the firmware has other
 * names for some. What is under a filter may be for another board.
 */
static char *config_list(const struct place *place)
{
	char *text = config_plain(place->text), *next = text, *line;
	char *prefix = config_get("overlay_prefix", place->text), *list = strdup("");

	while (next && list && (line = strsep(&next, "\n"))) {
		const char *name = after_key(line, "dtoverlay=");
		char *path, *more;

		if (!name)
			continue;
		path = format_text("%s/%s%.*s.dtbo", place->trees, prefix ? prefix : "overlays/",
				   (int)strcspn(name, ",: \t\r"), name);
		if (path && sys_exists(place->swap, path)) {
			more = format_text("%s%s ", list, path + strlen(place->trees) + 1);
			free(list);
			list = more;
		}
		free(path);
	}
	free(prefix);
	free(text);
	return list;
}

/* The firmware applies them one by one, and starts all the same where one does not apply. */
static void check_labels(const struct place *place, const void *fdt)
{
	char *any = config_get("dtoverlay", place->text);

	if (any && fdt_path_offset(fdt, "/__symbols__") < 0)
		say(&place->swap->report, LEVEL_WARNING, KIND_OVERLAY,
		    "compile the tree with labels (dtc -@)",
		    "config.txt has dtoverlay=%s, and the tree has no labels (__symbols__)", any);
	free(any);
}

/* The tree with all that applies, the run is told of the rest; NULL where there is nothing. */
static void *put_on(const struct place *place, const void *fdt)
{
	bool config = place->family->how == HOW_CONFIG;
	char *list = config ? config_list(place) :
		     place->family->extlinux ? extlinux_list(place) : NULL;
	char *next = list, *name;
	struct dtb_error err;
	void *copy = list ? dtb_copy(fdt, 0, &err) : NULL;

	while (copy && (name = strsep(&next, ", \t")))
		if (*name)
			apply_on_top(place, &copy, name, config ? LEVEL_WARNING : LEVEL_REFUSAL);
	free(list);
	return copy;
}

/**
 * place_overlays() - try what the bootloader is going to put on a tree
 * @place: where trees are; the run is told what does not apply
 * @fdt: the tree, not changed
 */
void place_overlays(const struct place *place, const void *fdt)
{
	if (place->family->how == HOW_CONFIG)
		check_labels(place, fdt);
	if (place->family->default_only)
		extlinux_traps(place);
	free(put_on(place, fdt));
}

/**
 * tree_started() - a tree as the kernel is going to see it
 * @swap: the run, is told nothing
 * @fdt: the tree, not changed
 *
 * The running one has the bootloader's overlays, and the file of a tree has not.
 *
 * Return: with those that apply, for free(), or NULL without any
 */
void *tree_started(const struct swap *swap, const void *fdt)
{
	struct swap own = *swap;
	struct place place = { 0 };
	void *started = NULL;

	own.dry = true;
	own.report = (struct report){ 0 };
	if (place_open(&place, &own))
		started = put_on(&place, fdt);
	place_close(&place);
	report_free(&own.report);
	return started;
}
