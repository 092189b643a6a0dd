// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may burn a board, or stop it: voltages, frequencies, temperatures.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "needs.h"

#define KEEP_VOLTAGE "give it the regulator-min-microvolt and -max-microvolt that it has now"
#define COOL 60000	/* thousandths of a degree; boards are as warm as that in summer */
#define DROP 20000

/* struct range - of a regulator, in microvolts */
struct range {
	unsigned int min;
	unsigned int max;
};

static bool read_cell(const void *fdt, int node, const char *name, unsigned int *value)
{
	int length;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &length);

	*value = cell && length >= 4 ? fdt32_ld(cell) : 0;
	return cell && length >= 4;
}

static bool read_range(const void *fdt, int node, struct range *range)
{
	return read_cell(fdt, node, "regulator-min-microvolt", &range->min) &
	       read_cell(fdt, node, "regulator-max-microvolt", &range->max);
}

static bool stays_on(const void *fdt, int node)
{
	return node_used(fdt, node) && (fdt_getprop(fdt, node, "regulator-always-on", NULL) ||
					fdt_getprop(fdt, node, "regulator-boot-on", NULL));
}

/* The rails of the CPUs are needed as well. */
static void mark_rails(struct need *need)
{
	int cpu, rail, cpus = fdt_path_offset(need->fdt, "/cpus");
	unsigned int phandle;

	fdt_for_each_subnode(cpu, need->fdt, cpus) {
		if (!read_cell(need->fdt, cpu, "cpu-supply", &phandle) &&
		    !read_cell(need->fdt, cpu, "cpu0-supply", &phandle))
			continue;
		rail = node_numbered(need->fdt, phandle);
		if (rail >= 0)
			need->stood[rail] = 1;
	}
}

/* A fifth is what boards correct for another frequency; what is meant for another rail is more. */
static bool is_far(const struct range *was, const struct range *is)
{
	return is->min > was->max + was->max / 5ull || is->max < was->min - was->min / 5;
}

/* Nothing can set it: what it says matters to who looks at it, such as the host of a card. */
static bool is_told(const void *fdt, int rail)
{
	return !fdt_node_check_compatible(fdt, rail, "regulator-fixed");
}

/* The kernel sets what is out of its range when the regulator comes up. */
static void check_range(const struct need *all, int old, int new)
{
	struct range was, is;
	struct need need = *all;
	char path[256], text[80];
	bool known = read_range(need.running, old, &was);

	if (!read_range(need.fdt, new, &is) ||
	    (known && was.min == is.min && was.max == is.max))
		return;
	if (!known || !is_far(&was, &is) || (!need.stood[new] && is_told(need.fdt, new)))
		need.level = LEVEL_WARNING;
	node_shown(need.fdt, new, path, sizeof(path));
	if (known)
		snprintf(text, sizeof(text), "%u to %u uV in the new tree, %u to %u now", is.min,
			 is.max, was.min, was.max);
	else
		snprintf(text, sizeof(text), "%u to %u uV in the new tree, any now", is.min,
			 is.max);
	complain(&need, KEEP_VOLTAGE, "%s has %s", path, text);
}

static void check_voltages(struct need need)
{
	int old, new;

	need.what = "supplies";
	mark_rails(&need);
	for (new = 0; new >= 0; new = fdt_next_node(need.fdt, new, NULL)) {
		if (!fdt_getprop(need.fdt, new, "regulator-max-microvolt", NULL))
			continue;
		old = find_device(need.fdt, new, need.running);
		if (old >= 0 && (need.stood[new] ||
				 (stays_on(need.running, old) && stays_on(need.fdt, new))))
			check_range(&need, old, new);
	}
}

/* The largest first number of a property of a table's rows. */
static unsigned long long highest(const void *fdt, int table, const char *name, int size)
{
	unsigned long long most = 0, one;
	int node, length;

	fdt_for_each_subnode(node, fdt, table) {
		const void *value = fdt_getprop(fdt, node, name, &length);

		if (!value || length < size || !dtb_enabled(fdt, node))
			continue;
		one = size == 8 ? fdt64_ld(value) : fdt32_ld(value);
		most = one > most ? one : most;
	}
	return most;
}

static int table_of(const void *fdt, int cpu)
{
	unsigned int phandle;

	return read_cell(fdt, cpu, "operating-points-v2", &phandle) ?
	       node_numbered(fdt, phandle) : -FDT_ERR_NOTFOUND;
}

static void check_table(struct need *need, int was, int is)
{
	static const struct {
		const char *name;
		int size;
		const char *unit;
	} rows[] = { { "opp-hz", 8, "Hz" }, { "opp-microvolt", 4, "uV" } };
	char path[256], text[96];
	size_t i;

	node_shown(need->fdt, is, path, sizeof(path));
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned long long old = highest(need->running, was, rows[i].name, rows[i].size);
		unsigned long long new = highest(need->fdt, is, rows[i].name, rows[i].size);

		snprintf(text, sizeof(text), "%llu %s in the new tree, to %llu now", new,
			 rows[i].unit, old);
		if (old && new > old + old / 100)
			complain(need, "see that the CPUs and their supply take that",
				 "%s goes up to %s", path, text);
	}
}

static void check_frequencies(struct need need)
{
	int cpu, new, was, is, last = -1, cpus = fdt_path_offset(need.running, "/cpus");

	need.what = "cpus";
	need.level = LEVEL_WARNING;
	fdt_for_each_subnode(cpu, need.running, cpus) {
		new = find_device(need.running, cpu, need.fdt);
		was = table_of(need.running, cpu);
		is = new < 0 ? new : table_of(need.fdt, new);
		if (was >= 0 && is >= 0 && is != last)
			check_table(&need, was, is);
		last = is;
	}
}

/* The temperature at which a zone stops the board; INT_MAX where it never does. */
static int lethal(const void *fdt, int zone)
{
	int trips = zone < 0 ? zone : fdt_subnode_offset(fdt, zone, "trips"), trip, least = INT_MAX;
	unsigned int value;

	fdt_for_each_subnode(trip, fdt, trips) {
		const char *type = fdt_getprop(fdt, trip, "type", NULL);

		if (type && !strcmp(type, "critical") &&
		    read_cell(fdt, trip, "temperature", &value) && (int)value < least)
			least = value;
	}
	return least;
}

static void check_zones(struct need need)
{
	int zone, zones = fdt_path_offset(need.fdt, "/thermal-zones");
	int before = fdt_path_offset(need.running, "/thermal-zones");
	char text[64];

	need.what = "temperature";
	need.level = LEVEL_WARNING;
	fdt_for_each_subnode(zone, need.fdt, zones) {
		const char *name = fdt_get_name(need.fdt, zone, NULL);
		int is = node_used(need.fdt, zone) ? lethal(need.fdt, zone) : INT_MAX;
		int was = lethal(need.running, before < 0 ? before :
				 fdt_subnode_offset(need.running, before, name));

		if (is >= was || (is >= COOL && (was == INT_MAX || was - is <= DROP)))
			continue;
		snprintf(text, sizeof(text), "%d C", is / 1000);
		complain(&need, "see that the board never gets that warm",
			 "in the new tree the kernel stops the board at %s of %s", text, name);
	}
}

/**
 * check_limits() - refuse a tree that sets a supply to another voltage, warn of what is hotter
 * @need: is told; knows what is needed
 */
void check_limits(struct need need)
{
	if (!need.stood)
		return;
	check_voltages(need);
	check_frequencies(need);
	check_zones(need);
}
