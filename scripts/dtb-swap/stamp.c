// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tree a kernel runs on, and where the running tree shows that it is a certain one.
 *
 * Bootloaders change the tree that they load: /chosen, memory, serial number and addresses, the
 * status of nodes, whole overlays. A property of the root that they do not know is left alone by
 * all: U-Boot, L4TLauncher and the Raspberry Pi's firmware set properties by name, and take out
 * none. So what is kept is stamped with the hash of all that is in it.
 */

#include <stdlib.h>
#include <string.h>

#include "install.h"
#include "try.h"

#define STAMP "boardpack,tree"

/**
 * tree_stamp() - write into a tree which one it is
 * @fdt: the tree, with STAMP_ROOM; gets packed
 *
 * It is the same whether the tree has been stamped before or not, as long as nothing else changed.
 *
 * Return: 0 or a negative code
 */
int tree_stamp(void *fdt)
{
	int ret = fdt_setprop_u32(fdt, 0, STAMP, 0);

	if (!ret)
		ret = fdt_pack(fdt);
	if (!ret)
		ret = fdt_setprop_inplace_u32(fdt, 0, STAMP, tree_hash(fdt, fdt_totalsize(fdt)));
	return ret;
}

/**
 * tree_stamped() - whether a tree says which one it is
 * @fdt: the tree
 *
 * Return: true if so
 */
bool tree_stamped(const void *fdt)
{
	return fdt_getprop(fdt, 0, STAMP, NULL);
}

static bool same_stamp(const void *a, const void *b)
{
	int size_a = 0, size_b = 0;
	const void *one = fdt_getprop(a, 0, STAMP, &size_a);
	const void *two = fdt_getprop(b, 0, STAMP, &size_b);

	/* What an older version has kept has none, and is not judged. */
	return !one || (two && size_a == size_b && !memcmp(one, two, size_a));
}

/* The running tree, for free(), or NULL; the run is told nothing. */
static void *running_tree(const struct swap *swap)
{
	struct swap own = *swap;
	void *fdt;

	own.report = (struct report){ 0 };
	fdt = sys_tree(&own);
	report_free(&own.report);
	return fdt;
}

/**
 * stamp_running() - whether the kernel runs on a tree, as far as its stamp tells
 * @swap: has the root of the system; is told nothing
 * @fdt: the tree, NULL for none
 *
 * Return: whether it does
 */
enum runs stamp_running(const struct swap *swap, const void *fdt)
{
	void *running = fdt && tree_stamped(fdt) ? running_tree(swap) : NULL;
	enum runs runs = !running ? RUNS_UNKNOWN : same_stamp(fdt, running) ? RUNS_YES : RUNS_NO;

	free(running);
	return runs;
}

/**
 * tree_running() - the same, of a tree that is kept
 * @place: where trees are; the run is told nothing
 * @name: of the tree
 *
 * Return: whether it does
 */
enum runs tree_running(const struct place *place, const char *name)
{
	void *fdt = place_tree(place, name);
	enum runs runs = stamp_running(place->swap, fdt);

	free(fdt);
	return runs;
}

/* A start by kexec is another start of the kernel, and none of what is selected. */
static bool said_by_trial(const struct swap *swap, const char *name)
{
	void *running = running_tree(swap);
	const char *told = running ? fdt_getprop(running, fdt_path_offset(running, "/chosen"),
						 UNSTARTED, NULL) : NULL;
	bool said = told && !strcmp(told, name);

	free(running);
	return said;
}

/**
 * never_started() - whether no start has been on the selected tree
 * @place: where things are
 * @state: of state_read(); what rollback has selected had its start before
 *
 * Older versions have not kept the start: there the tree before shows it where that runs.
 *
 * Return: true if it was installed in this start, which is on another
 */
bool never_started(const struct place *place, const struct state *state)
{
	const char *before = state->previous;

	if (!state->back || !place->value || !same_text(state->installed, place->value) ||
	    tree_running(place, place->value) == RUNS_YES)
		return false;
	if (said_by_trial(place->swap, place->value))
		return true;
	return state->start ? first_start(place->swap, state) :
			      before && tree_running(place, before) == RUNS_YES;
}

/**
 * never_ran() - whether the selected tree is not known to have run
 * @place: where things are
 * @state: of state_read()
 *
 * Return: true if no start has been on it, or if the bootloader has not taken it for this one
 */
bool never_ran(const struct place *place, const struct state *state)
{
	char *cmdline = sys_line(place->swap, "/proc/cmdline");
	bool no_trial = cmdline && !strstr(cmdline, TRIAL_MARK);
	bool other = no_trial && state->back && state->start && place->value &&
		     same_text(state->installed, place->value) &&
		     tree_running(place, place->value) == RUNS_NO;

	free(cmdline);
	return other || never_started(place, state);
}

/**
 * tree_runs() - whether the kernel runs on a tree that is kept
 * @place: where trees are; the run is told if it does not
 * @name: of the tree
 *
 * Return: true if so, or if the tree does not tell
 */
bool tree_runs(const struct place *place, const char *name)
{
	struct swap *swap = place->swap;
	void *fdt = place_tree(place, name), *running = fdt ? sys_tree(swap) : NULL;
	bool runs = running && same_stamp(fdt, running);

	if (!fdt)
		refuse(swap, KIND_NOTHING, "install it", "%s/%s is %s", place->trees, name,
		       place_damaged(place, name) ? "damaged" : "not there, or broken");
	else if (running && !runs)
		refuse(swap, KIND_NOTHING,
		       "start it by its bootloader; or dtb-swap install --untried that file",
		       "another tree runs, not %s/%s: by kexec, or the bootloader did not take it",
		       place->trees, name);
	free(running);
	free(fdt);
	return runs;
}
