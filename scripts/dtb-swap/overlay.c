// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selected tree with overlays, each once: a tree itself tells which are in it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "install.h"

#define MADE_WITH "boardpack,overlays"	/* of the root: hashes of the overlays in a tree */
#define MARK_ROOM 64			/* for that and one hash */

/* Where the OS image and the firmware keep overlays. */
static const char *const FOLDERS[] = {
	"/boot/devicetree", "/mnt/sysroot/active/boot/devicetree", "/mnt/boot/overlays",
	"/boot/firmware/overlays", "/boot/overlays",
};

static void refuse_name(struct swap *swap, const char *name)
{
	char *folders = strdup(""), *more;
	size_t i;

	for (i = 0; folders && i < sizeof(FOLDERS) / sizeof(*FOLDERS); i++) {
		more = format_text("%s%s%s", folders, i ? ", " : "", FOLDERS[i]);
		free(folders);
		folders = more;
	}
	refuse(swap, KIND_ERROR, "name its file, or one that is in such a folder, without .dtbo",
	       "there is no file %s, and no %s%s in %s", name, name,
	       strstr(name, ".dtbo") ? "" : ".dtbo", folders ? folders : "?");
	free(folders);
}

/* The file of an overlay, for free(): as it is named, or one of that name in a folder; or NULL. */
static char *find_file(struct swap *swap, const char *name)
{
	bool there = strchr(name, '/') || !access(name, F_OK);
	size_t i;

	for (i = 0; i < sizeof(FOLDERS) / sizeof(*FOLDERS) && !there; i++) {
		char *path = format_text("%s%s/%s%s", swap->root, FOLDERS[i], name,
					 strstr(name, ".dtbo") ? "" : ".dtbo");
		struct dtb_error err;
		void *fdt = path ? dtb_read(path, &err) : NULL;

		free(fdt);
		if (fdt) {
			fact(&swap->report, "overlay", "%s", path + strlen(swap->root));
			return path;
		}
		free(path);
	}
	if (!there)
		refuse_name(swap, name);
	return there ? strdup(name) : NULL;
}

static unsigned int hash_of(const char *path)
{
	struct dtb_error err;
	void *overlay = dtb_read(path, &err);
	unsigned int sum = overlay ? tree_hash(overlay, fdt_totalsize(overlay)) : 0;

	free(overlay);
	return sum;
}

static bool is_made_with(const void *fdt, unsigned int sum)
{
	int length = 0, i;
	const fdt32_t *sums = fdt_getprop(fdt, 0, MADE_WITH, &length);

	for (i = 0; sums && i < length / (int)sizeof(*sums); i++)
		if (fdt32_ld(sums + i) == sum)
			return true;
	return false;
}

static bool same_tree(const void *a, const void *b)
{
	FILE *none = fopen("/dev/null", "w");
	int ret = none ? diff_trees(none, a, b, false) : -1;

	if (none)
		fclose(none);
	return !ret;
}

/*
 * Whether an overlay would change nothing: it is in the tree, and no other has undone it
 * since. One that the tree is made with and that does not go on again has what it adds there.
 */
static bool is_in(const struct swap *swap, const void *fdt, char *path)
{
	struct swap own = *swap;
	struct dtb_error err;
	void *copy = is_made_with(fdt, hash_of(path)) ? dtb_copy(fdt, 0, &err) : NULL;
	bool made = copy;

	own.report = (struct report){ 0 };
	if (copy)
		copy = merge_files(&own, copy, &path, 1);
	made = made && (copy ? same_tree(fdt, copy) : !own.report.no_memory);
	report_free(&own.report);
	free(copy);
	return made;
}

static void *mark(struct swap *swap, void *fdt, unsigned int sum)
{
	struct dtb_error err = { 0 };
	void *copy = dtb_copy(fdt, MARK_ROOM, &err);
	int ret = 0;

	if (copy && !is_made_with(copy, sum))
		ret = fdt_appendprop_u32(copy, 0, MADE_WITH, sum);
	if (!copy || ret)
		refuse(swap, KIND_ERROR, "free some memory", "%s",
		       copy ? fdt_strerror(ret) : err.text);
	free(fdt);
	if (!ret)
		return copy;
	free(copy);
	return NULL;
}

/* What goes on a tree that nobody has committed would keep that. */
static bool is_settled(struct call *call, const struct place *place)
{
	struct state state = { 0 };
	bool keeps = !strcmp(call->verb, "install") && !call->swap.base && place->boot;

	if (keeps)
		state_read(&state, place);
	keeps &= state.pending;
	if (keeps)
		refuse(&call->swap, KIND_NOTHING,
		       "dtb-swap commit, or try --pending --overlay, or name a tree with --base",
		       "%s, which overlays would go on, has not been committed",
		       state.installed ? state.installed : "the tree");
	state_free(&state);
	return !keeps;
}

/**
 * overlay_tree() - the tree with the overlays of a call
 * @call: has them; is told what is wrong with one
 * @place: where things are
 * @before: gets whether it is the selected tree, in which all of them are
 *
 * Return: the tree, for free(), or NULL
 */
void *overlay_tree(struct call *call, const struct place *place, bool *before)
{
	struct swap *swap = &call->swap;
	void *running = is_settled(call, place) ? sys_tree(swap) : NULL, *fdt = NULL;
	int i;

	swap->launcher = place->family && place->family->extlinux;
	if (running)
		fdt = swap->base ? load_tree(swap, swap->base) : place_base(place, running);
	free(running);
	*before = fdt && !swap->base && place->boot && place->value;
	for (i = 0; fdt && i < call->count; i++) {
		char *path = find_file(swap, call->words[i]);

		swap->report.no_memory |= !path && !verdict(&swap->report);
		if (!path) {
			free(fdt);
			fdt = NULL;
		} else if (!is_in(swap, fdt, path)) {
			*before = false;
			fdt = merge_files(swap, fdt, &path, 1);
			if (fdt)
				fdt = mark(swap, fdt, hash_of(path));
		}
		free(path);
	}
	return fdt;
}
