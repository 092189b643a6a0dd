/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is to know of a kernel.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "swap.h"

/**
 * struct kernel - a kernel; a text that is not there is NULL
 * @release: as uname -r has it
 * @folder: of its modules, from the root
 * @config: its options, as .config has them
 * @dep: modules.dep
 * @alias: modules.alias
 * @builtin: modules.builtin
 */
struct kernel {
	char *release;
	char *folder;
	char *config;
	char *dep;
	char *alias;
	char *builtin;
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
