// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libFuzzer calls: TARGET is the function that gets the input. Each holds what the
 * tool makes of it against what has to be true of any input.
 *
 * The first byte of an input with trees says whether it has the bytes of a file (odd), or
 * steps of which every sequence makes a tree: see build().
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "cli.h"
#include "install.h"
#include "try.h"

/* That of cli.c, which has a main() of its own; nothing that is fed here is told. */
void tell(struct call *call)
{
	(void)call;
}

#define ROOM (64 << 10)
#define DEEPEST 70
#define LONGEST 31		/* of a name */
#define GROWTH (256 << 10)
#define HEADER "\x1f\x8b\x08\0\0\0\0\0\0\x03"

struct input {
	const unsigned char *at;
	size_t left;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static unsigned int take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static const void *take_bytes(struct input *in, size_t *size)
{
	const void *at = in->at;

	if (*size > in->left)
		*size = in->left;
	in->at += *size;
	in->left -= *size;
	return at;
}

static void take_name(struct input *in, char *name)
{
	size_t size = take(in) & LONGEST;
	const void *at = take_bytes(in, &size);

	memcpy(name, at, size);
	name[size] = '\0';
}

/* Without spare bytes behind, so that a step too far is seen. */
static void *exact(const void *data, size_t size)
{
	void *copy = malloc(size);

	must(copy, "there is memory");
	return memcpy(copy, data, size);
}

/*
 * A tree of steps: a byte whose last two bits are 1 and a name begin a node, 2 or 3, a name
 * and a value are a property, 0 ends the node. Names and values have their length before.
 */
static void *build(struct input *in)
{
	static unsigned long long tree[ROOM / 8];
	char name[LONGEST + 1];
	int depth = 1;

	fdt_create(tree, sizeof(tree));
	fdt_finish_reservemap(tree);
	fdt_begin_node(tree, "");
	while (depth && in->left) {
		unsigned int step = take(in) & 3;
		const void *value;
		size_t size;

		if (step)
			take_name(in, name);
		if (!step) {
			fdt_end_node(tree);
			depth--;
		} else if (step > 1) {
			size = take(in);
			value = take_bytes(in, &size);
			fdt_property(tree, name, value, size);
		} else if (depth < DEEPEST && *name) {
			depth += !fdt_begin_node(tree, name);
		}
	}
	for (; depth > 0; depth--)
		fdt_end_node(tree);
	return fdt_finish(tree) ? NULL : exact(tree, fdt_totalsize(tree));
}

/* A file whose content is in memory. */
static const char *file_of(const void *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	must(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size, "memory is a file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* The tree that every run begins with; its name is in the environment. */
static const void *base(void)
{
	struct dtb_error err;
	static void *fdt;

	if (!fdt)
		fdt = dtb_read(getenv("FUZZ_BASE"), &err);
	must(fdt, "FUZZ_BASE names a tree");
	return fdt;
}

static struct swap fresh(void)
{
	return (struct swap){ .root = getenv("FUZZ_ROOT") };
}

/* Read from a file as the tool does, so that what is no tree is refused there. */
static void *load(struct swap *swap, struct input *in, unsigned int raw)
{
	void *fdt, *made = raw ? exact(in->at, in->left) : build(in);
	size_t size = raw ? in->left : made ? fdt_totalsize(made) : 0;

	if (raw)
		in->left = 0;
	fdt = made ? load_tree(swap, file_of(made, size)) : NULL;
	free(made);
	return fdt;
}

static void close_report(struct swap *swap)
{
	size_t i;

	for (i = 0; i < swap->report.count; i++) {
		const struct finding *one = &swap->report.list[i];

		must(one->cause && *one->cause, "what is said has a cause");
		must(one->level != LEVEL_REFUSAL || (one->mend && *one->mend),
		     "a refusal has a mend");
	}
	print_report(&swap->report, "fuzz", swap->report.count & 1, false);
	report_free(&swap->report);
}

static bool whole(const void *fdt)
{
	return !fdt_check_full(fdt, fdt_totalsize(fdt));
}

static void fuzz_check(struct input *in)
{
	struct swap swap = fresh();
	void *tree = NULL, *fdt = load(&swap, in, take(in) & 1);

	if (fdt)
		check_tree(&swap, fdt, "fuzz");
	if (fdt && !verdict(&swap.report)) {
		tree = start_tree(&swap, fdt, "fuzz");
		must(!tree || whole(tree), "what is started is a tree");
	}
	close_report(&swap);
	free(tree);
	free(fdt);
}

/* libfdt finds the first of two nodes or properties of one name. */
static bool has_twins(const void *fdt)
{
	int node, one, two;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		const char *name, *other;

		fdt_for_each_subnode(one, fdt, node)
			for (two = fdt_next_subnode(fdt, one); two >= 0;
			     two = fdt_next_subnode(fdt, two))
				if (!strcmp(fdt_get_name(fdt, one, NULL),
					    fdt_get_name(fdt, two, NULL)))
					return true;
		fdt_for_each_property_offset(one, fdt, node)
			for (two = fdt_next_property_offset(fdt, one); two >= 0;
			     two = fdt_next_property_offset(fdt, two)) {
				fdt_getprop_by_offset(fdt, one, &name, NULL);
				fdt_getprop_by_offset(fdt, two, &other, NULL);
				if (!strcmp(name, other))
					return true;
			}
	}
	return false;
}

static void fuzz_diff(struct input *in)
{
	unsigned int how = take(in);
	struct swap swap = fresh();
	void *a = how & 1 ? exact(base(), fdt_totalsize(base())) : load(&swap, in, 0);
	void *b = load(&swap, in, how & 1);

	if (a && b) {
		int there = diff_trees(stdout, a, b, how & 2);
		int back = diff_trees(stdout, b, a, how & 2);

		if (!has_twins(a) && !has_twins(b)) {
			must(!there == !back, "a difference is one from either side");
			must(!diff_trees(stdout, a, a, how & 2), "a tree is not unlike itself");
		}
	}
	close_report(&swap);
	free(a);
	free(b);
}

static bool same(const void *a, const void *b)
{
	return fdt_totalsize(a) == fdt_totalsize(b) && !memcmp(a, b, fdt_totalsize(a));
}

/* What fdtoverlay does. */
static void *peer(const void *fdt, const void *overlay)
{
	struct dtb_error err;
	void *spoilt = dtb_copy(overlay, 0, &err), *result = dtb_copy(fdt, GROWTH, &err);

	if (!spoilt || !result || fdt_overlay_apply(result, spoilt)) {
		free(result);
		result = NULL;
	}
	if (result)
		fdt_pack(result);
	free(spoilt);
	return result;
}

/* What is for a module is a tree, and can be asked for again. */
static void launch(const struct swap *swap, const void *fdt, const void *overlay)
{
	int dropped, again = 0;
	void *less = launcher_takes(swap, overlay, &dropped);
	void *same_one = less ? launcher_takes(swap, less, &again) : NULL;
	struct dtb_error err;

	must(!less || whole(less), "what the launcher takes is a tree");
	must(!same_one || !again, "it takes all of what it takes");
	if (less)
		free(dtb_apply(fdt, less, GROWTH, &err));
	free(same_one);
	free(less);
}

static void fuzz_merge(struct input *in)
{
	unsigned int how = take(in);
	struct swap swap = fresh();
	void *fdt = how & 1 ? exact(base(), fdt_totalsize(base())) : load(&swap, in, 0);
	void *overlay = fdt ? load(&swap, in, how & 1) : NULL, *theirs = NULL, *mine = NULL;
	void *copy = overlay ? exact(fdt, fdt_totalsize(fdt)) : NULL;
	char *path;

	if (overlay) {
		launch(&swap, fdt, overlay);
		path = (char *)file_of(overlay, fdt_totalsize(overlay));
		mine = merge_files(&swap, fdt, &path, 1);
		theirs = mine ? peer(copy, overlay) : NULL;
		fdt = NULL;
		must(mine ? !verdict(&swap.report) : verdict(&swap.report) != KIND_NONE,
		     "merge tells why it gives nothing");
		must(!mine || (theirs && whole(mine) && same(mine, theirs)),
		     "what is merged is what libfdt makes of it");
	}
	close_report(&swap);
	free(copy);
	free(theirs);
	free(mine);
	free(overlay);
	free(fdt);
}

static void fuzz_labels(const char *text)
{
	struct dtb_error err = { 0 };
	struct dtb_labels map;
	void *copy = dtb_copy(base(), GROWTH, &err);

	must(copy, "there is memory");
	if (!dtb_labels_read(&map, file_of(text, strlen(text)), &err)) {
		if (dtb_labels_add(&map, copy, &err) >= 0)
			must(whole(copy), "a tree with labels is a tree");
		dtb_labels_free(&map);
	}
	free(copy);
}

/* A selector as somebody left it: after ours the bootloader takes what we say. */
static void fuzz_text(struct input *in)
{
	unsigned int how = take(in);
	struct family family = { .how = how & 1 ? HOW_CONFIG : HOW_ENV, .file = "selector",
				 .longest = 80, .shortest = how & 2 ? 21 : 0,
				 .substring = how & 4 };
	struct swap swap = fresh();
	struct place place = { .swap = &swap, .family = &family, .key = "device_tree",
			       .boot = "/mnt/boot", .trees = "/mnt/boot" };
	const char *value = how & 16 ? NULL : "swap-some-tree-0123abcd.dtb";
	char *text = strndup((const char *)in->at, in->left), *new, *seen, *again;

	must(text, "there is memory");
	if (how & 8) {
		fuzz_labels(text);
		free(text);
		return;
	}
	place.text = text;
	new = select_text(&place, value);
	must(new, "there is memory");
	seen = family.how == HOW_CONFIG ? config_get(place.key, new) :
					  env_get(&family, place.key, new);
	must(value ? seen && !strcmp(seen, value) : !seen, "what is selected is what was meant");
	if (value)
		select_traps(&place, value, 0);
	place.text = new;
	again = select_text(&place, value);
	must(again && !strcmp(again, new), "the same again changes nothing");
	close_report(&swap);
	free(again);
	free(seen);
	free(new);
	free(text);
}

/* What zlib can unpack is the same here. */
static void fuzz_gzip(struct input *in)
{
	unsigned int whole_file = take(in) & 1;
	size_t head = whole_file ? 0 : sizeof(HEADER) - 1, length = 0;
	unsigned char *data = malloc(head + in->left), *out = malloc(1 << 20);
	z_stream s = { .avail_out = 1 << 20, .next_out = out };
	char *text;
	int end;

	must(data && out && inflateInit2(&s, whole_file ? 31 : -15) == Z_OK, "there is memory");
	memcpy(data, HEADER, head);
	memcpy(data + head, in->at, in->left);
	s.next_in = data + head;
	s.avail_in = in->left;
	end = inflate(&s, Z_FINISH);
	text = inflate_gzip(data, head + in->left, &length);
	if (end == Z_STREAM_END)
		must(text && length == s.total_out && !memcmp(text, out, length),
		     "it is unpacked as by zlib");
	must(!text || text[length] == '\0', "the text ends");
	inflateEnd(&s);
	free(text);
	free(out);
	free(data);
}

/* Below the root of the device. */
static void put_file(const char *name, const void *data, size_t size)
{
	char *path = format_text("%s/%s", getenv("FUZZ_ROOT"), name);
	FILE *file = path ? fopen(path, "w") : NULL;

	must(file && fwrite(data, 1, size, file) == size && !fclose(file), "a file is written");
	free(path);
}

/* The command line of a kernel, and that of the next, and of the one after that. */
static void fuzz_line(struct input *in)
{
	struct swap swap = fresh();
	char *first = NULL, *name;
	int i;

	put_file("proc/cmdline", in->at, in->left);
	free(trial_name(&swap));
	for (i = 0; i < 2; i++) {
		void *tree = start_tree(&swap, base(), "swap-x.dtb");
		const char *line = tree ? fdt_getprop(tree, fdt_path_offset(tree, "/chosen"),
						      "bootargs", NULL) : NULL;

		must(line || verdict(&swap.report), "there is a line, or it is said why not");
		if (!line)
			break;
		put_file("proc/cmdline", line, strlen(line));
		name = trial_name(&swap);
		must(same_text(name, "swap-x.dtb"), "a trial is one of its tree");
		must(!first || same_text(line, first), "a trial from a trial has the same line");
		free(name);
		free(first);
		first = strdup(line);
		free(tree);
	}
	free(first);
	close_report(&swap);
}

/* What is remembered, as somebody left it: what is read is kept by a write. */
static void fuzz_state(struct input *in)
{
	unsigned int how = take(in);
	struct family family = { .how = HOW_ENV, .file = "selector" };
	struct swap swap = fresh();
	struct place place = { .swap = &swap, .family = &family, .key = "device_tree",
			       .boot = "/mnt/boot",
			       .value = how & 1 ? "swap-one-01234567.dtb" : NULL };
	struct state was, is;

	if (how & 2) {
		fuzz_line(in);
		return;
	}
	put_file("mnt/boot/dtb-swap.state", in->at, in->left);
	state_recall(&place);
	state_read(&was, &place);
	must(!was.pending || same_text(was.installed, place.value), "what is pending is selected");
	must(state_write(&was, how & 4 ? &was : NULL, &place), "it can be written");
	state_read(&is, &place);
	must(same_text(was.installed, is.installed) && same_text(was.previous, is.previous) &&
	     was.back == is.back && was.pending == is.pending, "it is read as it was written");
	must(!was.pending || (same_text(was.start, is.start) && same_text(was.seen, is.seen) &&
			      was.boots == is.boots), "so is what is pending");
	state_free(&was);
	state_free(&is);
	state_forget(&place);
	free(place.device);
	close_report(&swap);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct input in = { .at = data, .left = size };

#ifdef PLANTED
	/* For the test of the fuzzer: a step too far, behind a word. */
	if (size == 5 && !memcmp(data, "plant", 5)) {
		char *copy = exact(data, size);

		must(memcmp(copy, data, size + 1) < 256, "nothing");
		free(copy);
	}
#endif
	TARGET(&in);
	return 0;
}
