// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make the bootloader take what it took before, or its own tree.
 */

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "install.h"

/* Selects what was before, or nothing; where that was done already, it is only remembered. */
static void select_again(struct place *place, const struct state *now, const char *value,
			 const char *before)
{
	struct swap *swap = place->swap;
	struct state after = { .installed = (char *)value, .previous = (char *)before,
			       .back = before, .start = sys_line(swap, THIS_START) };
	unsigned long writable = 0;
	bool good;

	trial_ends(place);
	if (!select_plain(place) || !taken_select(place, value) ||
	    !store_ready(swap, place->boot, 0, &writable)) {
		free(after.start);
		return;
	}
	if (same_text(place->value, value) && select_last(place, false)) {
		good = state_write(&after, NULL, place);
	} else {
		good = state_write(now, &after, place) && select_value(place, value);
		if (good)
			state_finish(&after, place);
	}
	store_done(swap, place->boot, writable);
	free(after.start);
	if (good) {
		fact(&swap->report, "selected", "%s, from the next boot on",
		     value ? value : "the bootloader's own tree");
		supervisor_warn(place, false);
	}
}

static void roll_back(struct place *place, const struct state *state)
{
	struct swap *swap = place->swap;
	void *fdt = state->previous ? place_tree(place, state->previous) : NULL;

	if (!state->back && state->damaged)
		state_damaged(place, LEVEL_REFUSAL);
	else if (!state->back)
		refuse(swap, KIND_NOTHING, "dtb-swap status tells what is selected; rollback --own",
		       "nothing was installed that could be undone");
	else if (state->previous && !fdt)
		refuse(swap, KIND_NOTHING, "install a tree that is there, or rollback --own",
		       "the tree before, %s, is %s", state->previous,
		       place_damaged(place, state->previous) ? "damaged" : "no more");
	else
		select_again(place, state, state->previous, NULL);
	free(fdt);
}

/* For guard. From the write of the selector on only a mark tells that a restart is due. */
static void give_up(struct place *place, const struct state *state)
{
	struct swap *swap = place->swap;

	if (!state->pending && !guard_over(swap)) {
		refuse(swap, KIND_NOTHING, "nothing", "it has been committed");
	} else if (state->pending && first_start(swap, state)) {
		fact(&swap->report, "next", "%s is tried, the last that was installed",
		     state->installed);
	} else if (state->pending) {
		select_first(place, LEVEL_WARNING);
		guard_ends(swap);
		roll_back(place, state);
	}
}

static void roll_back_own(struct place *place, const struct state *state)
{
	select_hidden(place);
	if (!place->value && !state->installed && !state->back)
		refuse(place->swap, KIND_NOTHING, "dtb-swap status tells what is selected",
		       "the bootloader takes its own tree as it is");
	else
		select_again(place, state, NULL, NULL);
}

/**
 * select_own() - let the bootloader take its own tree; rollback leads to the one that is selected
 * @place: where things are; the run is told
 */
void select_own(struct place *place)
{
	char *value = place->value ? strdup(place->value) : NULL;
	struct state state;

	if (state_read(&state, place))
		select_again(place, &state, NULL, value);
	state_free(&state);
	free(value);
}

/**
 * run_rollback() - the verb rollback
 * @call: without words; tells which tree
 */
void run_rollback(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	struct state state = { 0 };
	struct lock lock;
	bool alone = lock_take(&lock, swap);
	char *name;

	if (alone && place_open(&place, swap) && state_read(&state, &place)) {
		name = trial_name(swap);
		if (call->guard)
			give_up(&place, &state);
		else if (!select_first(&place, LEVEL_REFUSAL))
			;	/* another tree would be taken all the same */
		else if (call->own)
			roll_back_own(&place, &state);
		else if (name && !trial_over(swap) && !same_text(name, place.value) &&
			 !never_started(&place, &state))
			refuse(swap, KIND_NOTHING, "start the device again, or rollback --own",
			       "%s is tried, nothing has selected it: a start is on another tree",
			       name);
		else
			roll_back(&place, &state);
		if (!call->guard && !verdict(&swap->report))
			guard_forget(swap);
		state_free(&state);
		free(name);
	}
	place_close(&place);
	lock_drop(&lock);
}
