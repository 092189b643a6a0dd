// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the host of a card, or of a chip like one, still finds it.
 */

#include <stdlib.h>
#include <string.h>

#include "needs.h"

/**
 * check_soldered() - refuse a tree where nothing tells that a card is there
 * @need: is told
 * @old: the device in the running tree
 * @new: the same in the tree to check
 *
 * A chip that is soldered in, or a card that is looked for, has no line for that.
 */
void check_soldered(struct need *need, int old, int new)
{
	static const char *const names[] = { "non-removable", "broken-cd", "cd-gpios", "cd-gpio" };
	size_t i;

	if (!fdt_getprop(need->running, old, names[0], NULL) &&
	    !fdt_getprop(need->running, old, names[1], NULL))
		return;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fdt_getprop(need->fdt, new, names[i], NULL))
			return;
	complain(need, "say in its node that it is non-removable, or has broken-cd",
		 "in the new tree it may be taken out, and nothing tells whether it is there%s%s",
		 "", "");
}

static const char *const KINDS[][2] = {
	{ "SD", "no-sd" }, { "MMC", "no-mmc" }, { "SDIO", "no-sdio" },
};

/* What tells a host never to ask for what it has: by the kind in sysfs. */
static const char *never_asked(const char *device)
{
	static const struct swap whole = { .root = "" };
	char *up = strdup(device), *slash;
	const char *found = NULL;
	size_t i;

	while (up && !found && (slash = strrchr(up, '/')) && slash != up) {
		char *path = format_text("%s/type", up);
		char *kind = path ? sys_line(&whole, path) : NULL;

		for (i = 0; kind && i < sizeof(KINDS) / sizeof(*KINDS); i++)
			if (!strcmp(kind, KINDS[i][0]))
				found = KINDS[i][1];
		free(kind);
		free(path);
		*slash = '\0';
	}
	free(up);
	return found;
}

/* @old: of a host, or above it; @name: what it is never to ask for */
static void check_asked(struct need *need, int old, const char *name)
{
	int new = find_device(need->running, old, need->fdt);
	char path[256];

	if (new >= 0 && fdt_getprop(need->fdt, new, name, NULL) &&
	    !fdt_getprop(need->running, old, name, NULL))
		complain(need, need->level == LEVEL_WARNING ? "leave that out where it is one" :
							      "leave that out, for it is one",
			 "%s has %s in the new tree",
			 node_shown(need->fdt, new, path, sizeof(path)), name);
}

/**
 * check_kind() - refuse a tree where the host of a card does not ask for it
 * @need: is told
 * @device: in sysfs, with the root
 * @old: its node in the running tree, its host's or below that
 */
void check_kind(struct need *need, const char *device, int old)
{
	const char *name = never_asked(device);
	struct need inner = *need;
	size_t i;

	if (!name)
		inner.level = LEVEL_WARNING;
	for (; old > 0; old = node_above(need->running, old))
		for (i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++)
			if (!name || !strcmp(name, KINDS[i][1]))
				check_asked(&inner, old, KINDS[i][1]);
}
