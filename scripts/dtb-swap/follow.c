// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device that is needed needs in turn: controllers, supplies, buses. All of it has to
 * be in use in the new tree, and where it was.
 */

#include <stdlib.h>
#include <string.h>

#include "needs.h"

#define DEEPEST 40

/**
 * complain() - say what is wrong with what is needed
 * @need: what it is; its level tells whether it stops anything
 * @mend: what to do about it
 * @format: the cause, with two texts
 * @a: the first
 * @b: the second
 */
void complain(struct need *need, const char *mend, const char *format, const char *a,
	      const char *b)
{
	char *text = format_text(format, a, b);

	if (text)
		say(&need->swap->report, need->level, KIND_NEED, mend, "%s: %s", need->what, text);
	else
		need->swap->report.no_memory = true;
	free(text);
}

/**
 * node_used() - whether a node and all above it are enabled
 * @fdt: the tree
 * @node: in it
 *
 * Return: true if so
 */
bool node_used(const void *fdt, int node)
{
	for (; node > 0; node = node_above(fdt, node))
		if (!dtb_enabled(fdt, node))
			return false;
	return true;
}

static bool same_in_running(const struct need *need, int node)
{
	int other = find_device(need->fdt, node, need->running);

	return other >= 0 && !node_used(need->running, other);
}

/* A clock controller lives without those clocks that PHYs give back to it. */
static bool gives_back(const struct need *need, const struct link *link)
{
	return !strcmp(need->prop, "clocks") &&
	       fdt_getprop(need->fdt, need->from, "#clock-cells", NULL) &&
	       fdt_getprop(need->fdt, link->node, "#phy-cells", NULL);
}

/* Not 0, at which many PHYs answer, too. */
static bool has_own_address(const void *fdt, int phy)
{
	int length;
	const fdt32_t *reg = fdt_getprop(fdt, phy, "reg", &length);

	return reg && length == 4 && *reg;
}

/* A PHY answers at the address that it is wired for. */
static void check_phy(struct need *need, int phy)
{
	int old = find_device(need->fdt, need->from, need->running), length;
	const fdt32_t *cell = old < 0 ? NULL :
			      fdt_getprop(need->running, old, "phy-handle", &length);
	int was = cell && length == 4 ? node_numbered(need->running, fdt32_to_cpu(*cell)) : -1;
	char path[256];

	if (was >= 0 && has_own_address(need->running, was) && has_own_address(need->fdt, phy) &&
	    !same_place(need->running, was, need->fdt, phy))
		complain(need, "give it the reg that it has now",
			 "%s has another address on its bus%s",
			 node_shown(need->fdt, phy, path, sizeof(path)), "");
}

static bool follow_link(const struct link *link, void *data)
{
	struct need *need = data;
	char path[256], from[256];

	if (link->node < 0) {
		node_shown(need->fdt, need->from, from, sizeof(from));
		complain(need, KEEP, "%s of %s refers to a node that is not there", need->prop,
			 from);
		return true;
	}
	if (need->seen[link->node] || gives_back(need, link))
		return false;
	if (!strcmp(need->prop, "phy-handle"))
		check_phy(need, link->node);
	if (node_used(need->fdt, link->node) || same_in_running(need, link->node)) {
		follow(need, link->node);
		return false;
	}
	need->seen[link->node] = 1;
	node_shown(need->fdt, need->from, from, sizeof(from));
	node_shown(need->fdt, link->node, path, sizeof(path));
	complain(need, "set its status to \"okay\"", "%s, which %s needs, is disabled", path, from);
	return false;
}

static bool dangles(const struct link *link, void *data)
{
	(void)data;
	return link->node < 0;
}

/* Whether a property that cannot be read is one that can be in the running tree. */
static bool read_before(const struct need *need, int node, const char *name)
{
	int prop, old = find_device(need->fdt, node, need->running);

	if (old < 0)
		return false;
	fdt_for_each_property_offset(prop, need->running, old) {
		const char *other = NULL;

		fdt_getprop_by_offset(need->running, prop, &other, NULL);
		if (other && !strcmp(other, name))
			return !each_link(need->running, old, prop, dangles, NULL);
	}
	return false;
}

/* @old: the same device in the running tree, or negative */
static void follow_links(struct need *need, int node, int old)
{
	enum link_class class;
	int prop;

	fdt_for_each_property_offset(prop, need->fdt, node) {
		struct need inner = *need;
		size_t said = need->swap->report.count;
		char path[256];

		inner.depth++;
		inner.from = node;
		fdt_getprop_by_offset(need->fdt, prop, &inner.prop, NULL);
		class = inner.prop ? link_class(inner.prop) : LINK_NONE;
		if (class != LINK_VITAL && (class != LINK_KEPT || old < 0 ||
					    !fdt_getprop(need->running, old, inner.prop, NULL)))
			continue;
		inner.kept = class == LINK_KEPT;
		if (each_link(need->fdt, node, prop, follow_link, &inner) >= 0 ||
		    said != need->swap->report.count || !read_before(need, node, inner.prop))
			continue;
		node_shown(need->fdt, node, path, sizeof(path));
		complain(need, "give what it refers to its #...-cells",
			 "%s of %s cannot be read", inner.prop, path);
	}
}

static void check_address(struct need *need, int node, int old)
{
	char path[256];

	bool moved = address_differs(need->running, old, need->fdt, node, 0);

	/* The second is the CPUs' side of it. */
	if (fdt_getprop(need->running, old, "interrupt-controller", NULL))
		moved |= address_differs(need->running, old, need->fdt, node, 1);
	if (!moved)
		return;
	node_shown(need->fdt, node, path, sizeof(path));
	complain(need, "give it its reg, and the buses above it their ranges and #...-cells",
		 "%s has another address in the new tree, or none%s", path, "");
}

/* Whether the kernel makes devices of the nodes on a bus by itself. */
static bool populates(const void *fdt, int node)
{
	static const char *const names[] = {
		"simple-bus", "simple-mfd", "simple-pm-bus", "isa", "arm,amba-bus",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!fdt_node_check_compatible(fdt, node, names[i]))
			return true;
	return false;
}

/* Their drivers are found by what they answer. */
static bool is_phy(const void *fdt, int node)
{
	const char *name = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);

	return name && !strncmp(name, "ethernet-phy", strlen("ethernet-phy"));
}

/* PHYs are asked where they have no interrupt. */
static bool polls(const struct need *need, bool first)
{
	return first && need->prop && !strcmp(need->prop, "phy-handle");
}

/* What a node is without a chip, which only software makes it, and what its driver has to know. */
static const struct row {
	enum { CLOCK, REGULATOR } sort;
	const char *kind;
	const char *name;
} ROWS[] = {
	{ CLOCK,	"fixed-clock",		"clock-frequency" },
	{ CLOCK,	"fixed-factor-clock",	"clock-div" },
	{ CLOCK,	"fixed-factor-clock",	"clock-mult" },
	{ REGULATOR,	"regulator-fixed",	"regulator-name" },
	{ REGULATOR,	"regulator-gpio",	"regulator-name" },
};

/* The rows of a node's kind, one after the other. */
static const struct row *next_row(const void *fdt, int node, const struct row *row)
{
	for (row = row ? row + 1 : ROWS; row < ROWS + sizeof(ROWS) / sizeof(*ROWS); row++)
		if (!fdt_node_check_compatible(fdt, node, row->kind))
			return row;
	return NULL;
}

/* Clocks that nobody has given a frequency have 0. */
static bool tells(const void *fdt, int node, const char *name)
{
	int length = 0, i;
	const char *value = fdt_getprop(fdt, node, name, &length);

	for (i = 0; i < length; i++)
		if (value[i])
			return true;
	return false;
}

static void check_rows(struct need *need, int node, int old)
{
	const struct row *row = NULL;
	char path[256];

	while ((row = next_row(need->fdt, node, row))) {
		bool same = !fdt_node_check_compatible(need->running, old, row->kind);

		if ((same && !tells(need->running, old, row->name)) ||
		    tells(need->fdt, node, row->name))
			continue;
		node_shown(need->fdt, node, path, sizeof(path));
		complain(need, KEEP, "%s has no %s in the new tree", path, row->name);
	}
}

/* Fixed clocks need no device: CLK_OF_DECLARE() finds them wherever they are. */
static bool only_clocks(const void *fdt, int bus)
{
	const struct row *row;
	int node;

	fdt_for_each_subnode(node, fdt, bus) {
		row = next_row(fdt, node, NULL);
		if (!row || row->sort != CLOCK)
			return false;
	}
	return true;
}

/* A clock that is had in another way, a supply that now has a line that switches it. */
static bool same_sort(const struct need *need, int node, int old)
{
	const struct row *was = next_row(need->running, old, NULL);
	const struct row *is = next_row(need->fdt, node, NULL);

	return was && is && was->sort == is->sort;
}

/* Of a bus without registers only matters that devices are made of what is on it. */
static bool is_other(const struct need *need, int node, int old)
{
	bool reg = fdt_getprop(need->running, old, "reg", NULL);

	if (!reg && (!node || populates(need->running, old) ||
		     fdt_stringlist_count(need->running, old, "compatible") < 1))
		return false;
	return !is_phy(need->running, old) && !is_phy(need->fdt, node) &&
	       !same_device(need->running, old, need->fdt, node) && !same_sort(need, node, old);
}

/* The same node of the running tree works. */
static void check_same(const struct need *all, int node, int old, bool above)
{
	struct need own = *all, *need = &own;
	char path[256];

	check_kept(need, node, old, above);
	check_names(need, node, old, above);
	check_values(need, node, old, above);
	check_role(need, node, old);
	check_rows(need, node, old);
	node_shown(need->fdt, node, path, sizeof(path));
	if (need->kept || is_itself(need, old, node))
		own.level = LEVEL_WARNING;
	if (above && is_other(need, node, old))
		complain(need, KEEP, "%s is another device in the new tree%s", path, "");
	own.level = all->level;
	if (populates(need->running, old) && !populates(need->fdt, node) &&
	    !only_clocks(need->fdt, node))
		complain(need, "add simple-bus to its compatible",
			 "no devices are made of what is on %s in the new tree%s", path, "");
}

/* Of what is on such a bus the kernel makes devices where it has a compatible. */
static bool is_no_device(const void *fdt, int node)
{
	int bus = node_above(fdt, node);

	return (!bus || (bus > 0 && populates(fdt, bus))) &&
	       fdt_stringlist_count(fdt, node, "compatible") < 1;
}

static void check_new(struct need *need, int node)
{
	char path[256], from[256];

	/* Groups of pins and GPIOs are a part of their controller, wherever they stand. */
	if (!strncmp(need->prop, "pinctrl-", 8) || !is_no_device(need->fdt, node) ||
	    fdt_getprop(need->fdt, node, "gpio-controller", NULL))
		return;
	node_shown(need->fdt, node, path, sizeof(path));
	node_shown(need->fdt, need->from, from, sizeof(from));
	complain(need, "give it its compatible", "%s, which %s needs, is no device", path, from);
}

static void follow_port(struct need *need, int node, int old)
{
	struct need inner = *need;
	int port = old < 0 ? old : lane_port(need, node, old);

	inner.depth++;
	if (port >= 0)
		follow(&inner, port);
}

/**
 * follow() - refuse a tree where something that a node needs is not in use, or not where it was
 * @need: is told; knows what was looked at
 * @node: in the tree to check; those above it count, up to the root, whose interrupt-parent is
 *	for all
 */
void follow(struct need *need, int node)
{
	bool above = need->depth;
	int first = node, old;

	for (; node >= 0 && need->depth < DEEPEST; node = node_above(need->fdt, node)) {
		if (need->seen[node])
			break;
		need->seen[node] = 1;
		if (need->stood && need->level == LEVEL_REFUSAL)
			need->stood[node] = 1;
		old = find_device(need->fdt, node, need->running);
		if (old >= 0) {
			check_address(need, node, old);
			check_same(need, node, old, above);
			if (polls(need, node == first))
				check_polled(need, node, old);
			else if (above)
				check_irqs(need, old, node, true);
		} else if (above && node == first) {
			check_new(need, node);
		}
		follow_links(need, node, old);
		if (!above && old >= 0)
			follow_parts(need, node, old);
		follow_port(need, node, old);
		above = true;
	}
}

/**
 * follow_from() - refuse a tree where something that a node needs is not in use
 * @need: is told
 * @node: in the tree to check
 */
void follow_from(struct need *need, int node)
{
	need->seen = calloc(fdt_size_dt_struct(need->fdt) + 1, 1);
	if (need->seen)
		follow(need, node);
	else
		need->swap->report.no_memory = true;
	free(need->seen);
	need->seen = NULL;
}

static bool leads_to(const struct link *link, void *data)
{
	return link->node == *(int *)data;
}

/* Whether a device in use has its interrupts from a controller that it names. */
static bool has_clients(const void *fdt, int controller)
{
	int node, prop;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
		fdt_for_each_property_offset(prop, fdt, node) {
			const char *name = NULL;

			fdt_getprop_by_offset(fdt, prop, &name, NULL);
			if (name && !strncmp(name, "interrupt", 9) &&
			    each_link(fdt, node, prop, leads_to, &controller) == 1 &&
			    node_used(fdt, node))
				return true;
		}
	return false;
}

/* An expander on I2C or SPI drives its lines without an interrupt of its own. */
static bool only_drives(const void *fdt, int node)
{
	int bus = node_above(fdt, node), length;
	const fdt32_t *cells = bus < 0 ? NULL : fdt_getprop(fdt, bus, "#size-cells", &length);

	return cells && length == 4 && !*cells && fdt_getprop(fdt, node, "gpio-controller", NULL) &&
	       !has_clients(fdt, node);
}

/* Its interrupts are the CPU's, which no tree corrects; without them the kernel hangs. */
static bool is_timer(const void *fdt, int node)
{
	return !fdt_node_check_compatible(fdt, node, "arm,armv8-timer") ||
	       !fdt_node_check_compatible(fdt, node, "arm,armv7-timer");
}

/**
 * check_irqs() - refuse a tree where a device has lost its interrupts
 * @need: is told
 * @old: the device in the running tree
 * @new: the same in the tree to check
 * @above: it is not the device itself that is needed
 */
void check_irqs(struct need *need, int old, int new, bool above)
{
	struct need inner = *need;
	bool sure = true;
	const char *wrong = irqs_differ(need->running, old, need->fdt, new, &sure);
	char path[256];

	if (!wrong)
		return;
	if ((!sure && !is_timer(need->running, old)) || (above && only_drives(need->fdt, new)))
		inner.level = LEVEL_WARNING;
	complain(&inner, "give it the interrupts that it has now", "%s%s",
		 above ? node_shown(need->fdt, new, path, sizeof(path)) : "it", wrong);
}
