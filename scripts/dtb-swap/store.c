// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are whole at any moment, also where the power fails, on ext4 and on FAT.
 *
 * A new file is written beside, flushed, read back from the disk, and only then takes the
 * name. FAT has no journal: the old file is held open until the entry with the new one is on
 * the disk, since its clusters are free for others as soon as nobody has it. ext4 has a
 * journal that bootloaders do not read, and btrfs a log: what is in it has to be put in its place.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "install.h"

#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, unsigned int)		/* from 5.14 on */
#endif

/*
 * On FAT a name has to be gone from the disk before its clusters are free, which they are not as
 * long as the file is open: the next file may get them, and lose them when the name is removed.
 */
static bool drop(int dir, const char *name)
{
	int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool gone = dir >= 0 && !unlinkat(dir, name, 0);

	if (gone)
		fsync(dir);
	if (fd >= 0)
		close(fd);
	return gone;
}

/**
 * store_sweep() - take away what a write that was cut short has left
 * @path: folder
 *
 * That goes before anything is written, since it may have clusters that are free on the disk.
 * Linux makes a FAT read only when it sees that.
 */
void store_sweep(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!fnmatch(".swap-*.new", name, 0) || !strcmp(name, ".config.txt.new") ||
		    !fnmatch(".dtb-swap.*.new", name, 0) || !strcmp(name, ".extra_uEnv.txt.new"))
			drop(dirfd(dir), name);
	}
	if (dir)
		closedir(dir);
}

/* From the disk, not from memory. */
static bool read_back(int dir, const char *name, const char *data, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *copy = fd < 0 ? NULL : malloc(size + 1);
	size_t at = 0;
	ssize_t got = 1;

	if (copy) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		while (at <= size && got > 0) {
			got = read(fd, copy + at, size + 1 - at);
			at += got > 0 ? got : 0;
		}
	}
	if (fd >= 0)
		close(fd);
	if (copy && !got && at == size && !memcmp(copy, data, size)) {
		free(copy);
		return true;
	}
	errno = got < 0 ? errno : EIO;
	free(copy);
	return false;
}

/**
 * store_same() - whether a file has a certain content
 * @swap: the run
 * @folder: from the root
 * @name: of the file
 * @data: what it should have
 * @size: of @data
 *
 * Return: true if it has
 */
bool store_same(struct swap *swap, const char *folder, const char *name, const void *data,
		size_t size)
{
	char *path = sys_path(swap, folder);
	int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool same = dir >= 0 && read_back(dir, name, data, size);

	if (dir >= 0)
		close(dir);
	free(path);
	return same;
}

/*
 * Freezing writes the journal back, too. That is left to a child, which thaws it also
 * where we are killed meanwhile; no terminal and no signal but SIGKILL ends it.
 */
static bool freeze_and_thaw(int dir)
{
	sigset_t all, before;
	int status = 0;
	pid_t child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child)
		sigprocmask(SIG_SETMASK, &before, NULL);
	if (!child) {
		setsid();
		if (ioctl(dir, FIFREEZE, 0))
			_exit(errno == EOPNOTSUPP ? 0 : 1);
		while (ioctl(dir, FITHAW, 0) && errno == EINTR)
			;
		_exit(0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child < 0 || status)
		errno = EIO;
	return child > 0 && !status;
}

/*
 * Bootloaders read ext4 without its journal, and btrfs without its log: as last committed.
 * Tests have nothing to do with the disk's.
 */
static bool empty_journal(int dir)
{
	unsigned int flags = 0;
	struct statfs fs;

	if (getenv("DTB_SWAP_NO_JOURNAL") || fstatfs(dir, &fs))
		return true;
	if (fs.f_type == BTRFS_SUPER_MAGIC)
		return !syncfs(dir);
	if (fs.f_type != EXT4_SUPER_MAGIC)
		return true;
	if (!ioctl(dir, EXT4_IOC_CHECKPOINT, &flags) || errno == ENODEV)	/* it has none */
		return true;
	return freeze_and_thaw(dir);
}

/*
 * struct content - what a file gets
 *
 * @before: what it has to have until then, or NULL; @fresh: it must not be there.
 */
struct content {
	const char *name;
	const void *data;
	size_t size;
	const char *before;
	bool fresh;
};

/* Whether nobody has written a file since it was read. */
static bool is_still(int dir, const struct content *content)
{
	const char *before = content->before;
	struct stat stat;
	bool same = true;

	if (before)
		same = read_back(dir, content->name, before, strlen(before));
	else if (content->fresh)
		same = fstatat(dir, content->name, &stat, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
	if (!same)
		errno = EBUSY;
	return same;
}

/*
 * The new file takes the name; each step is on the disk before the next. On FAT a rename is two:
 * the folder is flushed first, which takes the old entry away, and only then the file, which
 * gives its clusters to the other. Were both entries to have them, who removes one would free
 * the clusters of the other.
 */
static bool take_name(int dir, int fd, const char *beside, const struct content *content)
{
	const char *name = content->name;
	int old = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool good = !fsync(dir) && is_still(dir, content) &&
		    !renameat(dir, beside, dir, name) && !fsync(dir) && !fsync(fd) &&
		    !fsync(dir) && empty_journal(dir);
	int error = errno;

	if (old >= 0)
		close(old);
	errno = error;
	return good;
}

/*
 * On FAT the folder goes first: it takes along which clusters the file has. Were the file's entry
 * to name them before, who removes it after a power cut would free what others have got since.
 */
static bool write_beside(int dir, int fd, const char *beside, const struct content *content)
{
	return dtb_write_all(fd, content->data, content->size) && !fsync(dir) && !fsync(fd) &&
	       read_back(dir, beside, content->data, content->size) &&
	       take_name(dir, fd, beside, content);
}

static enum kind kind_of(int error)
{
	return error == EBUSY ? KIND_BUSY : error == ENOSPC || error == EDQUOT ? KIND_ROOM :
	       error == EROFS || error == EACCES || error == EPERM ? KIND_RIGHTS : KIND_WRITE;
}

static const char *mend_of(int error)
{
	return error == EBUSY ? "look at what others have written there, and say it again" :
	       kind_of(error) == KIND_ROOM ? "make room there" :
	       error == EACCES || error == EPERM ?
	       "run it as root; lsattr tells what forbids it then" :
	       "look at the disk and the kernel's log";
}

static bool write_content(struct swap *swap, const char *folder, const struct content *content)
{
	char *path = sys_path(swap, folder), *beside = format_text(".%s.new", content->name);
	int dir = path && beside ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int fd = -1, error;
	bool good = false;

	if (dir >= 0) {
		drop(dir, beside);
		fd = openat(dir, beside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	}
	if (fd >= 0)
		good = write_beside(dir, fd, beside, content);
	error = errno;
	if (fd >= 0)
		close(fd);
	if (!good && dir >= 0)
		drop(dir, beside);
	if (dir >= 0)
		close(dir);
	if (!good)
		refuse(swap, kind_of(error), mend_of(error), "%s/%s was not written: %s", folder,
		       content->name, strerror(error));
	free(beside);
	free(path);
	return good;
}

/**
 * store_write() - write a file as a whole or not at all
 * @swap: is told why not
 * @folder: from the root
 * @name: of the file, which may be there
 * @data: its content
 * @size: of @data
 *
 * Return: true when it is on the disk under its name; where not, the old one still is,
 * or, after the last step, either of both
 */
bool store_write(struct swap *swap, const char *folder, const char *name, const void *data,
		 size_t size)
{
	return write_content(swap, folder, &(struct content){ name, data, size, NULL, false });
}

/**
 * store_replace() - the same, unless others have written the file meanwhile
 * @swap: is told why not
 * @folder: from the root
 * @name: of the file
 * @text: its content
 * @before: what it has, NULL where it is not there
 *
 * Return: as store_write()
 */
bool store_replace(struct swap *swap, const char *folder, const char *name, const char *text,
		   const char *before)
{
	return write_content(swap, folder,
			     &(struct content){ name, text, strlen(text), before, !before });
}

/**
 * store_flush() - see that a file that is there already is on the disk, too
 * @swap: is told that it is not
 * @folder: from the root
 * @name: of the file: somebody may have copied it a moment ago
 *
 * Return: true if it is
 */
bool store_flush(struct swap *swap, const char *folder, const char *name)
{
	char *path = sys_path(swap, folder);
	int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool good = fd >= 0 && !fsync(fd) && !fsync(dir) && empty_journal(dir);

	if (!good)
		refuse(swap, KIND_WRITE, "look at the disk and the kernel's log",
		       "%s/%s is not on the disk: %s", folder, name, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	free(path);
	return good;
}

/**
 * store_drop() - remove a file that nobody needs
 * @swap: the run
 * @folder: from the root
 * @name: of the file
 */
void store_drop(struct swap *swap, const char *folder, const char *name)
{
	char *path = sys_path(swap, folder);
	int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir >= 0) {
		drop(dir, name);
		close(dir);
	}
	free(path);
}
