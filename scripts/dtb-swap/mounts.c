// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system that a folder is on, as /proc/self/mountinfo tells it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"

/* A folder without links and the system's root, as its mounts are told. */
static char *inside(const struct swap *swap, const char *folder)
{
	char *real = sys_real(swap, folder), *top = sys_real(swap, "/"), *path = NULL;
	size_t skip = top && top[1] ? strlen(top) : 0;

	if (real && top && !strncmp(real, top, skip))
		path = strdup(real[skip] ? real + skip : "/");
	free(top);
	free(real);
	return path;
}

/* Field by field (proc_pid_mountinfo(5)); behind the dash are those of the file system. */
static bool read_mount(const char *line, struct mounted *on)
{
	const char *dash = strstr(line, " - ");

	if (dash)
		copy_word(on->system, sizeof(on->system), dash, 3);
	return dash && copy_word(on->device, sizeof(on->device), line, 2) &&
	       copy_word(on->point, sizeof(on->point), line, 4) &&
	       copy_word(on->options, sizeof(on->options), line, 5) &&
	       copy_word(on->kind, sizeof(on->kind), dash, 1);
}

/**
 * mounted_on() - the mount that a folder is on
 * @swap: the run
 * @folder: from the root
 * @on: is filled, of several over each other with the last
 *
 * Return: true if so, false where nobody tells
 */
bool mounted_on(const struct swap *swap, const char *folder, struct mounted *on)
{
	char *mounts = sys_read(swap, "/proc/self/mountinfo", NULL), *next = mounts, *line;
	char *path = inside(swap, folder);
	size_t best = 0;

	while (next && path && (line = strsep(&next, "\n"))) {
		struct mounted one = { .exactly = false };
		size_t length;

		if (!read_mount(line, &one))
			continue;
		length = one.point[1] ? strlen(one.point) : 0;
		if (length + 1 < best || strncmp(path, one.point, length) ||
		    (path[length] && path[length] != '/'))
			continue;
		best = length + 1;
		one.exactly = !strcmp(path, one.point);
		*on = one;
	}
	free(path);
	free(mounts);
	return best;
}
