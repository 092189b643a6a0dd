// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree that has never run here. check can refuse what a tree lacks, not what it does wrong: one
 * that hangs the kernel is ended by nothing, whatever the bootloader does without a tree.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli.h"
#include "install.h"

/*
 * Whether a tree has run here, as far as it is remembered: it runs, is selected, or was before. One
 * that was tried where the bootloader could not be told is in no folder.
 */
static bool has_run(const struct place *place, const struct state *state, const void *fdt,
		    const char *name)
{
	if (stamp_running(place->swap, fdt) == RUNS_YES || same_text(name, state->previous))
		return true;
	return same_text(name, place->value) && !state->pending && !never_ran(place, state);
}

/* kexec is for arm64; what else a trial would say is not known. */
static bool has_kexec(const struct swap *swap)
{
	char *off = sys_line(swap, "/proc/sys/kernel/kexec_load_disabled");
	bool on = sys_exists(swap, "/sys/kernel/kexec_loaded") && !same_text(off, "1");
	struct utsname name;

	free(off);
	return on && (uname(&name) || strncmp(name.machine, "arm", 3));
}

/* One that is selected already, and not pending, is started anyway. */
static bool is_untried(const struct place *place, const void *fdt, const char *name, bool *proves)
{
	struct state state;
	bool run, stays;

	state_read(&state, place);
	run = has_run(place, &state, fdt, name);
	stays = same_text(name, place->value) && !state.pending;
	state_free(&state);
	*proves = !run && !stays && has_kexec(place->swap);
	return !run;
}

/**
 * check_untried() - refuse to install a tree that a trial could prove first
 * @call: is told, unless it says --untried
 * @place: where things are
 * @fdt: the tree, as it is kept
 * @name: of the tree
 *
 * Return: whether the tree has never run here
 */
bool check_untried(struct call *call, const struct place *place, const void *fdt,
		   const char *name)
{
	bool proves, untried = is_untried(place, fdt, name, &proves);

	if (proves && !call->untried)
		refuse(&call->swap, KIND_UNTRIED,
		       "dtb-swap try it, then dtb-swap commit; or install it --untried",
		       "%s has not yet run here: if it does not start, nothing goes back by itself",
		       name);
	return untried;
}

/**
 * foresee_untried() - say that install is going to ask for a trial
 * @place: where things are; its run is told
 * @fdt: the tree, as it is kept
 * @name: of the tree
 */
void foresee_untried(const struct place *place, const void *fdt, const char *name)
{
	bool proves;

	is_untried(place, fdt, name, &proves);
	if (proves)
		say(&place->swap->report, LEVEL_NOTE, KIND_NONE, NULL,
		    "it has not yet run here: dtb-swap try comes before install");
}

/**
 * warn_untried() - say that nothing goes back from what was installed
 * @swap: is told
 * @name: of the tree, which has never run here
 */
void warn_untried(struct swap *swap, const char *name)
{
	const char *mend = "be where the device is when it starts";

	if (has_kexec(swap))
		mend = "dtb-swap rollback, then dtb-swap try it: a reset ends that";
	else if (guard_starts(swap))
		mend = "dtb-swap rollback, then dtb-swap try --pending: guard goes back";

	say(&swap->report, LEVEL_WARNING, KIND_NOTHING, mend,
	    "%s has not yet run here: if it does not start, nothing goes back by itself", name);
}
