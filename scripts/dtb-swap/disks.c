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

/* struct mount - a line of mountinfo; a text that is cut off leads nowhere */
struct mount {
	unsigned int major;
	unsigned int minor;
	char point[256];
	char source[256];
	const char *options;
};

static bool read_mount(struct mount *mount, const char *line)
{
	const char *dash = strstr(line, " - ");
	char *end;

	*mount = (struct mount){ .options = "" };
	mount->major = strtoul(word_at(line, 2), &end, 10);
	if (*end != ':' || !copy_word(mount->point, sizeof(mount->point), line, 4))
		return false;
	mount->minor = strtoul(end + 1, NULL, 10);
	if (dash && copy_word(mount->source, sizeof(mount->source), dash, 2))
		mount->options = word_at(dash, 3);
	return true;
}

/* Whether a mount has no device, so that it is in memory, or lies on others. */
static bool tell_device(struct swap *swap, const char *point, const struct mount *mount,
			disk_fn *fn, void *data)
{
	char *device = NULL;

	if (mount->major)
		device = format_text("/sys/dev/block/%u:%u", mount->major, mount->minor);
	else if (!strncmp(mount->source, "/dev/", 5))
		device = by_source(swap, mount->source);
	else
		return false;
	if (device)
		each_slave(swap, point, device, 0, fn, data);
	else
		fn(point, NULL, data);
	free(device);
	return true;
}

/* The mount that a folder is on, but for that of the root, which may be the overlay itself. */
static bool mount_of(struct swap *swap, const char *folder, struct mount *found)
{
	char *mounts = sys_read(swap, "/proc/self/mountinfo", NULL), *next = mounts, *line;
	size_t longest = 1;
	struct mount one;

	while (next && (line = strsep(&next, "\n"))) {
		size_t length = read_mount(&one, line) ? strlen(one.point) : 0;

		if (length <= longest || strncmp(folder, one.point, length) ||
		    (folder[length] && folder[length] != '/'))
			continue;
		longest = length;
		*found = one;
		found->options = "";
	}
	free(mounts);
	return longest > 1;
}

/* The disks below one of the folders of an overlay. Returns whether there is a mount there. */
static bool tell_layer(struct swap *swap, const struct mount *mount, const char *option,
		       disk_fn *fn, void *data)
{
	const char *at = strstr(mount->options, option);
	char *list = at ? strndup(at + strlen(option), strcspn(at, ", ") - strlen(option)) : NULL;
	char *next = list, *folder;
	struct mount below;
	bool found = false;

	while (next && (folder = strsep(&next, ":")))
		if (mount_of(swap, folder, &below)) {
			tell_device(swap, mount->point, &below, fn, data);
			found = true;
		}
	free(list);
	return found;
}

/* An overlay's disks are those that its folders are on; balenaOS mounts them as active, too. */
static void look_at(struct swap *swap, const char *line, disk_fn *fn, void *data)
{
	struct mount mount, active;
	bool lower;

	if (!read_mount(&mount, line) || !vital_mount(mount.point) ||
	    tell_device(swap, mount.point, &mount, fn, data))
		return;
	lower = tell_layer(swap, &mount, "lowerdir=", fn, data);
	tell_layer(swap, &mount, "upperdir=", fn, data);
	if (!lower && strstr(mount.options, "lowerdir=") &&
	    !mount_of(swap, "/mnt/sysroot/active", &active))
		fn(mount.point, NULL, data);
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
