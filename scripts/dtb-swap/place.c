// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where this device keeps the selector and its trees, and which tree is selected.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "install.h"

static const char *const BOOTS[] = { "/mnt/boot", "/boot/firmware", "/boot" };
static const char *const ROOTS[] = { "/mnt/sysroot/active/boot", "/boot" };
/* What is in memory, or in a container: no bootloader reads that. */
static const char *const UNREAD[] = { "overlay", "aufs", "tmpfs", "ramfs", "rootfs" };

/* The first of the folders that is there. */
static char *first(const struct swap *swap, const char *const *folders, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (sys_exists(swap, folders[i]))
			return strdup(folders[i]);
	return NULL;
}

static bool is_encrypted(const struct swap *swap, const struct mounted *on)
{
	char *path = format_text("/sys/dev/block/%s/dm/uuid", on->device);
	char *uuid = path ? sys_line(swap, path) : NULL;
	bool encrypted = uuid && !strncmp(uuid, "CRYPT-", strlen("CRYPT-"));

	free(uuid);
	free(path);
	return encrypted;
}

/* What may not be looked at would be taken for what is not there. */
static bool may_look(struct swap *swap, const char *folder)
{
	char *path = sys_path(swap, folder);
	bool may = !path || !access(path, R_OK | X_OK) || (errno != EACCES && errno != EPERM);

	if (!may)
		refuse_read(swap, folder, "", "run it as root");
	free(path);
	return may;
}

/* Refuses a folder that no bootloader can read. */
static bool can_be_read(struct swap *swap, const char *folder)
{
	struct mounted on;
	size_t i;

	if (!mounted_on(swap, folder, &on))
		return true;
	if (is_encrypted(swap, &on)) {
		refuse(swap, KIND_SELECTOR, "build the tree into the OS image",
		       "%s is encrypted, and no bootloader looks there", folder);
		return false;
	}
	for (i = 0; i < sizeof(UNREAD) / sizeof(*UNREAD); i++) {
		if (strcmp(on.kind, UNREAD[i]))
			continue;
		refuse(swap, KIND_SELECTOR, "mount the disk there; a container has not the host's",
		       "%s is on %s (%s), where no bootloader looks", folder, on.kind,
		       on.point);
		return false;
	}
	return true;
}

/*
 * The firmware reads a partition of its own, never the root file system: a config.txt that is
 * there may be a note of where it has gone.
 */
static bool is_firmware(const struct place *place)
{
	struct mounted on;
	bool good = !mounted_on(place->swap, place->boot, &on) || on.exactly ||
		    (place->text && strcmp(on.point, "/"));

	if (!good)
		refuse(place->swap, KIND_SELECTOR, "mount the boot partition",
		       "%s is on the file system of %s, which the firmware does not read",
		       place->boot, on.point);
	return good;
}

/* On balenaOS the host has the first of them, and a container has a /boot of its own. */
static char *root_trees(const struct place *place)
{
	return first(place->swap, ROOTS, place->device ? 1 : 2);
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-';
}

/* "deviceType" of config.json, which has no other member that could be taken for it. */
static char *device_type(const struct swap *swap, const char *boot)
{
	char *path = format_text("%s/config.json", boot);
	char *text = path ? sys_read(swap, path, NULL) : NULL, *type = NULL;
	char *at = text ? strstr(text, "\"deviceType\"") : NULL;
	size_t length = 0;

	if (at)
		at += strlen("\"deviceType\"");
	if (at)
		at += strspn(at, " \t\r\n:");
	while (at && *at == '"' && is_name(at[1 + length]))
		length++;
	if (length)
		type = strndup(at + 1, length);
	free(text);
	free(path);
	return type;
}

/*
 * fatrw keeps a write that was cut short in a hidden file, and puts it over the selector
 * when it next reads: that has to be done before the selector is changed.
 */
static void finish_fatrw(struct swap *swap, const char *folder, const char *file)
{
	char *path = format_text("%s%s", swap->root, folder);
	char *stem = format_text(".%s.", file), *name = format_text("%s/%s", path, file);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;
	bool left = false;
	int status = 0;

	while (dir && stem && (entry = readdir(dir)))
		left |= !strncmp(entry->d_name, stem, strlen(stem)) &&
			strstr(entry->d_name, ".md5sum");
	if (dir)
		closedir(dir);
	if (left && name && swap->dry) {
		say(&swap->report, LEVEL_WARNING, KIND_SELECTOR, "run fatrw read on it",
		    "a write of %s by fatrw was cut short", file);
	} else if (left && name) {
		pid_t child = fork();

		if (!child) {
			if (freopen("/dev/null", "w", stdout))
				execlp("fatrw", "fatrw", "read", name, NULL);
			_exit(127);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			refuse(swap, KIND_SELECTOR, "run fatrw read on it, or remove that file",
			       "a write of %s by fatrw was cut short, and fatrw cannot end it",
			       file);
	}
	free(name);
	free(stem);
	free(path);
}

static bool read_selector(struct place *place)
{
	char *path = format_text("%s/%s", place->boot, place->family->file);
	size_t size = 0;

	place->text = path ? sys_read(place->swap, path, &size) : NULL;
	if (!place->text && errno != ENOENT)
		refuse_read(place->swap, place->boot, place->family->file, "look at the disk");
	else if (place->text && strlen(place->text) != size)
		refuse(place->swap, KIND_SELECTOR, "write it anew",
		       "%s is damaged: it has a NUL byte", path);
	free(path);
	if (verdict(&place->swap->report))
		return false;
	place->value = place->family->how == HOW_CONFIG ?
		       config_get(place->key, place->text) :
		       env_get(place->family, place->key, place->text);
	if (place->family->before)
		place->above = env_get(place->family, place->family->before, place->text);
	if (place->above && !strcmp(place->above, "undefined")) {
		free(place->above);
		place->above = NULL;
	}
	return true;
}

/**
 * place_boot() - the folder of the boot partition
 * @swap: the run
 *
 * An empty folder may be a place to mount other things.
 *
 * Return: the folder from the root, for free(), or NULL where there is none
 */
char *place_boot(const struct swap *swap)
{
	static const char *const files[] = {
		"config.json", "dtb-swap.state", "config.txt", "extra_uEnv.txt"
	};
	size_t i, j, count = sizeof(BOOTS) / sizeof(*BOOTS);

	for (i = 0; i < count; i++)
		for (j = 0; j < sizeof(files) / sizeof(*files); j++)
			if (sys_has(swap, BOOTS[i], files[j]))
				return strdup(BOOTS[i]);
	return first(swap, BOOTS, count);
}

/**
 * place_open() - find out where things are
 * @place: is filled
 * @swap: the run, is told why that is not known
 *
 * Return: true if all is known; place_close() is needed in any case
 */
bool place_open(struct place *place, struct swap *swap)
{
	const char *where = NULL;

	*place = (struct place){ .swap = swap, .boot = place_boot(swap) };
	if (!place->boot) {
		refuse(swap, KIND_SELECTOR, "mount it at /mnt/boot or /boot",
		       "there is no boot partition");
		return false;
	}
	if (!may_look(swap, place->boot) || !can_be_read(swap, place->boot))
		return false;
	place->device = device_type(swap, place->boot);
	state_recall(place);
	place->family = family_find(swap, place->device, &where);
	place->trees = strncmp(where, "boot", 4) ? root_trees(place) : strdup(place->boot);
	place->more = strcmp(where, "boot,rootfs") ? NULL : root_trees(place);
	if (!place->family)
		return false;
	place->key = swap->variable ? swap->variable : place->family->key;
	if (!place->trees) {
		refuse(swap, KIND_SELECTOR, place->device ?
		       "run it on the host OS, not in a container" : "mount the root file system",
		       "there is no folder for trees: no %s", ROOTS[!place->device]);
		return false;
	}
	if (!may_look(swap, place->trees) || !can_be_read(swap, place->trees))
		return false;
	finish_fatrw(swap, place->boot, place->family->file);
	return !verdict(&swap->report) && read_selector(place) &&
	       (place->family->how != HOW_CONFIG || is_firmware(place));
}

/**
 * place_close() - let go of it
 * @place: of place_open()
 */
void place_close(struct place *place)
{
	free(place->device);
	free(place->boot);
	free(place->trees);
	free(place->more);
	free(place->text);
	free(place->value);
	free(place->above);
	if (place->swap)
		state_forget(place);
}

static void *read_tree(const struct place *place, const char *name)
{
	char *path = format_text("%s%s/%s", place->swap->root, place->trees, name);
	struct dtb_error err;
	void *fdt;

	if (path && place->more && access(path, F_OK)) {
		free(path);
		path = format_text("%s%s/%s", place->swap->root, place->more, name);
	}
	fdt = path ? dtb_read(path, &err) : NULL;
	free(path);
	return fdt;
}

/**
 * place_tree() - a tree that the bootloader could take
 * @place: where trees are
 * @name: of the file
 *
 * Return: the tree, for free(), or NULL where it is not there, broken, or not what was kept
 */
void *place_tree(const struct place *place, const char *name)
{
	void *fdt = read_tree(place, name);

	if (fdt && is_named(name, fdt, fdt_totalsize(fdt)))
		return fdt;
	free(fdt);
	return NULL;
}

/**
 * place_damaged() - whether a tree is one, and not what was kept under its name
 * @place: where trees are
 * @name: of the file
 *
 * Return: true if so; the bootloader does not see that, and takes it
 */
bool place_damaged(const struct place *place, const char *name)
{
	void *fdt = read_tree(place, name);
	bool damaged = fdt && !is_named(name, fdt, fdt_totalsize(fdt));

	free(fdt);
	return damaged;
}

/**
 * place_selected() - what the bootloader takes
 * @place: of place_open()
 *
 * Return: name of the tree, NULL for the bootloader's own
 */
const char *place_selected(const struct place *place)
{
	return place->above ? place->above : place->value;
}

/**
 * place_in_root() - whether a tree is one of the root file system, there or not
 * @place: where trees are
 * @name: of the file
 *
 * Return: true if so, false where the bootloader takes it from the boot partition
 */
bool place_in_root(const struct place *place, const char *name)
{
	return strcmp(place->trees, place->boot) ||
	       (place->more && sys_has(place->swap, place->more, name) &&
		!sys_has(place->swap, place->trees, name));
}

static bool is_tree(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strcmp(name + length - 4, ".dtb") && *name != '.' &&
	       strncmp(name, "swap-", 5);
}

static bool same_board(const void *a, const void *b)
{
	const char *one = fdt_stringlist_get(a, 0, "compatible", 0, NULL);
	const char *two = fdt_stringlist_get(b, 0, "compatible", 0, NULL);

	return one && two && !strcmp(one, two);
}

/**
 * place_base() - the tree that overlays go on
 * @place: where trees are
 * @running: the running one
 *
 * Return: the selected tree, or the only one there for this board; for free(), or NULL, and
 * the run is told
 */
void *place_base(const struct place *place, const void *running)
{
	const char *trees = place->trees ? place->trees : "the disk";
	char *path = place->trees ? sys_path(place->swap, trees) : NULL;
	DIR *dir = path && !place->value ? opendir(path) : NULL;
	void *found = place->value ? place_tree(place, place->value) : NULL;
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		void *fdt = is_tree(entry->d_name) ? place_tree(place, entry->d_name) : NULL;

		if (fdt && same_board(fdt, running)) {
			free(found);
			found = fdt;
			count++;
		} else {
			free(fdt);
		}
	}
	if (dir)
		closedir(dir);
	free(path);
	if (place->value && !found) {
		refuse(place->swap, KIND_TREE, "dtb-swap rollback, or name a tree with --base",
		       "%s/%s, which is selected, is missing or broken", trees, place->value);
	} else if (count > 1 || !found) {
		refuse(place->swap, KIND_USAGE, "name the tree with --base",
		       count > 1 ? "%d trees of %s are for this board" :
				   "none of the %d trees of %s is for this board",
		       count, trees);
		free(found);
		found = NULL;
	}
	return found;
}
