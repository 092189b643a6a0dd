/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dtb-swap: change the device tree of a running device, and never strand it.
 *
 * All that it reads of the system is below a root, "" on a device, so that the host OS
 * update hook can look at another one, and tests at one that they have made.
 */
#ifndef SWAP_H
#define SWAP_H

#include <stdio.h>

#include "dtb.h"

#define PRINTF(at, first) __attribute__((format(printf, at, first)))

/* What a refusal is about, and the exit status. */
enum kind {
	KIND_NONE = 0,
	KIND_ERROR = 1,		/* a read that failed, no memory */
	KIND_USAGE = 2,
	KIND_TREE = 3,		/* no device tree, or a broken one */
	KIND_BOARD = 4,		/* for another board */
	KIND_NEED = 5,		/* lacks what the running system stands on */
	KIND_OVERLAY = 6,	/* does not apply */
	KIND_ROOM = 7,		/* too large, or no room on the disk */
	KIND_KERNEL = 8,	/* the kernel lacks an option or a module */
	KIND_SELECTOR = 9,	/* the bootloader cannot be told, or would misread it */
	KIND_RIGHTS = 10,	/* not root, or a file system that is read only */
	KIND_BUSY = 11,		/* another dtb-swap, or an OS update, is at work */
	KIND_NOTHING = 12,	/* nothing to commit or to go back to */
	KIND_WRITE = 13,	/* a write failed, or only what is told was lost */
	KIND_UNTRIED = 14,	/* has never run here, and a trial is possible */
};

enum level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_REFUSAL };

/* struct finding - one thing to say: what is wrong, of which file of several, and what to do */
struct finding {
	enum level level;
	enum kind kind;
	char *cause;
	char *file;
	char *mend;
};

/* struct report - what was found, and facts for programs that read it */
struct report {
	struct finding *list;
	size_t count;
	char *facts;
	size_t length;
	bool no_memory;
};

#define MOST_ACCEPTED 16

/**
 * struct swap - one run of the tool
 * @root: what stands before every path of the system, "" on a device
 * @family: name of the family that the user says it is, or NULL
 * @variable: name of the bootloader's variable that the user gives, or NULL
 * @board: compatible of another board that the user accepts, or NULL
 * @accepted: causes of refusals that the user lives with, in their own words
 * @map: label map, or NULL
 * @base: tree that overlays go on, or NULL for the one that is selected
 * @modules: folder of modules of a kernel that is not running yet, or NULL
 * @unproven: the user accepts a selector that was not verified on that board
 * @launcher: of overlays only what NVIDIA's launcher would take
 * @dry: nothing is written or mended, also by others
 * @report: what is said in the end
 */
struct swap {
	const char *root;
	const char *family;
	const char *variable;
	const char *board;
	const char *accepted[MOST_ACCEPTED];
	const char *map;
	const char *base;
	const char *modules;
	bool unproven;
	bool launcher;
	bool dry;
	struct report report;
};

void say(struct report *report, enum level level, enum kind kind, const char *mend,
	 const char *format, ...) PRINTF(5, 6);
void refuse(struct swap *swap, enum kind kind, const char *mend, const char *format, ...)
	PRINTF(4, 5);
void fact(struct report *report, const char *name, const char *format, ...)
	PRINTF(3, 4);
enum kind verdict(const struct report *report);
void report_free(struct report *report);
void report_join(struct report *report, struct report *more);
void report_name(struct report *report, const char *file);
void print_report(const struct report *report, const char *verb, bool json, bool quiet);

#define TRIAL_MARK "dtb_swap.try="	/* of the command line: a start by kexec, of which tree */

bool same_text(const char *a, const char *b);
char *format_text(const char *format, ...) PRINTF(1, 2);
const char *word_at(const char *line, unsigned int n);
bool copy_span(char *to, size_t size, const char *text, size_t length);
bool copy_word(char *to, size_t size, const char *line, unsigned int n);
const char *read_iomem(const char *line, unsigned long long *first, unsigned long long *last);
char *sys_path(const struct swap *swap, const char *path);
char *sys_read(const struct swap *swap, const char *path, size_t *size);
char *sys_line(const struct swap *swap, const char *path);
bool sys_exists(const struct swap *swap, const char *path);
bool sys_has(const struct swap *swap, const char *folder, const char *name);
bool sys_any(const struct swap *swap, const char *const *patterns);
char *sys_real(const struct swap *swap, const char *path);
void refuse_read(struct swap *swap, const char *folder, const char *name, const char *mend);
void *sys_tree(struct swap *swap);

bool is_overlay(const void *fdt);
int check_structure(struct swap *swap, const void *fdt, const char *name);
void check_board(struct swap *swap, const void *running, const void *fdt);
void check_needs(struct swap *swap, const void *running, const void *fdt);
void check_kernel(struct swap *swap, const void *running, const void *fdt);
void check_fit(struct swap *swap, const void *running, const void *fdt);
void excuse_needs(struct swap *swap, const void *running, const void *fdt, size_t said);
void *tree_started(const struct swap *swap, const void *fdt);
bool modules_there(struct swap *swap);
bool check_update(struct swap *swap, const void *fdt);
void check_tree(struct swap *swap, const void *fdt, const char *name);
void *load_tree(struct swap *swap, const char *path);

/* struct link - a property that refers to another node, and its arguments */
struct link {
	unsigned int phandle;
	const fdt32_t *args;
	int count;
	int node;
};

/**
 * typedef link_fn - is told of a reference
 * @link: the reference; its node is negative where nothing has that phandle
 * @data: as given
 *
 * Return: true to stop
 */
typedef bool link_fn(const struct link *link, void *data);

/*
 * LINK_VITAL: the driver needs what it refers to; LINK_KEPT: also, if it is so now, for it waits
 * for what is there later; LINK_OTHER: it can do without
 */
enum link_class { LINK_NONE, LINK_VITAL, LINK_KEPT, LINK_OTHER };

bool is_supply(const char *name);
enum link_class link_class(const char *name);
int each_link(const void *fdt, int node, int prop, link_fn *fn, void *data);

/* struct names - those of a node's compatible that have not been told yet */
struct names {
	const char *at;
	const char *end;
};

struct names names_of(const void *fdt, int node);
const char *names_next(struct names *names);

void index_open(const void *fdt);
void index_close(const void *fdt);
int node_above(const void *fdt, int node);
int node_numbered(const void *fdt, unsigned int phandle);
int node_below(const void *fdt, int node, const char *name, int length);
int node_path(const void *fdt, int node, char *path, int size);
const char *node_shown(const void *fdt, int node, char *path, int size);
int nodes_alike(const void *from, int node, const void *fdt, bool placed, int *list, int most);

bool same_device(const void *a, int node_a, const void *b, int node_b);
bool same_place(const void *a, int node_a, const void *b, int node_b);
int find_path(const void *fdt, const char *path);
int find_device(const void *from, int node, const void *fdt);
bool same_address(const void *a, int node_a, const void *b, int node_b);
bool address_differs(const void *a, int node_a, const void *b, int node_b, int index);
bool memory_differs(const void *a, int node_a, const void *b, int node_b);
const char *irqs_differ(const void *a, int node_a, const void *b, int node_b, bool *sure);

char *inflate_gzip(const unsigned char *data, size_t size, size_t *length);

int diff_trees(FILE *out, const void *a, const void *b, bool all);
void *launcher_takes(const struct swap *swap, const void *overlay, int *dropped);
void *launcher_overlay(struct swap *swap, void *overlay, const char *name);
bool launcher_deletes(void *fdt, const void *overlay);
void *merge_files(struct swap *swap, void *fdt, char **overlays, int count);

#endif
