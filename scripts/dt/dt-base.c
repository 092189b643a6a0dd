// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees with the labels that overlays refer to.
 */

#include <stdlib.h>
#include <string.h>

#include "dt-apply.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_labels(struct overlay *overlay)
{
	int prop, node = fdt_path_offset(overlay->fdt, "/__fixups__");
	size_t room = 0;

	if (node < 0)
		return 0;
	fdt_for_each_property_offset(prop, overlay->fdt, node)
		room++;
	overlay->labels = calloc(room + 1, sizeof(*overlay->labels));
	if (!overlay->labels)
		return -1;
	fdt_for_each_property_offset(prop, overlay->fdt, node)
		fdt_getprop_by_offset(overlay->fdt, prop,
				      &overlay->labels[overlay->label_count++], NULL);
	return 0;
}

/**
 * read_wanted() - list the labels that overlays refer to
 * @job: has the overlays; of it and them the labels are set
 *
 * Return: 0, or -1 without memory
 */
int read_wanted(struct job *job)
{
	size_t i, count = 0, room = 0;

	for (i = 0; i < job->overlay_count; i++) {
		if (read_labels(&job->overlays[i]))
			return -1;
		room += job->overlays[i].label_count;
	}
	job->wanted = calloc(room + 1, sizeof(*job->wanted));
	for (i = 0; job->wanted && i < job->overlay_count; i++) {
		memcpy(job->wanted + count, job->overlays[i].labels,
		       job->overlays[i].label_count * sizeof(*job->wanted));
		count += job->overlays[i].label_count;
	}
	if (count)
		qsort(job->wanted, count, sizeof(*job->wanted), by_name);
	for (i = 0; i < count; i++)
		if (!i || strcmp(job->wanted[i], job->wanted[i - 1]))
			job->wanted[job->wanted_count++] = job->wanted[i];
	return job->wanted ? 0 : -1;
}

static bool has(const struct dtb_label *list, size_t count, const char *name)
{
	while (count--)
		if (!strcmp(list[count].name, name))
			return true;
	return false;
}

/* Whether an overlay for this tree refers to a label that is not in the list. */
static bool lacks(const struct dtb_label *list, size_t count, const struct job *job,
		  const void *fdt)
{
	size_t i, j;

	for (i = 0; i < job->overlay_count; i++) {
		const struct overlay *overlay = &job->overlays[i];

		if (!dtb_claims(overlay->fdt, fdt))
			continue;
		for (j = 0; j < overlay->label_count; j++)
			if (!has(list, count, overlay->labels[j]))
				return true;
	}
	return false;
}

/*
 * Labels that nothing refers to need not be added, which saves most of the time; unless
 * one is missing, and the nearest is looked for.
 */
static void keep_wanted(struct dtb_labels *map, const struct job *job, const void *fdt)
{
	struct dtb_label *kept = calloc(map->count + 1, sizeof(*kept));
	size_t i, count = 0;

	for (i = 0; kept && i < map->count; i++)
		if (bsearch(&map->list[i].name, job->wanted, job->wanted_count,
			    sizeof(*job->wanted), by_name))
			kept[count++] = map->list[i];
	if (kept && !lacks(kept, count, job, fdt)) {
		memcpy(map->list, kept, count * sizeof(*kept));
		map->count = count;
	}
	free(kept);
}

/**
 * open_base() - read a tree, and give it labels where it has none
 * @base: the tree and its label map
 * @job: whose overlays need only some of the labels, or NULL for all of them
 * @err: what is wrong with one of the two files
 *
 * Return: the tree, for free(), or NULL
 */
void *open_base(const struct base *base, const struct job *job, struct dtb_error *err)
{
	struct dtb_labels map = { 0 };
	void *fdt = dtb_read(base->name, err), *copy = NULL;
	int ret = 0;

	if (!fdt || !base->map || fdt_path_offset(fdt, "/__symbols__") >= 0)
		return fdt;
	ret = dtb_labels_read(&map, base->map, err);
	if (!ret && job)
		keep_wanted(&map, job, fdt);
	if (!ret)
		copy = dtb_copy(fdt, ROOM_FOR_LABELS, err);
	if (copy)
		ret = dtb_labels_add(&map, copy, err);
	dtb_labels_free(&map);
	free(fdt);
	if (copy && ret >= 0) {
		fdt_pack(copy);
		return copy;
	}
	free(copy);
	return NULL;
}
