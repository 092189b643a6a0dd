// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of the two root file systems of balenaOS the next start is on, as hostapp-update's
 * 99-resin-uboot writes it for U-Boot: resin_root_part of resinOS_uEnv.txt, in hex.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"
#include "needs.h"

#define ENV "resinOS_uEnv.txt"
#define ACTIVE "/mnt/sysroot/active"

/* struct slot - the partition that a root file system is on, 0 where nobody tells */
struct slot {
	const struct swap *swap;
	unsigned long number;
};

/* Returns whether there is no such file, or it could be read; the number is 0 without a value. */
static bool from_env(const struct place *place, const char *key, unsigned long *number)
{
	static const struct family plain;
	char *path = format_text("%s/" ENV, place->boot);
	char *text = path ? sys_read(place->swap, path, NULL) : NULL;
	bool good = path && (text || errno == ENOENT);
	char *value = text ? env_get(&plain, key, text) : NULL;

	*number = value ? strtoul(value, NULL, 16) : 0;
	free(value);
	free(text);
	free(path);
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
	unsigned long next, trial;

	if (!from_env(place, "resin_root_part", &next) ||
	    !from_env(place, "upgrade_available", &trial))
		return SLOT_UNKNOWN;
	if (!next)
		return SLOT_SAME;
	if (trial)
		return SLOT_TRIAL;
	each_disk(place->swap, find_active, &slot);
	return !slot.number ? SLOT_UNKNOWN : next == slot.number ? SLOT_SAME : SLOT_CHANGES;
}
