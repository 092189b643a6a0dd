// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tool remembers, in a file beside the selector. The selector alone decides what
 * is booted: this only says what to go back to.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"

#define NAME "dtb-swap.state"

static char *get(const char *text, const char *key)
{
	static const struct family plain;

	return env_get(&plain, key, text);
}

/**
 * state_read() - what is remembered
 * @state: is filled; empty where nothing is
 * @place: where the file is
 */
void state_read(struct state *state, const struct place *place)
{
	char *path = format_text("%s/" NAME, place->boot);
	char *text = path ? sys_read(place->swap, path, NULL) : NULL, *word;

	*state = (struct state){ 0 };
	if (text) {
		state->installed = get(text, "installed");
		state->previous = get(text, "previous");
		word = get(text, "back");
		state->back = word;
		free(word);
		word = get(text, "pending");
		state->pending = word;
		state->boots = word ? strtoul(word, NULL, 10) : 0;
		free(word);
		state->start = get(text, "start");
	}
	free(text);
	free(path);
}

/**
 * state_write() - remember
 * @state: what
 * @place: where the file is
 *
 * Return: true if it is on the disk; otherwise the run is told
 */
bool state_write(const struct state *state, const struct place *place)
{
	char *text = format_text("installed=%s\nprevious=%s\n%s",
				 state->installed ? state->installed : "",
				 state->previous ? state->previous : "",
				 state->back ? "back=yes\n" : "");
	char *all = text;
	bool good;

	if (text && state->pending)
		all = format_text("%spending=%u\nstart=%s\n", text, state->boots,
				  state->start ? state->start : "");
	good = all && store_write(place->swap, place->boot, NAME, all, strlen(all));
	if (all != text)
		free(all);
	free(text);
	return good;
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
	bool writable, good = !state->pending;

	state->pending = false;
	if (!good && store_ready(place->swap, place->boot, 0, &writable)) {
		good = state_write(state, place);
		store_done(place->swap, place->boot, writable);
	}
	return good;
}
