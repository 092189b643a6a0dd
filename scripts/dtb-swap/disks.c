// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disks that the system's mounts are on, also below device-mapper, and of file systems
 * such as btrfs whose device number is of no block device.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "needs.h"

#define DEEPEST 8

/* Mounts that the system cannot be without. */
static bool vital_mount(const char *point)
{
	static const char *const points[] = {
		"/", "/boot", "/boot/firmware", "/mnt/boot", "/mnt/data", "/mnt/state",
		"/mnt/sysroot/active",
	};
	size_t i;

	for (i = 0; i < sizeof(points) / sizeof(*points); i++)
		if (!strcmp(point, points[i]))
			return true;
	return false;
}

/* In sysfs, for free(). @source: "/dev/mmcblk0p2"; links lead from names to nodes. */
static char *by_source(const struct swap *swap, const char *source)
{
	char *real = sys_real(swap, source), *device = NULL;
	struct stat st;

	if (real && !stat(real, &st) && S_ISBLK(st.st_mode))
		device = format_text("/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	else if (real)
		device = format_text("/sys/class/block/%s", strrchr(real, '/') + 1);
	if (device && !sys_exists(swap, device)) {
		free(device);
		device = NULL;
	}
	free(real);
	return device;
}

/* What a device is made of, or the device itself. */
static void each_slave(struct swap *swap, const char *point, const char *device, int depth,
		       disk_fn *fn, void *data)
{
	char *path = format_text("%s%s/slaves", swap->root, device);
	DIR *dir = path && depth < DEEPEST ? opendir(path) : NULL;
	struct dirent *entry;
	bool any = false;

	while (dir && (entry = readdir(dir))) {
		char *below = *entry->d_name == '.' ? NULL :
			      format_text("%s/slaves/%s", device, entry->d_name);

		any |= !!below;
		if (below)
			each_slave(swap, point, below, depth + 1, fn, data);
		free(below);
	}
	if (dir)
		closedir(dir);
	if (!any)
		fn(point, device, data);
	free(path);
}

/* Overlays and what is in memory have no device; those that they lie on are mounts, too. */
static void look_at(struct swap *swap, const char *line, disk_fn *fn, void *data)
{
	const char *dash = strstr(line, " - ");
	char point[256], source[256] = "", *device = NULL;
	unsigned int major, minor;

	if (sscanf(line, "%*u %*u %u:%u %*s %255s", &major, &minor, point) != 3 ||
	    !vital_mount(point))
		return;
	if (dash)
		sscanf(dash, " - %*s %255s", source);
	if (major)
		device = format_text("/sys/dev/block/%u:%u", major, minor);
	else if (!strncmp(source, "/dev/", 5))
		device = by_source(swap, source);
	else
		return;
	if (device)
		each_slave(swap, point, device, 0, fn, data);
	else
		fn(point, NULL, data);
	free(device);
}

/**
 * each_disk() - the devices that the mounts are on which the system cannot be without
 * @swap: has the root
 * @fn: is told of each
 * @data: for @fn
 */
void each_disk(struct swap *swap, disk_fn *fn, void *data)
{
	char *mounts = sys_read(swap, "/proc/self/mountinfo", NULL), *next = mounts, *line;

	while (next && (line = strsep(&next, "\n")))
		look_at(swap, line, fn, data);
	free(mounts);
}
