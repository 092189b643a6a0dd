/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the bootloader is told, and careful writing.
 */
#ifndef INSTALL_H
#define INSTALL_H

#include "swap.h"

#define TREE_PAD (8 << 10)	/* at its end, for what the bootloader adds */
#define STAMP_ROOM 64		/* for what tree_stamp() adds */
#define FILE_ROOM (4 << 10)	/* the selector, what is remembered */
#define THIS_START "/proc/sys/kernel/random/boot_id"	/* another at each start */

enum how { HOW_NONE, HOW_ENV, HOW_CONFIG };
enum runs { RUNS_UNKNOWN, RUNS_NO, RUNS_YES };
enum slot_next { SLOT_SAME, SLOT_CHANGES, SLOT_TRIAL, SLOT_UNKNOWN };

/**
 * struct family - how bootloaders choose a tree
 * @name: as in boards.tsv, or of its own
 * @match: pattern for device types, where boards.tsv has no family for them
 * @how: kind of the file that selects
 * @file: its name, on the boot partition
 * @key: whose value is the tree
 * @longest: bytes that a value may have, 0 for any
 * @shortest: bytes that every line of the file must have, 0 for any
 * @room: bytes from where the tree is loaded to what is loaded next, 0 for more than a kernel takes
 * @substring: the key is found anywhere in a line, even in a comment
 * @fallback: where the tree is missing, the bootloader takes its own
 * @extlinux: overlays of extlinux.conf are put on the tree, too
 * @first: only the first line of the file is sure to be read
 * @default_only: nothing is selected unless extlinux.conf has FDT default
 * @boot: trees are on the boot partition, on whatever board
 * @proven: verified in the sources of the boards' bootloader
 * @before: another variable, whose value counts more, or NULL
 */
struct family {
	const char *name;
	const char *match;
	enum how how;
	const char *file;
	const char *key;
	unsigned int longest;
	unsigned int shortest;
	unsigned int room;
	bool substring;
	bool first;
	bool fallback;
	bool extlinux;
	bool default_only;
	bool boot;
	bool proven;
	const char *before;
};

/* struct said - what the user says of the bootloader now, and what he has said before */
struct said {
	const char *family;
	const char *variable;
	bool unproven;
	char *old_family;
	char *old_variable;
	char *selector;		/* where a tree of ours was selected, as file:key */
	bool recalled;
};

/**
 * struct place - where things are on this device
 * @swap: the run
 * @family: how it boots
 * @device: its type, from config.json, or NULL
 * @key: of the selector
 * @boot: folder of the selector, from the root
 * @trees: folder that the bootloader takes trees from, from the root
 * @more: another one, where it takes those that @trees does not have, or NULL
 * @text: of the selector, NULL where there is no such file
 * @value: name of the selected tree, NULL for the bootloader's own
 * @above: name of a tree that somebody has selected in a way that counts more, or NULL
 * @late: a write of the selector failed, and it is not as it was all the same
 * @said: by the user of the bootloader
 */
struct place {
	struct swap *swap;
	const struct family *family;
	char *device;
	const char *key;
	char *boot;
	char *trees;
	char *more;
	char *text;
	char *value;
	char *above;
	bool late;
	struct said said;
};

/**
 * struct state - what the tool remembers, beside the selector
 * @installed: what it has selected, NULL for the bootloader's own
 * @previous: what was selected before
 * @back: whether @previous means anything
 * @pending: an installed tree that is given up unless it is committed
 * @boots: how often guard has seen the device start since then
 * @start: which start of the kernel it was selected in, NULL where that is not known
 * @seen: the last start that guard has seen, in the same way
 * @damaged: the file is not as it was written: what it lacks is not known
 */
struct state {
	char *installed;
	char *previous;
	bool back;
	bool pending;
	unsigned int boots;
	char *start;
	char *seen;
	bool damaged;
};

/**
 * struct mounted - what a folder is on
 * @point: where that is mounted
 * @kind: of the file system
 * @device: its number, as in 179:2
 * @options: of the mount
 * @system: options of the file system
 * @exactly: it is mounted on that very folder
 */
struct mounted {
	char point[256];
	char kind[32];
	char device[24];
	char options[256];
	char system[256];
	bool exactly;
};

/**
 * struct lock - keeps others out
 * @run: descriptor of a file below /run, or -1
 * @boot: of the folder of the boot partition, which containers have, too; or -1
 */
struct lock {
	int run;
	int boot;
};

const struct family *family_find(struct swap *swap, const char *device, const char **place);
void family_needs(const char *device, const char *name, bool *family, bool *variable);
void family_list(struct report *report);

char *env_get(const struct family *family, const char *key, const char *text);
char *env_set(const struct family *family, const char *key, const char *value, const char *text);
char *config_get(const char *key, const char *text);
char *extlinux_get(const struct place *place, const char *key);
char *extlinux_wrong(const struct place *place);
char *config_plain(const char *text);
char *config_behind(const char *key, const char *text);
char *config_set(const char *key, const char *value, const char *text);
char *select_text(const struct place *place, const char *value);
bool select_last(const struct place *place, bool tell);
bool select_plain(const struct place *place);
bool select_first(const struct place *place, enum level level);
void select_hidden(const struct place *place);
bool select_refresh(struct place *place);
void select_traps(const struct place *place, const char *value, size_t size);

char *place_boot(const struct swap *swap);
bool place_open(struct place *place, struct swap *swap);
void place_close(struct place *place);
unsigned int tree_hash(const void *data, size_t size);
bool is_ours(const char *name);
bool is_named(const char *name, const void *data, size_t size);
int tree_stamp(void *fdt);
bool tree_stamped(const void *fdt);
bool tree_runs(const struct place *place, const char *name);
void foresee_untried(const struct place *place, const void *fdt, const char *name);
enum runs stamp_running(const struct swap *swap, const void *fdt);
enum runs tree_running(const struct place *place, const char *name);
bool never_ran(const struct place *place, const struct state *state);
bool never_started(const struct place *place, const struct state *state);
void keep_name(const struct place *place, const void *fdt, char **name);
void *tree_to_keep(struct swap *swap, const void *fdt, const char *path, char **name);
void *place_tree(const struct place *place, const char *name);
bool place_damaged(const struct place *place, const char *name);
const char *place_selected(const struct place *place);
bool place_in_root(const struct place *place, const char *name);
void *place_base(const struct place *place, const void *running);
void place_overlays(const struct place *place, const void *fdt);
void soften(struct report *report);
void check_install(struct swap *swap, const void *fdt, const char *path);

const char *supervisor_variable(const struct place *place);
void supervisor_warn(const struct place *place, bool pending);
void supervisor_update(struct swap *swap);

bool lock_take(struct lock *lock, struct swap *swap);
bool lock_wait(struct lock *lock, struct swap *swap, unsigned int seconds);
void lock_drop(struct lock *lock);
bool mounted_on(const struct swap *swap, const char *folder, struct mounted *on);
bool store_room(struct swap *swap, const char *folder, size_t size);
bool store_ready(struct swap *swap, const char *folder, size_t size, unsigned long *writable);
void store_done(struct swap *swap, const char *folder, unsigned long writable);
void store_sweep(const char *path);
bool store_same(struct swap *swap, const char *folder, const char *name, const void *data,
		size_t size);
bool store_write(struct swap *swap, const char *folder, const char *name, const void *data,
		 size_t size);
bool store_replace(struct swap *swap, const char *folder, const char *name, const char *text,
		   const char *before);
bool store_flush(struct swap *swap, const char *folder, const char *name);
void store_drop(struct swap *swap, const char *folder, const char *name);

bool taken(const struct place *place);
bool taken_select(const struct place *place, const char *name);
void taken_try(const struct place *place);
void taken_mark(const struct place *place, const char *names);
void taken_name(FILE *out, const char *name);
void taken_forget(struct swap *swap);

bool carry_lacks(const struct place *place);
enum slot_next slot_next(const struct place *place);

bool state_read(struct state *state, const struct place *place);
bool state_write(const struct state *state, const struct state *next, const struct place *place);
void state_finish(const struct state *state, const struct place *place);
bool state_idle(const struct place *place);
void state_damaged(const struct place *place, enum level level);
void state_recall(struct place *place);
void state_forget(struct place *place);
bool state_settle(struct state *state, const struct place *place);
void state_free(struct state *state);

bool install_tree(struct place *place, const void *fdt, const char *name, bool pending);
char *trial_name(const struct swap *swap);
bool trial_over(const struct swap *swap);
bool guard_seen(const struct swap *swap);
bool guard_starts(const struct swap *swap);
bool guard_over(const struct swap *swap);
void guard_ends(const struct swap *swap);
void guard_forget(const struct swap *swap);
void trial_end(const struct swap *swap);
void trial_ends(const struct place *place);
bool first_start(const struct swap *swap, const struct state *state);
bool select_value(struct place *place, const char *value);
void select_own(struct place *place);

#endif
