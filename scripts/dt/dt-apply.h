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
 */
struct job {
	struct overlay *overlays;
	size_t overlay_count;
	struct base *bases;
	size_t base_count;
	const char **wanted;
	size_t wanted_count;
	bool verbose;
};

/**
 * dt_highest_phandle - what fdt_overlay_apply() is told of the tree that it changes next;
 * 0: it looks through the tree itself
 */
extern unsigned int dt_highest_phandle;

int dt_find_max_phandle(const void *fdt, unsigned int *phandle);
int read_wanted(struct job *job);
void *open_base(const struct base *base, const struct job *job, struct dtb_error *err);

#endif
