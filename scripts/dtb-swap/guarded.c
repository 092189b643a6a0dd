// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether something starts guard at the next start, as far as files tell.
 */

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "install.h"

#define UNIT "dtb-swap-guard.service"

static const char *const WANTED[] = {
	"/*/systemd/system/*.wants/" UNIT, "/usr/lib/systemd/system/*.wants/" UNIT,
	"/usr/local/lib/systemd/system/*.wants/" UNIT, NULL
};

/* The first that has it counts. */
static const char *const UNITS[] = {
	"/etc/systemd/system/" UNIT, "/run/systemd/system/" UNIT,
	"/usr/local/lib/systemd/system/" UNIT, "/usr/lib/systemd/system/" UNIT,
	"/lib/systemd/system/" UNIT, NULL
};

/* Of sysvinit, and of BusyBox as Buildroot has it. */
static const char *const SCRIPTS[] = {
	"/etc/rc[S2-5].d/S*dtb-swap-guard", "/etc/init.d/S[0-9]*dtb-swap-guard", NULL
};

/* systemd runs the scripts of these run levels alone. */
static const char *const GENERATED[] = { "/etc/rc[2-5].d/S*dtb-swap-guard", NULL };

/* A link to /dev/null, or an empty file, masks a unit and what wants it. */
static bool is_unit(const char *path)
{
	char target[16];
	ssize_t length = readlink(path, target, sizeof(target));
	struct stat stat;

	if (length >= 0)
		return length != strlen("/dev/null") || memcmp(target, "/dev/null", length);
	return !lstat(path, &stat) && stat.st_size;
}

static bool is_program(const char *path)
{
	return !access(path, X_OK);
}

static bool any(const struct swap *swap, const char *const *patterns, bool (*fn)(const char *path))
{
	bool found = false;
	size_t i;

	for (; *patterns && !found; patterns++) {
		char *path = sys_path(swap, *patterns);
		glob_t paths;

		if (path && !glob(path, 0, NULL, &paths)) {
			for (i = 0; i < paths.gl_pathc; i++)
				found |= fn(paths.gl_pathv[i]);
			globfree(&paths);
		}
		free(path);
	}
	return found;
}

static bool has_unit(const struct swap *swap)
{
	const char *const *unit;

	for (unit = UNITS; *unit; unit++) {
		char *path = sys_path(swap, *unit);
		struct stat stat;
		bool there = path && !lstat(path, &stat), good = there && is_unit(path);

		free(path);
		if (there)
			return good;
	}
	return false;
}

/**
 * guard_starts() - whether something is known to start guard in each start
 * @swap: has the root of the system
 *
 * Return: true if so: its unit or its script does, or something has in this start
 */
bool guard_starts(const struct swap *swap)
{
	bool systemd = sys_exists(swap, "/run/systemd/system");

	return (has_unit(swap) && any(swap, WANTED, is_unit)) ||
	       any(swap, systemd ? GENERATED : SCRIPTS, is_program) || guard_seen(swap);
}
