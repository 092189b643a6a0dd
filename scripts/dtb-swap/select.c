// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that selects a tree, as text: read it as the bootloader does, change one line.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lines.h"

/* Whether a line of config.txt is a filter; *all tells if it lets every board through. */
static bool is_filter(const struct lines *lines, bool *all)
{
	if (*lines->line != '[')
		return false;
	*all = !strncmp(lines->line, "[all]", 5);
	return true;
}

/**
 * config_plain() - the lines of config.txt that count on every board
 * @text: of the file, may be NULL
 *
 * Return: those that are under no filter, for free(), or NULL without memory
 */
char *config_plain(const char *text)
{
	char *kept = strdup(text ? text : ""), *end = kept;
	struct lines lines = { .next = text };
	bool all = true;

	while (kept && next_line(&lines)) {
		if (is_filter(&lines, &all) || !all)
			continue;
		memcpy(end, lines.line, lines.length);
		end += lines.length;
		*end = '\n';
		end += lines.line[lines.length] == '\n';
	}
	if (kept)
		*end = '\0';
	return kept;
}

/**
 * config_get() - the value that the firmware takes from config.txt
 * @key: of the value
 * @text: of the file, may be NULL
 *
 * Return: the last value that is under no filter, for free(), or NULL
 */
char *config_get(const char *key, const char *text)
{
	static const struct family plain;
	char *kept = config_plain(text), *value = kept ? env_get(&plain, key, kept) : NULL;

	free(kept);
	return value;
}

/* Whether a line sets a key to nothing. */
static bool is_empty(const struct lines *lines, const char *key)
{
	const char *value = sets(lines, key, false), *end = lines->line + lines->length;

	while (value && value < end && strchr(" \t\r", *value))
		value++;
	return value == end;
}

/**
 * config_behind() - what may count more than the value that is under no filter
 * @key: of the value
 * @text: of config.txt, may be NULL
 *
 * Return: the last line that sets it, where that is under a filter that may let this board
 * through, for free(), or NULL
 */
char *config_behind(const char *key, const char *text)
{
	struct lines lines = { .next = text };
	bool all = true, none = false;
	char *found = NULL;

	while (next_line(&lines)) {
		if (is_filter(&lines, &all)) {
			none = !strncmp(lines.line, "[none]", 6);
		} else if (!none && sets(&lines, key, false)) {
			free(found);
			found = all ? NULL : strndup(lines.line, lines.length);
		}
	}
	return found;
}

/**
 * select_last() - whether the line that selects is the last that may
 * @place: where the selector is
 * @tell: the run is told where it is not
 *
 * Return: false where config.txt has another one behind it, under a filter
 */
bool select_last(const struct place *place, bool tell)
{
	bool config = place->family->how == HOW_CONFIG && place->value;
	char *line = config ? config_behind(place->key, place->text) : NULL;
	bool last = !line;

	if (line && tell)
		say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
		    "take that line out, or install: what is installed comes last",
		    "%s: \"%.*s\" is under a filter behind %s, and may count more",
		    place->family->file, (int)strcspn(line, "\r"), line, place->value);
	free(line);
	return last;
}

/**
 * select_hidden() - warn of lines that may select a tree where none is selected
 * @place: where the selector is; the run is told
 */
void select_hidden(const struct place *place)
{
	bool config = place->family->how == HOW_CONFIG && !place->value;
	char *line = config ? config_behind(place->key, place->text) : NULL;

	if (line)
		say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
		    "take that line out, or install: what is installed comes last",
		    "%s: \"%.*s\" is under a filter, and may select another tree than the own",
		    place->family->file, (int)strcspn(line, "\r"), line);
	free(line);
}

/**
 * select_first() - whether nothing counts more than the line that selects
 * @place: where the selector is; the run is told where something does
 * @level: of that
 *
 * Return: false where another variable selects a tree
 */
bool select_first(const struct place *place, enum level level)
{
	if (place->above)
		say(&place->swap->report, level, KIND_SELECTOR,
		    "take that line out, by hand; then dtb-swap install that tree if it is wanted",
		    "%s: \"%s=%s\" counts more than %s", place->family->file,
		    place->family->before, place->above, place->key);
	return !place->above;
}

/**
 * config_set() - config.txt with another value
 * @key: what is set
 * @value: or NULL for none
 * @text: of the file, may be NULL
 *
 * Lines under a filter stay as they are, and those without a value, which are somebody's own;
 * the new one comes last, for all, and wins.
 *
 * Return: the new text, for free(), or NULL without memory
 */
char *config_set(const char *key, const char *value, const char *text)
{
	struct lines lines = { .next = text };
	char *new = NULL;
	bool all = true;
	size_t size;
	FILE *out = open_memstream(&new, &size);

	if (!out)
		return NULL;
	while (next_line(&lines)) {
		is_filter(&lines, &all);
		if (!all || !sets(&lines, key, false) || is_empty(&lines, key))
			put_line(out, lines.line, lines.length);
	}
	if (value && !all)
		fputs("[all]\n", out);
	if (value)
		fprintf(out, "%s=%s\n", key, value);
	return finished(out, &new);
}

/**
 * select_text() - the selector with another tree
 * @place: has the file as it is
 * @value: name of the tree, or NULL for the bootloader's own
 *
 * Return: the new text, for free(), or NULL without memory
 */
char *select_text(const struct place *place, const char *value)
{
	if (place->family->how == HOW_CONFIG)
		return config_set(place->key, value, place->text);
	return env_set(place->family, place->key, value, place->text);
}

/* What has the Raspberry Pi's firmware look for trees elsewhere. */
static const struct elsewhere {
	const char *key;
	const char *why;
	const char *mend;
} ELSEWHERE[] = {
	{ "os_prefix", "the firmware looks for trees there",
	  "select the tree by hand, in that folder" },
	{ "upstream_kernel", "the firmware looks for trees in upstream/",
	  "select the tree by hand, in that folder" },
	{ "boot_ramdisk", "the firmware takes all from boot.img",
	  "build it into the signed image" },
};

/* Which filter lets this board through is not known; [none] lets nothing. */
static void config_elsewhere(const struct place *place, const char *text,
			     const struct elsewhere *row)
{
	struct lines lines = { .next = text };
	bool all, none = false;

	while (next_line(&lines)) {
		const char *value = sets(&lines, row->key, false);
		const char *end = lines.line + lines.length;

		if (is_filter(&lines, &all))
			none = !strncmp(lines.line, "[none]", strlen("[none]"));
		if (none || !value || is_empty(&lines, row->key))
			continue;
		while (strchr(" \t\r", end[-1]))
			end--;
		if (end - value == 1 && *value == '0')
			continue;
		refuse(place->swap, KIND_SELECTOR, row->mend, "config.txt: %.*s, %s",
		       (int)(end - lines.line), lines.line, row->why);
		return;
	}
}

static void config_traps(const struct place *place, const char *text)
{
	struct lines lines = { .next = text };
	size_t i;

	select_last(place, true);
	for (i = 0; i < sizeof(ELSEWHERE) / sizeof(*ELSEWHERE); i++)
		config_elsewhere(place, text, &ELSEWHERE[i]);
	while (next_line(&lines))
		if (!strncmp(lines.line, "include ", 8))
			say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
			    "see that it sets no device_tree", "config.txt: %.*s was not looked at",
			    (int)lines.length, lines.line);
}

/* A tree of ours that another file selects would be neither seen nor given up from here. */
static bool same_selector(const struct place *place)
{
	const char *was = place->said.selector;
	char *now = format_text("%s:%s", place->family->file, place->key);
	bool same = !was || (now && !strcmp(was, now));

	if (!same)
		refuse(place->swap, KIND_SELECTOR,
		       "leave out --family and --variable, or dtb-swap rollback --own first",
		       "a tree is selected by %s, not by %s", was, now ? now : "this");
	free(now);
	return same;
}

/**
 * select_plain() - refuse a selector that is a symbolic link
 * @place: where it is; the run is told
 *
 * A new file would take the place of the link, and what it leads to may be on another disk.
 *
 * Return: true if it is none
 */
bool select_plain(const struct place *place)
{
	char *path = format_text("%s%s/%s", place->swap->root, place->boot, place->family->file);
	struct stat stat;
	bool plain = path && (lstat(path, &stat) || !S_ISLNK(stat.st_mode));

	if (path && !plain)
		refuse(place->swap, KIND_SELECTOR, "put the file itself there",
		       "%s/%s is a symbolic link", place->boot, place->family->file);
	free(path);
	return plain && same_selector(place);
}

/**
 * select_traps() - refuse what the bootloader would read otherwise than it is meant
 * @place: has the file as it is
 * @value: name of the tree that is going to be selected
 * @size: bytes that it has
 */
void select_traps(const struct place *place, const char *value, size_t size)
{
	char *text = select_text(place, value), *seen = NULL;

	if (!text) {
		place->swap->report.no_memory = true;
		return;
	}
	supervisor_update(place->swap);
	select_plain(place);
	taken_select(place, value);
	if (place->family->longest && strlen(value) > place->family->longest)
		refuse(place->swap, KIND_SELECTOR, "give the file a shorter name",
		       "the bootloader takes names of %u bytes", place->family->longest);
	if (place->family->room && size > place->family->room)
		refuse(place->swap, KIND_ROOM,
		       "drop its labels (compile without -@), or parts of it",
		       "the tree has %zu bytes, the bootloader has room for %u", size,
		       place->family->room);
	if (place->family->how == HOW_CONFIG)
		config_traps(place, text);
	else
		env_traps(place, text);
	seen = place->family->how == HOW_CONFIG ? config_get(place->key, text) :
						  env_get(place->family, place->key, text);
	if (!seen || strcmp(seen, value))
		refuse(place->swap, KIND_SELECTOR, "look at the file, and report this",
		       "%s would select \"%s\", not \"%s\"", place->family->file,
		       seen ? seen : "", value);
	free(seen);
	free(text);
}
