// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tool has to say: for people on a terminal, or as JSON.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swap.h"

static const char *const KINDS[] = {
	"none", "error", "usage", "tree", "board", "need", "overlay", "room", "kernel",
	"selector", "rights", "busy", "nothing", "write", "untried",
};

static const char *const LEVELS[] = { "note", "warning", "refused" };

/* A file of another system has CRs, and a terminal writes over the line then. */
static void show(char *text, const char *hidden)
{
	for (; text && (text = strpbrk(text, hidden)); )
		*text = '?';
}

static void add(struct report *report, enum level level, enum kind kind, const char *mend,
		const char *format, va_list args)
{
	struct finding *list = realloc(report->list, (report->count + 1) * sizeof(*list));
	struct finding *new;

	if (!list) {
		report->no_memory = true;
		return;
	}
	report->list = list;
	new = &list[report->count++];
	*new = (struct finding){ .level = level, .kind = kind };
	new->mend = mend ? strdup(mend) : NULL;
	if (vasprintf(&new->cause, format, args) < 0) {
		new->cause = NULL;
		report->no_memory = true;
	}
	show(new->cause, "\r");
}

/**
 * say() - something that was found
 * @report: where to
 * @level: whether it stops anything
 * @kind: what it is about
 * @mend: what to do about it, or NULL
 * @format: what it is, as printf()
 */
void say(struct report *report, enum level level, enum kind kind, const char *mend,
	 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(report, level, kind, mend, format, args);
	va_end(args);
}

/**
 * refuse() - something that stops what was asked for
 * @swap: the run
 * @kind: the exit status
 * @mend: what to do about it
 * @format: the cause, as printf()
 */
void refuse(struct swap *swap, enum kind kind, const char *mend, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(&swap->report, LEVEL_REFUSAL, kind, mend, format, args);
	va_end(args);
}

/* How many bytes a character of UTF-8 has behind its first; -1 where it is none. */
static int utf8_more(const unsigned char *c)
{
	int more = *c < 0x80 ? 0 : *c < 0xc2 ? -1 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : 3, i;

	/* Longer than need be, surrogates, beyond the last. */
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
	    (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f) || *c > 0xf4)
		return -1;
	for (i = 1; i <= more; i++)
		if ((c[i] & 0xc0) != 0x80)
			return -1;
	return more;
}

/* Names of files have any bytes; a document has none that are no UTF-8. */
static void put_json(FILE *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)(text ? text : "");
	int more;

	fputc('"', out);
	for (; *c; c++) {
		more = utf8_more(c);
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f || more < 0)
			fprintf(out, "\\u%04x", more < 0 ? 0xfffd : *c);
		else
			fputc(*c, out);
		for (; more > 0; more--)
			fputc(*++c, out);
	}
	fputc('"', out);
}

/**
 * fact() - something that programs may want to know
 * @report: where to
 * @name: of the member
 * @format: its text, as printf()
 */
void fact(struct report *report, const char *name, const char *format, ...)
{
	char *text = NULL, *line = NULL, *all = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	show(text, "\n\r");	/* as in names of files */
	if (text)
		line = format_text("%s\t%s\n", name, text);
	if (line)
		all = realloc(report->facts, report->length + strlen(line) + 1);
	if (all) {
		report->facts = all;
		memcpy(all + report->length, line, strlen(line) + 1);
		report->length += strlen(line);
	} else {
		report->no_memory = true;
	}
	free(line);
	free(text);
}

/**
 * verdict() - how a run ends
 * @report: all that was found
 *
 * Return: the kind of the first refusal, which is the exit status; 0 for none
 */
enum kind verdict(const struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		if (report->list[i].level == LEVEL_REFUSAL)
			return report->list[i].kind;
	return report->no_memory ? KIND_ERROR : KIND_NONE;
}

/* What there may be several of, or none, is a list for programs in any case. */
static const struct {
	const char *verb;
	const char *fact;
} LISTS[] = {
	{ "check", "check" }, { "diff", "difference" }, { "list", "tree" }, { "list", "family" },
	{ "install", "overlay" }, { "try", "overlay" }, { "carry", "carried" },
};

static bool is_list(const char *verb, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < sizeof(LISTS) / sizeof(*LISTS); i++)
		if (!strcmp(LISTS[i].verb, verb) && strlen(LISTS[i].fact) == length &&
		    !strncmp(LISTS[i].fact, name, length))
			return true;
	return false;
}

static void put_part(const char *text, const char *end)
{
	char *part = strndup(text, end - text);

	put_json(stdout, part);
	free(part);
}

static void put_list(const struct report *report, const char *name)
{
	const char *line = report->facts, *tab, *end, *comma = "";

	printf(",\n  \"%s\": [", name);
	for (; line && *line; line = end + 1) {
		tab = strchr(line, '\t');
		end = strchr(line, '\n');
		if (strlen(name) != (size_t)(tab - line) || strncmp(line, name, tab - line))
			continue;
		printf("%s\n    ", comma);
		put_part(tab + 1, end);
		comma = ",";
	}
	printf(*comma ? "\n  ]" : "]");
}

static void put_facts(const struct report *report, const char *verb)
{
	const char *line = report->facts, *tab, *end;
	size_t i;

	for (; line && *line; line = end + 1) {
		tab = strchr(line, '\t');
		end = strchr(line, '\n');
		if (is_list(verb, line, tab - line))
			continue;
		printf(",\n  ");
		put_part(line, tab);
		printf(": ");
		put_part(tab + 1, end);
	}
	for (i = 0; i < sizeof(LISTS) / sizeof(*LISTS); i++)
		if (!strcmp(LISTS[i].verb, verb))
			put_list(report, LISTS[i].fact);
}

static void print_facts(const struct report *report)
{
	const char *line = report->facts, *tab, *end;

	for (; line && *line; line = end + 1) {
		tab = strchr(line, '\t');
		end = strchr(line, '\n');
		printf("%-10.*s %.*s\n", (int)(tab - line), line, (int)(end - tab - 1), tab + 1);
	}
}

static bool is_hidden(const struct finding *one, bool quiet)
{
	return quiet && one->level == LEVEL_NOTE;
}

static void print_json(const struct report *report, const char *verb, bool quiet)
{
	enum kind kind = verdict(report);
	const char *comma = "";
	size_t i;

	printf("{\n  \"verb\": ");
	put_json(stdout, verb);
	printf(",\n  \"status\": %d,\n  \"kind\": ", kind);
	put_json(stdout, KINDS[kind]);
	put_facts(report, verb);
	printf(",\n  \"findings\": [");
	for (i = 0; i < report->count; i++) {
		const struct finding *one = &report->list[i];

		if (is_hidden(one, quiet))
			continue;
		printf("%s\n    {\"level\": \"%s\", \"kind\": \"%s\", \"cause\": ", comma,
		       LEVELS[one->level], KINDS[one->kind]);
		comma = ",";
		put_json(stdout, one->cause);
		if (one->file) {
			printf(", \"file\": ");
			put_json(stdout, one->file);
		}
		printf(", \"mend\": ");
		put_json(stdout, one->mend);
		printf("}");
	}
	printf("%s]\n}\n", *comma ? "\n  " : "");
}

static void print_finding(const struct finding *one)
{
	FILE *out = one->level == LEVEL_NOTE ? stdout : stderr;

	fprintf(out, "%s: %s\n", LEVELS[one->level], one->cause ? one->cause : "no memory");
	if (one->file)
		fprintf(out, "  file: %s\n", one->file);
	if (one->mend)
		fprintf(out, "  mend: %s\n", one->mend);
}

/**
 * print_report() - tell it
 * @report: all that was found
 * @verb: what was asked for
 * @json: as JSON on standard output
 * @quiet: no notes
 */
void print_report(const struct report *report, const char *verb, bool json, bool quiet)
{
	size_t i;

	if (json) {
		print_json(report, verb, quiet);
		return;
	}
	print_facts(report);
	for (i = 0; i < report->count; i++)
		if (!is_hidden(&report->list[i], quiet))
			print_finding(&report->list[i]);
	if (report->no_memory)
		fprintf(stderr, "error: no memory\n");
}

/**
 * report_free() - forget it
 * @report: is empty afterwards
 */
void report_free(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		free(report->list[i].cause);
		free(report->list[i].file);
		free(report->list[i].mend);
	}
	free(report->list);
	free(report->facts);
	*report = (struct report){ 0 };
}

/**
 * report_name() - say which of several files it is about
 * @report: all that was found of one
 * @file: its name
 *
 * The causes stay as they are, which are the words for --accept.
 */
void report_name(struct report *report, const char *file)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		free(report->list[i].file);
		report->list[i].file = strdup(file);
		report->no_memory |= !report->list[i].file;
		show(report->list[i].file, "\n\r");
	}
}

/**
 * report_join() - put what was found behind what was found before
 * @report: gets it
 * @more: is empty afterwards
 */
void report_join(struct report *report, struct report *more)
{
	size_t count = report->count + more->count;
	struct finding *list = realloc(report->list, (count + 1) * sizeof(*list));
	char *facts = realloc(report->facts, report->length + more->length + 1);

	report->list = list ? list : report->list;
	report->facts = facts ? facts : report->facts;
	report->no_memory |= more->no_memory || !list || !facts;
	if (list && more->count) {
		memcpy(list + report->count, more->list, more->count * sizeof(*list));
		report->count = count;
		more->count = 0;	/* their texts have moved */
	}
	if (facts) {
		memcpy(facts + report->length, more->facts ? more->facts : "", more->length + 1);
		report->length += more->length;
	}
	report_free(more);
}
