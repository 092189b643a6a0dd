// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree into a file: what was there is whole until the new one is.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dtb.h"

/**
 * dtb_write_all() - write to a file, however often that takes
 * @fd: the file
 * @data: what is written
 * @size: of @data, in bytes
 *
 * Return: true if all is written; otherwise errno says why
 */
bool dtb_write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		data += done;
		size -= done;
	}
	return true;
}

static bool write_into(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), error;
	bool good = fd >= 0 && dtb_write_all(fd, data, size);

	error = errno;
	if (fd >= 0 && close(fd) && good) {
		error = errno;
		good = false;
	}
	errno = error;
	return good;
}

/* A file without a name is gone when its writer is. Not every file system has those. */
static int open_beside(const char *beside, bool *named)
{
	char *folder = strndup(beside, strrchr(beside, '/') + 1 - beside);
	int fd = folder ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;

	*named = fd < 0 || access("/proc/self/fd", X_OK);
	if (*named) {
		if (fd >= 0)
			close(fd);
		fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	free(folder);
	return fd;
}

static bool give_name(int fd, const char *name)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return !linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* @old: the file that is replaced; what is to take its place has to be on the disk, or NULL */
static bool fill(int fd, const struct stat *old, const void *data, size_t size)
{
	return dtb_write_all(fd, data, size) &&
	       (!old || (!fchmod(fd, old->st_mode & 07777) && !fsync(fd)));
}

static bool replace(const char *path, const char *beside, const struct stat *old,
		    const void *data, size_t size)
{
	bool named, good;
	int fd = open_beside(beside, &named), error;

	if (fd < 0)
		return false;
	good = fill(fd, old, data, size);
	if (good && !named) {
		good = give_name(fd, beside);
		named = good;
	}
	error = errno;
	if (close(fd) && good) {
		good = false;
		error = errno;
	}
	if (good && rename(beside, path)) {
		good = false;
		error = errno;
	}
	if (!good && named)
		unlink(beside);
	errno = error;
	return good;
}

/* Its name does not grow with that of the file. */
static char *name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = NULL;

	if (asprintf(&name, "%.*s.dtb-%d.new", slash ? (int)(slash + 1 - path) : 2,
		     slash ? path : "./", getpid()) < 0)
		return NULL;
	return name;
}

/* Devices and pipes are written into, and what /dev/stdout leads to, which others write into. */
static bool is_stream(const char *path, const struct stat *now)
{
	struct stat link;

	if (!now)
		return !lstat(path, &link);
	return !S_ISREG(now->st_mode) || !strncmp(path, "/proc/", 6) ||
	       (!strncmp(path, "/dev/", 5) && strncmp(path, "/dev/shm/", 9));
}

static bool write_file(const char *path, const void *data, size_t size)
{
	struct stat there, *now = stat(path, &there) ? NULL : &there;
	char *real, *beside;
	bool good = false;

	if (is_stream(path, now))
		return write_into(path, data, size);
	if (now && access(path, W_OK))
		return false;
	real = now ? realpath(path, NULL) : strdup(path);
	beside = real ? name_beside(real) : NULL;
	if (beside)
		good = replace(real, beside, now, data, size);
	free(beside);
	free(real);
	return good;
}

/**
 * dtb_write() - write a tree, packed
 * @path: the file, which stays as it is where this fails
 * @fdt: the tree, not changed
 * @err: why it is not written
 *
 * Return: 0 or a negative code
 */
int dtb_write(const char *path, const void *fdt, struct dtb_error *err)
{
	void *copy = dtb_copy(fdt, 0, err);
	bool good;

	if (!copy)
		return -FDT_ERR_NOSPACE;
	fdt_pack(copy);
	good = write_file(path, copy, fdt_totalsize(copy));
	free(copy);
	return good ? 0 : dtb_fail(err, -FDT_ERR_NOSPACE, "%s: %s", path, strerror(errno));
}
