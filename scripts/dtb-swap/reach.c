// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the CPU reaches a device, and the device the CPU: its address through all buses
 * above it, and its interrupts. Numbers of phandles mean nothing here, and paths little:
 * they change from one kernel to the next where the hardware does not.
 */

#include <stdlib.h>
#include <string.h>

#include "swap.h"

#define DEEPEST 32
#define MOST 16

/* struct irq - an interrupt of a device */
struct irq {
	int controller;
	const fdt32_t *args;
	int count;
};

/* struct irqs - those that a device has; @bad: not all can be read */
struct irqs {
	const void *fdt;
	struct irq list[MOST];
	int count;
	bool bad;
};

/* All nodes from the root to one. Returns its depth, or -1. */
static int ancestors(const void *fdt, int node, int *list)
{
	int depth = 0, i;

	for (; node > 0 && depth < DEEPEST; node = node_above(fdt, node))
		list[depth++] = node;
	if (node || depth == DEEPEST)
		return -1;
	list[depth] = 0;
	for (i = 0; i < depth - i; i++) {
		int other = list[i];

		list[i] = list[depth - i];
		list[depth - i] = other;
	}
	return depth;
}

/* A bus that does not say it has the cells of the bus above, as the kernel sees it. */
static int cells_of(const void *fdt, const int *list, int depth, const char *name)
{
	for (; depth >= 0; depth--) {
		int length;
		const fdt32_t *value = fdt_getprop(fdt, list[depth], name, &length);

		if (value)
			return length == 4 && fdt32_to_cpu(*value) <= 2 ?
			       (int)fdt32_to_cpu(*value) : -1;
	}
	return 1;
}

static unsigned long long number(const fdt32_t *cell, int count)
{
	unsigned long long value = 0;

	while (count--)
		value = value << 32 | fdt32_to_cpu(*cell++);
	return value;
}

/* Through one bus; @na and @ns: cells of the bus, @up: of the one above */
static bool translate(const void *fdt, int bus, int na, int ns, int up, unsigned long long *address)
{
	int length, i, one = na + up + ns;
	const fdt32_t *cell = fdt_getprop(fdt, bus, "ranges", &length);

	if (cell && !length)
		return true;
	for (i = 0; cell && i + one <= length / 4; i += one, cell += one) {
		unsigned long long from = number(cell, na), size = number(cell + na + up, ns);

		if (*address < from || *address - from >= size)
			continue;
		*address += number(cell + na, up) - from;
		return true;
	}
	return false;
}

/* An address of a device as the CPU has it; false where it has not so many. */
static bool cpu_address(const void *fdt, int node, int index, unsigned long long *address)
{
	int list[DEEPEST], length, depth = ancestors(fdt, node, list) - 1;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);
	int na, ns;

	if (depth < 0 || !reg)
		return false;
	na = cells_of(fdt, list, depth, "#address-cells");
	ns = cells_of(fdt, list, depth, "#size-cells");
	if (na < 1 || ns < 1 || length / 4 < (na + ns) * (index + 1))
		return false;
	*address = number(reg + (na + ns) * index, na);
	for (; depth > 0; depth--) {
		int up = cells_of(fdt, list, depth - 1, "#address-cells");

		if (na < 1 || ns < 1 || up < 1 ||
		    !translate(fdt, list[depth], na, ns, up, address))
			return false;
		na = up;
		ns = cells_of(fdt, list, depth - 1, "#size-cells");
	}
	return true;
}

/**
 * same_address() - whether the CPU finds two devices at the same address
 * @a: a tree
 * @node_a: in it
 * @b: another
 * @node_b: in that
 *
 * Return: false also where one has none
 */
bool same_address(const void *a, int node_a, const void *b, int node_b)
{
	unsigned long long one, two;

	return cpu_address(a, node_a, 0, &one) && cpu_address(b, node_b, 0, &two) && one == two;
}

/**
 * address_differs() - whether the CPU finds a device where it was
 * @a: the tree that works
 * @node_a: the device in it
 * @b: another
 * @node_b: the same device in that
 * @index: which of its addresses
 *
 * Return: false, also for what is not on the CPU's buses (I2C, PCI) in @a
 */
bool address_differs(const void *a, int node_a, const void *b, int node_b, int index)
{
	unsigned long long old, new;

	return cpu_address(a, node_a, index, &old) &&
	       (!cpu_address(b, node_b, index, &new) || old != new);
}

/* What the nearest bus says about the memory that devices on it see, as the kernel looks for it. */
static bool tells_memory(const void *fdt, int node)
{
	int length = 0;

	while (node > 0 && !length) {
		node = node_above(fdt, node);
		if (node >= 0 && !fdt_getprop(fdt, node, "dma-ranges", &length))
			length = 0;
	}
	return length;
}

/**
 * memory_differs() - whether a device no longer knows where it sees memory
 * @a: the tree that works
 * @node_a: the device in it
 * @b: another
 * @node_b: the same device in that
 *
 * What dma-ranges say is not compared: firmware corrects it.
 *
 * Return: true where a bus above it has dma-ranges that are not empty in @a, and none in @b
 */
bool memory_differs(const void *a, int node_a, const void *b, int node_b)
{
	return tells_memory(a, node_a) && !tells_memory(b, node_b);
}

/* The node that the numbers in a device's interrupts are for, as the kernel looks for it. */
static int irq_parent(const void *fdt, int node)
{
	int steps;

	for (steps = 0; steps < DEEPEST; steps++) {
		int length;
		const fdt32_t *value = fdt_getprop(fdt, node, "interrupt-parent", &length);

		node = value && length == 4 ?
		       node_numbered(fdt, fdt32_to_cpu(*value)) :
		       node_above(fdt, node);
		if (node < 0 || fdt_getprop(fdt, node, "#interrupt-cells", NULL))
			return node;
	}
	return -FDT_ERR_NOTFOUND;
}

static bool add_irq(const struct link *link, void *data)
{
	struct irqs *irqs = data;

	if (link->node >= 0 && irqs->count < MOST)
		irqs->list[irqs->count++] = (struct irq){ link->node, link->args, link->count };
	irqs->bad |= link->node < 0;
	return false;
}

static void read_plain(struct irqs *irqs, int node, const fdt32_t *cell, int length)
{
	int size, i, controller = irq_parent(irqs->fdt, node);
	const fdt32_t *cells = controller < 0 ? NULL :
			       fdt_getprop(irqs->fdt, controller, "#interrupt-cells", &size);
	int one = cells && size == 4 && fdt32_to_cpu(*cells) <= MOST_ARGS ?
		  (int)fdt32_to_cpu(*cells) : 0;

	irqs->bad = !one || length % (4 * one);
	for (i = 0; one && i + one <= length / 4; i += one) {
		struct link link = { .node = controller, .args = cell + i, .count = one };

		add_irq(&link, irqs);
	}
}

static void read_irqs(struct irqs *irqs, const void *fdt, int node)
{
	int prop, length;
	const fdt32_t *plain = fdt_getprop(fdt, node, "interrupts", &length);

	*irqs = (struct irqs){ .fdt = fdt };
	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name = NULL;

		fdt_getprop_by_offset(fdt, prop, &name, NULL);
		if (name && !strcmp(name, "interrupts-extended")) {
			irqs->bad = each_link(fdt, node, prop, add_irq, irqs) < 0;
			return;
		}
	}
	if (plain && length)
		read_plain(irqs, node, plain, length);
}

/* The last cell of several is a flag with most controllers, and trees correct flags. */
static bool same_irq(const struct irq *a, const struct irq *b)
{
	int matter = a->count < 2 ? a->count : a->count < 3 ? 1 : 2;

	return a->count != b->count || !memcmp(a->args, b->args, matter * sizeof(*a->args));
}

/* Whether an interrupt is one of those; with another controller nothing can be told. */
static bool is_among(const struct irq *irq, int same, const struct irqs *irqs)
{
	int i;

	for (i = 0; i < irqs->count; i++)
		if (irqs->list[i].controller != same || same_irq(irq, &irqs->list[i]))
			return true;
	return false;
}

/**
 * irqs_differ() - what is wrong with the interrupts of a device
 * @a: the tree that works
 * @node_a: the device in it
 * @b: another
 * @node_b: the same device in that
 * @sure: gets whether it certainly does not work so
 *
 * Return: what to say behind its name, or NULL where some interrupt is the same, and for a
 * device without
 */
const char *irqs_differ(const void *a, int node_a, const void *b, int node_b, bool *sure)
{
	struct irqs old, new;
	int i;

	read_irqs(&old, a, node_a);
	read_irqs(&new, b, node_b);
	*sure = new.bad || !new.count;
	if (!old.count || old.bad)
		return NULL;
	if (new.bad)
		return " has interrupts that cannot be read in the new tree";
	if (!new.count)
		return " has no interrupt in the new tree";
	for (i = 0; i < old.count; i++) {
		int same = find_device(a, old.list[i].controller, b);

		*sure |= same >= 0 && !same_device(a, old.list[i].controller, b, same);
		if (!*sure && is_among(&old.list[i], same, &new))
			return NULL;
	}
	if (*sure)
		return " has an interrupt controller of another kind in the new tree";
	return " has other interrupts in the new tree";
}
