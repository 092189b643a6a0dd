// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verbs that leave the device as it is: check, diff, merge.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "install.h"

/* Each file has a verdict of its own; the running tree is read for the first that needs it. */
static void check_file(struct call *call, const char *path, void **running)
{
	struct swap own = call->swap;
	const char *passed = call->structure ? "" : " and fits this device";
	void *fdt;

	own.report = (struct report){ 0 };
	fdt = load_tree(&own, path);
	if (fdt && !check_structure(&own, fdt, path) && !call->structure &&
	    !call->swap.modules) {
		if (!*running)
			*running = sys_tree(&own);
		if (*running)
			check_fit(&own, *running, fdt);
		if (!verdict(&own.report))
			check_install(&own, fdt, path);
	}
	if (fdt && call->swap.modules && !verdict(&own.report))
		passed = check_update(&own, fdt) ? " and that kernel drives it" : "";
	if (!verdict(&own.report))
		fact(&own.report, "check", "%s is sound%s", path, passed);
	if (call->count > 1)
		report_name(&own.report, path);
	report_join(&call->swap.report, &own.report);
	free(fdt);
}

/**
 * run_check() - the verb check
 * @call: files of trees
 */
void run_check(struct call *call)
{
	bool ready = !call->swap.modules || modules_there(&call->swap);
	void *running = NULL;
	int i;

	for (i = 0; ready && i < call->count; i++)
		check_file(call, call->words[i], &running);
	free(running);
}

static void tell_differences(struct call *call, const void *a, const void *b)
{
	char *text = NULL, *next, *line;
	size_t size;
	FILE *out = call->json ? open_memstream(&text, &size) : stdout;

	if (out)
		diff_trees(out, a, b, call->all);
	call->swap.report.no_memory |= !out || (call->json && ferror(out));
	if (!out || !call->json)
		return;
	fclose(out);
	next = text;
	while (next && (line = strsep(&next, "\n")))
		if (*line)
			fact(&call->swap.report, "difference", "%s", line);
	free(text);
}

/**
 * run_diff() - the verb diff
 * @call: one tree or two
 */
void run_diff(struct call *call)
{
	struct swap *swap = &call->swap;
	void *a = call->count > 1 ? load_tree(swap, call->words[0]) : sys_tree(swap);
	void *b = load_tree(swap, call->words[call->count - 1]);

	if (a && b)
		tell_differences(call, a, b);
	free(a);
	free(b);
}

/**
 * run_merge() - the verb merge
 * @call: a tree and overlays
 */
void run_merge(struct call *call)
{
	struct dtb_error err = { 0 };
	void *fdt;

	if (!call->out) {
		refuse(&call->swap, KIND_USAGE, "say where to with -o FILE", "merge has no output");
		return;
	}
	fdt = load_tree(&call->swap, call->words[0]);
	if (fdt)
		fdt = merge_files(&call->swap, fdt, call->words + 1, call->count - 1);
	if (fdt && dtb_write(call->out, fdt, &err))
		refuse(&call->swap, KIND_WRITE, "write to another place", "%s", err.text);
	free(fdt);
}
