// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a tree is for this board: by the names in compatible of the roots.
 *
 * The first names the board, the last the SoC, and what is between them a module that
 * several carriers have, or a version of the board. Two boards that have but their SoC in
 * common are two boards. In the middle there may be SoCs, too; those have another
 * vendor than the board, or a name by which they can be told.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swap.h"

/* How SoCs begin whose vendors make boards as well; a board has a - in its name. */
static const char *const SOCS[] = {
	"amlogic,a", "amlogic,s", "fsl,imx", "marvell,armada", "marvell,cn", "mediatek,mt",
	"qcom,qcs", "qcom,qrb", "renesas,r8a", "renesas,r9a", "samsung,exynos", "ti,am", "ti,dm",
	"ti,dra", "ti,omap",
};

static const char *const SOCS_WITH_DASH[] = {
	"altr,socfpga-arria10", "altr,socfpga-cyclone5", "marvell,armada-ap806-quad",
	"marvell,armada-ap807-quad", "marvell,armadaxp-mv78230", "marvell,armadaxp-mv78460",
};

static bool is_soc(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(SOCS) / sizeof(*SOCS); i++)
		if (!strncmp(SOCS[i], name, strlen(SOCS[i])) && !strchr(name, '-'))
			return true;
	for (i = 0; i < sizeof(SOCS_WITH_DASH) / sizeof(*SOCS_WITH_DASH); i++)
		if (!strcmp(SOCS_WITH_DASH[i], name))
			return true;
	return false;
}

static const char *name_at(const void *fdt, int i)
{
	return fdt_stringlist_get(fdt, 0, "compatible", i, NULL);
}

static bool same_vendor(const char *a, const char *b)
{
	size_t length = strcspn(a, ",");

	return a[length] && !strncmp(a, b, length + 1);
}

static bool has_name(const void *fdt, const char *name)
{
	return fdt_stringlist_search(fdt, 0, "compatible", name) >= 0;
}

/* Whether a name that both trees have means more than a SoC. */
static bool is_module(const char *name, const void *a, const void *b)
{
	int last_a = fdt_stringlist_count(a, 0, "compatible") - 1;
	int last_b = fdt_stringlist_count(b, 0, "compatible") - 1;

	if (!strcmp(name, name_at(a, last_a)) || !strcmp(name, name_at(b, last_b)))
		return false;
	return !is_soc(name) &&
	       (same_vendor(name_at(a, 0), name) || same_vendor(name_at(b, 0), name));
}

static bool same_soc(const void *a, const void *b)
{
	const char *last_a = name_at(a, fdt_stringlist_count(a, 0, "compatible") - 1);
	const char *last_b = name_at(b, fdt_stringlist_count(b, 0, "compatible") - 1);

	return has_name(b, last_a) || has_name(a, last_b);
}

static bool fits(const void *running, const void *fdt)
{
	int i, count = fdt_stringlist_count(running, 0, "compatible");
	const char *board = name_at(running, 0), *other = name_at(fdt, 0);

	if (count < 1 || !board || !other)
		return false;
	if (!strcmp(board, other))
		return true;
	for (i = 0; i < count && same_soc(running, fdt); i++) {
		const char *name = name_at(running, i);

		if (has_name(fdt, name) && is_module(name, running, fdt))
			return true;
	}
	return false;
}

/**
 * check_board() - refuse a tree for another board
 * @swap: is told; the user may have accepted the other board by its name
 * @running: the tree of the running kernel
 * @fdt: the tree to check
 */
void check_board(struct swap *swap, const void *running, const void *fdt)
{
	const char *board = name_at(running, 0), *other = name_at(fdt, 0);

	if (fits(running, fdt))
		return;
	if (other && swap->board && !strcmp(swap->board, other)) {
		say(&swap->report, LEVEL_WARNING, KIND_BOARD, NULL,
		    "the tree is for \"%s\", this is \"%s\": accepted by name", other,
		    board ? board : "?");
		return;
	}
	if (!other || !board)
		refuse(swap, KIND_BOARD, "write the board's names into compatible of the root",
		       "%s does not say which board it is",
		       other ? "the running tree" : "the tree");
	else
		refuse(swap, KIND_BOARD,
		       "name this board or its module in compatible of the root, or --accept-board",
		       "the tree is for \"%s\", this is \"%s\"", other, board);
}
