// SPDX-License-Identifier: GPL-2.0-only
/*
 * The difference between two trees, by path. A reference is shown as the label or path of
 * its node, so that renumbered phandles are no difference.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swap.h"

#define LONGEST_PATH 1024
#define DEEPEST 64
#define MOST 4096

/* struct diff - two trees side by side, and where we are in them */
struct diff {
	FILE *out;
	const void *a;
	const void *b;
	bool all;
	unsigned int count;
};

static bool is_text(const char *value, int length)
{
	int i;

	if (length < 2 || value[length - 1] || !value[0])
		return false;
	for (i = 0; i < length; i++)
		if (value[i] ? !isprint((unsigned char)value[i]) : i && !value[i - 1])
			return false;
	return true;
}

static void put_text(FILE *out, const char *value, int length)
{
	const char *c;

	for (c = value; c < value + length; c += strlen(c) + 1)
		fprintf(out, "%s\"%s\"", c == value ? "" : ", ", c);
}

static void put_cells(FILE *out, const char *value, int length)
{
	const fdt32_t *cell = (const fdt32_t *)value;
	int i;

	fputc('<', out);
	for (i = 0; i < length / 4; i++)
		fprintf(out, "%s0x%x", i ? " " : "", fdt32_to_cpu(cell[i]));
	fputc('>', out);
}

static const char *label_of(const void *fdt, const char *path)
{
	int symbols = fdt_path_offset(fdt, "/__symbols__"), prop;

	if (symbols < 0)
		return NULL;
	fdt_for_each_property_offset(prop, fdt, symbols) {
		const char *name = NULL, *value = fdt_getprop_by_offset(fdt, prop, &name, NULL);

		if (value && name && !strcmp(value, path))
			return name;
	}
	return NULL;
}

struct writer {
	const void *fdt;
	FILE *out;
	bool labels;
	bool more;
};

static bool put_link(const struct link *link, void *data)
{
	struct writer *writer = data;
	char path[LONGEST_PATH];
	const char *label;
	bool known;
	int i;

	known = link->node >= 0 && !fdt_get_path(writer->fdt, link->node, path, sizeof(path));
	label = known && writer->labels ? label_of(writer->fdt, path) : NULL;
	fprintf(writer->out, writer->more ? ", <" : "<");
	if (!known)
		fprintf(writer->out, "0x%x", link->phandle);
	else
		fprintf(writer->out, label ? "&%s" : "&{%s}", label ? label : path);
	for (i = 0; i < link->count; i++)
		fprintf(writer->out, " 0x%x", fdt32_to_cpu(link->args[i]));
	fputc('>', writer->out);
	writer->more = true;
	return false;
}

static bool put_links(FILE *out, const void *fdt, int node, int prop, bool labels)
{
	struct writer writer = { .fdt = fdt, .labels = labels };
	char *text = NULL;
	size_t size;
	bool good;

	writer.out = open_memstream(&text, &size);
	if (!writer.out)
		return false;
	good = !each_link(fdt, node, prop, put_link, &writer) && writer.more;
	fclose(writer.out);
	if (good)
		fputs(text, out);
	free(text);
	return good;
}

/* The value of a property as dtc would write it, for free(); labels are for people. */
static char *value_of(const void *fdt, int node, int prop, bool labels)
{
	const char *name = NULL;
	int length, i;
	const char *value = fdt_getprop_by_offset(fdt, prop, &name, &length);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (value && name && link_class(name) && put_links(out, fdt, node, prop, labels)) {
		;
	} else if (value && is_text(value, length)) {
		put_text(out, value, length);
	} else if (value && length && length % 4 == 0) {
		put_cells(out, value, length);
	} else if (value && length) {
		for (i = 0; i < length; i++)
			fprintf(out, "%s%02x", i ? " " : "[", (unsigned char)value[i]);
		fputc(']', out);
	}
	fclose(out);
	return text;
}

static bool bookkeeping(const struct diff *diff, const char *name)
{
	return !diff->all && (!strcmp(name, "phandle") || !strcmp(name, "linux,phandle"));
}

static int find_prop(const void *fdt, int node, const char *wanted)
{
	int prop;

	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && !strcmp(name, wanted))
			return prop;
	}
	return -1;
}

/* libfdt would take name@1 for name. */
static int find_child(const void *fdt, int node, const char *name)
{
	int child;

	fdt_for_each_subnode(child, fdt, node)
		if (!strcmp(fdt_get_name(fdt, child, NULL), name))
			return child;
	return -FDT_ERR_NOTFOUND;
}

static void show_prop(FILE *out, char sign, const char *path, const void *fdt, int node,
		      int prop)
{
	const char *name = NULL;
	char *value = value_of(fdt, node, prop, true);

	fdt_getprop_by_offset(fdt, prop, &name, NULL);
	if (value && *value)
		fprintf(out, "%c %s: %s = %s;\n", sign, path, name, value);
	else
		fprintf(out, "%c %s: %s;\n", sign, path, name);
	free(value);
}

/* @only: names that the other has, too, were dealt with */
static void diff_props(struct diff *diff, int a, int b, const char *path, bool only)
{
	const void *from = only ? diff->b : diff->a, *to = only ? diff->a : diff->b;
	int prop, node = only ? b : a, other_node = only ? a : b;

	fdt_for_each_property_offset(prop, from, node) {
		const char *name = NULL;
		char *one, *two;
		int other;

		fdt_getprop_by_offset(from, prop, &name, NULL);
		if (!name || bookkeeping(diff, name))
			continue;
		other = find_prop(to, other_node, name);
		if (only && other >= 0)
			continue;
		one = value_of(from, node, prop, false);
		two = other < 0 ? NULL : value_of(to, other_node, other, false);
		if (!two || !one || strcmp(one, two)) {
			show_prop(diff->out, only ? '+' : '-', path, from, node, prop);
			if (two)
				show_prop(diff->out, '+', path, to, other_node, other);
			diff->count++;
		}
		free(one);
		free(two);
	}
}

/* All of a node that only one of them has. */
static void put_node(struct diff *diff, const void *fdt, int node, char sign, const char *path,
		     int depth)
{
	int prop, child;

	fprintf(diff->out, "%c %s {}\n", sign, path);
	diff->count++;
	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && !bookkeeping(diff, name))
			show_prop(diff->out, sign, path, fdt, node, prop);
	}
	fdt_for_each_subnode(child, fdt, node) {
		char *below = format_text("%s/%s", path, fdt_get_name(fdt, child, NULL));

		if (below && depth < DEEPEST)
			put_node(diff, fdt, child, sign, below, depth + 1);
		free(below);
	}
}

static void diff_nodes(struct diff *diff, int a, int b, const char *path, int depth)
{
	int child, other;
	char *below;

	diff_props(diff, a, b, *path ? path : "/", false);
	diff_props(diff, a, b, *path ? path : "/", true);
	fdt_for_each_subnode(child, diff->a, a) {
		const char *name = fdt_get_name(diff->a, child, NULL);

		if (!diff->all && !depth && !strncmp(name, "__", 2))
			continue;
		below = format_text("%s/%s", path, name);
		other = find_child(diff->b, b, name);
		if (below && other >= 0 && depth < DEEPEST)
			diff_nodes(diff, child, other, below, depth + 1);
		else if (below)
			put_node(diff, diff->a, child, '-', below, depth);
		free(below);
	}
	fdt_for_each_subnode(child, diff->b, b) {
		const char *name = fdt_get_name(diff->b, child, NULL);

		if ((!diff->all && !depth && !strncmp(name, "__", 2)) ||
		    find_child(diff->a, a, name) >= 0)
			continue;
		below = format_text("%s/%s", path, name);
		if (below)
			put_node(diff, diff->b, child, '+', below, depth);
		free(below);
	}
}

/**
 * diff_trees() - print what differs
 * @out: where to
 * @a: a tree
 * @b: another
 * @all: also phandles, and the nodes for labels
 *
 * Return: how many nodes and properties differ
 */
int diff_trees(FILE *out, const void *a, const void *b, bool all)
{
	struct diff diff = { .out = out, .a = a, .b = b, .all = all };

	diff_nodes(&diff, 0, 0, "", 0);
	return diff.count;
}
