// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees from files and into files, and what a node says about itself.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtb.h"

#define LARGEST (16 << 20)
#define DEEPEST 64		/* libfdt calls itself for each */
#define MOST_ODD 64		/* aliases that are no paths: each is looked for among all */
#define OLDEST 17		/* of the format: before 16 libfdt may have no name for a node */

/**
 * dtb_fail() - say what went wrong
 * @err: where
 * @code: what is returned
 * @format: as printf()
 *
 * Return: @code
 */
int dtb_fail(struct dtb_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	err->code = code;
	return code;
}

static void *read_all(FILE *file, size_t *size)
{
	size_t room = 1 << 16, got;
	char *data = malloc(room);

	*size = 0;
	while (data && (got = fread(data + *size, 1, room - *size, file)) > 0) {
		char *more;

		*size += got;
		if (*size < room)
			continue;
		room *= 2;
		more = room <= 2 * LARGEST ? realloc(data, room) : NULL;
		if (!more)
			free(data);
		data = more;
	}
	if (data && *size) {
		char *less = realloc(data, *size);

		data = less ? less : data;
	}
	return data;
}

/* The specification says where its parts begin; libfdt reads there without a look. */
static bool misplaced(const void *fdt, size_t size)
{
	return size >= FDT_V1_SIZE && fdt_magic(fdt) == FDT_MAGIC &&
	       (fdt_off_dt_struct(fdt) % 4 || fdt_off_mem_rsvmap(fdt) % 8);
}

static bool too_old(const void *fdt, size_t size)
{
	return size >= FDT_V1_SIZE && fdt_magic(fdt) == FDT_MAGIC && fdt_version(fdt) < OLDEST;
}

static bool too_deep(const void *fdt)
{
	int node, depth = 0;

	for (node = 0; node >= 0 && depth >= 0; node = fdt_next_node(fdt, node, &depth))
		if (depth > DEEPEST)
			return true;
	return false;
}

/**
 * dtb_aliases() - whether no alias is the name of another, or its own
 * @fdt: the tree
 * @name: of the file, or of what has made it
 * @err: which is one
 *
 * libfdt before 1.7 looks such a name up, and what that is, and so on. What is neither a path
 * nor a name leads nowhere: trees of the kernel have an empty one.
 *
 * Return: 0 or a negative code
 */
int dtb_aliases(const void *fdt, const char *name, struct dtb_error *err)
{
	int prop, length, odd = 0, aliases = fdt_path_offset(fdt, "/aliases");

	if (aliases < 0)
		return 0;
	fdt_for_each_property_offset(prop, fdt, aliases) {
		const char *alias = NULL;
		const char *path = fdt_getprop_by_offset(fdt, prop, &alias, &length);
		int first = 0;

		if (!path || *path == '/')
			continue;
		while (first < length && path[first] && path[first] != '/')
			first++;
		if (odd++ < MOST_ODD && !fdt_getprop_namelen(fdt, aliases, path, first, NULL))
			continue;
		return dtb_fail(err, -FDT_ERR_BADPATH, "%s: alias %s is no path, it is \"%.*s\"",
				name, alias, (int)strnlen(path, length), path);
	}
	return 0;
}

/**
 * dtb_check() - check all of a tree, or an overlay
 * @fdt: the tree
 * @size: of what is in memory
 * @name: of the file
 * @err: what is wrong with it
 *
 * Return: 0 or a negative code
 */
int dtb_check(const void *fdt, size_t size, const char *name, struct dtb_error *err)
{
	int ret = misplaced(fdt, size) ? -FDT_ERR_ALIGNMENT : 0;

	if (too_old(fdt, size))
		return dtb_fail(err, -FDT_ERR_BADVERSION,
				"%s has version %u of the format, which tells not all its sizes",
				name, fdt_version(fdt));
	ret = ret ? ret : fdt_check_full(fdt, size);
	if (ret)
		return dtb_fail(err, ret, "%s: not a device tree: %s", name, fdt_strerror(ret));
	if (too_deep(fdt))
		return dtb_fail(err, -FDT_ERR_BADSTRUCTURE, "%s: more than %d nodes deep", name,
				DEEPEST);
	return dtb_aliases(fdt, name, err);
}

/**
 * dtb_read() - read a tree, or an overlay, and check all of it
 * @path: of the file
 * @err: what is wrong with it
 *
 * Return: the tree, for free(), or NULL
 */
void *dtb_read(const char *path, struct dtb_error *err)
{
	FILE *file = fopen(path, "rb");
	size_t size;
	void *fdt;

	if (!file) {
		dtb_fail(err, -FDT_ERR_NOTFOUND, "%s: %s", path, strerror(errno));
		return NULL;
	}
	errno = 0;
	fdt = read_all(file, &size);
	if (ferror(file)) {
		dtb_fail(err, -FDT_ERR_NOTFOUND, "%s: %s", path, strerror(errno));
		free(fdt);
		fclose(file);
		return NULL;
	}
	fclose(file);
	if (!fdt) {
		dtb_fail(err, -FDT_ERR_NOSPACE, "%s: larger than %d MB", path, LARGEST >> 20);
		return NULL;
	}
	if (dtb_check(fdt, size, path, err)) {
		free(fdt);
		return NULL;
	}
	return fdt;
}

/**
 * dtb_copy() - a copy of a tree with room to grow
 * @fdt: the tree
 * @room: bytes on top of its size
 * @err: why there is none
 *
 * Return: the copy, for free(), or NULL
 */
void *dtb_copy(const void *fdt, size_t room, struct dtb_error *err)
{
	size_t size = fdt_totalsize(fdt) + room;
	void *copy = malloc(size);
	int ret = copy ? fdt_open_into(fdt, copy, size) : -FDT_ERR_NOSPACE;

	if (!ret)
		return copy;
	dtb_fail(err, ret, "cannot copy the tree: %s", fdt_strerror(ret));
	free(copy);
	return NULL;
}

/**
 * dtb_path() - the path of a node, as people are told it
 * @fdt: the tree
 * @node: in it, or a negative code
 * @path: where it goes
 * @size: of @path, in bytes
 *
 * Return: @path, which is "?" where there is no such node, or no room for its path
 */
const char *dtb_path(const void *fdt, int node, char *path, size_t size)
{
	/* What libfdt leaves where there is no room is no string. */
	if (fdt_get_path(fdt, node, path, size))
		snprintf(path, size, "?");
	return path;
}

/**
 * dtb_enabled() - whether a node is used
 * @fdt: the tree
 * @node: offset
 *
 * Return: false where its status says that it is not
 */
bool dtb_enabled(const void *fdt, int node)
{
	const char *status = fdt_getprop(fdt, node, "status", NULL);

	return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

/**
 * dtb_claims() - whether an overlay is for the board of a tree
 * @overlay: names what it is for in the property compatible of its root
 * @fdt: the tree
 *
 * Return: true where one of the names is one of the tree's, or where the overlay has
 * none, which makes it one for all boards
 */
bool dtb_claims(const void *overlay, const void *fdt)
{
	int i, count = fdt_stringlist_count(overlay, 0, "compatible");

	for (i = 0; i < count; i++) {
		const char *name = fdt_stringlist_get(overlay, 0, "compatible", i, NULL);

		if (!fdt_node_check_compatible(fdt, 0, name))
			return true;
	}
	return count < 1;
}
