// SPDX-License-Identifier: GPL-2.0-only
/*
 * extlinux.conf, as far as it has a say in which tree is taken.
 *
 * L4TLauncher (Orin, Thor, Xavier) knows its words in capitals only, takes whatever begins with
 * one for it, and of a kind the last line. U-Boot (TX2, Nano) knows them in any case, takes
 * DEVICETREE for FDT and of a kind the first line, and starts what ONTIMEOUT and MENU DEFAULT
 * say. Both start the label that DEFAULT names, wherever that stands, and else the first.
 */

#include <stdlib.h>
#include <string.h>

#include "install.h"

#define TREE "DEVICETREE"

/* struct conf - a walk by line; blanks around them are gone, as are empty ones */
struct conf {
	char *lines;
	const char *line;
	const char *label;	/* that the line is under, or NULL */
	const char *start;	/* the label that is started, or NULL */
	bool launcher;
};

/* What a line gives a key, or NULL. */
static const char *gives(const struct conf *conf, const char *key)
{
	int (*differ)(const char *, const char *, size_t) = conf->launcher ? strncmp : strncasecmp;
	size_t length = strlen(key);

	if (differ(conf->line, key, length) || !strchr(" \t", conf->line[length]))
		return NULL;
	return conf->line + length + strspn(conf->line + length, " \t");
}

static bool next_line(struct conf *conf)
{
	const char *label;

	conf->line = conf->line ? conf->line + strlen(conf->line) + 1 : conf->lines;
	if (!*conf->line)
		return false;
	label = gives(conf, "LABEL");
	conf->label = label ? label : conf->label;
	return true;
}

static void rewind_lines(struct conf *conf)
{
	conf->line = NULL;
	conf->label = NULL;
}

static bool is_started(const struct conf *conf)
{
	return conf->label && conf->start && !strcmp(conf->label, conf->start);
}

static void find_start(struct conf *conf)
{
	const char *first = NULL;
	bool there = false;

	while (next_line(conf)) {
		const char *named = gives(conf, "DEFAULT");

		if (!named && !conf->launcher)
			named = gives(conf, "ONTIMEOUT");
		if (!named && !conf->launcher && gives(conf, "MENU DEFAULT"))
			named = conf->label;
		conf->start = named ? named : conf->start;
		first = first ? first : conf->label;
	}
	rewind_lines(conf);
	while (next_line(conf))
		there |= is_started(conf);
	rewind_lines(conf);
	conf->start = there ? conf->start : first;
}

/* The file beside the trees; false where there is none. */
static bool conf_open(struct conf *conf, const struct place *place)
{
	char *path = format_text("%s/extlinux/extlinux.conf", place->trees);
	size_t size = 0;
	char *text = path ? sys_read(place->swap, path, &size) : NULL, *next = text, *line;
	char *out = text ? calloc(size + 2, 1) : NULL;

	*conf = (struct conf){ .lines = out, .launcher = place->family->substring };
	while (out && (line = strsep(&next, "\n"))) {
		size_t end = strlen(line);

		while (end && strchr(" \t\r", line[end - 1]))
			line[--end] = '\0';
		line += strspn(line, " \t");
		if (*line)
			out = stpcpy(out, line) + 1;
	}
	free(text);
	free(path);
	if (conf->lines)
		find_start(conf);
	return conf->lines;
}

/**
 * extlinux_get() - a value under the label that is started
 * @place: where trees are, and the file beside them
 * @key: of the value
 *
 * Return: the last, for free(), or NULL where there is none, or no such file
 */
char *extlinux_get(const struct place *place, const char *key)
{
	const char *value = NULL;
	struct conf conf;
	char *found;

	if (!conf_open(&conf, place))
		return NULL;
	while (next_line(&conf)) {
		const char *given = is_started(&conf) ? gives(&conf, key) : NULL;

		value = given ? given : value;
	}
	found = value ? strdup(value) : NULL;
	free(conf.lines);
	return found;
}

/**
 * extlinux_wrong() - why the tree that is selected would not be taken
 * @place: where trees are, and the file beside them
 *
 * Only FDT default is that tree, and which of two lines counts depends.
 *
 * Return: what is wrong with the file, for free(), or NULL where it has that line alone
 */
char *extlinux_wrong(const struct place *place)
{
	const char *other = NULL;
	struct conf conf;
	char *wrong = NULL;
	int count = 0;
	bool there = conf_open(&conf, place);

	while (there && !other && next_line(&conf)) {
		const char *value = gives(&conf, "FDT");

		if (!is_started(&conf) || (strncasecmp(conf.line, "FDT", strlen("FDT")) &&
					   strncasecmp(conf.line, TREE, strlen(TREE))))
			continue;
		if (!value || strncmp(value, "default", strlen("default")))
			other = conf.line;
		count++;
	}
	if (count != 1 || other) {
		wrong = !there ? strdup("is not there") :
			other ? format_text("has %s, so that nothing else is taken", other) :
			format_text("has FDT default %d times under the label \"%s\"", count,
				    conf.start ? conf.start : "");
		place->swap->report.no_memory |= !wrong;
	}
	free(conf.lines);
	return wrong;
}
