// SPDX-License-Identifier: GPL-2.0-only
/*
 * Apply an overlay, and say by name what it does not find.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtb.h"

#define MOST_FRAGMENTS 1000	/* for each the whole overlay is looked through */

static int no_label(const void *fdt, const char *label, const char *user,
		    struct dtb_error *err)
{
	char near[256];

	dtb_label_nearest(fdt, label, near, sizeof(near));
	return dtb_fail(err, -FDT_ERR_NOTFOUND,
			"no label \"%s\" in this tree (wanted by %s); nearest: %s", label, user,
			near);
}

/* Every label that the overlay refers to has to be there, and what it stands for. */
static int check_labels(const void *fdt, const void *overlay, struct dtb_error *err)
{
	int fixups = fdt_path_offset(overlay, "/__fixups__"), prop;

	if (fixups == -FDT_ERR_NOTFOUND)
		return 0;
	fdt_for_each_property_offset(prop, overlay, fixups) {
		const char *label = NULL, *user, *path;

		user = fdt_getprop_by_offset(overlay, prop, &label, NULL);
		path = dtb_label_path(fdt, label);
		if (!path)
			return no_label(fdt, label, user, err);
		if (fdt_path_offset(fdt, path) < 0)
			return dtb_fail(err, -FDT_ERR_NOTFOUND,
					"label \"%s\" stands for %s, which is not there", label,
					path);
	}
	return 0;
}

/* The label in whose property of /__fixups__ there is "/fragment@0:target:0". */
static const char *target_label(const void *overlay, int fragment)
{
	int fixups = fdt_path_offset(overlay, "/__fixups__"), prop, length;
	char place[128];

	snprintf(place, sizeof(place), "/%s:target:0", fdt_get_name(overlay, fragment, NULL));
	if (fixups < 0)
		return NULL;
	fdt_for_each_property_offset(prop, overlay, fixups) {
		const char *label = NULL;
		const char *at = fdt_getprop_by_offset(overlay, prop, &label, &length);
		const char *end = at + length;

		for (; at < end; at += strnlen(at, end - at) + 1)
			if (!strcmp(at, place))
				return label;
	}
	return NULL;
}

/* A target that is a number means a node of the tree by its phandle. */
static int target_number(const void *fdt, const void *overlay, int fragment)
{
	int length;
	const fdt32_t *phandle = fdt_getprop(overlay, fragment, "target", &length);

	return phandle && length == 4 ?
	       fdt_node_offset_by_phandle(fdt, fdt32_ld(phandle)) : -FDT_ERR_BADPHANDLE;
}

/**
 * dtb_target() - the node that a fragment of an overlay changes
 * @fdt: the tree
 * @overlay: the overlay, before it is applied
 * @fragment: offset of a child of its root that has a node __overlay__
 * @err: why there is none
 *
 * Return: offset in @fdt, or a negative code
 */
int dtb_target(const void *fdt, const void *overlay, int fragment, struct dtb_error *err)
{
	const char *path = fdt_getprop(overlay, fragment, "target-path", NULL);
	const char *label = path ? NULL : target_label(overlay, fragment);
	int node = path || label ? -1 : target_number(fdt, overlay, fragment);

	if (node >= 0)
		return node;
	if (label) {
		path = dtb_label_path(fdt, label);
		if (!path)
			return no_label(fdt, label, fdt_get_name(overlay, fragment, NULL), err);
	}
	if (!path)
		return dtb_fail(err, -FDT_ERR_BADOVERLAY, "%s has no target",
				fdt_get_name(overlay, fragment, NULL));
	node = fdt_path_offset(fdt, path);
	if (node < 0)
		return dtb_fail(err, node, "no node \"%s\" in this tree (target of %s)", path,
				fdt_get_name(overlay, fragment, NULL));
	return node;
}

static int check_targets(const void *fdt, const void *overlay, struct dtb_error *err)
{
	int fragment;

	fdt_for_each_subnode(fragment, overlay, 0) {
		if (fdt_subnode_offset(overlay, fragment, "__overlay__") < 0)
			continue;
		/* The others are among the labels. */
		if (fdt_getprop(overlay, fragment, "target-path", NULL) ||
		    !target_label(overlay, fragment)) {
			int node = dtb_target(fdt, overlay, fragment, err);

			if (node < 0)
				return node;
		}
	}
	return 0;
}

/* libfdt trusts these numbers: places of phandles in the properties of a node. */
static int check_places(const void *overlay, int node, int fixups, struct dtb_error *err)
{
	int prop, child, length, room, i, ret = 0;

	fdt_for_each_property_offset(prop, overlay, fixups) {
		const char *name = NULL;
		const fdt32_t *place = fdt_getprop_by_offset(overlay, prop, &name, &length);

		if (!fdt_getprop(overlay, node, name, &room))
			room = 0;
		for (i = 0; i < length / 4; i++)
			if (room < 4 || fdt32_ld(&place[i]) > (uint32_t)room - 4)
				return dtb_fail(err, -FDT_ERR_BADOVERLAY,
						"a phandle past the end of \"%s\"", name);
	}
	fdt_for_each_subnode(child, overlay, fixups) {
		int other = fdt_subnode_offset(overlay, node, fdt_get_name(overlay, child, NULL));

		if (!ret && other >= 0)
			ret = check_places(overlay, other, child, err);
	}
	return ret;
}

/* It adds 4 to the number behind the last colon, in 32 bits, and takes a sign there. */
static int check_fixups(const void *overlay, struct dtb_error *err)
{
	int fixups = fdt_path_offset(overlay, "/__fixups__"), prop, length;

	if (fixups < 0)
		return 0;
	fdt_for_each_property_offset(prop, overlay, fixups) {
		const char *label = NULL, *colon;
		const char *at = fdt_getprop_by_offset(overlay, prop, &label, &length);
		const char *end = at + length;
		size_t size, digits;

		for (; at < end; at += size + 1) {
			size = strnlen(at, end - at);
			colon = memrchr(at, ':', size);
			digits = colon ? strspn(colon + 1, "0123456789") : 0;
			if (!digits || digits > 9)
				return dtb_fail(err, -FDT_ERR_BADOVERLAY,
						"a place of \"%s\" that is none: \"%.*s\"", label,
						(int)size, at);
		}
	}
	return 0;
}

/**
 * dtb_fragments() - whether something is an overlay that can be put on a tree
 * @overlay: libfdt applies none without a word
 * @err: why not
 *
 * Return: 0 or a negative code
 */
int dtb_fragments(const void *overlay, struct dtb_error *err)
{
	int fragment, count = 0;

	fdt_for_each_subnode(fragment, overlay, 0)
		count += fdt_subnode_offset(overlay, fragment, "__overlay__") >= 0;
	if (!count)
		return dtb_fail(err, -FDT_ERR_BADOVERLAY, "it is no overlay: no fragment");
	if (count > MOST_FRAGMENTS)
		return dtb_fail(err, -FDT_ERR_BADOVERLAY, "it has %d fragments, more than %d",
				count, MOST_FRAGMENTS);
	return 0;
}

/**
 * dtb_apply() - a tree with an overlay applied
 * @fdt: the tree, not changed
 * @overlay: not changed
 * @room: bytes that it may grow by
 * @err: what was not found, by name, and what is nearest; its code is libfdt's
 *
 * Return: the new tree, for free(), or NULL
 */
void *dtb_apply(const void *fdt, const void *overlay, size_t room, struct dtb_error *err)
{
	int ret, fixups = fdt_path_offset(overlay, "/__local_fixups__");
	void *spoilt, *result;

	if (dtb_fragments(overlay, err))
		return NULL;
	if ((fixups >= 0 && check_places(overlay, 0, fixups, err)) || check_fixups(overlay, err))
		return NULL;
	spoilt = dtb_copy(overlay, 0, err);
	result = spoilt ? dtb_copy(fdt, room, err) : NULL;
	ret = result ? fdt_overlay_apply(result, spoilt) : -FDT_ERR_NOSPACE;
	free(spoilt);
	if (!ret && !dtb_aliases(result, "it cannot be put on this tree", err))
		return result;
	/* libfdt knows only numbers: look for what it has tripped over. */
	if (ret && result && !check_labels(fdt, overlay, err) && !check_targets(fdt, overlay, err))
		dtb_fail(err, ret, "cannot apply: %s", fdt_strerror(ret));
	free(result);
	return NULL;
}
