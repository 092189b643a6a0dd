// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree with overlays applied, with labels from a map where it was built without.
 */

#include <stdlib.h>
#include <string.h>

#include "swap.h"

#define ROOM (256 << 10)

static void *add_labels(struct swap *swap, void *fdt)
{
	struct dtb_labels map = { 0 };
	struct dtb_error err = { 0 };
	void *copy = NULL;
	int ret = dtb_labels_read(&map, swap->map, &err);

	if (!ret)
		copy = dtb_copy(fdt, ROOM, &err);
	if (copy)
		ret = dtb_labels_add(&map, copy, &err);
	dtb_labels_free(&map);
	free(fdt);
	if (copy && ret >= 0)
		return copy;
	refuse(swap, KIND_OVERLAY,
	       "compile this tree with dtc -@ and make the map: scripts/dt/apply labels",
	       "labels cannot be added: %s", err.text);
	free(copy);
	return NULL;
}

static bool is_raspberry(const void *fdt)
{
	struct names names = names_of(fdt, 0);
	const char *name;

	while ((name = names_next(&names)))
		if (!strncmp(name, "brcm,bcm27", 10) || !strncmp(name, "brcm,bcm28", 10))
			return true;
	return false;
}

/* Raspberry Pi's overlays name some SoC of its, on whatever board: the firmware does not look. */
static bool is_for(const void *overlay, const void *fdt)
{
	return dtb_claims(overlay, fdt) || (is_raspberry(overlay) && is_raspberry(fdt));
}

/* How many fragments wait for a parameter, which only config.txt gives. */
static int dormant(const void *overlay)
{
	int fragment, count = 0;

	fdt_for_each_subnode(fragment, overlay, 0)
		count += fdt_subnode_offset(overlay, fragment, "__dormant__") >= 0;
	return count;
}

/* Says what of an overlay does nothing; returns whether anything is left. */
static bool is_awake(struct swap *swap, const void *overlay, const char *path)
{
	int count = dormant(overlay);

	if (is_overlay(overlay) && count)
		say(&swap->report, LEVEL_WARNING, KIND_OVERLAY,
		    "give it in dtoverlay= of config.txt, with its parameters",
		    "%d fragments of %s wait for a parameter, and do nothing", count, path);
	else if (count)
		refuse(swap, KIND_OVERLAY,
		       "give it in dtoverlay= of config.txt, with its parameters",
		       "all fragments of %s wait for a parameter", path);
	else if (!is_overlay(overlay))
		refuse(swap, KIND_OVERLAY,
		       "name an overlay; a tree is installed alone, without --overlay",
		       "%s is a tree, not an overlay: it has no fragment", path);
	return is_overlay(overlay);
}

static void *put(struct swap *swap, void *fdt, const char *path)
{
	struct dtb_error err = { 0 };
	void *overlay = load_tree(swap, path), *result = NULL;
	const char *mend = "take an overlay for this board; dtb-swap diff shows what the tree has";

	if (overlay && !is_awake(swap, overlay, path)) {
		free(overlay);
		free(fdt);
		return NULL;
	}
	if (overlay && swap->launcher) {
		overlay = launcher_overlay(swap, overlay, path);
		if (!overlay)
			return fdt;
	}
	if (overlay && !is_for(overlay, fdt))
		refuse(swap, KIND_BOARD, mend, "%s is for \"%s\", not for this tree", path,
		       fdt_stringlist_get(overlay, 0, "compatible", 0, NULL));
	else if (overlay && dtb_address_conflict(fdt, overlay, &err))
		refuse(swap, KIND_OVERLAY, mend, "%s: %s", path, err.text);
	else if (overlay)
		result = dtb_apply(fdt, overlay, ROOM, &err);
	if (overlay && !result && !verdict(&swap->report)) {
		if (fdt_path_offset(fdt, "/__symbols__") < 0)
			mend = "the tree was built without labels: give a label map with --labels";
		refuse(swap, KIND_OVERLAY, mend, "%s: %s", path, err.text);
	}
	free(overlay);
	free(fdt);
	return result;
}

/**
 * merge_files() - apply overlays to a tree, one after the other
 * @swap: is told why it cannot be done; has the label map
 * @fdt: the tree, is let go
 * @overlays: files
 * @count: of @overlays
 *
 * Return: the new tree, packed, for free(), or NULL
 */
void *merge_files(struct swap *swap, void *fdt, char **overlays, int count)
{
	int i;

	if (swap->map && fdt_path_offset(fdt, "/__symbols__") < 0)
		fdt = add_labels(swap, fdt);
	for (i = 0; fdt && i < count; i++)
		fdt = put(swap, fdt, overlays[i]);
	if (fdt)
		fdt_pack(fdt);
	return fdt;
}
