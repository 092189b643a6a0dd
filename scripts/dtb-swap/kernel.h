/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is to know of a kernel.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "swap.h"

#define MOST_DRIVERS 256

/* struct word - part of a text */
struct word {
	const char *text;
	size_t length;
};

/**
 * struct kernel - a kernel; a text that is not there is NULL
 * @release: as uname -r has it
 * @folder: of its modules, from the root
 * @config: its options, as .config has them
 * @dep: modules.dep
 * @alias: modules.alias
 * @builtin: modules.builtin
 * @words: of the aliases in @alias, sorted, once they are looked for
 * @count: of @words
 * @told: by row of drivers.h, whether that driver was looked for
 */
struct kernel {
	char *release;
	char *folder;
	char *config;
	char *dep;
	char *alias;
	char *builtin;
	struct word *words;
	size_t count;
	bool told[MOST_DRIVERS];
};

/**
 * struct driver - what drives a device
 * @compatible: a name of the device
 * @option: of the kernel, without CONFIG_, or NULL for a module of ours
 * @module: its name
 */
struct driver {
	const char *compatible;
	const char *option;
	const char *module;
};

bool kernel_read(struct kernel *kernel, const struct swap *swap);
void kernel_free(struct kernel *kernel);
char *kernel_find(const char *list, const char *module);
const struct driver *kernel_driver(const char *compatible);

#endif
