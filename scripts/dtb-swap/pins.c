// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins that two devices want: the kernel gives a pin to the first that asks for it, and the probe
 * of the other fails (pin_request() in drivers/pinctrl/pinmux.c). How a group names its pins is
 * what the binding of the controller says, in Documentation/devicetree/bindings/pinctrl.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtb.h"
#include "needs.h"

enum { NAMES = -1 };

/*
 * struct form - how a group names pins
 * @property: that does
 * @function: without which pins are only configured, which several may do; NULL where there is
 *	always one
 * @cells: of a pin; 0 where they are counted, NAMES where it is text
 * @ids: those of them that say which pin, from the first on
 */
static const struct form {
	const char *property;
	const char *function;
	int cells;
	int ids;
} FORMS[] = {
	{ "fsl,pins", NULL, 0, 1 },
	{ "brcm,pins", "brcm,function", 1, 1 },
	{ "rockchip,pins", NULL, 4, 2 },
	{ "pinctrl-single,pins", NULL, 0, 1 },
	{ "pins", "function", NAMES, 0 },
	{ "groups", "function", NAMES, 0 },
	{ "nvidia,pins", "nvidia,function", NAMES, 0 },
	{ "allwinner,pins", "allwinner,function", NAMES, 0 },
};

/*
 * struct pin - by its controller and its name there, and the device that wants it
 * @id: NULL where that is in @own
 * @use: a GPIO takes what is muxed otherwise, and gets along with a group that makes it one
 */
struct pin {
	int chip;
	int node;
	int length;
	enum { AS_DEVICE, AS_GPIO, BY_LINE } use;
	const char *id;
	char own[8];
};

/* struct pins - all of a tree, sorted; @steps are left to look for more */
struct pins {
	struct pin *list;
	size_t count;
	size_t room;
	size_t steps;
	bool no_memory;
};

static int counted_cells(const void *fdt, int chip)
{
	static const struct {
		const char *compatible;
		int cells;
	} known[] = {
		{ "fsl,imx8qxp-iomuxc", 3 }, { "fsl,imx8qm-iomuxc", 3 },
		{ "fsl,imx8dxl-iomuxc", 3 }, { "fsl,vf610-iomuxc", 2 },
		{ "fsl,imx7ulp-iomuxc1", 5 }, { "fsl,imx8ulp-iomuxc1", 5 },
	};
	int length = 0;
	const fdt32_t *cells = fdt_getprop(fdt, chip, "#pinctrl-cells", &length);
	size_t i;

	if (!fdt_node_check_compatible(fdt, chip, "pinctrl-single") ||
	    !fdt_node_check_compatible(fdt, chip, "pinconf-single"))
		return cells && length == 4 ? (fdt32_to_cpu(*cells) & 7) + 1 : 2;
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!fdt_node_check_compatible(fdt, chip, known[i].compatible))
			return known[i].cells;
	return 6;
}

static void add_pin(struct pins *pins, const struct pin *pin)
{
	if (pins->count == pins->room) {
		size_t room = pins->room ? 2 * pins->room : 128;
		struct pin *list = realloc(pins->list, room * sizeof(*list));

		pins->no_memory |= !list;
		if (!list)
			return;
		pins->list = list;
		pins->room = room;
	}
	pins->list[pins->count++] = *pin;
}

static bool take_step(struct pins *pins)
{
	pins->steps -= pins->steps > 0;
	return pins->steps;
}

/* Whether a group makes its pin a GPIO. */
static bool is_gpio(const void *fdt, int group, const struct form *form, const char *id)
{
	int length = 0;
	const char *function = form->function ?
				       fdt_getprop(fdt, group, form->function, &length) : NULL;

	if (!strcmp(form->property, "rockchip,pins"))
		return !fdt32_ld((const fdt32_t *)id + 2);
	if (!strcmp(form->property, "brcm,pins"))
		return length >= 4 && fdt32_ld((const fdt32_t *)function) <= 1;
	return length > 4 && form->cells == NAMES && !memcmp(function, "gpio", 4);
}

static void add_form(struct pins *pins, const void *fdt, int group, const struct form *form,
		     struct pin pin)
{
	int i, step, length, cells = form->cells ? form->cells : counted_cells(fdt, pin.chip);
	const char *value = fdt_getprop(fdt, group, form->property, &length);

	if (!value || (form->function && !fdt_getprop(fdt, group, form->function, NULL)))
		return;
	if (cells == NAMES && fdt_stringlist_count(fdt, group, form->property) < 1)
		return;
	for (i = 0; i < length; i += step) {
		step = cells == NAMES ? strlen(value + i) + 1 : 4 * cells;
		pin.length = cells == NAMES ? step - 1 : 4 * form->ids;
		pin.id = value + i;
		if (i + step > length || !pin.length || !take_step(pins))
			continue;
		pin.use = is_gpio(fdt, group, form, pin.id) ? AS_GPIO : AS_DEVICE;
		add_pin(pins, &pin);
	}
}

static void add_group(struct pins *pins, const void *fdt, int group, int device)
{
	struct pin pin = { .node = device, .chip = group };
	int child;
	size_t i;

	while (pin.chip > 0 && take_step(pins) && !fdt_getprop(fdt, pin.chip, "compatible", NULL))
		pin.chip = node_above(fdt, pin.chip);
	if (pin.chip <= 0)
		return;
	for (i = 0; i < sizeof(FORMS) / sizeof(*FORMS); i++) {
		add_form(pins, fdt, group, &FORMS[i], pin);
		fdt_for_each_subnode(child, fdt, group)
			if (take_step(pins))
				add_form(pins, fdt, child, &FORMS[i], pin);
	}
}

static bool is_one_of(const void *fdt, int node, const char *const *list)
{
	while (*list && fdt_node_check_compatible(fdt, node, *list))
		list++;
	return *list;
}

/* The kernel numbers Rockchip's banks by alias, or in their order. */
static unsigned int bank_of(const void *fdt, int pads, int chip)
{
	unsigned int bank;
	const char *path;
	char alias[16];
	int node;

	for (bank = 0; bank < 16; bank++) {
		snprintf(alias, sizeof(alias), "gpio%u", bank);
		path = fdt_get_alias(fdt, alias);
		if (path && fdt_path_offset(fdt, path) == chip)
			return bank;
	}
	bank = 0;
	fdt_for_each_subnode(node, fdt, pads) {
		if (node == chip)
			break;
		bank += !!fdt_getprop(fdt, node, "gpio-controller", NULL);
	}
	return bank;
}

/* The pin of a GPIO, where that changes what the pin is; i.MX leaves it as it is. */
static bool pin_of(const void *fdt, const struct dtb_line *line, struct pin *pin)
{
	static const char *const pi[] = { "brcm,bcm2835-gpio", "brcm,bcm2711-gpio", NULL };
	int chip = node_numbered(fdt, line->chip), above = chip < 0 ? chip : node_above(fdt, chip);
	const char *kind = chip < 0 ? NULL : fdt_getprop(fdt, chip, "compatible", NULL);
	fdt32_t cells[2] = { cpu_to_fdt32(line->line) };

	*pin = (struct pin){ .chip = chip, .node = line->node, .use = BY_LINE };
	if (kind && is_one_of(fdt, chip, pi)) {
		pin->length = 4;
	} else if (above >= 0 && fdt_getprop(fdt, above, "rockchip,grf", NULL)) {
		pin->chip = above;
		pin->length = 8;
		cells[0] = cpu_to_fdt32(bank_of(fdt, above, chip));
		cells[1] = cpu_to_fdt32(line->line);
	} else if (kind && !strncmp(kind, "allwinner,", 10) && line->bank < 14) {
		pin->length = snprintf(pin->own, sizeof(pin->own), "P%c%u",
				       (strstr(kind, "-r-pinctrl") ? 'L' : 'A') + line->bank,
				       line->line & 63);
		return true;
	}
	memcpy(pin->own, cells, sizeof(cells));
	return pin->length;
}

static void add_lines(struct pins *pins, const void *fdt)
{
	struct dtb_lines lines;
	struct pin pin;
	size_t i;

	pins->no_memory |= !read_used_lines(&lines, fdt);
	for (i = 0; i < lines.count; i++)
		if (pin_of(fdt, &lines.list[i], &pin))
			add_pin(pins, &pin);
	free(lines.list);
}

static const char *id_of(const struct pin *pin)
{
	return pin->id ? pin->id : pin->own;
}

static int by_pin(const void *first, const void *second)
{
	const struct pin *a = first, *b = second;

	if (a->chip != b->chip)
		return a->chip < b->chip ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(id_of(a), id_of(b), a->length);
}

static int by_pin_and_node(const void *first, const void *second)
{
	const struct pin *a = first, *b = second;
	int order = by_pin(a, b);

	return order || a->node == b->node ? order : a->node < b->node ? -1 : 1;
}

/*
 * Those that devices in use ask for when they come up. A tree that names every group in every
 * device would take for ever: a real one takes a tenth of these steps at the most.
 */
static void read_pins(struct pins *pins, const void *fdt)
{
	int node, length, i;

	*pins = (struct pins){ .steps = 4 * (size_t)fdt_size_dt_struct(fdt) };
	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		const fdt32_t *groups = fdt_getprop(fdt, node, "pinctrl-0", &length);

		if (!groups || !node_used(fdt, node))
			continue;
		for (i = 0; i < length / 4 && take_step(pins); i++) {
			int group = node_numbered(fdt, fdt32_to_cpu(groups[i]));

			if (group >= 0)
				add_group(pins, fdt, group, node);
		}
	}
	add_lines(pins, fdt);
	if (pins->count)
		qsort(pins->list, pins->count, sizeof(*pins->list), by_pin_and_node);
}

/* Whether a device has a pin in the running tree, too: where both have, all goes well. */
static bool had_pin(const struct need *need, const struct pins *before, struct pin pin)
{
	pin.chip = find_device(need->fdt, pin.chip, need->running);
	pin.node = find_device(need->fdt, pin.node, need->running);
	return before->count &&
	       bsearch(&pin, before->list, before->count, sizeof(pin), by_pin_and_node);
}

/* Nobody misses a pin where nothing needed stands on it. */
static bool is_taken(const struct need *need, const struct pins *before, const struct pin *pin,
		     const struct pin *other)
{
	int one = pin->node, two = other->node;

	if (pin->use + other->use > BY_LINE)	/* check_lines() looks at two of them */
		return false;
	return (need->stood[one] | need->stood[two]) && !is_within(need->fdt, one, two) &&
	       !is_within(need->fdt, two, one) &&
	       !(had_pin(need, before, *pin) && had_pin(need, before, *other));
}

/* The devices that want a pin of each other's, as chip and node: several pins, but once. */
static struct pins find_pairs(const struct need *need, const struct pins *before,
			      const struct pins *after)
{
	const struct pin *pin = after->list;
	struct pins pairs = { 0 };
	struct pin pair = { 0 };
	size_t i, j;

	for (i = 0; need->stood && i < after->count; i++)
		for (j = i + 1; j < after->count && j - i < MOST_USERS &&
		     !by_pin(&pin[i], &pin[j]); j++)
			if (is_taken(need, before, &pin[i], &pin[j])) {
				pair.chip = pin[i].node;
				pair.node = pin[j].node;
				add_pin(&pairs, &pair);
			}
	if (pairs.count)
		qsort(pairs.list, pairs.count, sizeof(*pairs.list), by_pin_and_node);
	return pairs;
}

/**
 * check_pins() - refuse a tree in which another device takes a pin of one that is needed
 * @need: is told; knows what is needed
 */
void check_pins(struct need need)
{
	struct pins before, after, pairs;
	char a[256], b[256];
	size_t i;

	read_pins(&before, need.running);
	read_pins(&after, need.fdt);
	pairs = find_pairs(&need, &before, &after);
	need.what = "pins";
	need.swap->report.no_memory |= before.no_memory || after.no_memory || pairs.no_memory;
	if (!after.steps)
		complain(&need, "name each group only where it is needed",
			 "the new tree names groups of them too often to look at all%s%s", "", "");
	for (i = 0; i < pairs.count; i++) {
		const struct pin *pair = &pairs.list[i];

		if (!i || by_pin_and_node(pair - 1, pair))
			complain(&need, "disable one of them, or give it other pins",
				 "%s and %s both want the same in the new tree",
				 node_shown(need.fdt, pair->chip, a, sizeof(a)),
				 node_shown(need.fdt, pair->node, b, sizeof(b)));
	}
	free(before.list);
	free(after.list);
	free(pairs.list);
}
