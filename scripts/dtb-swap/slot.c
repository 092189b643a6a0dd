// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of the two root file systems of balenaOS the next start is on, as hooks of hostapp-update
 * write it: 99-resin-uboot for U-Boot, resin_root_part of resinOS_uEnv.txt in hex, and
 * 99-balena-bootloader, A or B in bootenv.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"
#include "needs.h"

#define ENV "resinOS_uEnv.txt"
#define LETTERS "bootenv"	/* of GRUB's kind; with it the other counts no more */
#define ACTIVE "/mnt/sysroot/active"

/* struct slot - the partition that a root file system is on, 0 where nobody tells */
struct slot {
	const struct swap *swap;
	unsigned long number;
};

/* The number of the partition of a root by its letter, 0 where nobody tells. */
static unsigned long lettered(const struct swap *swap, const char *letter)
{
	char *link = format_text("/dev/disk/by-state/resin-root%s", letter);
	char *real = link ? sys_real(swap, link) : NULL;
	char *path = real ? format_text("/sys/class/block/%s/partition", strrchr(real, '/') + 1) :
			    NULL;
	char *line = path ? sys_line(swap, path) : NULL;
	unsigned long number = line ? strtoul(line, NULL, 10) : 0;

	free(line);
	free(path);
	free(real);
	free(link);
	return number;
}

/* What a file says of the next start; false where it cannot be read, NULL without a value. */
static bool from_env(const struct place *place, const char *file, const char *key, char **value)
{
	static const struct family plain;
	char *path = format_text("%s/%s", place->boot, file);
	char *text = path ? sys_read(place->swap, path, NULL) : NULL;
	bool good = path && (text || errno == ENOENT);

	*value = text ? env_get(&plain, key, text) : NULL;
	free(text);
	free(path);
	return good;
}

/* The partition of the next root, 0 where nothing says so. */
static bool next_root(const struct place *place, const char *file, unsigned long *number)
{
	char *value;
	bool good = from_env(place, file, "resin_root_part", &value);

	if (!value) {
		*number = 0;
	} else if (strcmp(file, LETTERS)) {
		*number = strtoul(value, NULL, 16);
	} else {
		*number = lettered(place->swap, value);
		good = *number;
	}
	free(value);
	return good;
}

static bool on_trial(const struct place *place, const char *file, bool *trial)
{
	char *value;
	bool good = from_env(place, file, "upgrade_available", &value);

	*trial = value && strtoul(value, NULL, 16);
	free(value);
	return good;
}

static void find_active(const char *point, const char *device, void *data)
{
	struct slot *slot = data;
	char *path = device && !strcmp(point, ACTIVE) ? format_text("%s/partition", device) : NULL;
	char *line = path ? sys_line(slot->swap, path) : NULL;

	if (line)
		slot->number = strtoul(line, NULL, 10);
	free(line);
	free(path);
}

/**
 * slot_next() - whether the next start is on the other root
 * @place: where the boot partition is
 *
 * While an OS is on trial the bootloader counts its starts, and goes back to the other root.
 *
 * Return: SLOT_CHANGES where it is, for good, SLOT_TRIAL where it is, or may be, for a trial,
 * SLOT_UNKNOWN where that cannot be read; SLOT_SAME also where nothing is said of roots
 */
enum slot_next slot_next(const struct place *place)
{
	struct slot slot = { .swap = place->swap };
	const char *file = sys_has(place->swap, place->boot, LETTERS) ? LETTERS : ENV;
	unsigned long next;
	bool trial;

	if (!next_root(place, file, &next) || !on_trial(place, file, &trial))
		return SLOT_UNKNOWN;
	if (!next)
		return SLOT_SAME;
	if (trial)
		return SLOT_TRIAL;
	each_disk(place->swap, find_active, &slot);
	return !slot.number ? SLOT_UNKNOWN : next == slot.number ? SLOT_SAME : SLOT_CHANGES;
}
