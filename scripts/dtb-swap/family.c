// SPDX-License-Identifier: GPL-2.0-only
/*
 * How each family's bootloader is made to take another tree, a row each.
 *
 * The first row whose name is the family in boards.tsv, or whose pattern fits the device
 * type, is taken. What is not proven was not looked up for that board.
 */

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "install.h"

#define ENV "extra_uEnv.txt"
#define FDT "custom_fdt_file"
#define VARIABLE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/*
 * Orin, Thor, Xavier: L4TLauncher looks for the key with StrStr() in each line, which it reads
 * without carriage returns, and puts the overlays of extlinux.conf on the tree. Xavier: a line
 * of less than 21 characters makes it read nothing of the file, and it closes that after the
 * first. All of these, TX2 and Nano: only FDT default of extlinux.conf is the selected tree.
 * TX2, Nano: at most 256 characters with /boot/, a tree that is missing is passed over; 1 MiB
 * from fdt_addr_r to ramdisk_addr_r (U-Boot's tegra210-common.h, tegra186-common.h). Variscite:
 * U-Boot stops where the tree is missing, and the key counts only where fdt_file is
 * "undefined", as it is unless somebody sets it. AM335x: 512 KiB from fdtaddr to rdaddr, where
 * overlays go, too (U-Boot's ti_armv7_common.h).
 */
static const struct family FAMILIES[] = {
	{ "jetson-orin", "jetson-agx-thor*", HOW_ENV, ENV, FDT, 250, .substring = true,
	  .fallback = true, .extlinux = true, .default_only = true, .proven = true },
	{ "jetson-xavier", NULL, HOW_ENV, ENV, FDT, 250, .shortest = 21, .substring = true,
	  .first = true, .fallback = true, .extlinux = true, .default_only = true, .proven = true },
	{ "jetson-tx2", NULL, HOW_ENV, ENV, FDT, 250, .room = 1 << 20, .fallback = true,
	  .default_only = true, .proven = true },
	{ "jetson-nano", NULL, HOW_ENV, ENV, FDT, 250, .room = 1 << 20, .fallback = true,
	  .default_only = true, .proven = true },
	{ "iot-gate-imx8plus", "iot-gate-imx8plus*", HOW_ENV, ENV, FDT, 250, .fallback = true,
	  .proven = true },
	{ "imx8m", NULL, HOW_ENV, ENV, FDT, 250, .before = "fdt_file", .proven = true },
	{ "raspberrypi", "raspberrypi5", HOW_CONFIG, "config.txt", "device_tree", 80,
	  .boot = true, .proven = true },
	{ "tm3", "bluechiptechnology-tm3", HOW_ENV, ENV, FDT, 250, .boot = true, .proven = true },
	{ "am335x", NULL, HOW_ENV, ENV, "fdtfile", 250, .room = 512 << 10 },
	{ "allwinner-h3", NULL, HOW_ENV, ENV, "fdtfile", .longest = 250 },
	{ "allwinner-a20", NULL, HOW_ENV, ENV, "fdtfile", .longest = 250 },
	{ "u-boot", NULL, HOW_ENV, ENV, NULL, .longest = 250 },
};

/* struct board - a row of boards.tsv */
static const struct board {
	const char *device;
	const char *family;
	const char *selector;
	const char *place;
} BOARDS[] = {
#include "boards.h"
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct board *find_board(const char *device)
{
	size_t i;

	for (i = 0; device && i < COUNT(BOARDS); i++)
		if (!strcmp(BOARDS[i].device, device))
			return &BOARDS[i];
	return NULL;
}

static const struct family *by_name(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(FAMILIES); i++)
		if (!strcmp(FAMILIES[i].name, name))
			return &FAMILIES[i];
	return NULL;
}

static const struct family *of_board(const struct board *board)
{
	size_t i;

	for (i = 0; i < COUNT(FAMILIES); i++) {
		const struct family *family = &FAMILIES[i];

		if (family->match && !fnmatch(family->match, board->device, 0))
			return family;
	}
	return by_name(board->family);
}

/*
 * A board that is not known may have a bootloader that reads no such file; firmware reads its
 * own.
 */
static const struct family *judge(struct swap *swap, const struct board *board,
				  const struct family *family)
{
	bool known = board ? strcmp(board->selector, "none") : family->how == HOW_CONFIG;

	if (!family) {
		refuse(swap, KIND_SELECTOR, "build it into the OS image",
		       "the bootloader of %s cannot be told to take another tree", board->device);
		return NULL;
	}
	if (!family->key && !swap->variable) {
		refuse(swap, KIND_SELECTOR, "name it with --variable (often fdtfile or fdt_file)",
		       "the variable that has the tree's name is not known");
		return NULL;
	}
	if ((!family->proven || !known) && !swap->unproven) {
		refuse(swap, KIND_SELECTOR, "try it beside a console, then say --unproven",
		       "nobody has verified that the bootloader of %s heeds %s in %s",
		       board ? board->device : "this board",
		       swap->variable ? swap->variable : family->key, family->file);
		return NULL;
	}
	return family;
}

/**
 * family_find() - how a device chooses its tree
 * @swap: is told why that is not known; may have the user's word for it
 * @device: type of the device, or NULL
 * @place: gets where the bootloader looks for trees: boot, rootfs, or boot,rootfs
 *
 * Return: the row, or NULL
 */
const struct family *family_find(struct swap *swap, const char *device, const char **place)
{
	const struct board *board = find_board(device);
	const struct family *family = swap->family ? by_name(swap->family) :
				      board ? of_board(board) : NULL;

	*place = board && *board->place != '-' ? board->place : "rootfs";
	if (family && family->boot)
		*place = "boot";
	if (swap->family && !family) {
		refuse(swap, KIND_USAGE, "take one of dtb-swap list --all",
		       "there is no family \"%s\"", swap->family);
		return NULL;
	}
	if (board && swap->family && of_board(board) && of_board(board) != family &&
	    !swap->unproven) {
		refuse(swap, KIND_USAGE, "leave out --family; or say --unproven, too",
		       "config.json says %s, whose family is %s", board->device,
		       of_board(board)->name);
		return NULL;
	}
	if (swap->variable && family && family->key) {
		refuse(swap, KIND_USAGE, "leave out --variable",
		       "the variable of %s is %s, and no other is read", family->name,
		       family->key);
		return NULL;
	}
	if (swap->variable && (!*swap->variable ||
			       swap->variable[strspn(swap->variable, VARIABLE)])) {
		refuse(swap, KIND_USAGE, "name one that U-Boot has, such as fdtfile",
		       "\"%s\" is no name of a variable", swap->variable);
		return NULL;
	}
	if (!board && !family && !device) {
		refuse(swap, KIND_SELECTOR, "mount the boot partition, or say --family",
		       "the device type is not known: no config.json says deviceType");
		return NULL;
	}
	if (!board && !family) {
		refuse(swap, KIND_SELECTOR, "say --family",
		       "device type \"%s\" is not known (deviceType in config.json)", device);
		return NULL;
	}
	return judge(swap, board, family);
}

/**
 * family_needs() - what a device does not say of its bootloader by itself
 * @device: type of the device, or NULL
 * @name: of its family, as somebody has said, or NULL
 * @family: gets whether that has to be said
 * @variable: gets whether the variable has to be said
 */
void family_needs(const char *device, const char *name, bool *family, bool *variable)
{
	const struct board *board = find_board(device);
	const struct family *row = name ? by_name(name) : board ? of_board(board) : NULL;

	*family = !board;
	*variable = row && !row->key;
}

/**
 * family_list() - tell the families
 * @report: gets them as facts, NULL to print them
 */
void family_list(struct report *report)
{
	size_t i;

	for (i = 0; i < COUNT(FAMILIES); i++) {
		const char *key = FAMILIES[i].key ? FAMILIES[i].key : "--variable";
		const char *proven = FAMILIES[i].proven ? "" : "not proven";

		if (report)
			fact(report, "family", "%s: %s in %s%s%s", FAMILIES[i].name, key,
			     FAMILIES[i].file, *proven ? ", " : "", proven);
		else
			printf("%-18s %-16s %-16s %s\n", FAMILIES[i].name, FAMILIES[i].file, key,
			       proven);
	}
}
