// SPDX-License-Identifier: GPL-2.0-only
/*
 * The USB pad controller of Tegra: devices refer to its lanes, and its driver finds the port of
 * a lane by the name that both have.
 */

#include <string.h>

#include "needs.h"

/* padctl/pads/usb2/lanes/usb2-1: padctl/ports/usb2-1 */
static int port_of(const void *fdt, int lane)
{
	static const char *const above[] = { "lanes", NULL, "pads" };
	const char *name = fdt_get_name(fdt, lane, NULL), *other;
	int node = lane, ports;
	size_t i;

	for (i = 0; i < sizeof(above) / sizeof(*above); i++) {
		node = node_above(fdt, node);
		other = node < 0 ? NULL : fdt_get_name(fdt, node, NULL);
		if (!other || (above[i] && strcmp(other, above[i])))
			return -FDT_ERR_NOTFOUND;
	}
	ports = fdt_subnode_offset(fdt, node_above(fdt, node), "ports");
	return ports < 0 ? ports : node_below(fdt, ports, name, strlen(name));
}

/* NULL: a host, which is what a port is that does not say; others need a switch for that. */
static const char *mode_of(const void *fdt, int port)
{
	const char *mode = fdt_getprop(fdt, port, "mode", NULL);

	if (!mode || !strcmp(mode, "host"))
		return NULL;
	return fdt_getprop(fdt, port, "usb-role-switch", NULL) ? mode : "";
}

/**
 * lane_port() - refuse a tree where a lane has lost its port
 * @need: is told
 * @lane: in the tree to check, or any other node
 * @old: the same in the running tree
 *
 * Return: the port in the tree to check, which is needed as well, or negative
 */
int lane_port(struct need *need, int lane, int old)
{
	int was = port_of(need->running, old), is;
	const char *mode, *before;
	char path[256];

	if (was < 0 || !node_used(need->running, was))
		return -FDT_ERR_NOTFOUND;
	is = port_of(need->fdt, lane);
	node_shown(need->running, was, path, sizeof(path));
	if (is < 0 || !node_used(need->fdt, is)) {
		complain(need, KEEP, "%s, the port of what it needs, is not in use%s", path, "");
		return -FDT_ERR_NOTFOUND;
	}
	mode = mode_of(need->fdt, is);
	before = mode_of(need->running, was);
	if (mode && (!before || strcmp(mode, before)))
		complain(need, "give it the mode and usb-role-switch that it has now",
			 "%s is no host in the new tree%s", path, "");
	return is;
}
