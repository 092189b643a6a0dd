// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two devices at one address of a bus or of one name, or two that drive one GPIO.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtb.h"

#define ROOM (256 << 10)	/* for what an overlay adds */

/* Of an address on a bus; one where that does not say it. */
static int cells_of(const void *fdt, int bus)
{
	int cells = fdt_getprop(fdt, bus, "#address-cells", NULL) ? fdt_address_cells(fdt, bus) : 1;

	return cells < 1 ? 1 : cells;
}

/* The child of a bus that has the address and is in use, or has the same name. */
static int child_at(const void *fdt, int bus, const fdt32_t *address, const char *name)
{
	int child, length, size = 4 * cells_of(fdt, bus);

	fdt_for_each_subnode(child, fdt, bus) {
		const fdt32_t *reg = fdt_getprop(fdt, child, "reg", &length);

		if (!strcmp(fdt_get_name(fdt, child, NULL), name))
			return child;
		if (reg && length >= size && !memcmp(reg, address, size) &&
		    dtb_enabled(fdt, child))
			return child;
	}
	return -FDT_ERR_NOTFOUND;
}

static bool comes_up(const void *after, int node)
{
	return node >= 0 && dtb_enabled(after, node);
}

/*
 * Whether two are in use in the end: overlays of Raspberry Pi put a device out of use where they
 * want another, and later fragments may enable what the first has added.
 */
static bool both_stay(const void *after, const char *bus, const char *name, const char *other)
{
	int parent = fdt_path_offset(after, bus);

	return parent >= 0 && comes_up(after, fdt_subnode_offset(after, parent, name)) &&
	       comes_up(after, fdt_path_offset(after, other));
}

/* Whether a driver may take both for the same. */
static bool is_alike(const void *fdt, int node, const void *overlay, int child)
{
	const char *kind;
	int i;

	for (i = 0; (kind = fdt_stringlist_get(overlay, child, "compatible", i, NULL)); i++)
		if (!fdt_node_check_compatible(fdt, node, kind))
			return true;
	return false;
}

/* What has no address is merged into what has its name: that device would be gone. */
static int name_conflict(const void *fdt, int bus, const void *overlay, int child,
			 struct dtb_error *err)
{
	int other = fdt_subnode_offset(fdt, bus, fdt_get_name(overlay, child, NULL));
	const char *chip = other < 0 ? NULL : fdt_getprop(fdt, other, "compatible", NULL);
	char path[512];

	if (!chip || !dtb_enabled(fdt, other) || is_alike(fdt, other, overlay, child))
		return 0;
	dtb_path(fdt, other, path, sizeof(path));
	return dtb_fail(err, -FDT_ERR_EXISTS, "%s is another device's (%s): give it another name",
			path, chip);
}

/* @after: gets the tree with the overlay at the first address that is taken, for free() */
static int bus_conflict(const void *fdt, int bus, const void *overlay, int contents,
			void **after, struct dtb_error *err)
{
	int child, ret, length, cells = cells_of(fdt, bus);

	fdt_for_each_subnode(child, overlay, contents) {
		const fdt32_t *reg = fdt_getprop(overlay, child, "reg", &length);
		const char *name = fdt_get_name(overlay, child, NULL), *chip;
		char path[512], above[512];
		int other;

		/* Without compatible it changes a device and adds none. */
		chip = fdt_getprop(overlay, child, "compatible", NULL);
		if (!chip)
			continue;
		if (!reg) {
			ret = name_conflict(fdt, bus, overlay, child, err);
			if (ret)
				return ret;
			continue;
		}
		if (length < 4 * cells)
			continue;
		other = child_at(fdt, bus, reg, name);
		if (other < 0)
			continue;
		dtb_path(fdt, other, path, sizeof(path));
		if (!*after)
			*after = dtb_apply(fdt, overlay, ROOM, err);
		dtb_path(fdt, bus, above, sizeof(above));
		if (*after ? !both_stay(*after, above, name, path) : !dtb_enabled(overlay, child))
			continue;
		chip = fdt_getprop(fdt, other, "compatible", NULL);
		return dtb_fail(err, -FDT_ERR_EXISTS,
				"address 0x%x for %s is taken by %s (%s)",
				fdt32_to_cpu(reg[cells - 1]), name, path,
				chip ? chip : "no compatible");
	}
	return 0;
}

/**
 * dtb_address_conflict() - look for devices that an overlay adds at a taken address or name
 * @fdt: the tree without the overlay
 * @overlay: the overlay
 * @err: which they are
 *
 * Return: 0, -FDT_ERR_EXISTS for a conflict, or another negative code
 */
int dtb_address_conflict(const void *fdt, const void *overlay, struct dtb_error *err)
{
	void *after = NULL;
	int fragment, ret = dtb_fragments(overlay, err);

	if (ret)
		return ret;
	fdt_for_each_subnode(fragment, overlay, 0) {
		int bus, contents = fdt_subnode_offset(overlay, fragment, "__overlay__");

		if (contents < 0)
			continue;
		bus = dtb_target(fdt, overlay, fragment, err);
		ret = bus < 0 ? bus : bus_conflict(fdt, bus, overlay, contents, &after, err);
		if (ret)
			break;
	}
	free(after);
	return ret;
}

static bool is_gpio(const char *name)
{
	const char *tail = strrchr(name, '-');

	tail = tail ? tail + 1 : name;
	return !strcmp(tail, "gpios") || !strcmp(tail, "gpio");
}

/**
 * dtb_uses_lines() - whether any node has a GPIO
 * @fdt: a tree or an overlay
 *
 * Return: true if so
 */
bool dtb_uses_lines(const void *fdt)
{
	int node, prop;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		fdt_for_each_property_offset(prop, fdt, node) {
			const char *name;

			fdt_getprop_by_offset(fdt, prop, &name, NULL);
			if (is_gpio(name))
				return true;
		}
	}
	return false;
}

struct chip {
	unsigned int phandle;
	unsigned int cells;
	int node;
};

struct chips {
	struct chip list[256];
	size_t count;
};

static void find_chips(struct chips *chips, const void *fdt)
{
	int node;

	chips->count = 0;
	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		const fdt32_t *cells;
		int length;

		if (!fdt_getprop(fdt, node, "gpio-controller", NULL))
			continue;
		cells = fdt_getprop(fdt, node, "#gpio-cells", &length);
		if (!cells || length != 4 || chips->count == 256 ||
		    !fdt32_to_cpu(*cells) || fdt32_to_cpu(*cells) > MOST_ARGS)
			continue;
		chips->list[chips->count++] = (struct chip){ fdt_get_phandle(fdt, node),
							     fdt32_to_cpu(*cells), node };
	}
}

static int add_line(struct dtb_lines *lines, struct dtb_line line)
{
	if (lines->count == lines->room) {
		size_t room = lines->room ? 2 * lines->room : 64;
		struct dtb_line *list = realloc(lines->list, room * sizeof(*list));

		if (!list)
			return -FDT_ERR_NOSPACE;
		lines->list = list;
		lines->room = room;
	}
	lines->list[lines->count++] = line;
	return 0;
}

/* sunxi has bank and line, the others have the line first. */
static struct dtb_line line_of(const struct chip *chip, const fdt32_t *cell, int node)
{
	bool banks = chip->cells > 2;

	return (struct dtb_line){
		.chip = chip->phandle,
		.bank = banks ? fdt32_to_cpu(cell[0]) : 0,
		.line = fdt32_to_cpu(cell[banks]),
		.node = node,
	};
}

/* <&chip line flags ...>, each as long as the chip says; 0 is a hole. */
static int read_property(struct dtb_lines *lines, const struct chips *chips, int node,
			 const fdt32_t *cell, int count)
{
	int i = 0, ret = 0;

	while (i < count && !ret) {
		const struct chip *chip = chips->list, *end = chip + chips->count;
		unsigned int phandle = fdt32_to_cpu(cell[i++]);

		if (!phandle)
			continue;
		while (chip < end && chip->phandle != phandle)
			chip++;
		if (chip == end || chip->cells < 2 || (int)chip->cells > count - i)
			return 0;
		ret = add_line(lines, line_of(chip, &cell[i], node));
		i += chip->cells;
	}
	return ret;
}

/* <line flags ...>, of the parent. */
static int read_hog(struct dtb_lines *lines, const void *fdt, int node, const struct chips *chips,
		    const fdt32_t *cell, int count)
{
	int parent = fdt_parent_offset(fdt, node);
	const struct chip *chip = chips->list, *end = chip + chips->count;
	int i, ret = 0;

	while (chip < end && chip->node != parent)
		chip++;
	if (chip == end)
		return 0;
	for (i = chip->cells; i <= count && !ret; i += chip->cells)
		ret = add_line(lines, line_of(chip, &cell[i - chip->cells], node));
	return ret;
}

static int by_line(const void *a, const void *b)
{
	const struct dtb_line *one = a, *two = b;

	if (one->chip != two->chip)
		return one->chip < two->chip ? -1 : 1;
	if (one->bank != two->bank)
		return one->bank < two->bank ? -1 : 1;
	return one->line < two->line ? -1 : one->line > two->line;
}

static int read_node(struct dtb_lines *lines, const void *fdt, int node, const struct chips *chips)
{
	bool hog = fdt_getprop(fdt, node, "gpio-hog", NULL);
	int prop, ret = 0;

	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name;
		int length;
		const fdt32_t *cell = fdt_getprop_by_offset(fdt, prop, &name, &length);

		if (!is_gpio(name))
			continue;
		ret = hog ? read_hog(lines, fdt, node, chips, cell, length / 4) :
			    read_property(lines, chips, node, cell, length / 4);
		if (ret)
			break;
	}
	return ret;
}

/**
 * dtb_lines_read() - the GPIOs that the devices of a tree use
 * @lines: is filled; its list is for free()
 * @fdt: the tree
 * @err: why not
 *
 * Return: 0 or a negative code
 */
int dtb_lines_read(struct dtb_lines *lines, const void *fdt, struct dtb_error *err)
{
	struct chips chips;
	int node, ret = 0;

	*lines = (struct dtb_lines){ 0 };
	find_chips(&chips, fdt);
	for (node = 0; node >= 0 && !ret; node = fdt_next_node(fdt, node, NULL)) {
		if (dtb_enabled(fdt, node))
			ret = read_node(lines, fdt, node, &chips);
	}
	if (lines->count)
		qsort(lines->list, lines->count, sizeof(*lines->list), by_line);
	return ret ? dtb_fail(err, ret, "no memory") : 0;
}

static size_t users(const struct dtb_lines *lines, const struct dtb_line *line)
{
	size_t i, count = 0;

	for (i = 0; i < lines->count; i++)
		count += !by_line(&lines->list[i], line);
	return count;
}

/**
 * dtb_share_line() - whether two devices may have one GPIO
 * @fdt: the tree
 * @one: node in it
 * @two: another
 *
 * Return: true for rails, which the kernel then switches off when nobody needs either
 */
bool dtb_share_line(const void *fdt, int one, int two)
{
	static const char high[] = "enable-active-high";

	return !fdt_node_check_compatible(fdt, one, "regulator-fixed") &&
	       !fdt_node_check_compatible(fdt, two, "regulator-fixed") &&
	       !fdt_getprop(fdt, one, high, NULL) == !fdt_getprop(fdt, two, high, NULL);
}

/**
 * dtb_line_conflict() - look for GPIOs that became shared
 * @before: without the overlay
 * @after: with it
 * @fdt: the tree with it
 * @err: which line, and by whom
 *
 * Return: 0, or -FDT_ERR_EXISTS where a line that had a user has one more
 */
int dtb_line_conflict(const struct dtb_lines *before, const struct dtb_lines *after,
		      const void *fdt, struct dtb_error *err)
{
	size_t i;

	for (i = 0; i + 1 < after->count; i++) {
		const struct dtb_line *line = &after->list[i];
		char one[256], two[256], chip[256];

		if (by_line(line, line + 1) || users(before, line) == users(after, line) ||
		    dtb_share_line(fdt, line[0].node, line[1].node))
			continue;
		dtb_path(fdt, line[0].node, one, sizeof(one));
		dtb_path(fdt, line[1].node, two, sizeof(two));
		dtb_path(fdt, fdt_node_offset_by_phandle(fdt, line->chip), chip, sizeof(chip));
		return dtb_fail(err, -FDT_ERR_EXISTS, "GPIO %u.%u of %s is used by %s and by %s",
				line->bank, line->line, chip, one, two);
	}
	return 0;
}
