/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start a kernel with another tree, once.
 */
#ifndef TRY_H
#define TRY_H

#include "swap.h"

#define UNSTARTED "boardpack,unstarted"	/* of /chosen: what is selected, if it never ran */

/* struct part - something that has to be in memory when the next kernel starts */
struct part {
	const void *data;
	size_t size;
	size_t room;
	unsigned long long at;
};

/* struct start - a kernel, its tree and initramfs; the code that jumps to it comes last */
struct start {
	struct part kernel;
	struct part tree;
	struct part initrd;
	unsigned long long text_offset;
};

bool start_place(struct swap *swap, struct start *start);
bool start_load(struct swap *swap, const struct start *start);
void start_unload(void);
void *start_tree(struct swap *swap, const void *fdt, const char *name);
bool start_chosen(struct swap *swap, void *fdt, const struct start *start);

#endif
