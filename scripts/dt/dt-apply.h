/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlays, the trees that they are applied to, and labels for those that have none.
 */
#ifndef DT_APPLY_H
#define DT_APPLY_H

#include "dtb.h"

#define ROOM_FOR_LABELS (256 << 10)

/**
 * struct overlay - an overlay that is applied to every tree that it claims
 * @name: of its file
 * @fdt: its tree
 * @labels: that it refers to
 * @label_count: of @labels
 * @lines: whether it uses GPIOs
 */
struct overlay {
	const char *name;
	void *fdt;
	const char **labels;
	size_t label_count;
	bool lines;
};

/**
 * struct base - a tree that overlays are applied to
 * @name: of its file
 * @map: file of its label map, or NULL
 * @combine: whether overlays are combined on it
 */
struct base {
	char *name;
	char *map;
	bool combine;
};

/**
 * struct job - what has to be done
 * @overlays: all
 * @overlay_count: of @overlays
 * @bases: all
 * @base_count: of @bases
 * @wanted: labels that any overlay refers to, each once, sorted
 * @wanted_count: of @wanted
 * @verbose: tell also what is refused
 * @keep: folder for the trees that come out, or NULL
 */
struct job {
	struct overlay *overlays;
	size_t overlay_count;
	struct base *bases;
	size_t base_count;
	const char **wanted;
	size_t wanted_count;
	bool verbose;
	const char *keep;
};

/**
 * struct dt_memo - what was found in a tree; all 0: nothing yet
 * @highest: phandle
 * @phandle: of the node that was referred to last
 * @offset: of that node
 */
struct dt_memo {
	unsigned int highest;
	unsigned int phandle;
	int offset;
};

/**
 * dt_memo - of the tree that fdt_overlay_apply() is called for, until that changes it
 */
extern struct dt_memo *dt_memo;

int dt_find_max_phandle(const void *fdt, unsigned int *phandle);
int dt_node_offset_by_phandle(const void *fdt, unsigned int phandle);
int dt_setprop(void *fdt, int node, const char *name, const void *value, int length);
int dt_add_subnode(void *fdt, int parent, const char *name);
int read_wanted(struct job *job);
void *open_base(const struct base *base, const struct job *job, struct dtb_error *err);

#endif
