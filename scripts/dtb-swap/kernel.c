// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the running kernel can drive what a new tree adds: its configuration, its
 * modules, and that modules of ours were built for it.
 */

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers.h"
#include "kernel.h"

#define ROWS (sizeof(DRIVERS) / sizeof(*DRIVERS))

static_assert(ROWS <= MOST_DRIVERS, "struct kernel has room for each");

static char *read_config(const struct swap *swap, const char *release)
{
	size_t size, length;
	char *packed = swap->modules ? NULL : sys_read(swap, "/proc/config.gz", &size);
	char *path, *text = NULL;

	if (packed)
		text = inflate_gzip((unsigned char *)packed, size, &length);
	free(packed);
	path = text ? NULL : format_text("/boot/config-%s", release);
	if (path)
		text = sys_read(swap, path, NULL);
	free(path);
	return text;
}

static char *read_list(const struct swap *swap, const struct kernel *kernel, const char *name)
{
	char *path = format_text("%s/%s", kernel->folder, name);
	char *text = path ? sys_read(swap, path, NULL) : NULL;

	free(path);
	return text;
}

static char *read_release(const struct swap *swap)
{
	const char *path = swap->modules ? swap->modules : "", *end = path + strlen(path), *name;

	while (end > path && end[-1] == '/')
		end--;
	for (name = end; name > path && name[-1] != '/'; )
		name--;
	return name < end ? strndup(name, end - name) :
			    sys_line(swap, "/proc/sys/kernel/osrelease");
}

/**
 * kernel_read() - read what there is to know of a kernel
 * @kernel: gets it, for kernel_free()
 * @swap: has the root, and the folder of modules if it is not the running kernel
 *
 * Return: false where not even its release is known
 */
bool kernel_read(struct kernel *kernel, const struct swap *swap)
{
	*kernel = (struct kernel){ .release = read_release(swap) };
	if (!kernel->release)
		return false;
	kernel->folder = swap->modules ? strdup(swap->modules) :
			 format_text("/lib/modules/%s", kernel->release);
	kernel->config = read_config(swap, kernel->release);
	kernel->dep = read_list(swap, kernel, "modules.dep");
	kernel->alias = read_list(swap, kernel, "modules.alias");
	kernel->builtin = read_list(swap, kernel, "modules.builtin");
	return true;
}

/**
 * kernel_free() - forget it
 * @kernel: what kernel_read() has read
 */
void kernel_free(struct kernel *kernel)
{
	free(kernel->release);
	free(kernel->folder);
	free(kernel->config);
	free(kernel->dep);
	free(kernel->alias);
	free(kernel->builtin);
	free(kernel->words);
}

/* 'y', 'm', 'n', or 0 where the configuration is not known. */
static char option(const struct kernel *kernel, const char *name)
{
	char *line = format_text("\nCONFIG_%s=", name), *at;
	char value = 0;

	if (kernel->config && line) {
		at = strncmp(kernel->config, line + 1, strlen(line) - 1) ?
		     strstr(kernel->config, line) : kernel->config - 1;
		value = at ? at[strlen(line)] : 'n';
	}
	free(line);
	return value;
}

static bool same_name(const char *a, const char *b, size_t length)
{
	for (; length; a++, b++, length--)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return true;
}

/**
 * kernel_find() - look for a module
 * @list: such as modules.dep, or NULL
 * @module: its name
 *
 * Return: its path as the list has it, for free(), or NULL
 */
char *kernel_find(const char *list, const char *module)
{
	size_t length = strlen(module);
	const char *line, *end;

	for (line = list; line && *line; line = *end ? end + 1 : end) {
		const char *name = line, *c;

		end = line + strcspn(line, "\n");
		for (c = line; c < end && *c != ':'; c++)
			if (*c == '/')
				name = c + 1;
		if ((size_t)(c - name) >= length + 3 && same_name(name, module, length) &&
		    !strncmp(name + length, ".ko", 3))
			return strndup(line, c - line);
	}
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	const struct word *one = a, *two = b;
	size_t shorter = one->length < two->length ? one->length : two->length;
	int ret = memcmp(one->text, two->text, shorter);

	return ret ? ret : one->length < two->length ? -1 : one->length > two->length;
}

/* Of "alias of:N*T*Cacme,chipC* module" all that lies between a C and another, or the end. */
static size_t words_of(const char *line, struct word *words)
{
	const char *end = line + strcspn(line, "\n "), *at, *stop;
	size_t count = 0;

	for (at = line; at < end; at++)
		for (stop = at + 1; *at == 'C' && stop <= end; stop++) {
			if (stop < end && *stop != 'C')
				continue;
			if (words)
				words[count] = (struct word){ at + 1, stop - at - 1 };
			count++;
		}
	return count;
}

static size_t read_words(const char *alias, struct word *words)
{
	const char *line;
	size_t count = 0;

	for (line = alias; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, "alias of:", 9))
			count += words_of(line + 9, words ? words + count : NULL);
	return count;
}

/* Whether a module says that it drives a device of that name. */
static bool has_alias(struct kernel *kernel, const char *compatible)
{
	struct word word = { compatible, strlen(compatible) };

	if (!kernel->words) {
		kernel->count = read_words(kernel->alias, NULL);
		kernel->words = calloc(kernel->count + 1, sizeof(*kernel->words));
		if (!kernel->words)
			return false;
		read_words(kernel->alias, kernel->words);
		qsort(kernel->words, kernel->count, sizeof(*kernel->words), by_text);
	}
	return bsearch(&word, kernel->words, kernel->count, sizeof(word), by_text);
}

/* The word behind "vermagic=" of a module that is not packed. */
static char *built_for(const char *data, size_t size)
{
	const char *at = memmem(data, size, "vermagic=", 9);
	size_t room = at ? data + size - at - 9 : 0;

	if (!at)
		return NULL;
	at += 9;
	return strndup(at, strnlen(at, room) < strcspn(at, " ") ? strnlen(at, room) :
			   strcspn(at, " "));
}

/* A module that does not fit is as good as none: it was built for another kernel. */
static void check_vermagic(struct swap *swap, const struct kernel *kernel, const char *path,
			   const char *module)
{
	char *file = *path == '/' ? strdup(path) :
				    format_text("%s/%s", kernel->folder, path);
	size_t size;
	char *data = file ? sys_read(swap, file, &size) : NULL;
	char *magic = data ? built_for(data, size) : NULL;

	if (!data)
		refuse(swap, KIND_KERNEL, "install it again, and run depmod",
		       "module %s is listed, but %s cannot be read", module, file ? file : "?");
	else if (magic && strcmp(magic, kernel->release))
		refuse(swap, KIND_KERNEL, "build it for the running kernel",
		       "module %s was built for %s, this kernel is %s", module, magic,
		       kernel->release);
	free(magic);
	free(data);
	free(file);
}

/* Such a one may have come from another place than the folder of modules, as a container's. */
static bool is_loaded(const struct swap *swap, const char *module)
{
	char *path = format_text("/sys/module/%s", module), *c;
	bool loaded;

	for (c = path; c && (c = strchr(c, '-')); )
		*c = '_';
	loaded = path && sys_exists(swap, path);
	free(path);
	return loaded;
}

/* Once for each driver: of many devices that it drives, the first is told. */
static void check_driver(struct swap *swap, struct kernel *kernel, const struct driver *driver,
			 const char *path)
{
	char *module, *builtin = NULL, state;

	if (kernel->told[driver - DRIVERS])
		return;
	kernel->told[driver - DRIVERS] = true;
	state = driver->option ? option(kernel, driver->option) : 'm';
	module = kernel_find(kernel->dep, driver->module);
	if (module)
		check_vermagic(swap, kernel, module, driver->module);
	else
		builtin = kernel_find(kernel->builtin, driver->module);
	if (!module && !builtin && is_loaded(swap, driver->module))
		say(&swap->report, LEVEL_WARNING, KIND_KERNEL,
		    "see that it is loaded at each start",
		    "%s (%s): module %s is loaded, and not among those of this kernel",
		    driver->compatible, path, driver->module);
	else if (!module && !builtin && state == 'n')
		refuse(swap, KIND_KERNEL, "take a kernel that has it",
		       "%s (%s) needs the kernel option CONFIG_%s, which is not set",
		       driver->compatible, path, driver->option);
	else if (!module && !builtin && state == 'm' && kernel->dep)
		refuse(swap, KIND_KERNEL, "install that module, and run depmod",
		       "%s (%s) needs the module %s, which is not installed",
		       driver->compatible, path, driver->module);
	free(builtin);
	free(module);
}

static int by_compatible(const void *key, const void *row)
{
	return strcmp(key, ((const struct driver *)row)->compatible);
}

static bool was_there(const void *running, const void *fdt, int node)
{
	int old = find_device(fdt, node, running);

	return old >= 0 && dtb_enabled(running, old) && same_device(fdt, node, running, old);
}

/**
 * kernel_driver() - what is known to drive a device
 * @compatible: a name of the device
 *
 * Return: the row, or NULL
 */
const struct driver *kernel_driver(const char *compatible)
{
	return bsearch(compatible, DRIVERS, ROWS, sizeof(*DRIVERS), by_compatible);
}

static void check_node(struct swap *swap, struct kernel *kernel, const void *fdt, int node)
{
	struct names names = names_of(fdt, node), first = names;
	const char *name;
	char path[256];

	node_shown(fdt, node, path, sizeof(path));
	while ((name = names_next(&names))) {
		const struct driver *row = kernel_driver(name);

		if (row) {
			check_driver(swap, kernel, row, path);
			return;
		}
		if (has_alias(kernel, name))
			return;
	}
	say(&swap->report, LEVEL_NOTE, KIND_KERNEL, NULL,
	    "no module says that it drives %s (%s): it may be built in", names_next(&first), path);
}

static bool is_device(const void *fdt, int node)
{
	struct names names = names_of(fdt, node);

	return names_next(&names) && dtb_enabled(fdt, node);
}

/**
 * check_kernel() - refuse a tree that adds devices which this kernel cannot drive
 * @swap: is told; has the root
 * @running: the tree of the running kernel
 * @fdt: the tree to check
 *
 * A device without a known option whose driver no module names gets a note: a driver
 * that is built in leaves no trace.
 */
void check_kernel(struct swap *swap, const void *running, const void *fdt)
{
	struct kernel kernel;
	int node;

	if (!kernel_read(&kernel, swap)) {
		say(&swap->report, LEVEL_WARNING, KIND_KERNEL, NULL,
		    "no /proc/sys/kernel/osrelease: drivers were not looked for");
		return;
	}
	if (!kernel.config && !kernel.dep)
		say(&swap->report, LEVEL_WARNING, KIND_KERNEL, NULL,
		    "neither options nor modules of %s are known: drivers were not looked for",
		    kernel.release);
	for (node = fdt_next_node(fdt, 0, NULL); node > 0; node = fdt_next_node(fdt, node, NULL))
		if (is_device(fdt, node) && (kernel.config || kernel.dep) &&
		    !was_there(running, fdt, node))
			check_node(swap, &kernel, fdt, node);
	kernel_free(&kernel);
}
