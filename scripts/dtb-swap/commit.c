// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a trial: somebody commits it, or the guard goes back.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "install.h"
#include "try.h"

/* What guard does in a start: nothing, wait for the commit, go back at once. */
enum watch { WATCH_NOTHING, WATCH_WAIT, WATCH_OVER };

#define PATIENCE 60	/* seconds for a dtb-swap that does not end, or what is in the way */
#define FLUSH 10	/* seconds for the disks */
/* Each has a start of the kernel: a trial was committed, guard started, a pending tree given up. */
#define COMMITTED "/run/dtb-swap.committed"
#define GUARDED "/run/dtb-swap.guarded"
#define OVER "/run/dtb-swap.over"

/**
 * trial_name() - what this start is a trial of
 * @swap: has the root of the system
 *
 * Return: name of the tree that was started by kexec, for free(), or NULL
 */
char *trial_name(const struct swap *swap)
{
	char *cmdline = sys_line(swap, "/proc/cmdline"), *next = cmdline, *word, *name = NULL;

	while (next && (word = strsep(&next, " "))) {
		if (strncmp(word, TRIAL_MARK, strlen(TRIAL_MARK)))
			continue;
		free(name);
		name = strdup(word + strlen(TRIAL_MARK));
	}
	free(cmdline);
	return name;
}

static bool was_in_start(const struct swap *swap, const char *mark)
{
	char *now = sys_line(swap, THIS_START), *then = sys_line(swap, mark);
	bool same = now && same_text(now, then);

	free(then);
	free(now);
	return same;
}

static void mark_start(const struct swap *swap, const char *mark)
{
	char *now = sys_line(swap, THIS_START), *path = sys_path(swap, mark);
	FILE *out = now && path ? fopen(path, "w") : NULL;

	if (out) {
		fprintf(out, "%s\n", now);
		fclose(out);
	}
	free(path);
	free(now);
}

/**
 * trial_over() - whether the trial of this start has been committed
 * @swap: has the root of the system
 *
 * Other trees may have been selected since then.
 *
 * Return: true if so
 */
bool trial_over(const struct swap *swap)
{
	return was_in_start(swap, COMMITTED);
}

/**
 * guard_seen() - whether something has started guard in this start
 * @swap: has the root of the system
 *
 * Return: true if so; whatever that was will do it in the next start, too
 */
bool guard_seen(const struct swap *swap)
{
	return was_in_start(swap, GUARDED);
}

/**
 * trial_end() - the trial of this start is over
 * @swap: has the root of the system
 *
 * Where this cannot be written down, it is over for as long as its tree is selected.
 */
void trial_end(const struct swap *swap)
{
	mark_start(swap, COMMITTED);
}

/**
 * guard_over() - whether guard has given up the tree of this start
 * @swap: has the root of the system
 *
 * Return: true if so: once nothing is pending any more, only the restart is left to do
 */
bool guard_over(const struct swap *swap)
{
	return was_in_start(swap, OVER);
}

/**
 * guard_ends() - guard is about to give up the tree of this start
 * @swap: has the root of the system
 */
void guard_ends(const struct swap *swap)
{
	mark_start(swap, OVER);
}

/**
 * guard_forget() - somebody wants to go on in this start, whatever guard was about to do
 * @swap: has the root of the system
 */
void guard_forget(const struct swap *swap)
{
	char *path = sys_path(swap, OVER);

	if (path)
		unlink(path);
	free(path);
}

/* Somebody may have started another tree with the command line of a trial. */
static void commit_trial(struct place *place, const char *name)
{
	void *fdt;

	if (!tree_runs(place, name))
		return;
	fdt = place_tree(place, name);
	if (fdt)
		install_tree(place, fdt, name, false);
	else
		refuse(place->swap, KIND_ERROR, "look at the disk", "%s/%s cannot be read",
		       place->trees, name);
	free(fdt);
}

/**
 * first_start() - whether a pending tree has been installed in this start
 * @swap: has the root of the system
 * @state: of state_read()
 *
 * Return: true if so: the device has not started with it
 */
bool first_start(const struct swap *swap, const struct state *state)
{
	char *now = sys_line(swap, THIS_START);
	bool first = now && same_text(now, state->start);

	free(now);
	return first;
}

static bool has_started(const struct swap *swap, const struct state *state)
{
	return state->boots || (state->start && !first_start(swap, state));
}

static void commit_pending(struct place *place, struct state *state)
{
	struct swap *swap = place->swap;

	if (!has_started(swap, state)) {
		refuse(swap, KIND_NOTHING,
		       "start the device again, then commit; or dtb-swap install --untried",
		       "the device has not yet started with %s",
		       state->installed ? state->installed : "the pending tree");
	} else if (tree_runs(place, state->installed)) {
		guard_forget(swap);
		if (!state_settle(state, place))
			return;
		fact(&swap->report, "committed", "%s",
		     place->value ? place->value : "the bootloader's own tree");
		supervisor_warn(place, false);
	}
}

/* Whether it is pending nobody knows: what runs is kept. */
static void commit_unknown(struct place *place, struct state *state)
{
	free(state->installed);
	state->installed = strdup(place->value);
	state->pending = true;
	state->boots = 1;
	commit_pending(place, state);
}

static bool is_unknown(const struct place *place, const struct state *state)
{
	return state->damaged && !state->pending && place->value && is_ours(place->value);
}

/**
 * run_commit() - the verb commit
 * @call: without words
 */
void run_commit(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	struct state state = { 0 };
	char *name = trial_name(swap);
	struct lock lock;
	bool alone = lock_take(&lock, swap);

	if (alone && place_open(&place, swap) && state_read(&state, &place)) {
		if (name && (!trial_over(swap) || same_text(place.value, name)))
			commit_trial(&place, name);
		else if (state.pending)
			commit_pending(&place, &state);
		else if (is_unknown(&place, &state))
			commit_unknown(&place, &state);
		else
			refuse(swap, KIND_NOTHING, "dtb-swap try, then commit",
			       "no tree is being tried");
	}
	state_free(&state);
	free(name);
	place_close(&place);
	lock_drop(&lock);
}

/* What guard waits for: the commit of a tree. @trial: it was started by kexec. */
struct wait {
	char *name;
	bool trial;
};

/*
 * Another tree may have been installed since the commit, and one to be tried next on it. Where it
 * is guard that has selected another, that is no commit.
 */
static bool is_kept(const struct place *place, const struct state *state, const struct wait *wait)
{
	if (wait->trial && trial_over(place->swap))
		return true;
	if (state->pending)
		return first_start(place->swap, state) && same_text(state->previous, wait->name);
	return (!wait->trial && !guard_over(place->swap)) || same_text(place->value, wait->name);
}

/* Whether somebody has committed; read anew each time. */
static bool committed(const struct swap *swap, const struct wait *wait)
{
	struct swap own = *swap;
	struct place place = { 0 };
	struct state state = { 0 };
	bool good = false;

	own.dry = true;		/* it has no lock */
	own.report = (struct report){ 0 };
	if (place_open(&place, &own) && state_read(&state, &place))
		good = is_kept(&place, &state, wait);
	state_free(&state);
	place_close(&place);
	report_free(&own.report);
	return good;
}

/*
 * A pending tree has one start to be committed in; at the second it is given up at once. The
 * start that it was installed in is none of them, and guard may be run again in one.
 */
static enum watch count_start(struct state *state, const struct place *place)
{
	unsigned long writable;
	enum watch watch;
	bool counted;
	char *now;

	if (!state->pending || first_start(place->swap, state))
		return WATCH_NOTHING;
	now = sys_line(place->swap, THIS_START);
	counted = now && same_text(now, state->seen);
	watch = state->boots > counted ? WATCH_OVER : WATCH_WAIT;
	if (!counted) {
		free(state->seen);
		state->seen = now;
		state->boots++;
		if (watch == WATCH_WAIT && store_ready(place->swap, place->boot, 0, &writable)) {
			state_write(state, NULL, place);
			store_done(place->swap, place->boot, writable);
		}
	} else {
		free(now);
	}
	return watch;
}

/* Returns whether it is known now; another dtb-swap may be at work, the disk not be there yet. */
static bool look_once(struct swap *swap, enum watch *watch, struct wait *wait)
{
	struct place place = { 0 };
	struct state state = { 0 };
	struct lock lock;
	bool alone = lock_take(&lock, swap);
	bool known = alone && place_open(&place, swap) && state_read(&state, &place);

	if (known) {
		if (is_unknown(&place, &state)) {
			state_damaged(&place, LEVEL_REFUSAL);
			known = false;
		}
		*watch = count_start(&state, &place);
		if (*watch != WATCH_NOTHING)
			wait->name = strdup(place.value ? place.value : "");
		state_free(&state);
	}
	place_close(&place);
	lock_drop(&lock);
	return known;
}

/* Where nothing is pending guard needs neither the lock nor the selector. */
static bool nothing_pending(const struct swap *swap)
{
	struct swap own = *swap;
	struct place place = { 0 };
	bool idle;

	own.dry = true;
	own.report = (struct report){ 0 };
	place_open(&place, &own);
	idle = state_idle(&place);
	place_close(&place);
	report_free(&own.report);
	return idle;
}

/*
 * Whatever is in the way may pass: all of the time is taken. Then guard has nothing to go back
 * with, says so, and ends as one that has failed, so that it is started again.
 */
static enum watch watch_pending(struct call *call, unsigned int *left, struct wait *wait)
{
	enum watch watch = WATCH_NOTHING;
	struct swap own;
	bool busy;

	for (;;) {
		own = call->swap;
		own.report = (struct report){ 0 };
		if (look_once(&own, &watch, wait))
			break;
		busy = verdict(&own.report) == KIND_BUSY;
		if (!busy && nothing_pending(&call->swap)) {
			report_free(&own.report);
			return WATCH_NOTHING;
		}
		if (!busy && !*left)
			break;
		*left -= !busy;
		report_free(&own.report);
		sleep(1);
	}
	report_join(&call->swap.report, &own.report);
	return watch;
}

/*
 * By kexec a reset is enough. Otherwise the selector has to be as it was before: without
 * that, a start would end in the next one for ever, so that nobody could log in.
 * @last: it is not tried once more, and the run is told why it failed
 */
static enum kind roll_back_first(struct call *call, const struct wait *wait, bool last)
{
	struct call own = *call;
	enum kind kind;

	own.swap.report = (struct report){ 0 };
	own.guard = true;
	run_rollback(&own);
	kind = verdict(&own.swap.report);
	if (kind == KIND_BUSY || (kind && (!last || committed(&call->swap, wait)))) {
		report_free(&own.swap.report);
		return kind;
	}
	if (kind)
		say(&own.swap.report, LEVEL_WARNING, kind,
		    "mend that, or dtb-swap rollback --own; dtb-swap commit keeps this tree",
		    "nobody has committed, but it cannot go back: the system stays up");
	report_join(&call->swap.report, &own.swap.report);
	return kind;
}

/* What the tree has done to a disk must not keep the system from its restart. */
static void flush_in_time(void)
{
	pid_t child = fork();
	int left = FLUSH;

	if (!child) {
		sync();
		_exit(0);
	}
	while (child > 0 && left-- && !waitpid(child, NULL, WNOHANG))
		sleep(1);
}

static void start_again(struct call *call)
{
	fprintf(stderr, "dtb-swap: nobody has committed: the system starts again\n");
	tell(call);
	start_unload();		/* systemctl reboot may start by kexec what is loaded */
	if ((sys_exists(&call->swap, "/run/systemd/system") && !systemctl("reboot")) ||
	    *call->swap.root)
		return;
	flush_in_time();
	if (reboot(RB_AUTOBOOT))
		refuse(&call->swap, KIND_RIGHTS, "start the system again, by hand", "reboot: %s",
		       strerror(errno));
}

/**
 * run_guard() - the verb guard: goes back unless somebody commits in time
 * @call: has the time limit; the system is to start it as early as it can
 */
void run_guard(struct call *call)
{
	struct swap *swap = &call->swap;
	char *name = trial_name(swap);
	struct wait wait = { .name = name, .trial = name };
	unsigned int left = call->limit;
	enum watch watch = name ? WATCH_WAIT : watch_pending(call, &left, &wait);
	unsigned int patience = watch == WATCH_OVER ? left :
				call->limit < PATIENCE ? call->limit : PATIENCE;
	enum kind kind;

	mark_start(swap, GUARDED);
	if (watch == WATCH_NOTHING && !verdict(&swap->report) && guard_over(swap))
		start_again(call);	/* a guard before this one came as far as that */
	for (; watch == WATCH_WAIT && left && !committed(swap, &wait); left--)
		sleep(1);
	for (; watch != WATCH_NOTHING && !committed(swap, &wait); sleep(1)) {
		kind = wait.trial ? KIND_NONE : roll_back_first(call, &wait, !patience);
		if (kind == KIND_BUSY && watch == WATCH_OVER)
			continue;
		if (kind && patience--)
			continue;
		if (!kind || kind == KIND_BUSY)	/* the next start goes back, and is not kept busy */
			start_again(call);
		break;
	}
	free(wait.name);
}
