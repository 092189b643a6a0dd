// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a kernel that is still to come drives what a tree adds: an update must not take
 * a driver away that is at work.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

#define BUSES "/sys/bus"
#define BASE "/devicetree/base"

/* Whether a device is that node's, and has a driver. */
static bool is_driven(const char *device, const char *path)
{
	char *node = format_text("%s/of_node", device), *driver = format_text("%s/driver", device);
	char target[1024], *base = NULL;
	ssize_t length = node ? readlink(node, target, sizeof(target) - 1) : -1;
	bool driven;

	if (length > 0) {
		target[length] = '\0';
		base = strstr(target, BASE);
	}
	driven = base && !strcmp(base + strlen(BASE), path) && driver && !access(driver, F_OK);
	free(node);
	free(driver);
	return driven;
}

static bool any_entry(const char *folder, const char *path,
		      bool (*fn)(const char *name, const char *path))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char *name = *entry->d_name == '.' ? NULL :
						     format_text("%s/%s", folder, entry->d_name);

		found = name && fn(name, path);
		free(name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool on_bus(const char *bus, const char *path)
{
	char *devices = format_text("%s/devices", bus);
	bool found = devices && any_entry(devices, path, is_driven);

	free(devices);
	return found;
}

static bool at_work(const struct swap *swap, const char *path)
{
	char *buses = sys_path(swap, BUSES);
	bool found = buses && any_entry(buses, path, on_bus);

	free(buses);
	return found;
}

static bool lacks(const struct kernel *kernel, const char *module)
{
	char *loadable = kernel_find(kernel->dep, module);
	char *builtin = kernel_find(kernel->builtin, module);
	bool there = loadable || builtin;

	free(loadable);
	free(builtin);
	return !there;
}

static const struct driver *driver_of(const void *fdt, int node)
{
	struct names names = names_of(fdt, node);
	const struct driver *row = NULL;
	const char *name;

	while (!row && (name = names_next(&names)))
		row = kernel_driver(name);
	return row;
}

static void check_node(struct swap *swap, const struct kernel *kernel, const void *fdt, int node)
{
	const struct driver *row = driver_of(fdt, node);
	char path[256];
	bool works;

	if (!row || !lacks(kernel, row->module))
		return;
	dtb_path(fdt, node, path, sizeof(path));
	works = at_work(swap, path);
	if (works && row->option)
		refuse(swap, KIND_KERNEL,
		       "update to an OS that has that module, or go back first: dtb-swap rollback",
		       "%s (%s) is at work, and kernel %s has no module %s", row->compatible, path,
		       kernel->release, row->module);
	else	/* nothing stands on our own, which a container may load */
		say(&swap->report, LEVEL_WARNING, KIND_KERNEL, NULL,
		    "%s (%s): kernel %s has no module %s; %s", row->compatible, path,
		    kernel->release, row->module, works ? "see that a container has it" :
		    "nothing drives it now, either");
}

/**
 * modules_there() - refuse a folder of modules that is none
 * @swap: is told; has the root and the folder
 *
 * Return: true if it is there
 */
bool modules_there(struct swap *swap)
{
	char *path = sys_path(swap, swap->modules);
	DIR *dir = path ? opendir(path) : NULL;

	if (dir)
		closedir(dir);
	else
		refuse(swap, KIND_ERROR, "name a folder such as /lib/modules/6.12.0",
		       "--modules %s: %s", swap->modules, strerror(errno));
	free(path);
	return dir;
}

/**
 * check_update() - refuse a kernel that would take drivers away
 * @swap: is told; has the root, and the folder of that kernel's modules
 * @fdt: the tree that it will be started with, which passed check_structure()
 *
 * Only devices with a known driver are looked at (drivers.h), and only where both lists of
 * modules are there: otherwise there is a warning.
 *
 * Return: true if they were looked at
 */
bool check_update(struct swap *swap, const void *fdt)
{
	struct kernel kernel = { 0 };
	bool known = kernel_read(&kernel, swap) && kernel.dep && kernel.builtin;
	int node;

	if (!known)
		say(&swap->report, LEVEL_WARNING, KIND_KERNEL, NULL,
		    "%s has no modules.dep or no modules.builtin: drivers were not looked for",
		    swap->modules);
	else
		for (node = fdt_next_node(fdt, 0, NULL); node > 0;
		     node = fdt_next_node(fdt, node, NULL))
			if (dtb_enabled(fdt, node))
				check_node(swap, &kernel, fdt, node);
	kernel_free(&kernel);
	return known;
}
