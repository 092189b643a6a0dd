// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU that comes into use: what of memory it has not been told of is shut off.
 */

#include <string.h>

#include "needs.h"

/*
 * Arm's stop what no stream table knows (ARM_SMMU_DISABLE_BYPASS_BY_DEFAULT); Qualcomm's driver
 * keeps what its firmware has set up, and others are a device's own.
 */
static bool is_smmu(const void *fdt, int node)
{
	struct names names = names_of(fdt, node);
	bool found = false;
	const char *name;

	while ((name = names_next(&names))) {
		if (!strncmp(name, "qcom,", 5))
			return false;
		found |= !strncmp(name, "arm,smmu-", 9) || !strncmp(name, "arm,mmu-", 8);
	}
	return found;
}

static bool is_new(const struct need *need, int node)
{
	int old = find_device(need->fdt, node, need->running);

	return node_used(need->fdt, node) && (old < 0 || !node_used(need->running, old));
}

/* Whether what a device reaches memory by has a stream of an IOMMU: itself, or a bus above it. */
static bool has_stream(const void *fdt, int node)
{
	for (; node > 0; node = node_above(fdt, node))
		if (fdt_getprop(fdt, node, "iommus", NULL) ||
		    fdt_getprop(fdt, node, "iommu-map", NULL))
			return true;
	return false;
}

/**
 * check_iommu() - warn of a tree in which an IOMMU shuts off a device that is needed
 * @need: is told, of storage and network, which reach memory by themselves
 * @device: in the tree to check
 */
void check_iommu(struct need *need, int device)
{
	struct need inner = *need;
	char path[256];
	int node;

	if ((strncmp(need->what, "storage", 7) && strncmp(need->what, "network", 7)) ||
	    has_stream(need->fdt, device))
		return;
	inner.level = LEVEL_WARNING;
	for (node = 0; node >= 0; node = fdt_next_node(need->fdt, node, NULL))
		if (is_smmu(need->fdt, node) && is_new(need, node))
			complain(&inner, "give it its iommus, or leave the IOMMU off",
				 "%s is new in use, and it has no iommus: it may reach no memory%s",
				 node_shown(need->fdt, node, path, sizeof(path)), "");
}
