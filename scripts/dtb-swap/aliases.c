// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbers in the kernel's names of devices: /aliases give them, and devices without one
 * get what is left, behind the highest.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "needs.h"

static bool is_numbered(const char *name, const char *stem)
{
	size_t length = strlen(stem);

	return !strncmp(name, stem, length) && name[length] &&
	       name[length + strspn(name + length, "0123456789")] == '\0';
}

/* The number that aliases give a device, as in mmc2; NULL for none. */
static const char *alias_of(const void *fdt, int node, const char *stem)
{
	int aliases = fdt_path_offset(fdt, "/aliases"), prop;

	if (aliases < 0)
		return NULL;
	fdt_for_each_property_offset(prop, fdt, aliases) {
		const char *name = NULL;
		const char *path = fdt_getprop_by_offset(fdt, prop, &name, NULL);

		if (path && name && is_numbered(name, stem) && find_path(fdt, path) == node)
			return name;
	}
	return NULL;
}

/* An alias that the running tree has not, of a device that is in use; NULL for none. */
static const char *new_alias(const struct need *need, const char *stem)
{
	int aliases = fdt_path_offset(need->fdt, "/aliases"), prop;
	int before = fdt_path_offset(need->running, "/aliases");

	if (aliases < 0)
		return NULL;
	fdt_for_each_property_offset(prop, need->fdt, aliases) {
		const char *name = NULL;
		const char *path = fdt_getprop_by_offset(need->fdt, prop, &name, NULL);
		bool meant = path && name && is_numbered(name, stem);
		int node = meant ? find_path(need->fdt, path) : -1;

		if (node > 0 && node_used(need->fdt, node) &&
		    (before < 0 || !fdt_getprop(need->running, before, name, NULL)))
			return name;
	}
	return NULL;
}

/**
 * number_of() - the number in the kernel's name for a device
 * @device: its folder in sysfs
 * @stem: of the alias that would give it
 *
 * Return: of a disk that of its controller (mmc_host/mmc1), otherwise that at the end of the
 * folder's name; -1 where there is none
 */
int number_of(const char *device, const char *stem)
{
	static const char host[] = "/mmc_host/mmc";
	const char *at = strstr(device, host);

	if (!strcmp(stem, "mmc")) {
		at = at ? at + strlen(host) : "";
		return *at >= '0' && *at <= '9' ? atoi(at) : -1;
	}
	at = device + strlen(device);
	while (at > device && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return *at ? atoi(at) : -1;
}

static bool is_host(const void *fdt, int node, const char *stem)
{
	static const char *const names[] = { "mmc@", "sdhci@", "dwmmc@", "mshc@", "sdio@" };
	const char *name = fdt_get_name(fdt, node, NULL);
	size_t i;

	for (i = 0; name && !strcmp(stem, "mmc") && i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Without aliases they are counted as they stand in the tree. Negative, or one that is new. */
static int host_before(const struct need *need, int device, const char *stem)
{
	int node, old;

	for (node = 0; node >= 0 && node < device; node = fdt_next_node(need->fdt, node, NULL)) {
		if (!is_host(need->fdt, node, stem) || !node_used(need->fdt, node))
			continue;
		old = find_device(need->fdt, node, need->running);
		if (old < 0 || !node_used(need->running, old))
			return node;
	}
	return -FDT_ERR_NOTFOUND;
}

/**
 * check_alias() - refuse a tree in which a device gets another number
 * @need: is told
 * @old: the device in the running tree
 * @new: the same in the tree to check
 * @stem: of its aliases
 * @number: that it has now, or -1 where that is not known
 */
void check_alias(struct need *need, int old, int new, const char *stem, int number)
{
	const char *was = alias_of(need->running, old, stem), *is = alias_of(need->fdt, new, stem);
	const char *mend = "give it the same name in /aliases, the kernel's names hang on it";
	int other = was || is || number < 0 ? -1 : host_before(need, new, stem);
	char name[24], path[256];

	snprintf(name, sizeof(name), "%s%d", stem, number);
	if (was && (!is || strcmp(was, is)))
		complain(need, mend, "it is %s now, and %s in the new tree", was,
			 is ? is : "without a number");
	else if (!was && number >= 0 && is && strcmp(name, is))
		complain(need, mend, "it is %s now, and %s in the new tree", name, is);
	else if (!was && number >= 0 && !is && new_alias(need, stem))
		complain(need, mend,
			 "it is %s now, and in the new tree aliases give others numbers (%s)",
			 name, new_alias(need, stem));
	else if (other >= 0)
		complain(need, mend, "it is %s now, and %s comes before it in the new tree", name,
			 node_shown(need->fdt, other, path, sizeof(path)));
}
