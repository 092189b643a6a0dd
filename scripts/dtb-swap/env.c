// SPDX-License-Identifier: GPL-2.0-only
/*
 * extra_uEnv.txt as U-Boot and L4TLauncher read it, and the lines of a text.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"

/**
 * next_line() - go on to the next
 * @lines: of a text
 *
 * Return: false where there is none
 */
bool next_line(struct lines *lines)
{
	lines->line = lines->next;
	if (!lines->line || !*lines->line)
		return false;
	lines->length = strcspn(lines->line, "\n");
	lines->next = lines->line + lines->length;
	lines->next += *lines->next == '\n';
	return true;
}

/**
 * sets() - whether a line sets a key; U-Boot unsets one that stands there alone
 * @lines: the line
 * @key: the key
 * @substring: it counts anywhere in the line
 *
 * Return: where the value begins, or NULL
 */
const char *sets(const struct lines *lines, const char *key, bool substring)
{
	size_t length = strlen(key), i;

	for (i = 0; i + length <= lines->length; i++) {
		const char *end = lines->line + i + length;
		bool alone = !substring && end == lines->line + lines->length;

		if (!strncmp(lines->line + i, key, length) && (alone || *end == '='))
			return end + !alone;
		if (!substring && (*lines->line == '#' || !strchr(" \t", lines->line[i])))
			break;
	}
	return NULL;
}

/**
 * put_line() - add a line to a text
 * @out: of open_memstream()
 * @line: it
 * @length: of it, without its end
 */
void put_line(FILE *out, const char *line, size_t length)
{
	fwrite(line, length, 1, out);
	fputc('\n', out);
}

/**
 * finished() - the text of open_memstream(): one that was cut short is none
 * @out: its stream, which is closed
 * @text: it
 *
 * Return: the text, for free(), or NULL without memory
 */
char *finished(FILE *out, char **text)
{
	bool bad = ferror(out);

	if (!fclose(out) && !bad)
		return *text;
	free(*text);
	return NULL;
}

/* As it is but for carriage returns, which L4TLauncher does not see. */
static char *launcher_value(const char *value, size_t length)
{
	char *copy = strndup(value, length), *to = copy, *from;

	for (from = copy; from && *from; from++)
		if (*from != '\r')
			*to++ = *from;
	if (copy)
		*to = '\0';
	return copy;
}

/**
 * env_get() - the value that a bootloader takes from extra_uEnv.txt
 * @family: tells how it reads
 * @key: of the value
 * @text: of the file, may be NULL
 *
 * Return: the last value, for free(), or NULL where there is none or it is empty
 */
char *env_get(const struct family *family, const char *key, const char *text)
{
	struct lines lines = { .next = text };
	const char *value = NULL;
	size_t length = 0;

	while (next_line(&lines)) {
		const char *at = sets(&lines, key, family->substring);

		if (!at)
			continue;
		value = at;
		length = lines.line + lines.length - at;
	}
	if (length && family->substring) {
		char *copy = launcher_value(value, length);

		if (copy && *copy)
			return copy;
		free(copy);
		return NULL;
	}
	/* U-Boot keeps a carriage return. */
	while (length && strchr(family->how == HOW_ENV ? " \t" : " \t\r", value[length - 1]))
		length--;
	return length ? strndup(value, length) : NULL;
}

/**
 * env_set() - extra_uEnv.txt with another value
 * @family: tells how the bootloader reads it: comments with the key may have to go as well
 * @key: what is set, once
 * @value: or NULL for none
 * @text: of the file, may be NULL
 *
 * Return: the new text, for free(), or NULL without memory
 */
char *env_set(const struct family *family, const char *key, const char *value, const char *text)
{
	struct lines lines = { .next = text };
	bool put = !value;
	char *new = NULL;
	size_t size;
	FILE *out = open_memstream(&new, &size);

	if (!out)
		return NULL;
	if (family->first && !put)
		put = fprintf(out, "%s=%s\n", key, value) > 0;
	while (next_line(&lines)) {
		if (!sets(&lines, key, family->substring))
			put_line(out, lines.line, lines.length);
		else if (!put)
			put = fprintf(out, "%s=%s\n", key, value) > 0;
	}
	if (!put)
		fprintf(out, "%s=%s\n", key, value);
	return finished(out, &new);
}

/* Whether a line gives a value to no name: U-Boot's import ends there. */
static bool is_nameless(const struct lines *lines)
{
	size_t blanks = strspn(lines->line, " \t");

	return blanks + 1 < lines->length && lines->line[blanks] == '=';
}

/* Without carriage returns. */
static size_t launcher_length(const struct lines *lines)
{
	size_t i, length = lines->length;

	for (i = 0; i < lines->length; i++)
		length -= lines->line[i] == '\r';
	return length;
}

/**
 * env_traps() - tell what the bootloader would read otherwise than it is meant
 * @place: where the selector is; the run is told
 * @text: that it is going to have
 */
void env_traps(const struct place *place, const char *text)
{
	const struct family *family = place->family;
	struct lines lines = { .next = text };
	bool first = true;

	while (next_line(&lines)) {
		if (launcher_length(&lines) < family->shortest)
			refuse(place->swap, KIND_SELECTOR, "take that line out, or make it longer",
			       "%s: \"%.*s\" is too short (%u), the bootloader reads nothing of it",
			       family->file, (int)lines.length, lines.line, family->shortest);
		if (family->before && sets(&lines, family->before, false))
			refuse(place->swap, KIND_SELECTOR, "take that line out",
			       "%s: \"%.*s\" counts more than %s", family->file, (int)lines.length,
			       lines.line, place->key);
		if (!family->substring && is_nameless(&lines))
			refuse(place->swap, KIND_SELECTOR, "take that line out",
			       "%s: \"%.*s\" has no name, U-Boot reads nothing behind it",
			       family->file, (int)lines.length, lines.line);
		if (!family->substring && *lines.line != '#' && lines.length &&
		    lines.line[lines.length - 1] == '\\')
			refuse(place->swap, KIND_SELECTOR, "take the \\ at its end out",
			       "%s: \"%.*s\" goes on in the next line, as U-Boot reads it",
			       family->file, (int)lines.length, lines.line);
		if (family->first && !first)
			say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
			    "see that nothing needs it, or update the bootloader",
			    "%s: \"%.*s\" may not be read: only the first line is sure to be",
			    family->file, (int)launcher_length(&lines), lines.line);
		if (!family->substring && lines.length && lines.line[lines.length - 1] == '\r')
			say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
			    "write it with line ends of Unix",
			    "%s: \"%.*s\" ends in a carriage return, which U-Boot keeps",
			    family->file, (int)lines.length - 1, lines.line);
		if (!first && *lines.line == '#' && memchr(lines.line, '=', lines.length))
			say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
			    "take that line out",
			    "%s: the supervisor will take the # off \"%.*s\" when it writes",
			    family->file, (int)lines.length, lines.line);
		first = false;
	}
}
