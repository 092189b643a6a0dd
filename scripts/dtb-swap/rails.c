// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device can lose though nothing in its own node has changed: a rail that the kernel
 * switches off when nobody asks for it, and a GPIO that another device takes first.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "needs.h"

static bool is_regulator(const void *fdt, int node)
{
	int prop;

	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && !strncmp(name, "regulator-", strlen("regulator-")))
			return true;
	}
	return false;
}

/* What is needed, a CPU, a regulator, a PMIC: others may come to switch their supply off. */
static bool holds(const struct need *need, int node)
{
	int child;

	if (!need->stood || need->stood[node] || is_regulator(need->fdt, node) ||
	    fdt_getprop(need->fdt, node, "device_type", NULL) ||
	    fdt_subnode_offset(need->fdt, node, "regulators") >= 0)
		return true;
	fdt_for_each_subnode(child, need->fdt, node)
		if (is_regulator(need->fdt, child))
			return true;
	return false;
}

enum { UNNAMED, NAMED, HELD };

/* By offset, the regulators that a device which is in use names; for free(). */
static unsigned char *named_rails(const struct need *need)
{
	const void *fdt = need->fdt;
	unsigned char *named = calloc(fdt_size_dt_struct(fdt) + 1, 1);
	int node, prop, length;

	for (node = 0; named && node >= 0; node = fdt_next_node(fdt, node, NULL))
		fdt_for_each_property_offset(prop, fdt, node) {
			const char *name = NULL;
			const fdt32_t *cell = fdt_getprop_by_offset(fdt, prop, &name, &length);
			int rail = cell && name && length == 4 && is_supply(name) ?
				   node_numbered(fdt, fdt32_to_cpu(*cell)) : -1;

			if (rail >= 0 && named[rail] != HELD && node_used(fdt, node))
				named[rail] = holds(need, node) ? HELD : NAMED;
		}
	return named;
}

static bool is_kind(const void *fdt, int node, const char *kind)
{
	return !fdt_node_check_compatible(fdt, node, kind);
}

static bool has(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL);
}

static bool take_link(const struct link *link, void *data)
{
	*(struct link *)data = *link;
	return true;
}

/**
 * read_line() - the first GPIO of a property
 * @fdt: tree
 * @node: in it
 * @prop: offset of the property
 * @line: is filled
 *
 * Return: whether there is one
 */
bool read_line(const void *fdt, int node, int prop, struct link *line)
{
	return each_link(fdt, node, prop, take_link, line) == 1 && line->node >= 0;
}

/**
 * same_wire() - whether two GPIOs are the same line
 * @need: has the trees
 * @old: in the running tree
 * @new: in the tree to check
 *
 * The last of several arguments is a flag. Controllers without an address may be elsewhere.
 *
 * Return: true if so
 */
bool same_wire(const struct need *need, const struct link *old, const struct link *new)
{
	int chip = find_device(need->running, old->node, need->fdt);

	return old->count && old->count == new->count &&
	       !memcmp(old->args, new->args, 4 * (old->count - (old->count > 1))) &&
	       (chip < 0 ? same_device(need->running, old->node, need->fdt, new->node) :
			   chip == new->node);
}

/* What switches it; the GPIOs of the second kind choose its voltage. */
static bool switch_of(const void *fdt, int node, struct link *line)
{
	const char *stem = is_kind(fdt, node, "regulator-fixed") ? "gpio" :
			   is_kind(fdt, node, "regulator-gpio") ? "enable-gpio" : NULL;
	size_t length = stem ? strlen(stem) : 0;
	int prop;

	if (!stem)
		return false;
	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && !strncmp(name, stem, length) &&
		    (!name[length] || !strcmp(name + length, "s")))
			return read_line(fdt, node, prop, line);
	}
	return false;
}

/**
 * is_fixed() - whether a rail is on as long as the board is
 * @fdt: tree
 * @node: in it
 *
 * Return: true if nothing can switch it
 */
bool is_fixed(const void *fdt, int node)
{
	struct link line;

	return (is_kind(fdt, node, "regulator-fixed") || is_kind(fdt, node, "regulator-gpio")) &&
	       !switch_of(fdt, node, &line);
}

/* Whether a rail of the new tree drives as it is now a line, or any: trees correct numbers. */
static bool drives(const struct need *need, int old, const struct link *line, int new)
{
	struct link other;

	return switch_of(need->fdt, new, &other) &&
	       (!line || same_wire(need, line, &other)) &&
	       has(need->running, old, "enable-active-high") ==
	       has(need->fdt, new, "enable-active-high") && node_used(need->fdt, new);
}

/* What a line switches comes up after a cold start only where somebody drives that. */
static bool loses_line(const struct need *need, int old, int new, const unsigned char *named)
{
	struct link line;
	int node;

	if (!switch_of(need->running, old, &line) ||
	    (new >= 0 && (need->stood[new] || drives(need, old, NULL, new))))
		return false;
	for (node = 0; node >= 0; node = fdt_next_node(need->fdt, node, NULL))
		if ((named[node] || has(need->fdt, node, "regulator-always-on")) &&
		    drives(need, old, &line, node))
			return false;
	return !is_reset_line(need, &line);
}

/* Whether a rail that is on stays on by itself, or is held by what is needed. */
static bool stays(const struct need *need, int new, const unsigned char *named)
{
	return new < 0 || named[new] == HELD || is_fixed(need->fdt, new) ||
	       !node_used(need->fdt, new) || has(need->fdt, new, "regulator-always-on");
}

/* @old: a rail that is on; named by what is not needed it may go off, as a GPU's or a slot's */
static void check_rail(struct need *need, int old, const unsigned char *named)
{
	struct need inner = *need;
	int new = find_device(need->running, old, need->fdt);
	bool lost = loses_line(need, old, new, named);
	char path[256];

	if (!node_used(need->running, old) || (!lost && stays(need, new, named)))
		return;
	node_shown(need->running, old, path, sizeof(path));
	if (lost) {
		complain(need, "keep it, with its GPIO and enable-active-high",
			 "a GPIO switches %s on now; in the new tree nothing does that%s", path,
			 "");
		return;
	}
	if (named[new])
		inner.level = LEVEL_WARNING;
	complain(&inner, "keep regulator-always-on",
		 "%s is on for good now; in the new tree nobody %s it: it goes off", path,
		 named[new] ? "who is needed asks for" : "asks for");
}

static const void *cpu_supply(const void *fdt, int cpu, int *length)
{
	const void *supply = fdt_getprop(fdt, cpu, "cpu-supply", length);

	return supply ? supply : fdt_getprop(fdt, cpu, "cpu0-supply", length);
}

/* Of CPUs that share frequencies cpufreq asks the first for its supply. */
static bool is_led(const void *fdt, int cpu, const fdt32_t *table)
{
	int node, length, shared = node_numbered(fdt, fdt32_to_cpu(*table));

	if (shared < 0 || !has(fdt, shared, "opp-shared"))
		return false;
	fdt_for_each_subnode(node, fdt, node_above(fdt, cpu)) {
		const fdt32_t *other = fdt_getprop(fdt, node, "operating-points-v2", &length);

		if (node == cpu || (other && length == 4 && *other == *table))
			break;
	}
	return node != cpu;
}

/* Without a supply cpufreq changes the clock, and leaves the voltage as it is. */
static bool outruns(const void *fdt, int cpu)
{
	int length = 0;
	const fdt32_t *table = fdt_getprop(fdt, cpu, "operating-points-v2", &length);

	if (cpu_supply(fdt, cpu, NULL))
		return false;
	return table && length == 4 ? !is_led(fdt, cpu, table) :
				      has(fdt, cpu, "operating-points");
}

static void check_cpu(struct need *need, int old, const unsigned char *named)
{
	int length, new = find_device(need->running, old, need->fdt);
	const fdt32_t *cell = cpu_supply(need->running, old, &length);
	int rail = cell && length == 4 ? node_numbered(need->running, fdt32_to_cpu(*cell)) : -1;
	enum level level = need->level;
	char path[256];

	if (rail < 0)
		return;
	if (!has(need->running, rail, "regulator-always-on"))
		check_rail(need, rail, named);
	need->level = LEVEL_WARNING;	/* the voltage of the start may do */
	if (new >= 0 && outruns(need->fdt, new))
		complain(need, "keep cpu-supply, or drop its operating-points-v2, too",
			 "%s has no cpu-supply in the new tree: it gets fast without the voltage%s",
			 node_shown(need->fdt, new, path, sizeof(path)), "");
	need->level = level;
}

/* A rail of a chip; one with a compatible is a device by itself. */
static bool is_rail(const void *fdt, int node)
{
	return is_regulator(fdt, node) && !has(fdt, node, "compatible") && node_used(fdt, node);
}

static bool has_rail(const void *fdt)
{
	int node;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
		if (is_rail(fdt, node))
			return true;
	return false;
}

/* A PMIC that the running tree does not have is as its firmware left it, all on. */
static void check_chips(struct need *need, const unsigned char *named)
{
	char path[256];
	int node, rail = -1;

	if (has_rail(need->running))
		return;
	for (node = 0; node >= 0; node = fdt_next_node(need->fdt, node, NULL)) {
		if (!is_rail(need->fdt, node))
			continue;
		if (named[node] != UNNAMED || has(need->fdt, node, "regulator-always-on"))
			return;
		rail = rail < 0 ? node : rail;
	}
	if (rail >= 0)
		complain(need, "say regulator-always-on where the board needs it",
			 "%s is new, and nobody holds it or others: they go off%s",
			 node_shown(need->fdt, rail, path, sizeof(path)), "");
}

/**
 * check_rails() - refuse a tree in which a rail goes off that is always on
 * @need: is told
 *
 * As regulator_late_cleanup() of the kernel does, 30 s after the last driver has come up. A
 * regulator without a node is left as it is, and at a cold start off where a GPIO switches it.
 */
void check_rails(struct need need)
{
	unsigned char *named = named_rails(&need);
	int node;

	need.what = "supplies";
	need.swap->report.no_memory |= !named;
	for (node = 0; named && need.stood && node >= 0;
	     node = fdt_next_node(need.running, node, NULL))
		if (fdt_getprop(need.running, node, "regulator-always-on", NULL))
			check_rail(&need, node, named);
	if (named && need.stood)
		check_chips(&need, named);
	need.what = "cpus";
	node = fdt_path_offset(need.running, "/cpus");
	for (node = fdt_first_subnode(need.running, node); named && need.stood && node >= 0;
	     node = fdt_next_subnode(need.running, node))
		check_cpu(&need, node, named);
	free(named);
}

static bool same_line(const struct dtb_line *a, const struct dtb_line *b)
{
	return a->chip == b->chip && a->bank == b->bank && a->line == b->line;
}

/* Whether a device has a line in the running tree, too: where both have, they share it. */
static bool had_line(const struct need *need, const struct dtb_lines *before,
		     const struct dtb_line *line)
{
	int chip = node_numbered(need->fdt, line->chip);
	struct dtb_line old = *line;
	bool had = false;
	size_t i;

	chip = chip < 0 ? chip : find_device(need->fdt, chip, need->running);
	old.chip = chip < 0 ? 0 : fdt_get_phandle(need->running, chip);
	old.node = find_device(need->fdt, line->node, need->running);
	for (i = 0; i < before->count; i++)
		had |= before->list[i].node == old.node && same_line(&before->list[i], &old);
	return had;
}

/**
 * is_within() - tell a device's part: a controller may reset its PHY itself
 * @fdt: tree
 * @node: in it
 * @other: in it
 *
 * Return: true if @node is @other, or below it
 */
bool is_within(const void *fdt, int node, int other)
{
	while (node > 0 && node != other)
		node = node_above(fdt, node);
	return node == other;
}

/* Nobody misses a line where nothing needed stands on it. */
static void check_line(struct need *need, const struct dtb_lines *before,
		       const struct dtb_line *line, const struct dtb_line *other)
{
	int one = line->node, two = other->node;
	char what[64], a[256], b[256];

	if (is_within(need->fdt, one, two) || is_within(need->fdt, two, one) ||
	    !(need->stood[one] | need->stood[two]) || dtb_share_line(need->fdt, one, two) ||
	    (had_line(need, before, line) && had_line(need, before, other)))
		return;
	snprintf(what, sizeof(what), "GPIO %u.%u", line->bank, line->line);
	need->what = what;
	node_shown(need->fdt, one, a, sizeof(a));
	node_shown(need->fdt, two, b, sizeof(b));
	complain(need, "give one of them another GPIO",
		 "%s and %s both want it in the new tree", a, b);
}

/**
 * read_used_lines() - the GPIOs of devices that come up
 * @lines: is filled; its list is for free()
 * @fdt: tree
 *
 * Return: false where there is no memory
 */
bool read_used_lines(struct dtb_lines *lines, const void *fdt)
{
	struct dtb_error err;
	bool good = !dtb_lines_read(lines, fdt, &err);
	size_t i, count = 0;

	for (i = 0; i < lines->count; i++)
		if (node_used(fdt, lines->list[i].node))
			lines->list[count++] = lines->list[i];
	lines->count = count;
	return good;
}

/**
 * check_lines() - refuse a tree in which another device takes a GPIO of one that is needed
 * @need: is told; knows what is needed
 */
void check_lines(struct need need)
{
	struct dtb_lines before = { 0 }, after = { 0 };
	size_t i, j;

	if (!need.stood || !read_used_lines(&before, need.running) ||
	    !read_used_lines(&after, need.fdt))
		need.swap->report.no_memory = true;
	for (i = 0; need.stood && i < after.count; i++)
		for (j = i + 1; j < after.count && j - i < MOST_USERS &&
		     same_line(&after.list[i], &after.list[j]); j++)
			check_line(&need, &before, &after.list[i], &after.list[j]);
	free(before.list);
	free(after.list);
}
