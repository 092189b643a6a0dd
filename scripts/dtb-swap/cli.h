/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: what was asked for.
 */
#ifndef CLI_H
#define CLI_H

#include "swap.h"

/**
 * struct call - a verb with its options
 * @swap: the run
 * @verb: its name
 * @used: the options that were given, a letter each
 * @twice: one with a value that was given more than once, or 0
 * @told: the report has been printed, as a document with @json
 * @lost: why not all of what was printed could be written, or NULL
 * @words: what is not an option
 * @count: of @words
 * @out: file to write to, or NULL
 * @json: answer in JSON
 * @quiet: no notes
 * @all: diff: also what is bookkeeping; list: also what is not on this device
 * @structure: check: only what no device is needed for
 * @overlay: the words are overlays
 * @kernel: try: file of the kernel, or NULL
 * @initrd: try: its initramfs, or NULL
 * @watchdog: try: what ends a kernel that hangs, or NULL
 * @load: try: do not start it
 * @pending: try: install it, and give it up unless it is committed
 * @untried: install: also what a trial could prove first
 * @own: rollback: to the bootloader's own tree
 * @guard: rollback: only what is pending
 * @forget: carry: the update has failed
 * @back: carry: into the OS before, which starts in any case
 * @last: carry: at the end of this start
 * @limit: seconds until an uncommitted tree is given up; carry: until it waits no more
 */
struct call {
	struct swap swap;
	const char *verb;
	char used[32];
	char twice;
	bool told;
	const char *lost;
	char **words;
	int count;
	const char *out;
	const char *kernel;
	const char *initrd;
	const char *watchdog;
	bool load;
	bool json;
	bool quiet;
	bool all;
	bool structure;
	bool overlay;
	bool pending;
	bool untried;
	bool own;
	bool guard;
	bool forget;
	bool back;
	bool last;
	unsigned int limit;
};

/* struct verb - what can be asked for, its options, and how many words it takes */
struct verb {
	const char *name;
	const char *options;
	int least;
	int most;
	void (*run)(struct call *call);
	const char *usage;
};

struct place;

void tell(struct call *call);
int systemctl(const char *verb);
void *overlay_tree(struct call *call, const struct place *place, bool *before);
void *wanted_tree(struct call *call, struct place *place, char **name);
bool check_untried(struct call *call, const struct place *place, const void *fdt,
		   const char *name);
void warn_untried(struct swap *swap, const char *name);
void run_check(struct call *call);
void run_diff(struct call *call);
void run_merge(struct call *call);
void run_install(struct call *call);
void run_rollback(struct call *call);
void run_status(struct call *call);
void run_list(struct call *call);
void run_try(struct call *call);
void run_commit(struct call *call);
void run_guard(struct call *call);
void run_carry(struct call *call);

void watchdog_check(struct call *call);
int watchdog_arm(struct call *call);
void watchdog_close(struct call *call, int fd, bool stop);

#endif
