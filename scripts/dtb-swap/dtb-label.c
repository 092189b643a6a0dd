// SPDX-License-Identifier: GPL-2.0-only
/*
 * Labels of a tree, and labels for a tree that was built without them.
 *
 * dtc -@ puts labels into the node /__symbols__, and gives every node that has one a
 * phandle. Where it was built without -@ both are missing; a label map, made from the
 * same source, has the first, and the second is a number that nobody else uses.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtb.h"

#define SYMBOLS "/__symbols__"
#define LONGEST_PATH 1024
#define DEEPEST 64
#define LONGEST_LABEL 64

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct dtb_label *)a)->path, ((const struct dtb_label *)b)->path);
}

static int by_node(const void *a, const void *b)
{
	return ((const struct dtb_label *)b)->node - ((const struct dtb_label *)a)->node;
}

static char *read_text(const char *path, struct dtb_error *err)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t room = 0;

	if (!file || getdelim(&text, &room, '\0', file) < 0) {
		dtb_fail(err, -FDT_ERR_NOTFOUND, "%s: %s", path,
			 errno ? strerror(errno) : "it is empty");
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

/* The next line of a map; 0 at its end. */
static int read_label(struct dtb_label *label, char **next)
{
	char *line = strsep(next, "\n"), *path;

	if (!line || !*line)
		return 0;
	path = strchr(line, '\t');
	if (!path || path[1] != '/' || path == line)
		return -FDT_ERR_BADVALUE;
	*path = '\0';
	*label = (struct dtb_label){ .name = line, .path = path + 1, .node = -FDT_ERR_NOTFOUND };
	return 1;
}

/**
 * dtb_labels_read() - read a label map
 * @map: is filled
 * @path: of the file, with lines "label<tab>/path"
 * @err: what is wrong with it
 *
 * Return: 0 or a negative code
 */
int dtb_labels_read(struct dtb_labels *map, const char *path, struct dtb_error *err)
{
	size_t lines = 1;
	char *next, *c;
	int ret;

	*map = (struct dtb_labels){ .text = read_text(path, err) };
	if (!map->text)
		return -FDT_ERR_NOTFOUND;
	for (c = map->text; *c; c++)
		lines += *c == '\n';
	map->list = calloc(lines, sizeof(*map->list));
	if (!map->list) {
		dtb_labels_free(map);
		return dtb_fail(err, -FDT_ERR_NOSPACE, "%s: no memory", path);
	}
	next = map->text;
	while ((ret = read_label(&map->list[map->count], &next)) > 0)
		map->count++;
	if (ret < 0) {
		dtb_fail(err, ret, "%s:%zu: not \"label<tab>/path\"", path, map->count + 1);
		dtb_labels_free(map);
		return ret;
	}
	qsort(map->list, map->count, sizeof(*map->list), by_path);
	return 0;
}

/**
 * dtb_labels_free() - let go of a label map
 * @map: may be empty
 */
void dtb_labels_free(struct dtb_labels *map)
{
	free(map->list);
	free(map->text);
	*map = (struct dtb_labels){ 0 };
}

static void locate(struct dtb_labels *map, const char *path, int node)
{
	struct dtb_label key = { .path = path }, *found, *end = map->list + map->count;

	found = bsearch(&key, map->list, map->count, sizeof(*map->list), by_path);
	while (found && found > map->list && !strcmp(found[-1].path, path))
		found--;
	for (; found && found < end && !strcmp(found->path, path); found++)
		found->node = node;
}

/**
 * dtb_labels_locate() - find the nodes of a label map in a tree, in one walk
 * @map: its nodes are set; sorted by path
 * @fdt: the tree
 * @err: what is wrong with the tree
 *
 * Return: how many paths the tree does not have, or a negative code
 */
int dtb_labels_locate(struct dtb_labels *map, const void *fdt, struct dtb_error *err)
{
	size_t length[DEEPEST] = { 0 };
	char path[LONGEST_PATH] = "/";
	int node, depth = 0, missing = 0;
	size_t i;

	for (i = 0; i < map->count; i++)
		map->list[i].node = -FDT_ERR_NOTFOUND;
	locate(map, path, 0);
	for (node = fdt_next_node(fdt, 0, &depth); node >= 0 && depth > 0;
	     node = fdt_next_node(fdt, node, &depth)) {
		size_t at = length[depth - 1];

		if (depth >= DEEPEST)
			return dtb_fail(err, -FDT_ERR_BADSTRUCTURE, "the tree is too deep");
		length[depth] = at + snprintf(path + at, sizeof(path) - at, "/%s",
					      fdt_get_name(fdt, node, NULL));
		if (length[depth] >= sizeof(path))
			return dtb_fail(err, -FDT_ERR_BADSTRUCTURE, "a path is too long");
		locate(map, path, node);
	}
	for (i = 0; i < map->count; i++)
		missing += map->list[i].node < 0;
	return missing;
}

/* From the end of the tree to its beginning, so that offsets stay what they are. */
static int add_phandles(struct dtb_labels *map, void *fdt)
{
	unsigned int next;
	size_t i;
	int ret = fdt_find_max_phandle(fdt, &next);

	qsort(map->list, map->count, sizeof(*map->list), by_node);
	for (i = 0; !ret && i < map->count; i++) {
		int node = map->list[i].node;

		if (node < 0 || fdt_get_phandle(fdt, node))
			continue;
		ret = next < FDT_MAX_PHANDLE ? fdt_setprop_u32(fdt, node, "phandle", ++next) :
					       -FDT_ERR_NOPHANDLES;
	}
	qsort(map->list, map->count, sizeof(*map->list), by_path);
	return ret;
}

static int add_symbols(const struct dtb_labels *map, void *fdt)
{
	int node = fdt_path_offset(fdt, SYMBOLS), ret = 0;
	size_t i;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, SYMBOLS + 1);
	if (node < 0)
		return node;
	for (i = 0; !ret && i < map->count; i++) {
		const struct dtb_label *label = &map->list[i];

		if (label->node >= 0 && !fdt_getprop(fdt, node, label->name, NULL))
			ret = fdt_setprop_string(fdt, node, label->name, label->path);
	}
	return ret;
}

/**
 * dtb_labels_add() - give a tree the labels of a map
 * @map: labels whose paths the tree does not have are left out
 * @fdt: the tree, with room for them; spoilt on failure. Labels that it has are kept.
 * @err: what went wrong
 *
 * Return: how many labels were left out, or a negative code
 */
int dtb_labels_add(struct dtb_labels *map, void *fdt, struct dtb_error *err)
{
	int missing = dtb_labels_locate(map, fdt, err);
	int ret;

	if (missing < 0)
		return missing;
	ret = add_phandles(map, fdt);
	if (!ret)
		ret = add_symbols(map, fdt);
	if (ret)
		return dtb_fail(err, ret, "cannot add labels: %s", fdt_strerror(ret));
	return missing;
}

/**
 * dtb_labels_first() - move the labels to the front of a tree
 * @fdt: the tree, whose offsets change
 *
 * dtc puts them last, libfdt looks for them from the front, for every label that an
 * overlay names. The order of nodes means nothing.
 */
void dtb_labels_first(void *fdt)
{
	char *base = (char *)fdt + fdt_off_dt_struct(fdt), *labels;
	int first = fdt_first_subnode(fdt, 0), node = fdt_path_offset(fdt, SYMBOLS);
	int end = node, depth = 0, tag;

	if (node < 0 || node == first)
		return;
	do {
		tag = fdt_next_tag(fdt, end, &end);
		depth += (tag == FDT_BEGIN_NODE) - (tag == FDT_END_NODE);
	} while (depth && tag != FDT_END);
	labels = malloc(end - node);
	if (!labels)
		return;
	memcpy(labels, base + node, end - node);
	memmove(base + first + end - node, base + first, node - first);
	memcpy(base + first, labels, end - node);
	free(labels);
}

/**
 * dtb_label_path() - what a label stands for
 * @fdt: the tree
 * @label: without &
 *
 * Return: the path, or NULL where the tree has no such label
 */
const char *dtb_label_path(const void *fdt, const char *label)
{
	int node = fdt_path_offset(fdt, SYMBOLS);

	return node < 0 ? NULL : fdt_getprop(fdt, node, label, NULL);
}

/* How many of the first letters have to be changed, added or dropped (Levenshtein). */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[LONGEST_LABEL + 1], i, j, length = strnlen(b, LONGEST_LABEL);

	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 1; *a && i <= LONGEST_LABEL; a++, i++) {
		unsigned int corner = row[0];

		row[0] = i;
		for (j = 1; j <= length; j++) {
			unsigned int cost = corner + (*a != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[length];
}

struct near {
	const char *name;
	unsigned int far;
};

static void keep_nearest(struct near *best, size_t count, struct near one)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (one.far < best[i].far) {
			struct near other = best[i];

			best[i] = one;
			one = other;
		}
	}
}

/**
 * dtb_label_nearest() - labels that may have been meant
 * @fdt: the tree
 * @label: that it does not have
 * @text: gets up to three names with commas between, or a word that there is none
 * @size: of @text
 */
void dtb_label_nearest(const void *fdt, const char *label, char *text, size_t size)
{
	unsigned int far = strlen(label) / 2 + 1;
	struct near best[] = { { .far = far }, { .far = far }, { .far = far } };
	int node = fdt_path_offset(fdt, SYMBOLS), prop;
	size_t at = 0, i;

	if (node < 0) {
		snprintf(text, size, "none, the tree has no labels");
		return;
	}
	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		if (fdt_getprop_by_offset(fdt, prop, &name, NULL) && name)
			keep_nearest(best, 3, (struct near){ name, distance(label, name) });
	}
	snprintf(text, size, "none");
	for (i = 0; i < 3 && best[i].name && at < size; i++)
		at += snprintf(text + at, size - at, "%s%s", i ? ", " : "", best[i].name);
}
