// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec_load() on arm64: where the parts go, and the few instructions that start a kernel.
 *
 * kexec_file_load() cannot take another tree: it copies the running one.
 */

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "try.h"

#define PAGE 4096ull
#define MEGA 1048576ull
#define MOST_RANGES 4096
#define AARCH64 (183ul << 16)
#define PARTS 4

struct range {
	unsigned long long first;
	unsigned long long last;
	bool reserved;
};

struct segment {
	const void *data;
	size_t size;
	size_t at;
	size_t room;
};

/* /proc/iomem: memory, and what of it belongs to others, indented below it. */
static size_t read_ranges(struct swap *swap, struct range *ranges)
{
	char *text = sys_read(swap, "/proc/iomem", NULL), *next = text, *line;
	size_t count = 0;

	while (next && (line = strsep(&next, "\n")) && count < MOST_RANGES) {
		struct range *range = &ranges[count];
		const char *name = read_iomem(line, &range->first, &range->last);

		if (!name)
			continue;
		range->reserved = !strcmp(name, "reserved") || !strcmp(name, "Crash kernel");
		if (range->reserved || !strcmp(name, "System RAM"))
			count++;
	}
	free(text);
	return count;
}

static unsigned long long align_up(unsigned long long at, unsigned long long to)
{
	return (at + to - 1) / to * to;
}

/* The lowest place of a size in a memory range that overlaps nothing reserved. */
static unsigned long long find_hole(const struct range *ranges, size_t count, size_t size)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		unsigned long long at = align_up(ranges[i].first, 2 * MEGA);

		for (j = 0; !ranges[i].reserved && j < count; j++) {
			if (!ranges[j].reserved || ranges[j].last < at ||
			    ranges[j].first >= at + size)
				continue;
			at = align_up(ranges[j].last + 1, 2 * MEGA);
			j = -1;		/* from the beginning again */
		}
		if (!ranges[i].reserved && at + size <= ranges[i].last + 1)
			return at;
	}
	return 0;
}

static void put_after(struct part *part, unsigned long long *at)
{
	part->at = *at;
	part->room = align_up(part->room > part->size ? part->room : part->size, PAGE);
	*at = align_up(part->at + part->room, 64 * 1024);
}

/* Documentation/arch/arm64/booting.rst; for zImage arch/arm/boot/compressed/head.S */
static bool read_header(struct swap *swap, struct start *start)
{
	unsigned long long words[4];
	const char *data = start->kernel.data;

	if (start->kernel.size > 40 && !memcmp(data + 36, "\x18\x28\x6f\x01", 4)) {
		refuse(swap, KIND_KERNEL, "dtb-swap try --pending",
		       "the kernel is for 32-bit ARM, and only arm64 is started by kexec");
		return false;
	}
	if (start->kernel.size < 64 || memcmp(data + 56, "ARM\x64", 4)) {
		refuse(swap, KIND_KERNEL, "name the file Image of this kernel with --kernel",
		       "the kernel is no arm64 Image");
		return false;
	}
	memcpy(words, data, sizeof(words));
	start->text_offset = le64toh(words[1]);
	start->kernel.room = le64toh(words[2]);
	return true;
}

/**
 * start_place() - decide where the parts go
 * @swap: is told why they cannot
 * @start: has the kernel, and the sizes of the others; gets their places
 *
 * Return: true if there is room for all
 */
bool start_place(struct swap *swap, struct start *start)
{
	struct range *ranges = calloc(MOST_RANGES, sizeof(*ranges));
	unsigned long long at, size;
	size_t count;

	if (!ranges || !read_header(swap, start)) {
		free(ranges);
		return false;
	}
	count = read_ranges(swap, ranges);
	size = align_up(start->kernel.room + start->text_offset, PAGE) + start->tree.room +
	       start->initrd.size + MEGA;
	at = find_hole(ranges, count, size);
	free(ranges);
	if (!at) {
		refuse(swap, count ? KIND_ROOM : KIND_RIGHTS, "run it as root, free some memory",
		       "no %llu MB of memory in one piece", size >> 20);
		return false;
	}
	at += start->text_offset;
	put_after(&start->kernel, &at);
	put_after(&start->tree, &at);
	put_after(&start->initrd, &at);
	return true;
}

static struct segment segment_of(const struct part *part)
{
	return (struct segment){ part->data, part->size, part->at, part->room };
}

/**
 * start_load() - hand it all to the running kernel
 * @swap: is told why it does not take it
 * @start: complete
 *
 * Return: true if the kernel will start it on kexec
 */
bool start_load(struct swap *swap, const struct start *start)
{
	unsigned int code[12] = {
		0x58000111,	/* ldr x17, kernel */
		0x58000120,	/* ldr x0, tree */
		0xaa1f03e1,	/* mov x1, xzr */
		0xaa1f03e2,	/* mov x2, xzr */
		0xaa1f03e3,	/* mov x3, xzr */
		0xd61f0220,	/* br x17 */
		0xd503201f, 0xd503201f,
	};
	struct part jump = { .data = code, .size = sizeof(code), .room = PAGE };
	unsigned long long end = start->initrd.at + start->initrd.room;
	struct segment segments[PARTS];
	size_t count = 0;

	memcpy(&code[8], &start->kernel.at, 8);
	memcpy(&code[10], &start->tree.at, 8);
	jump.at = align_up(end, PAGE);
	segments[count++] = segment_of(&start->kernel);
	segments[count++] = segment_of(&start->tree);
	if (start->initrd.size)
		segments[count++] = segment_of(&start->initrd);
	segments[count++] = segment_of(&jump);
	if (!syscall(SYS_kexec_load, (unsigned long)jump.at, count, segments, AARCH64))
		return true;
	refuse(swap, errno == EPERM ? KIND_RIGHTS : KIND_KERNEL,
	       "a kernel with CONFIG_KEXEC, not locked down; or try --pending",
	       "the running kernel does not take another one: %s", strerror(errno));
	return false;
}

/**
 * start_unload() - take back what start_load() has handed over
 */
void start_unload(void)
{
	syscall(SYS_kexec_load, 0ul, 0ul, NULL, AARCH64);
}
