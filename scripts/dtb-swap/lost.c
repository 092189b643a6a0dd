// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a node in use has in the running tree and no more, or otherwise, in the new one. A property
 * that is left out refers to nothing, so that who follows references does not see it.
 */

#include <stdio.h>
#include <string.h>

#include "needs.h"

static bool is_one_of(const char *name, const char *const *list)
{
	while (*list && strcmp(name, *list))
		list++;
	return *list;
}

/* By these drivers find what is in other properties. */
static const char *const NAMES[] = {
	"clock-names", "reg-names", "interrupt-names", "reset-names", "phy-names",
	"power-domain-names", NULL
};

/*
 * By the first firmware that has no registers is called. The others only a cold start needs: what
 * switches a supply, tells of a card, resets a PHY, or feeds a watchdog.
 */
static const char *const LINES[] = {
	"mboxes", "shmem", "gpio", "gpios", "enable-gpio", "enable-gpios", "enable-active-high",
	"cd-gpio", "cd-gpios", "always-running", "hw_algo", "hw_margin_ms", NULL
};

/* What a PHY or a card of PCI is reset by: drivers and kernels have many names for it. */
static bool is_reset(const char *name)
{
	static const char *const ends[] = { "reset-gpio", "perst-gpio", "ep-gpio" };
	size_t i, length = strlen(name), end;

	length -= length && name[length - 1] == 's';
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		end = strlen(ends[i]);
		if (length >= end && !strncmp(name + length - end, ends[i], end) &&
		    (length == end || strchr("-,", name[length - end - 1])))
			return true;
	}
	return false;
}

static bool is_cold(const char *name)
{
	return is_one_of(name, LINES) || is_reset(name);
}

/*
 * What a driver stands on where it is there. Interrupts are looked at by themselves. Of pins
 * only those of the device itself count: other nodes have some for devices that are not needed.
 */
static bool stands_on(const void *running, int old, const char *name, bool above)
{
	static const char *const itself[] = { "pinctrl-0", "pinctrl-names", NULL };
	static const char *const bridge[] = { "device_type", "ranges", "iommu-map", NULL };
	const char *type = fdt_getprop(running, old, "device_type", NULL);

	if (!strcmp(name, "interrupt-controller") || is_cold(name) ||
	    is_one_of(name, NAMES) || (!above && is_one_of(name, itself)) ||
	    (type && !strcmp(type, "pci") && is_one_of(name, bridge)))
		return true;
	return link_class(name) == LINK_VITAL && strncmp(name, "interrupt", 9) &&
	       strncmp(name, "pinctrl-", 8);
}

/* A regulator that nobody names any more is switched off; one that is not there stays as it is. */
static bool goes_off(const struct need *need, const char *name, const void *value, int length)
{
	int old, new;

	if (!strcmp(name, "mmc-pwrseq"))	/* a disk that is on stays on */
		return strncmp(need->what, "storage", strlen("storage"));
	if (!is_supply(name) || length != 4)
		return true;
	old = node_numbered(need->running, fdt32_ld(value));
	new = old < 0 ? old : find_device(need->running, old, need->fdt);
	if (new < 0 || !node_used(need->fdt, new) ||
	    fdt_getprop(need->fdt, new, "regulator-always-on", NULL))
		return false;
	return !is_fixed(need->fdt, new) || fdt_getprop(need->fdt, new, "vin-supply", NULL);
}

static bool is_used(const struct link *link, void *data)
{
	return link->node >= 0 && node_used(data, link->node);
}

/* Otherwise than by a line. */
static bool tells_card(const void *fdt, int node)
{
	return fdt_getprop(fdt, node, "non-removable", NULL) ||
	       fdt_getprop(fdt, node, "broken-cd", NULL);
}

/* Whether a node has a property, also under the other name that "gpio" and "gpios" have. */
static bool still_has(const void *fdt, int node, const char *name, int wanted)
{
	size_t length = strlen(name);
	char other[40];
	int left = 0;

	if (fdt_getprop(fdt, node, name, &left))
		return left || !wanted;
	if (length >= 4 && length < sizeof(other) - 1 && strstr(name, "gpio")) {
		snprintf(other, sizeof(other), "%ss", name);
		if (name[length - 1] == 's')
			other[length - 1] = '\0';
		return fdt_getprop(fdt, node, other, NULL);
	}
	return false;
}

/* Of the buses behind a bridge: <first-id &iommu first-stream count>. */
static bool is_mapped(const void *running, int old)
{
	int length, iommu = -1;
	const fdt32_t *cell = fdt_getprop(running, old, "iommu-map", &length);

	if (cell && length >= 16)
		iommu = node_numbered(running, fdt32_to_cpu(cell[1]));
	return iommu >= 0 && node_used(running, iommu);
}

/* The phys and supplies of a controller may be those of its ports. */
static bool part_has(const void *fdt, int node, const char *name)
{
	int part;

	if (strcmp(name, "phys") && !is_supply(name))
		return false;
	fdt_for_each_subnode(part, fdt, node)
		if (dtb_enabled(fdt, part) && fdt_getprop(fdt, part, name, NULL))
			return true;
	return false;
}

/* Whether a node that is in use has a line as one that resets. */
static bool resets(const struct need *need, int node, const struct link *line)
{
	int prop;

	fdt_for_each_property_offset(prop, need->fdt, node) {
		const char *name = NULL;
		struct link other;

		fdt_getprop_by_offset(need->fdt, prop, &name, NULL);
		if (name && is_reset(name) && read_line(need->fdt, node, prop, &other) &&
		    same_wire(need, line, &other) && node_used(need->fdt, node))
			return true;
	}
	return false;
}

/**
 * is_reset_line() - whether a device of the new tree is reset by a line
 * @need: has the trees
 * @line: of the running tree
 *
 * Resets move from an Ethernet controller to its bus or PHY, from a bridge to its port, and
 * are no supplies any more.
 *
 * Return: true if so
 */
bool is_reset_line(const struct need *need, const struct link *line)
{
	int node = 0;

	while (node >= 0 && !resets(need, node, line))
		node = fdt_next_node(need->fdt, node, NULL);
	return node >= 0;
}

/* Whether something else stands for a property @prop of @old, or it was for nothing. */
static bool is_excused(const struct need *need, int node, int old, int prop, const char *name)
{
	struct link line;

	if (!strcmp(name, "phy-handle") && fdt_subnode_offset(need->fdt, node, "fixed-link") >= 0)
		return true;
	if (part_has(need->fdt, node, name))
		return true;
	if (!strncmp(name, "cd-gpio", 7) && tells_card(need->fdt, node))
		return true;
	if (is_reset(name) && read_line(need->running, old, prop, &line) &&
	    is_reset_line(need, &line))
		return true;
	if (!strcmp(name, "pinctrl-names"))
		return !fdt_getprop(need->fdt, node, "pinctrl-0", NULL);
	if (!strcmp(name, "iommu-map"))
		return !is_mapped(need->running, old);
	if (!strcmp(name, "reg-names"))	/* fewer addresses have other names */
		return !same_place(need->running, old, need->fdt, node);
	return !each_link(need->running, old, prop, is_used, (void *)need->running);
}

/* Many drivers take their only clock, or address, without a name. */
static bool only_name(const void *running, int old, const char *name)
{
	return is_one_of(name, NAMES) && fdt_stringlist_count(running, old, name) == 1;
}

/* A property that is left out refers to nothing, and may be missed all the same. */
static bool gets_along(const struct need *need, int old, const char *name, const void *value,
		       int length)
{
	if (!fdt_getprop(need->running, old, "reg", NULL) && !is_cold(name))
		return true;	/* trees correct what has no registers */
	if (need->kept && need->prop && !strcmp(need->prop, "interconnects"))
		return true;	/* drivers came to ask firmware for the clocks of a bus */
	return !goes_off(need, name, value, length) || only_name(need->running, old, name) ||
	       (need->kept && is_one_of(name, NAMES));
}

/* What drivers do not read, what bootloaders add, and what is judged elsewhere. */
static bool is_quiet(const char *name)
{
	static const char *const quiet[] = {
		"compatible", "model", "status", "phandle", "linux,phandle", "name", "reg",
		"#address-cells", "#size-cells", "ranges", "local-mac-address", "mac-address",
		"non-removable", "broken-cd", "dr_mode", "serial-number", NULL
	};

	return is_one_of(name, quiet) || !strncmp(name, "boardpack,", 10) ||
	       !strncmp(name, "bootph-", 7) ||
	       !strncmp(name, "u-boot,", 7) || !strncmp(name, "interrupt", 9);
}

/* Whether a cell is the same in both trees, or the number of the same node. */
static bool same_cell(const struct need *need, fdt32_t was, fdt32_t is)
{
	int old = was == is ? 0 : node_numbered(need->running, fdt32_to_cpu(was));
	int new = old > 0 ? node_numbered(need->fdt, fdt32_to_cpu(is)) : -1;

	return was == is || (new > 0 && find_device(need->running, old, need->fdt) == new);
}

/**
 * same_value() - whether a property says the same in both trees
 * @need: has the trees
 * @was: in the running one
 * @is: in that to check
 * @length: of both
 *
 * Return: true if so, also where the same node has another number
 */
bool same_value(const struct need *need, const void *was, const void *is, int length)
{
	int i;

	if (length % 4)
		return !memcmp(was, is, length);
	for (i = 0; i < length / 4; i++)
		if (!same_cell(need, ((const fdt32_t *)was)[i], ((const fdt32_t *)is)[i]))
			return false;
	return true;
}

/* Another line, or flag of one: a card that is there when it is not, a PHY that stays reset. */
static bool is_line(const char *name)
{
	return link_class(name) == LINK_KEPT && strstr(name, "gpio");
}

/* Whether a property that is not judged elsewhere is another, or none, in the new tree. */
static bool differs(const struct need *need, int node, int old, int prop, bool above,
		    const char **name)
{
	int length, left;
	const void *was = fdt_getprop_by_offset(need->running, prop, name, &length);
	const void *is = was ? fdt_getprop(need->fdt, node, *name, &left) : NULL;
	bool other = is && (left != length || !same_value(need, was, is, length));

	if (was && is_line(*name))
		return other;
	if (!was || above || is_quiet(*name) || link_class(*name) != LINK_NONE ||
	    stands_on(need->running, old, *name, false))
		return false;
	return is ? other : !still_has(need->fdt, node, *name, length);
}

/*
 * Nobody knows all that drivers read: what else is another in the device itself is told, and of
 * what that needs the lines.
 */
static void tell_others(struct need *need, int node, int old, bool above, const char *path)
{
	enum level level = need->level;
	char others[200] = "";
	size_t used = 0;
	int prop;

	fdt_for_each_property_offset(prop, need->running, old) {
		const char *name = NULL;

		if (differs(need, node, old, prop, above, &name) &&
		    used + strlen(name) + 3 < sizeof(others))
			used += snprintf(others + used, sizeof(others) - used, "%s%s",
					 used ? ", " : "", name);
	}
	need->level = LEVEL_WARNING;
	if (used)
		complain(need, "see with dtb-swap diff what its driver will make of that",
			 "%s has another, or no, %s in the new tree", path, others);
	need->level = level;
}

/**
 * check_kept() - refuse a tree where a node has lost what its driver stands on
 * @need: is told
 * @node: in the tree to check
 * @old: the same in the running tree
 * @above: it is not the device itself that is needed
 */
void check_kept(struct need *need, int node, int old, bool above)
{
	enum level level = need->level;
	char path[256];
	int prop;

	node_shown(need->fdt, node, path, sizeof(path));
	fdt_for_each_property_offset(prop, need->running, old) {
		const char *name = NULL;
		int length;
		const void *value = fdt_getprop_by_offset(need->running, prop, &name, &length);

		if (!name || !stands_on(need->running, old, name, above) ||
		    still_has(need->fdt, node, name, length) ||
		    is_excused(need, node, old, prop, name))
			continue;
		if (gets_along(need, old, name, value, length))
			need->level = LEVEL_WARNING;
		complain(need, KEEP, "%s has no %s in the new tree", path, name);
		need->level = level;
	}
	tell_others(need, node, old, above, path);
}
