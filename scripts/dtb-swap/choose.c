// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write the line that selects, into the file as it is at that moment.
 *
 * The supervisor, fatrw and people write the same file, and take no lock of ours.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "install.h"

static char *value_in(const struct place *place, const char *text)
{
	return place->family->how == HOW_CONFIG ? config_get(place->key, text) :
						  env_get(place->family, place->key, text);
}

/* The selector as it is now, where it can be read, or is not there. */
static bool read_now(const struct place *place, char **text)
{
	char *path = format_text("%s/%s", place->boot, place->family->file);
	size_t size = 0;
	bool good;

	*text = path ? sys_read(place->swap, path, &size) : NULL;
	good = *text ? strlen(*text) == size : path && errno == ENOENT;
	free(path);
	return good;
}

static bool is_changed(const struct place *place)
{
	refuse(place->swap, KIND_BUSY, "look at it, and say it again",
	       "another program has written %s/%s meanwhile", place->boot, place->family->file);
	return false;
}

/**
 * select_refresh() - take over what others have written since the selector was read
 * @place: where it is; the run is told if they have selected another tree
 *
 * Return: true if the same tree is selected
 */
bool select_refresh(struct place *place)
{
	char *text, *value;
	bool good = read_now(place, &text);

	value = good ? value_in(place, text) : NULL;
	good = good && same_text(value, place->value);
	free(value);
	if (!good) {
		free(text);
		return is_changed(place);
	}
	free(place->text);
	place->text = text;
	return true;
}

/* A write that fails in its last step has given the file its name already. */
static void look_again(struct place *place, const char *text)
{
	struct swap *swap = place->swap;
	char *path = format_text("%s/%s", place->boot, place->family->file);
	char *now = path ? sys_read(swap, path, NULL) : NULL;

	place->late = same_text(now, text);
	if (place->late)
		say(&swap->report, LEVEL_WARNING, KIND_WRITE,
		    "once the disk is well, say it again: that tells whether it is on the disk",
		    "%s has changed all the same: the bootloader may take the new tree, or the old",
		    path ? path : "it");
	free(now);
	free(path);
}

/**
 * select_value() - write the line that selects
 * @place: where the selector is; its value becomes the new one
 * @value: name of a tree that is on the disk, or NULL for the bootloader's own
 *
 * Return: true if it is on the disk; otherwise the run is told
 */
bool select_value(struct place *place, const char *value)
{
	char *text, *now;
	bool good = read_now(place, &now) && same_text(now, place->text);

	free(now);
	if (!good)
		return is_changed(place);
	text = select_text(place, value);
	if (!text) {
		place->swap->report.no_memory = true;
		return false;
	}
	good = store_replace(place->swap, place->boot, place->family->file, text, place->text);
	if (good) {
		free(place->text);
		free(place->value);
		place->text = text;
		place->value = value ? strdup(value) : NULL;
	} else {
		look_again(place, text);
		free(text);
	}
	return good;
}
