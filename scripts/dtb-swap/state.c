// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tool remembers, in a file beside the selector. The selector alone decides what
 * is booted: this only says what to go back to, and how the bootloader is told.
 *
 * Until the selector is written there are two records: what holds, and what holds as soon
 * as the selector has the tree of the second. So the file is right on both sides of that write.
 * Its first line says that there is a sum in the last: a file that a disk has emptied or cut says
 * nothing of a tree that is pending. Older versions have written neither.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"

#define NAME "dtb-swap.state"
#define NEXT "next-"
#define CHECKED "checked=yes\n"
#define SUM "sum="

static bool is_whole(const char *text)
{
	const char *end = strstr(text, "\n" SUM);
	size_t length = strlen(text);
	char sum[16];

	if (!end && strncmp(text, CHECKED, strlen(CHECKED)))
		return length && text[length - 1] == '\n' && strstr(text, "\nselector=");
	if (!end)
		return false;
	end++;
	snprintf(sum, sizeof(sum), SUM "%08x\n", tree_hash(text, end - text));
	return !strcmp(end, sum);
}

static char *get(const char *text, const char *prefix, const char *name)
{
	static const struct family plain;
	char *key = format_text("%s%s", prefix, name);
	char *value = key ? env_get(&plain, key, text) : NULL;

	free(key);
	return value;
}

static bool has(const char *text, const char *prefix, const char *name)
{
	char *value = get(text, prefix, name);

	free(value);
	return value;
}

static void read_record(struct state *state, const char *text, const char *prefix)
{
	char *pending = get(text, prefix, "pending");

	*state = (struct state){
		.installed = get(text, prefix, "installed"),
		.previous = get(text, prefix, "previous"),
		.start = get(text, prefix, "start"),
		.seen = get(text, prefix, "seen"),
		.back = has(text, prefix, "back"),
		.pending = pending,
		.boots = pending ? strtoul(pending, NULL, 10) : 0,
	};
	free(pending);
}

static char *read_file(const struct swap *swap, const char *boot)
{
	char *path = format_text("%s/" NAME, boot);
	char *text = path ? sys_read(swap, path, NULL) : NULL;

	free(path);
	return text;
}

static void refuse_unread(const struct place *place)
{
	refuse_read(place->swap, place->boot, NAME,
		    "look at the disk; without that file nothing is known to go back to");
}

/**
 * state_read() - what is remembered
 * @state: is filled; empty where nothing is
 * @place: where the file is, and what is selected
 *
 * What is pending is so only while it is selected.
 *
 * Return: false where that cannot be read; the run is told
 */
bool state_read(struct state *state, const struct place *place)
{
	char *text = read_file(place->swap, place->boot);
	struct state next;

	*state = (struct state){ 0 };
	if (!text && errno != ENOENT) {
		refuse_unread(place);
		return false;
	}
	if (!text)
		return true;
	read_record(state, text, "");
	if (has(text, "", "next")) {
		read_record(&next, text, NEXT);
		if (same_text(next.installed, place->value)) {
			state_free(state);
			*state = next;
		} else {
			state_free(&next);
		}
	}
	state->pending = state->pending && same_text(state->installed, place->value);
	state->damaged = !is_whole(text);
	free(text);
	return true;
}

static void put(FILE *out, const char *prefix, const char *name, const char *value)
{
	if (value)
		fprintf(out, "%s%s=%s\n", prefix, name, value);
}

static void put_record(FILE *out, const char *prefix, const struct state *state)
{
	put(out, prefix, "installed", state->installed ? state->installed : "");
	put(out, prefix, "previous", state->previous ? state->previous : "");
	put(out, prefix, "back", state->back ? "yes" : NULL);
	put(out, prefix, "start", state->start);
	if (!state->pending)
		return;
	fprintf(out, "%spending=%u\n", prefix, state->boots);
	put(out, prefix, "seen", state->seen);
}

/**
 * state_write() - remember
 * @state: what holds now
 * @next: what holds as soon as the selector has its tree, or NULL
 * @place: where the file is
 *
 * What the user has said of the bootloader is remembered, too.
 *
 * Return: true if it is on the disk; otherwise the run is told
 */
bool state_write(const struct state *state, const struct state *next, const struct place *place)
{
	const struct swap *swap = place->swap;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good;

	if (!out) {
		place->swap->report.no_memory = true;
		return false;
	}
	fputs(CHECKED, out);
	put_record(out, "", state);
	fprintf(out, "selector=%s:%s\n", place->family->file, place->key);
	put(out, "", "device", place->device);
	put(out, "", "family", swap->family);
	put(out, "", "variable", swap->variable);
	put(out, "", "unproven", swap->unproven ? "yes" : NULL);
	if (next) {
		put(out, "", "next", "yes");
		put_record(out, NEXT, next);
	}
	good = !fflush(out) && fprintf(out, SUM "%08x\n", tree_hash(text, size)) > 0;
	good = !fclose(out) && good;
	place->swap->report.no_memory |= !good;
	good = good && store_write(place->swap, place->boot, NAME, text, size);
	free(text);
	return good;
}

static void recall_device(struct place *place, const char *text)
{
	char *device = get(text, "", "device");
	bool unknown, variable;

	family_needs(place->device, NULL, &unknown, &variable);
	if (device && unknown) {
		free(place->device);
		place->device = device;
	} else {
		free(device);
	}
}

/**
 * state_idle() - whether nothing is pending, whatever is selected
 * @place: where the file is; the rest need not be known
 *
 * Return: true if the file says so, and is whole
 */
bool state_idle(const struct place *place)
{
	char *text = place->boot ? read_file(place->swap, place->boot) : NULL;
	bool idle = text && is_whole(text) && !has(text, "", "pending") &&
		    !has(text, NEXT, "pending");

	free(text);
	return idle;
}

/**
 * state_damaged() - say that the file is damaged
 * @place: where it is; the run is told
 * @level: of that
 */
void state_damaged(const struct place *place, enum level level)
{
	const char *mend = "remove that file";

	if (place->value)
		mend = "dtb-swap commit keeps the tree that runs, rollback --own gives it up";
	say(&place->swap->report, level, KIND_ERROR, mend,
	    "%s/" NAME " is damaged: it may not tell what is pending, and what was before",
	    place->boot);
}

/**
 * state_recall() - what the user has said of the bootloader before, where he does not now
 * @place: where the file is; keeps what is recalled
 *
 * What the device says by itself counts more, unless a tree is selected on the user's word.
 * Its type is remembered for the day when config.json has lost it: guard has to go back then, too.
 * The run is told where the file cannot be read.
 */
void state_recall(struct place *place)
{
	struct swap *swap = place->swap;
	char *text = read_file(swap, place->boot);
	bool family, variable, known;

	if (!text && errno != ENOENT)
		refuse_unread(place);
	place->said = (struct said){ .family = swap->family, .variable = swap->variable,
				     .unproven = swap->unproven, .recalled = true };
	if (text && !swap->family && !swap->variable) {
		known = has(text, "", "unproven") &&
			(has(text, "", "installed") || has(text, NEXT, "installed"));
		place->said.old_family = get(text, "", "family");
		place->said.old_variable = get(text, "", "variable");
		recall_device(place, text);
		family_needs(place->device, NULL, &family, &variable);
		swap->family = family || known ? place->said.old_family : NULL;
		family_needs(place->device, swap->family, &family, &variable);
		swap->variable = variable ? place->said.old_variable : NULL;
		/* Older versions have asked for that of known boards alone. */
		swap->unproven |= has(text, "", "unproven") || swap->family;
	}
	if (has(text, "", "installed") || has(text, NEXT, "installed"))
		place->said.selector = get(text, "", "selector");
	free(text);
}

/**
 * state_forget() - the end of state_recall()
 * @place: had that
 */
void state_forget(struct place *place)
{
	if (place->said.recalled) {
		place->swap->family = place->said.family;
		place->swap->variable = place->said.variable;
		place->swap->unproven = place->said.unproven;
	}
	free(place->said.old_family);
	free(place->said.old_variable);
	free(place->said.selector);
	place->said = (struct said){ 0 };
}

/**
 * state_free() - let go of it
 * @state: of state_read()
 */
void state_free(struct state *state)
{
	free(state->installed);
	free(state->previous);
	free(state->start);
	free(state->seen);
}

/**
 * state_settle() - a pending tree is pending no more
 * @state: of state_read()
 * @place: where the file is
 *
 * Return: true if so, also where it was not; otherwise the run is told
 */
bool state_settle(struct state *state, const struct place *place)
{
	bool good = !state->pending;
	unsigned long writable;

	state->pending = false;
	if (!good && store_ready(place->swap, place->boot, 0, &writable)) {
		good = state_write(state, NULL, place);
		store_done(place->swap, place->boot, writable);
	}
	return good;
}

/**
 * state_finish() - the selector is written: only the new record counts
 * @state: the new one
 * @place: where the file is
 *
 * Nothing is lost where this fails, as the selector tells which record holds.
 */
void state_finish(const struct state *state, const struct place *place)
{
	struct swap swap = *place->swap;
	struct place own = *place;

	swap.report = (struct report){ 0 };
	own.swap = &swap;
	state_write(state, NULL, &own);
	report_free(&swap.report);
}
