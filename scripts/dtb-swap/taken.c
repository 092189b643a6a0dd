// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between an update of the host OS and the start that it waits for: the selector is that of
 * both, and the new root has the trees that were there when the hook has run, no others.
 *
 * The hook says so in a file on the boot partition, since its container may have another /run:
 * the number of this start, and which trees may be selected. With another start it means nothing.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"

#define NAME "dtb-swap.update"
#define TREE "tree="
#define MEND "start the device again first; where that update has failed: dtb-swap carry --forget"

/* The names of the trees, a line each, or NULL where no update waits for a start. */
static char *read_mark(const struct place *place)
{
	static const struct family plain;
	char *path = format_text("%s/" NAME, place->boot);
	char *text = path ? sys_read(place->swap, path, NULL) : NULL;
	char *start = text ? env_get(&plain, "start", text) : NULL;
	char *now = sys_line(place->swap, THIS_START);

	if (!now || !start || strcmp(now, start)) {
		free(text);
		text = NULL;
	}
	free(now);
	free(start);
	free(path);
	return text;
}

static bool has_tree(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, TREE, strlen(TREE)) &&
		    !strncmp(text + strlen(TREE), name, length) &&
		    text[strlen(TREE) + length] == '\n')
			return true;
	}
	return false;
}

/**
 * taken() - whether an update waits for the next start
 * @place: where things are
 *
 * Return: true if so
 */
bool taken(const struct place *place)
{
	char *text = read_mark(place);
	bool waits = text;

	free(text);
	return waits;
}

/**
 * taken_select() - refuse a tree that the new root has not
 * @place: where things are; the run is told
 * @name: of the tree that is going to be selected, NULL for the bootloader's own
 *
 * What went along can be selected, so that guard and rollback can go back.
 *
 * Return: true if it may be selected
 */
bool taken_select(const struct place *place, const char *name)
{
	bool risk = name && !same_text(name, place->value) && place_in_root(place, name);
	char *text = risk ? read_mark(place) : NULL;
	bool good = !text || has_tree(text, name);

	if (!good)
		refuse(place->swap, KIND_SELECTOR, MEND,
		       "an update of the OS has taken the trees along, and %s is not among them",
		       name);
	free(text);
	return good;
}

/**
 * taken_try() - refuse a trial by kexec, after which nobody would know of the update
 * @place: where things are; the run is told
 */
void taken_try(const struct place *place)
{
	if (strcmp(place->trees, place->boot) && taken(place))
		refuse(place->swap, KIND_SELECTOR, MEND,
		       "an update of the OS waits for the next start, which kexec is none of");
}

/**
 * taken_mark() - say that the trees went along
 * @place: where the boot partition is; the run is told where that fails
 * @names: of the trees, as taken_name() writes them
 */
void taken_mark(const struct place *place, const char *names)
{
	struct swap *swap = place->swap;
	char *now = sys_line(swap, THIS_START);
	char *text = now ? format_text("start=%s\n%s", now, names) : NULL;
	unsigned long writable;

	if (!text) {
		refuse(swap, KIND_ERROR, "mount /proc", THIS_START " cannot be read");
	} else if (store_ready(swap, place->boot, 0, &writable)) {
		store_write(swap, place->boot, NAME, text, strlen(text));
		store_done(swap, place->boot, writable);
	}
	free(text);
	free(now);
}

/**
 * taken_name() - a tree that the new root has
 * @out: where to, NULL where nobody keeps it
 * @name: of the tree
 */
void taken_name(FILE *out, const char *name)
{
	if (out)
		fprintf(out, TREE "%s\n", name);
}

/**
 * taken_forget() - the update has failed
 * @swap: the run
 */
void taken_forget(struct swap *swap)
{
	char *boot = place_boot(swap), *path = boot ? format_text("%s/" NAME, boot) : NULL;
	unsigned long writable;

	if (path && sys_exists(swap, path) && store_ready(swap, boot, 0, &writable)) {
		store_drop(swap, boot, NAME);
		store_done(swap, boot, writable);
		if (sys_exists(swap, path))
			refuse(swap, KIND_WRITE, "look at the disk and the kernel's log",
			       "%s is still there", path);
	}
	free(path);
	free(boot);
}
