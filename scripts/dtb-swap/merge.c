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

/*
 * Raspberry Pi's overlays are for the oldest of its SoCs, on whatever board: the firmware does not
 * look.
 */
static bool is_for(const void *overlay, const void *fdt)
{
	struct names names = names_of(fdt, 0);
	const char *name;

	if (dtb_claims(overlay, fdt))
		return true;
	if (fdt_node_check_compatible(overlay, 0, "brcm,bcm2835"))
		return false;
	while ((name = names_next(&names)))
		if (!strncmp(name, "brcm,bcm27", 10) || !strncmp(name, "brcm,bcm28", 10))
			return true;
	return false;
}

static void *put(struct swap *swap, void *fdt, const char *path)
{
	struct dtb_error err = { 0 };
	void *overlay = load_tree(swap, path), *result = NULL;
	const char *mend = "take an overlay for this board; dtb-swap diff shows what the tree has";

	if (overlay && !is_overlay(overlay))
		refuse(swap, KIND_OVERLAY,
		       "name an overlay; a tree is installed alone, without --overlay",
		       "%s is a tree, not an overlay: it has no fragment", path);
	else if (overlay && !is_for(overlay, fdt))
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
