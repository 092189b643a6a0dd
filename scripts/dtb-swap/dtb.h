/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device trees as files: read, label, apply, look for conflicts. What dtb-swap does
 * on a device and what the verifiers do beside the sources is the same code.
 *
 * Errors are negative FDT_ERR_ codes of libfdt, with a sentence in struct dtb_error that
 * names the cause.
 */
#ifndef DTB_H
#define DTB_H

#include <libfdt.h>
#include <stdbool.h>
#include <stddef.h>

#define MOST_ARGS 16	/* of a reference, by its #...-cells */

/* struct dtb_error - what went wrong: libfdt's code, and one line for people */
struct dtb_error {
	int code;
	char text[1024];
};

/**
 * struct dtb_label - a label and the node that it stands for
 * @name: as in the source, "i2c1"
 * @path: "/soc@0/bus@30800000/i2c@30a20000"
 * @node: offset in the tree that was last looked at, or -FDT_ERR_NOTFOUND
 */
struct dtb_label {
	const char *name;
	const char *path;
	int node;
};

/**
 * struct dtb_labels - a label map, read from a file
 * @list: sorted by path
 * @count: of @list
 * @text: what the strings point into
 */
struct dtb_labels {
	struct dtb_label *list;
	size_t count;
	char *text;
};

/**
 * struct dtb_line - a GPIO that a device uses
 * @chip: phandle of the controller
 * @bank: of the controller, 0 where it has none
 * @line: its number there
 * @node: offset of the device
 */
struct dtb_line {
	unsigned int chip;
	unsigned int bank;
	unsigned int line;
	int node;
};

/* struct dtb_lines - the GPIOs that a tree uses, sorted by chip, bank and line */
struct dtb_lines {
	struct dtb_line *list;
	size_t count;
	size_t room;
};

int dtb_fail(struct dtb_error *err, int code, const char *format, ...);

int dtb_aliases(const void *fdt, const char *name, struct dtb_error *err);
int dtb_check(const void *fdt, size_t size, const char *name, struct dtb_error *err);
void *dtb_read(const char *path, struct dtb_error *err);
void *dtb_copy(const void *fdt, size_t room, struct dtb_error *err);
bool dtb_write_all(int fd, const char *data, size_t size);
int dtb_write(const char *path, const void *fdt, struct dtb_error *err);
const char *dtb_path(const void *fdt, int node, char *path, size_t size);
bool dtb_enabled(const void *fdt, int node);
bool dtb_claims(const void *overlay, const void *fdt);

int dtb_labels_read(struct dtb_labels *map, const char *path, struct dtb_error *err);
void dtb_labels_free(struct dtb_labels *map);
int dtb_labels_locate(struct dtb_labels *map, const void *fdt, struct dtb_error *err);
int dtb_labels_add(struct dtb_labels *map, void *fdt, struct dtb_error *err);
void dtb_labels_first(void *fdt);
const char *dtb_label_path(const void *fdt, const char *label);
void dtb_label_nearest(const void *fdt, const char *label, char *text, size_t size);

int dtb_fragments(const void *overlay, struct dtb_error *err);
void *dtb_apply(const void *fdt, const void *overlay, size_t room, struct dtb_error *err);
int dtb_target(const void *fdt, const void *overlay, int fragment, struct dtb_error *err);

int dtb_address_conflict(const void *fdt, const void *overlay, struct dtb_error *err);
bool dtb_uses_lines(const void *fdt);
int dtb_lines_read(struct dtb_lines *lines, const void *fdt, struct dtb_error *err);
bool dtb_share_line(const void *fdt, int one, int two);
int dtb_line_conflict(const struct dtb_lines *before, const struct dtb_lines *after,
		      const void *fdt, struct dtb_error *err);

#endif
