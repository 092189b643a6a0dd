// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a folder can be written to: how it is mounted, and the room that it has.
 *
 * What was made writable for us is left as it was found.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "install.h"

#define SPARE (64 << 10)
#define BALENA_BOOT "/mnt/boot"
#define UPDATE_ROOM (512 << 10)	/* available_threshold of balena's hook 1-bootfiles */

static bool has_word(const char *options, const char *word)
{
	size_t length = strlen(word);
	const char *at;

	for (at = options; (at = strstr(at, word)); at += length)
		if ((at == options || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return false;
}

/* A remount takes away what it does not name. */
static unsigned long mount_flags(const char *options)
{
	static const struct {
		const char *word;
		unsigned long flag;
	} words[] = {
		{ "nosuid", MS_NOSUID }, { "nodev", MS_NODEV }, { "noexec", MS_NOEXEC },
		{ "noatime", MS_NOATIME }, { "nodiratime", MS_NODIRATIME },
		{ "relatime", MS_RELATIME }, { "sync", MS_SYNCHRONOUS },
		{ "dirsync", MS_DIRSYNC }, { "mand", MS_MANDLOCK },
		{ "lazytime", MS_LAZYTIME },
	};
	unsigned long flags = 0;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (has_word(options, words[i].word))
			flags |= words[i].flag;
	return flags;
}

/*
 * Returns the flags that have done it, 0 where that failed. A mount may be read only of a file
 * system that is not: others use that, and it has to stay as it is.
 */
static unsigned long make_writable(struct swap *swap, const char *folder)
{
	unsigned long how = MS_REMOUNT;
	struct mounted on;

	if (*swap->root || !mounted_on(swap, folder, &on))
		return 0;
	how |= mount_flags(on.options) |
	       (strncmp(on.system, "rw", 2) ? mount_flags(on.system) : MS_BIND);
	return mount(NULL, on.point, NULL, how, NULL) ? 0 : how;
}

/*
 * Bytes that may be written. Root may take what ext4 has put aside for root, but not what it has
 * for itself: a fiftieth of the device, its own tables included, and at most 4096 clusters.
 */
static unsigned long long room(const struct statvfs *fs)
{
	unsigned long long own = fs->f_blocks / 40 < 4096 ? fs->f_blocks / 40 : 4096;
	unsigned long long blocks = fs->f_bavail;

	if (!geteuid() && fs->f_bfree > blocks + own)
		blocks = fs->f_bfree - own;
	return blocks * fs->f_frsize;
}

/* The update says then that it has no room, and not for what. */
static void update_traps(struct swap *swap, const char *folder, unsigned long long left)
{
	if (!strcmp(folder, BALENA_BOOT) && left < UPDATE_ROOM)
		say(&swap->report, LEVEL_WARNING, KIND_ROOM,
		    "make room there: dtb-swap list shows old trees",
		    "it leaves %llu bytes in %s, and an OS update wants %d besides its new files",
		    left, folder, UPDATE_ROOM);
}

/**
 * store_room() - see that a folder has room
 * @swap: is told that it has not
 * @folder: from the root
 * @size: bytes that are going to be added
 *
 * Return: true if it has, with some to spare
 */
bool store_room(struct swap *swap, const char *folder, size_t size)
{
	char *path = sys_path(swap, folder);
	unsigned long long left = size + SPARE;
	struct statvfs fs;

	if (path && !statvfs(path, &fs))
		left = room(&fs);
	if (left < size + SPARE)
		refuse(swap, KIND_ROOM, "make room there: dtb-swap list shows old trees",
		       "%s has %llu bytes left, %zu are needed", folder, left, size + SPARE);
	else
		update_traps(swap, folder, left - size);
	free(path);
	return left >= size + SPARE;
}

/**
 * store_ready() - see that a folder can be written to
 * @swap: is told why not
 * @folder: from the root
 * @size: bytes that are going to be added, and room beside; 0 where a small file takes the
 *	place of another: that goes on to the last cluster, and store_write() tells if not
 * @writable: gets how it was made writable for us, 0 where it is
 *
 * Return: true if so
 */
bool store_ready(struct swap *swap, const char *folder, size_t size, unsigned long *writable)
{
	char *path = sys_path(swap, folder);
	struct statvfs fs;
	bool good = false;

	*writable = 0;
	if (!path || statvfs(path, &fs)) {
		refuse(swap, KIND_ERROR, "mount it", "%s: %s", folder, strerror(errno));
	} else {
		if (fs.f_flag & ST_RDONLY)
			*writable = make_writable(swap, folder);
		if ((fs.f_flag & ST_RDONLY) && !*writable) {
			refuse(swap, KIND_RIGHTS, "as root: mount -o remount,rw",
			       "%s is on a file system that is read only", folder);
			free(path);
			return false;
		}
		store_sweep(path);
		if (!statvfs(path, &fs) && (fs.f_flag & ST_RDONLY))
			make_writable(swap, folder);
		good = !size || store_room(swap, folder, size);
	}
	if (!good)
		store_done(swap, folder, *writable);
	free(path);
	return good;
}

/**
 * store_done() - leave a folder as it was found
 * @swap: the run
 * @folder: from the root
 * @writable: what store_ready() said
 */
void store_done(struct swap *swap, const char *folder, unsigned long writable)
{
	struct mounted on;

	if (writable && mounted_on(swap, folder, &on))
		mount(NULL, on.point, NULL, writable | MS_RDONLY, NULL);
}
