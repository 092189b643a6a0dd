// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of the system below its root.
 */

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swap.h"

#define LARGEST (256 << 20)
#define RUNNING "/sys/firmware/fdt"

/**
 * format_text() - as asprintf()
 * @format: as printf()
 *
 * Return: the text, for free(), or NULL without memory
 */
char *format_text(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

/**
 * same_text() - whether two texts are the same
 * @a: one, may be NULL
 * @b: the other, may be NULL
 *
 * Return: true if so, or if both are NULL
 */
bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/**
 * sys_path() - where a file of the system is
 * @swap: has the root
 * @path: from the root, with a slash
 *
 * Return: the path for open(), for free(), or NULL without memory
 */
char *sys_path(const struct swap *swap, const char *path)
{
	return format_text("%s%s", swap->root, path);
}

static char *read_stream(FILE *file, size_t *size)
{
	size_t room = 4096, got;
	char *data = malloc(room);

	*size = 0;
	while (data && (got = fread(data + *size, 1, room - 1 - *size, file)) > 0) {
		char *more;

		*size += got;
		if (*size < room - 1)
			continue;
		room *= 2;
		more = room <= LARGEST ? realloc(data, room) : NULL;
		if (!more)
			free(data);
		data = more;
	}
	if (data && ferror(file)) {
		free(data);
		data = NULL;
	}
	if (data)
		data[*size] = '\0';
	return data;
}

/**
 * sys_read() - read a file of the system
 * @swap: has the root
 * @path: from the root
 * @size: gets its length, may be NULL
 *
 * Return: all of it and a NUL behind, for free(), or NULL with errno set
 */
char *sys_read(const struct swap *swap, const char *path, size_t *size)
{
	char *name = sys_path(swap, path), *data = NULL;
	FILE *file = name ? fopen(name, "rb") : NULL;
	size_t length = 0;
	int error = errno;

	if (file) {
		errno = 0;
		data = read_stream(file, &length);
		if (!data)
			error = errno ? errno : EFBIG;
		fclose(file);
	}
	free(name);
	if (size)
		*size = length;
	if (!data)
		errno = error;
	return data;
}

/**
 * sys_line() - the first line of a file of the system
 * @swap: has the root
 * @path: from the root
 *
 * Return: the line without its end, for free(), or NULL with errno set
 */
char *sys_line(const struct swap *swap, const char *path)
{
	char *text = sys_read(swap, path, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

/**
 * sys_exists() - whether the system has a file
 * @swap: has the root
 * @path: from the root
 *
 * Return: true if so
 */
bool sys_exists(const struct swap *swap, const char *path)
{
	char *name = sys_path(swap, path);
	bool there = name && !access(name, F_OK);

	free(name);
	return there;
}

/**
 * sys_has() - whether a folder of the system has a file
 * @swap: has the root
 * @folder: from the root
 * @name: from the folder
 *
 * Return: true if so
 */
bool sys_has(const struct swap *swap, const char *folder, const char *name)
{
	char *path = format_text("%s/%s", folder, name);
	bool there = path && sys_exists(swap, path);

	free(path);
	return there;
}

/**
 * sys_any() - whether the system has a file that one of some patterns fits
 * @swap: has the root
 * @patterns: from the root, as of a shell; NULL behind the last
 *
 * Return: true if so; a link need not lead anywhere
 */
bool sys_any(const struct swap *swap, const char *const *patterns)
{
	bool found = false;

	for (; *patterns && !found; patterns++) {
		char *path = sys_path(swap, *patterns);
		glob_t paths;

		if (path && !glob(path, 0, NULL, &paths)) {
			found = true;
			globfree(&paths);
		}
		free(path);
	}
	return found;
}

/**
 * sys_real() - follow the links of a path of the system
 * @swap: has the root
 * @path: from the root
 *
 * Return: the path without links, root and all, for free(), or NULL with errno set
 */
char *sys_real(const struct swap *swap, const char *path)
{
	char *name = sys_path(swap, path);
	char *real = name ? realpath(name, NULL) : NULL;

	free(name);
	return real;
}

/**
 * refuse_read() - a file could not be read, as errno says
 * @swap: is told
 * @folder: of it, from the root
 * @name: of it
 * @mend: what to do where more rights do not help
 */
void refuse_read(struct swap *swap, const char *folder, const char *name, const char *mend)
{
	int error = errno;
	bool rights = error == EACCES || error == EPERM;

	refuse(swap, rights ? KIND_RIGHTS : KIND_ERROR, rights ? "run it as root" : mend,
	       "%s/%s: %s", folder, name, strerror(error));
}

/**
 * sys_tree() - the tree that the running kernel was started with
 * @swap: has the root; is told why there is none
 *
 * Return: the tree, for free(), or NULL
 */
void *sys_tree(struct swap *swap)
{
	struct dtb_error err;
	size_t size;
	void *fdt = sys_read(swap, RUNNING, &size);
	int error = errno;

	if (fdt && !dtb_check(fdt, size, RUNNING, &err))
		return fdt;
	if (fdt)
		refuse(swap, KIND_ERROR, "look at that file: the kernel made it",
		       "the running tree, %s%s, is broken", swap->root, RUNNING);
	else if (error == EACCES || error == EPERM)
		refuse(swap, KIND_RIGHTS, "run it as root",
		       "only root may read the running tree, %s%s", swap->root, RUNNING);
	else
		refuse(swap, KIND_ERROR, "this is for kernels that were started with a tree",
		       "there is no running tree: %s%s: %s", swap->root, RUNNING,
		       strerror(error));
	free(fdt);
	return NULL;
}
