/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LINES_H
#define LINES_H

#include <stdio.h>

#include "install.h"

/**
 * struct lines - walks a text by line; an end of file ends the last
 * @next: the text that is left
 * @line: the line, which goes on behind its end
 * @length: of it, without its end
 */
struct lines {
	const char *next;
	const char *line;
	size_t length;
};

bool next_line(struct lines *lines);
const char *sets(const struct lines *lines, const char *key, bool substring);
void put_line(FILE *out, const char *line, size_t length);
char *finished(FILE *out, char **text);
void env_traps(const struct place *place, const char *text);

#endif
