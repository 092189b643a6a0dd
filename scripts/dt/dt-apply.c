// SPDX-License-Identifier: GPL-2.0-only
/*
 * Apply overlays to every tree that they claim, alone and combined.
 *
 * usage: dt-apply check [-j N] [-c] [-v] [-o DIR] OVERLAY... <BASES
 *        dt-apply labels TREE
 *        dt-apply merge [-l MAP] BASE OUT [OVERLAY...]
 *
 * check reads the names of trees from standard input, one a line, and behind a tab the
 * label map of one that was built without labels. -c combines up to three overlays on
 * the first tree of each board family, -v prints what is refused, too, -o keeps what comes
 * out as BASE+OVERLAY[+OVERLAY...].
 *
 * A pair is applied, refused (the board has a device at that address, or something on
 * that GPIO) or failed; lost is what -o could not keep, which has failed, too. Exit status:
 * 0 none failed, 1 some did, 2 wrong use.
 */

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dt-apply.h"

#define ROOM (16 << 10)
#define MOST_WORKERS 64
#define DEEPEST 3

struct counts {
	unsigned long bases, pairs, applied, refused, failed, combined;
};

/* Between the workers; a tree goes to whoever is free. */
struct shared {
	atomic_size_t next;
	struct counts counts[MOST_WORKERS];
};

/* What has been put on a base so far. */
struct stack {
	const struct base *base;
	const void *fdt;
	const struct overlay *on[DEEPEST];
	size_t depth;
	struct dtb_lines lines;
	struct dt_memo memo;
};

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void report(const struct stack *stack, const char *what, const struct dtb_error *err)
{
	char text[2048];
	size_t i, at = snprintf(text, sizeof(text), "%s: %s: ", stack->base->name, what);

	for (i = 0; i < stack->depth && at < sizeof(text); i++)
		at += snprintf(text + at, sizeof(text) - at, "%s%s", i ? " + " : "",
			       stack->on[i]->name);
	printf("%s: %s\n", text, err->text);
}

/* Whether two overlays name the same string in metadata/exclusive. */
static bool exclude(const void *one, const void *other)
{
	int a = fdt_path_offset(one, "/metadata"), b = fdt_path_offset(other, "/metadata"), i;

	for (i = 0; a >= 0 && b >= 0; i++) {
		const char *what = fdt_stringlist_get(one, a, "exclusive", i, NULL);

		if (!what)
			return false;
		if (fdt_stringlist_search(other, b, "exclusive", what) >= 0)
			return true;
	}
	return false;
}

static bool fits(const struct stack *stack, const struct overlay *overlay)
{
	size_t i;

	for (i = 0; i < stack->depth; i++)
		if (exclude(stack->on[i]->fdt, overlay->fdt))
			return false;
	return true;
}

static bool lines_clash(struct stack *stack, const void *result, struct dtb_error *err)
{
	struct dtb_lines after = { 0 };
	int ret = 0;

	if (!stack->lines.list)
		ret = dtb_lines_read(&stack->lines, stack->fdt, err);
	if (!ret)
		ret = dtb_lines_read(&after, result, err);
	if (!ret)
		ret = dtb_line_conflict(&stack->lines, &after, result, err);
	free(after.list);
	return ret;
}

/* The tree with the overlay, or NULL; the code is -FDT_ERR_EXISTS where it is refused. */
static void *apply(struct stack *stack, const struct overlay *overlay, struct dtb_error *err)
{
	void *result;

	if (dtb_address_conflict(stack->fdt, overlay->fdt, err))
		return NULL;
	dt_memo = &stack->memo;
	result = dtb_apply(stack->fdt, overlay->fdt, ROOM, err);
	dt_memo = NULL;
	if (!result || !overlay->lines || !lines_clash(stack, result, err))
		return result;
	free(result);
	return NULL;
}

static int keep(const char *folder, const struct stack *stack, const void *fdt,
		struct dtb_error *err)
{
	char path[PATH_MAX];
	size_t i, at = snprintf(path, sizeof(path), "%s/%s", folder, last_name(stack->base->name));

	for (i = 0; i < stack->depth && at < sizeof(path); i++)
		at += snprintf(path + at, sizeof(path) - at, "+%s", stack->on[i]->name);
	if (at < sizeof(path))
		return dtb_write(path, fdt, err);
	return dtb_fail(err, -FDT_ERR_NOSPACE, "%s: its name is too long", folder);
}

static void put_on(const struct job *job, struct stack *stack, size_t first, size_t deepest,
		   struct counts *counts);

static void put_one(const struct job *job, struct stack *stack, size_t index, size_t deepest,
		    struct counts *counts)
{
	const struct overlay *overlay = &job->overlays[index];
	struct dtb_error err = { 0 };
	void *result = apply(stack, overlay, &err);
	bool refused = !result && err.code == -FDT_ERR_EXISTS, lost;

	stack->on[stack->depth++] = overlay;
	lost = result && job->keep && keep(job->keep, stack, result, &err);
	if (lost) {
		free(result);
		result = NULL;
	}
	if (result && stack->depth == 1)
		counts->applied++;
	else if (result)
		counts->combined++;
	else if (refused)
		counts->refused++;
	else
		counts->failed++;
	if (!result && (!refused || job->verbose))
		report(stack, refused ? "refused" : lost ? "LOST" : "FAILED", &err);
	if (result && stack->depth < deepest) {
		struct stack next = *stack;

		next.fdt = result;
		next.lines = (struct dtb_lines){ 0 };
		next.memo = (struct dt_memo){ 0 };
		put_on(job, &next, index + 1, deepest, counts);
		free(next.lines.list);
	}
	stack->depth--;
	free(result);
}

static void put_on(const struct job *job, struct stack *stack, size_t first, size_t deepest,
		   struct counts *counts)
{
	size_t i;

	for (i = first; i < job->overlay_count; i++) {
		if (!dtb_claims(job->overlays[i].fdt, stack->fdt) ||
		    !fits(stack, &job->overlays[i]))
			continue;
		counts->pairs += !stack->depth;
		put_one(job, stack, i, deepest, counts);
	}
}

static bool claimed(const struct job *job, const void *fdt)
{
	size_t i;

	for (i = 0; i < job->overlay_count; i++)
		if (dtb_claims(job->overlays[i].fdt, fdt))
			return true;
	return false;
}

static void check_base(const struct job *job, const struct base *base, struct counts *counts)
{
	struct dtb_error err = { 0 };
	struct stack stack = { .base = base };
	void *fdt = open_base(base, job, &err);

	counts->bases++;
	if (!fdt) {
		counts->failed++;
		printf("%s: FAILED: %s\n", base->name, err.text);
		return;
	}
	dtb_labels_first(fdt);
	stack.fdt = fdt;
	if (claimed(job, fdt))
		put_on(job, &stack, 0, base->combine ? DEEPEST : 1, counts);
	free(stack.lines.list);
	free(fdt);
}

static void work(const struct job *job, struct shared *shared, struct counts *counts)
{
	size_t i;

	while ((i = atomic_fetch_add(&shared->next, 1)) < job->base_count)
		check_base(job, &job->bases[i], counts);
	fflush(stdout);
}

static int add_up(const struct counts *counts, size_t workers, int died)
{
	struct counts sum = { 0 };
	size_t i;

	for (i = 0; i < workers; i++) {
		sum.bases += counts[i].bases;
		sum.pairs += counts[i].pairs;
		sum.applied += counts[i].applied;
		sum.refused += counts[i].refused;
		sum.failed += counts[i].failed;
		sum.combined += counts[i].combined;
	}
	printf("%lu trees, %lu pairs, %lu applied, %lu combined, %lu refused, %lu failed%s\n",
	       sum.bases, sum.pairs, sum.applied, sum.combined, sum.refused, sum.failed,
	       died ? ", a worker died" : "");
	return sum.failed || died || !sum.applied;
}

static int check_all(const struct job *job, size_t workers)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, died = 0;
	size_t i;

	if (shared == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < workers; i++) {
		if (!fork()) {
			work(job, shared, &shared->counts[i]);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		died += status != 0;
	return add_up(shared->counts, workers, died);
}

static int read_bases(struct job *job, bool combine)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, stdin)) > 0) {
		struct base *more = realloc(job->bases, (job->base_count + 1) * sizeof(*more));
		char *name;

		if (!more)
			return -1;
		job->bases = more;
		line[strcspn(line, "\n")] = '\0';
		name = line;
		/* A mark of the caller: one of its kind is enough to combine on. */
		if (*name == '*')
			name++;
		more[job->base_count].combine = combine && *line == '*';
		more[job->base_count].name = strdup(strsep(&name, "\t"));
		more[job->base_count++].map = name && *name ? strdup(name) : NULL;
	}
	free(line);
	return job->base_count ? 0 : -1;
}

static int check(int argc, char **argv)
{
	struct job job = { 0 };
	struct dtb_error err;
	size_t workers = 1;
	bool combine = false;
	int option;

	while ((option = getopt(argc, argv, "j:cvo:")) > 0) {
		if (option == 'j')
			workers = strtoul(optarg, NULL, 10);
		combine |= option == 'c';
		job.verbose |= option == 'v';
		if (option == 'o')
			job.keep = optarg;
		if (option == '?' || !workers || workers > MOST_WORKERS)
			return 2;
	}
	job.overlays = calloc(argc, sizeof(*job.overlays));
	for (; job.overlays && optind < argc; optind++) {
		struct overlay *overlay = &job.overlays[job.overlay_count++];

		overlay->name = last_name(argv[optind]);
		overlay->fdt = dtb_read(argv[optind], &err);
		if (!overlay->fdt) {
			fprintf(stderr, "dt-apply: %s\n", err.text);
			return 1;
		}
		overlay->lines = dtb_uses_lines(overlay->fdt);
	}
	if (!job.overlay_count || read_wanted(&job) || read_bases(&job, combine)) {
		fprintf(stderr, "dt-apply: no %s\n", job.overlay_count ? "trees" : "overlays");
		return 2;
	}
	return check_all(&job, workers);
}

static int labels(const char *path)
{
	struct dtb_error err;
	void *fdt = dtb_read(path, &err);
	int prop, node = fdt ? fdt_path_offset(fdt, "/__symbols__") : -1;

	if (node < 0) {
		fprintf(stderr, "dt-apply: %s\n", fdt ? "it has no labels" : err.text);
		return 1;
	}
	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL, *value;

		value = fdt_getprop_by_offset(fdt, prop, &name, NULL);
		printf("%s\t%s\n", name, value);
	}
	free(fdt);
	return 0;
}

static void *put(void *fdt, const char *path, struct dtb_error *err)
{
	void *overlay = dtb_read(path, err), *result = NULL;

	if (overlay && !dtb_claims(overlay, fdt))
		dtb_fail(err, -FDT_ERR_BADVALUE, "%s: it is for %s, not for this tree", path,
			 fdt_stringlist_get(overlay, 0, "compatible", 0, NULL));
	else if (overlay && !dtb_address_conflict(fdt, overlay, err))
		result = dtb_apply(fdt, overlay, ROOM_FOR_LABELS, err);
	free(overlay);
	free(fdt);
	return result;
}

static int merge(int argc, char **argv)
{
	struct base base = { 0 };
	struct dtb_error err = { 0 };
	void *fdt;
	int i, ret = 1;

	while ((i = getopt(argc, argv, "l:")) > 0) {
		if (i != 'l')
			return 2;
		base.map = optarg;
	}
	if (argc - optind < 2)
		return 2;
	base.name = argv[optind];
	fdt = open_base(&base, NULL, &err);
	for (i = optind + 2; fdt && i < argc; i++)
		fdt = put(fdt, argv[i], &err);
	if (fdt)
		ret = dtb_write(argv[optind + 1], fdt, &err) != 0;
	if (ret)
		fprintf(stderr, "dt-apply: %s\n", err.text);
	free(fdt);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = 2;

	if (argc > 2 && !strcmp(argv[1], "check"))
		ret = check(argc - 1, argv + 1);
	else if (argc == 3 && !strcmp(argv[1], "labels"))
		ret = labels(argv[2]);
	else if (argc > 3 && !strcmp(argv[1], "merge"))
		ret = merge(argc - 1, argv + 1);
	if (ret == 2)
		fprintf(stderr,
			"usage: dt-apply check [-j N] [-c] [-v] [-o DIR] OVERLAY... <BASES\n"
			"       dt-apply labels TREE\n"
			"       dt-apply merge [-l MAP] BASE OUT [OVERLAY...]\n");
	return ret;
}
