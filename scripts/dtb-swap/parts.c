// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes that are no devices by themselves: what a bus finds, ports of a switch.
 */

#include <ctype.h>
#include <string.h>

#include "needs.h"

/* Of what SDIO finds, Broadcom's asks for no node unless that has its interrupt. */
static bool is_wifi(const void *fdt, int node, const char *name)
{
	size_t length = strlen(name);

	return length > 5 && !strcmp(name + length - 5, "-fmac") &&
	       !fdt_getprop(fdt, node, "interrupts", NULL) &&
	       !fdt_getprop(fdt, node, "interrupts-extended", NULL);
}

/* What is on USB or PCI is found by its bus. */
static bool is_found(const void *fdt, int node)
{
	const char *name = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);

	if (name && (!strncmp(name, "usb", 3) || !strncmp(name, "pci", 3)) &&
	    isxdigit((unsigned char)name[3]))
		return true;
	return name && is_wifi(fdt, node, name);
}

/* Whether a node on a bus switches what it stands for on: a hub does not answer before. */
static bool is_powered(const void *fdt, int node)
{
	int prop;

	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && (is_supply(name) || !strncmp(name, "reset-gpio", 10)))
			return true;
	}
	return false;
}

/**
 * is_itself() - whether a device is what it says it is, whatever its node says
 * @need: has the trees
 * @old: the node in the running tree
 * @new: the same in the tree to check
 *
 * Return: true for what its bus finds, in both, and nothing there switches on
 */
bool is_itself(const struct need *need, int old, int new)
{
	return is_found(need->running, old) && !is_powered(need->running, old) &&
	       (is_found(need->fdt, new) || !fdt_getprop(need->fdt, new, "compatible", NULL));
}

/* Whether the new tree has a part of a device that the running one has not: another name. */
static bool is_renamed(const struct need *need, int node)
{
	int up = node_above(need->running, node), child;
	int device = find_device(need->running, up, need->fdt);

	if (up <= 0 || device <= 0 || fdt_stringlist_count(need->running, node, "compatible") >= 0)
		return false;
	fdt_for_each_subnode(child, need->fdt, device) {
		const char *name = fdt_get_name(need->fdt, child, NULL);

		if (dtb_enabled(need->fdt, child) &&
		    fdt_stringlist_count(need->fdt, child, "compatible") < 0 &&
		    fdt_subnode_offset(need->running, up, name) < 0)
			return true;
	}
	return false;
}

/**
 * whole_device() - what a device is in the new tree, or what it is a part of
 * @need: is warned where a part is not there, or told where that switches it on
 * @old: the node in the running tree
 * @new: gets the node in the new tree, negative where there is none
 *
 * Return: the node in the running tree that @new is
 */
int whole_device(struct need *need, int old, int *new)
{
	struct need inner = *need;
	char path[256];
	int node = old;

	inner.level = LEVEL_WARNING;
	*new = find_device(need->running, old, need->fdt);
	while (*new < 0 && node > 0 &&
	       (is_found(need->running, node) || is_renamed(need, node))) {
		if (is_powered(need->running, node))
			inner.level = need->level;
		node = node_above(need->running, node);
		*new = find_device(need->running, node, need->fdt);
	}
	if (*new <= 0)
		return old;
	if (node != old)
		complain(&inner, KEEP, "its part %s is not in the new tree, or called otherwise%s",
			 node_shown(need->running, old, path, sizeof(path)), "");
	return node;
}

static bool is_port(const void *fdt, int node)
{
	const char *label = fdt_getprop(fdt, node, "label", NULL);

	return fdt_getprop(fdt, node, "ethernet", NULL) || (label && !strcmp(label, "cpu"));
}

/* Of a switch: by which port its CPU is reached. */
static void check_cpu_port(struct need *need, int old)
{
	int above = node_above(need->running, old), port, new;
	char path[256];

	fdt_for_each_subnode(port, need->running, above) {
		if (port == old || !dtb_enabled(need->running, port) ||
		    !is_port(need->running, port))
			continue;
		new = find_device(need->running, port, need->fdt);
		if (new < 0 || !node_used(need->fdt, new) || !is_port(need->fdt, new))
			complain(need, KEEP, "the port to the CPU, %s, is not in the new tree%s",
				 node_shown(need->running, port, path, sizeof(path)), "");
		else
			follow_from(need, new);
	}
}

static bool is_fixed_link(const void *fdt, int node)
{
	return fdt_subnode_offset(fdt, node, "fixed-link") >= 0 ||
	       fdt_getprop(fdt, node, "fixed-link", NULL);
}

/* Drivers prefer it to a PHY, which then is not asked for its speed; a switch may have come. */
static void check_fixed(struct need *need, int old, int new)
{
	struct need inner = *need;

	if (is_fixed_link(need->running, old) || !is_fixed_link(need->fdt, new))
		return;
	if (!fdt_getprop(need->fdt, new, "phy-handle", NULL))
		inner.level = LEVEL_WARNING;
	complain(&inner, "leave that out, unless there is no PHY any more",
		 "it has a fixed-link in the new tree, and not now%s%s", "", "");
}

/**
 * check_wire() - refuse a tree where a network device has lost what it is wired to
 * @need: is told
 * @old: the device in the running tree, or the port of a switch
 * @new: the same in the tree to check
 */
void check_wire(struct need *need, int old, int new)
{
	bool port = fdt_stringlist_count(need->running, old, "compatible") < 1;
	struct need inner = *need;

	if (strncmp(need->what, "network", strlen("network")))
		return;
	if (fdt_subnode_offset(need->running, old, "fixed-link") >= 0 &&
	    fdt_subnode_offset(need->fdt, new, "fixed-link") < 0 &&
	    !fdt_getprop(need->fdt, new, "phy-handle", NULL))
		complain(need, KEEP, "it has no fixed-link in the new tree%s%s", "", "");
	check_fixed(need, old, new);
	if (port && fdt_getprop(need->running, old, "reg", NULL) &&
	    !same_place(need->running, old, need->fdt, new))
		complain(need, KEEP, "it is another port in the new tree%s%s", "", "");
	if (port)
		check_cpu_port(need, old);
	inner.level = LEVEL_WARNING;	/* it gets its MAC address by that name */
	if (fdt_getprop(need->running, old, "local-mac-address", NULL))
		check_alias(&inner, old, new, "ethernet", -1);
}

static const char *role_of(const void *fdt, int node)
{
	const char *role = fdt_stringlist_get(fdt, node, "dr_mode", 0, NULL);

	return role ? role : "otg";
}

/**
 * check_role() - refuse a tree where what is on USB has no host, or the other way round
 * @need: is told
 * @node: of its controller, in the tree to check
 * @old: the same in the running tree
 *
 * One that can be both is a host now, most likely, and surely where sysfs says so; a gadget may
 * stay one where it can be both.
 */
void check_role(struct need *need, int node, int old)
{
	const char *was = role_of(need->running, old), *is = role_of(need->fdt, node);
	struct need inner = *need;

	if (!strcmp(was, is) || (!strcmp(was, "otg") && !strcmp(is, "host")))
		return;
	if (strcmp(was, "host") && strcmp(is, "host") &&
	    !(need->usb && !strcmp(is, "peripheral")))
		inner.level = LEVEL_WARNING;
	complain(&inner, "give its USB controller the dr_mode that it has now",
		 "dr_mode is %s, in the new tree it is %s", was, is);
}

static bool has_irq(const void *fdt, int node)
{
	return fdt_getprop(fdt, node, "interrupts", NULL) ||
	       fdt_getprop(fdt, node, "interrupts-extended", NULL);
}

/* Whether the kernel knows a PHY without asking it. */
static bool has_id(const void *fdt, int phy)
{
	struct names names = names_of(fdt, phy);
	const char *name;

	while ((name = names_next(&names)))
		if (!strncmp(name, "ethernet-phy-id", strlen("ethernet-phy-id")))
			return true;
	return false;
}

/**
 * check_polled() - warn of a PHY that is asked no more, since it gets an interrupt, or too early
 * @need: is told
 * @phy: in the tree to check
 * @old: the same in the running tree
 *
 * A line that is not wired tells nothing. The kernel lets go of a reset when it has found what
 * it is of (fwnode_mdiobus_register_phy()).
 */
void check_polled(struct need *need, int phy, int old)
{
	struct need inner = *need;
	char path[256];

	inner.level = LEVEL_WARNING;
	if (has_irq(need->fdt, phy) && !has_irq(need->running, old))
		complain(&inner, "see that its line is wired, or leave it out",
			 "%s gets an interrupt in the new tree, and is asked no more%s",
			 node_shown(need->fdt, phy, path, sizeof(path)), "");
	if (has_id(need->running, old) && !has_id(need->fdt, phy) && is_powered(need->fdt, phy))
		complain(&inner, "keep it: after a cold start the PHY does not answer before",
			 "%s has no ethernet-phy-id in the new tree, and a reset or supply%s",
			 node_shown(need->fdt, phy, path, sizeof(path)), "");
}

/* By what a part that has no driver of its own, such as a port of SATA, needs something. */
static const char *part_needs(const void *fdt, int part)
{
	int prop;

	if (!dtb_enabled(fdt, part) || fdt_getprop(fdt, part, "compatible", NULL))
		return NULL;
	fdt_for_each_property_offset(prop, fdt, part) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && link_class(name) == LINK_VITAL && strncmp(name, "interrupt", 9) &&
		    strncmp(name, "pinctrl-", 8))
			return name;
	}
	return NULL;
}

/**
 * follow_parts() - refuse a tree where a part of a needed device lacks what it needs
 * @need: is told
 * @node: the device in the tree to check
 * @old: the same in the running tree
 *
 * Those that it has now, and those that have what it had itself. Of a network phy-handle leads to
 * what counts, and of PSCI the CPUs' states may have other names.
 */
void follow_parts(struct need *need, int node, int old)
{
	struct need inner = *need;
	char path[256];
	int part, new;

	if (strncmp(need->what, "storage", strlen("storage")))
		return;
	inner.depth++;
	inner.from = node;
	fdt_for_each_subnode(part, need->running, old) {
		inner.prop = part_needs(need->running, part);
		new = inner.prop ? find_device(need->running, part, need->fdt) : 0;
		if (new > 0 && dtb_enabled(need->fdt, new))
			follow(&inner, new);
		else if (inner.prop && !fdt_getprop(need->fdt, node, inner.prop, NULL))
			complain(need, KEEP, "its part %s is not in use in the new tree%s",
				 node_shown(need->running, part, path, sizeof(path)), "");
	}
	fdt_for_each_subnode(part, need->fdt, node) {
		inner.prop = part_needs(need->fdt, part);
		if (inner.prop && fdt_getprop(need->running, old, inner.prop, NULL) &&
		    !fdt_getprop(need->fdt, node, inner.prop, NULL))
			follow(&inner, part);
	}
}
