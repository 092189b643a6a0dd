// SPDX-License-Identifier: GPL-2.0-only
/*
 * One at a time. The container that the hook of host OS updates is run in may have a /run of
 * its own, and has the boot partition of all: both are locked.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "install.h"

static int open_run(struct swap *swap)
{
	char *path = sys_path(swap, "/run/dtb-swap.lock");
	int fd = path ? open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600) : -1;
	bool root = fd < 0 && (errno == EACCES || errno == EPERM);

	if (fd < 0)
		refuse(swap, root ? KIND_RIGHTS : KIND_ERROR,
		       root ? "run it as root" : "see that /run is mounted, and has room",
		       "%s: %s", path ? path : "lock", strerror(errno));
	free(path);
	return fd;
}

/* There need be none: a trial is possible without. */
static int open_boot(const struct swap *swap)
{
	char *boot = place_boot(swap), *path = boot ? sys_path(swap, boot) : NULL;
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(path);
	free(boot);
	return fd;
}

/**
 * lock_take() - be the only one
 * @lock: for lock_drop(), in any case
 * @swap: is told that there is another
 *
 * Return: true if so
 */
bool lock_take(struct lock *lock, struct swap *swap)
{
	lock->run = open_run(swap);
	lock->boot = lock->run < 0 ? -1 : open_boot(swap);
	if (lock->run < 0)
		return false;
	if (!flock(lock->run, LOCK_EX | LOCK_NB) &&
	    (lock->boot < 0 || !flock(lock->boot, LOCK_EX | LOCK_NB)))
		return true;
	refuse(swap, KIND_BUSY, "wait until it is done", "another dtb-swap is at work");
	lock_drop(lock);
	return false;
}

/**
 * lock_wait() - be the only one, when the others are done
 * @lock: for lock_drop(), in any case
 * @swap: is told that there is another, which goes on
 * @seconds: how long to wait for that
 *
 * Return: true if so
 */
bool lock_wait(struct lock *lock, struct swap *swap, unsigned int seconds)
{
	struct swap own;
	bool alone;

	for (;; sleep(1)) {
		own = *swap;
		own.report = (struct report){ 0 };
		alone = lock_take(lock, &own);
		if (alone || verdict(&own.report) != KIND_BUSY || !seconds--)
			break;
		report_free(&own.report);
	}
	report_join(&swap->report, &own.report);
	return alone;
}

/**
 * lock_drop() - let the others in
 * @lock: of lock_take()
 */
void lock_drop(struct lock *lock)
{
	if (lock->boot >= 0)
		close(lock->boot);
	if (lock->run >= 0)
		close(lock->run);
	*lock = (struct lock){ -1, -1 };
}
