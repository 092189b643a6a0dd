// SPDX-License-Identifier: GPL-2.0-only
/*
 * extlinux.conf, as far as it has a say in which tree is taken.
 */

#include <stdlib.h>
#include <string.h>

#include "install.h"

/* What a line gives a key, or NULL; blanks at its end are cut off. */
static const char *gives(char *line, const char *key)
{
	size_t length = strlen(key), end = strlen(line);

	while (end && strchr(" \t\r", line[end - 1]))
		line[--end] = '\0';
	line += strspn(line, " \t");
	if (strncasecmp(line, key, length) || !strchr(" \t", line[length]))
		return NULL;
	return line + length + strspn(line + length, " \t");
}

/**
 * extlinux_get() - a value under the label that is started
 * @place: where trees are, and the file beside them
 * @key: of the value
 *
 * Return: the value, for free(), or NULL where there is none, or no such file
 */
char *extlinux_get(const struct place *place, const char *key)
{
	char *path = format_text("%s/extlinux/extlinux.conf", place->trees);
	char *conf = path ? sys_read(place->swap, path, NULL) : NULL, *next = conf, *line;
	const char *start = NULL, *label = NULL, *value = NULL;
	char *found;

	while (next && (line = strsep(&next, "\n"))) {
		const char *named = gives(line, "LABEL"), *first = gives(line, "DEFAULT");
		const char *given = gives(line, key);

		label = named ? named : label;
		start = first ? first : start ? start : label;
		if (given && (!label || !strcmp(label, start)))
			value = given;
	}
	found = value ? strdup(value) : NULL;
	free(conf);
	free(path);
	return found;
}
