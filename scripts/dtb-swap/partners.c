// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes that a driver looks for by their compatible: nothing in the tree refers to them. From
 * the drivers of Linux 6.12, where of_find_compatible_node(), of_find_matching_node() or
 * syscon_regmap_lookup_by_compatible() that finds none ends the probe. Whether the node is
 * enabled they do not ask.
 */

#include <string.h>

#include "needs.h"

static const struct row {
	const char *kind;
	const char *partner;
} ROWS[] = {
	/* drivers/clk/imx */
	{ "fsl,imx8mm-ccm",	"fsl,imx8mm-anatop" },
	{ "fsl,imx8mn-ccm",	"fsl,imx8mn-anatop" },
	{ "fsl,imx8mp-ccm",	"fsl,imx8mp-anatop" },
	{ "fsl,imx8mq-ccm",	"fsl,imx8mq-anatop" },
	{ "fsl,imx91-ccm",	"fsl,imx93-anatop" },
	{ "fsl,imx93-ccm",	"fsl,imx93-anatop" },
	{ "fsl,imx6q-ccm",	"fsl,imx6q-anatop" },
	{ "fsl,imx6sl-ccm",	"fsl,imx6sl-anatop" },
	{ "fsl,imx6sll-ccm",	"fsl,imx6sll-anatop" },
	{ "fsl,imx6sx-ccm",	"fsl,imx6sx-anatop" },
	{ "fsl,imx6ul-ccm",	"fsl,imx6ul-anatop" },
	{ "fsl,imx7d-ccm",	"fsl,imx7d-anatop" },
	{ "fsl,vf610-ccm",	"fsl,vf610-anatop" },
	{ "fsl,scu-clk",	"fsl,scu-pd" },
	/* drivers/phy/freescale/phy-fsl-imx8m-pcie.c, drivers/pci/controller/dwc/pci-imx6.c */
	{ "fsl,imx8mm-pcie-phy", "fsl,imx8mm-iomuxc-gpr" },
	{ "fsl,imx8mp-pcie-phy", "fsl,imx8mp-iomuxc-gpr" },
	{ "fsl,imx8mm-pcie",	"fsl,imx8mm-iomuxc-gpr" },
	{ "fsl,imx8mp-pcie",	"fsl,imx8mp-iomuxc-gpr" },
	{ "fsl,imx8mq-pcie",	"fsl,imx8mq-iomuxc-gpr" },
	{ "fsl,imx6q-pcie",	"fsl,imx6q-iomuxc-gpr" },
	{ "fsl,imx6qp-pcie",	"fsl,imx6q-iomuxc-gpr" },
	{ "fsl,imx6sx-pcie",	"fsl,imx6q-iomuxc-gpr" },
	{ "fsl,imx7d-pcie",	"fsl,imx7d-iomuxc-gpr" },
	/* drivers/clk/tegra, drivers/phy/tegra, drivers/gpio/gpio-tegra186.c */
	{ "nvidia,tegra20-car",	"nvidia,tegra20-pmc" },
	{ "nvidia,tegra30-car",	"nvidia,tegra30-pmc" },
	{ "nvidia,tegra114-car", "nvidia,tegra114-pmc" },
	{ "nvidia,tegra124-car", "nvidia,tegra124-pmc" },
	{ "nvidia,tegra210-car", "nvidia,tegra210-pmc" },
	{ "nvidia,tegra210-xusb-padctl", "nvidia,tegra210-efuse" },
	{ "nvidia,tegra186-xusb-padctl", "nvidia,tegra186-efuse" },
	{ "nvidia,tegra194-xusb-padctl", "nvidia,tegra194-efuse" },
	{ "nvidia,tegra234-xusb-padctl", "nvidia,tegra234-efuse" },
	{ "nvidia,tegra194-gpio", "nvidia,tegra194-pinmux" },
	/* drivers/clk/rockchip, drivers/pmdomain/amlogic/meson-secure-pwrc.c */
	{ "rockchip,rk3576-cru", "rockchip,rk3576-pmu0-grf" },
	{ "amlogic,meson-a1-pwrc", "amlogic,meson-gxbb-sm" },
	{ "amlogic,meson-s4-pwrc", "amlogic,meson-gxbb-sm" },
	{ "amlogic,a4-pwrc",	"amlogic,meson-gxbb-sm" },
	{ "amlogic,a5-pwrc",	"amlogic,meson-gxbb-sm" },
	{ "amlogic,c3-pwrc",	"amlogic,meson-gxbb-sm" },
	{ "amlogic,t7-pwrc",	"amlogic,meson-gxbb-sm" },
};

/* The first node of a kind that is needed, or negative. */
static int needed(const struct need *need, const char *kind)
{
	int node = fdt_node_offset_by_compatible(need->fdt, -1, kind);

	while (node >= 0 && !need->stood[node])
		node = fdt_node_offset_by_compatible(need->fdt, node, kind);
	return node;
}

/**
 * check_partners() - refuse a tree without a node that a driver looks for by itself
 * @need: is told; knows what is needed
 */
void check_partners(struct need need)
{
	char path[256];
	size_t i;

	for (i = 0; need.stood && i < sizeof(ROWS) / sizeof(*ROWS); i++) {
		const char *name = ROWS[i].partner;
		int old = fdt_node_offset_by_compatible(need.running, -1, name);
		int node = old < 0 ? old : needed(&need, ROWS[i].kind);
		int new = node < 0 ? node : fdt_node_offset_by_compatible(need.fdt, -1, name);

		if (node < 0)
			continue;
		need.what = name;
		node_shown(need.fdt, node, path, sizeof(path));
		if (new < 0)
			complain(&need, KEEP, "the new tree has none, and %s needs it%s", path, "");
		else if (address_differs(need.running, old, need.fdt, new, 0))
			complain(&need, "give it the reg that it has now",
				 "it has another address in the new tree, and %s needs it%s", path,
				 "");
	}
}
