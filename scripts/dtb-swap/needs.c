// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the running system stands on, and whether a new tree has it: console, storage,
 * network, watchdog, memory, with the controllers and supplies behind them.
 */

#include <ctype.h>
#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "needs.h"

#define BASE "/devicetree/base"

/* The path in the tree of what a device in sysfs was made from. */
static char *node_of(const char *device)
{
	char *up = strdup(device), *slash, *path = NULL;

	while (up && !path && (slash = strrchr(up, '/')) && slash != up) {
		char *link = format_text("%s/of_node", up), target[1024];
		ssize_t length = link ? readlink(link, target, sizeof(target) - 1) : -1;
		char *base;

		free(link);
		*slash = '\0';
		if (length < 0)
			continue;
		target[length] = '\0';
		base = strstr(target, BASE);
		if (base)
			path = strdup(base[strlen(BASE)] ? base + strlen(BASE) : "/");
	}
	free(up);
	return path;
}

static const char *kind_of(const void *fdt, int node)
{
	const char *name = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);

	return name ? name : "no compatible";
}

/* A chip that nobody feeds restarts the board for ever. By another name it may be the same. */
static bool is_hungry(const struct need *need, int old)
{
	static const char kind[] = "linux,wdt-gpio";
	int other = fdt_node_offset_by_compatible(need->fdt, -1, kind);

	return !fdt_node_check_compatible(need->running, old, kind) &&
	       fdt_getprop(need->running, old, "always-running", NULL) &&
	       (other < 0 || !node_used(need->fdt, other) ||
		find_device(need->running, old, need->fdt) >= 0);
}

/* An overlay, or the kernel's PCI, has brought it after the start: what it is on was there. */
static int nearest_node(const void *fdt, const char *path)
{
	const char *slash;
	int node = fdt_path_offset(fdt, path);

	for (slash = path + strlen(path); node < 0 && slash > path; slash--)
		if (*slash == '/')
			node = fdt_path_offset_namelen(fdt, path, slash - path);
	return node;
}

/*
 * @path: of the device in the running tree; @stem: of an alias that counts, or NULL
 * @number: in the kernel's name for it, or -1
 */
static void check_device(struct need *need, const char *path, const char *stem, int number)
{
	int old = nearest_node(need->running, path), new;
	struct need inner = *need;

	if (old <= 0)
		return;
	if (is_hungry(need, old))
		need->level = LEVEL_REFUSAL;
	old = whole_device(need, old, &new);
	if (new < 0) {
		complain(need, KEEP, "it is %s (%s), which the new tree does not have", path,
			 kind_of(need->running, old));
		return;
	}
	if (is_itself(need, old, new))
		inner.level = LEVEL_WARNING;
	if (!same_device(need->running, old, need->fdt, new))
		complain(&inner, KEEP, "it is driven as %s, in the new tree it is %s",
			 kind_of(need->running, old), kind_of(need->fdt, new));
	if (node_used(need->running, old) && !node_used(need->fdt, new))
		complain(need, "set its status, and that of the nodes above it, to \"okay\"",
			 "it is %s, which is disabled in the new tree%s", path, "");
	if (stem)
		check_alias(need, old, new, stem, number);
	check_soldered(need, old, new);
	if (memory_differs(need->running, old, need->fdt, new))
		complain(need, "give the buses above it their dma-ranges",
			 "no bus above it has dma-ranges in the new tree: it would miss memory%s%s",
			 "", "");
	check_iommu(need, new);
	check_irqs(need, old, new, false);
	follow_from(need, new);
	check_wire(need, old, new);
}

/* Such as /sys/devices/platform/soc/38200000.usb/xhci-hcd.0.auto/usb1/1-1/1-1:1.0/net/wwan0 */
static bool is_behind_usb(const char *device)
{
	while ((device = strstr(device, "/usb"))) {
		device += strlen("/usb");
		if (device[strspn(device, "0123456789")] == '/' && *device != '/')
			return true;
	}
	return false;
}

/*
 * @device: of sysfs, from the root; it may be below several nodes, the nearest counts.
 * Returns whether there is one.
 */
static bool check_sysfs(struct need *need, const char *device, const char *stem)
{
	char *real = sys_real(need->swap, device), *path = real ? node_of(real) : NULL;
	bool found = path;

	if (path) {
		need->usb = is_behind_usb(real + strlen(need->swap->root));
		check_device(need, path, stem, stem ? number_of(real, stem) : -1);
		check_kind(need, real, nearest_node(need->running, path));
	}
	free(path);
	free(real);
	return found;
}

/* What /chosen says is the console, by path or alias; negative where it says nothing. */
static int stdout_node(const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	const char *out = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "stdout-path", NULL);

	return out ? fdt_path_offset_namelen(fdt, out, strcspn(out, ":")) : -FDT_ERR_NOTFOUND;
}

static void check_stdout(struct need *need)
{
	int old = stdout_node(need->running), new = stdout_node(need->fdt);
	char path[256];

	if (old < 0 || fdt_get_path(need->running, old, path, sizeof(path)))
		return;
	check_device(need, path, NULL, -1);
	if (new < 0)
		complain(need, "give /chosen a stdout-path, and what it names an alias",
			 "the stdout-path of the new tree leads nowhere%s%s", "", "");
	else if (find_device(need->running, old, need->fdt) != new)
		complain(need, "name the same device in stdout-path of /chosen",
			 "in the new tree it is another than %s%s", path, "");
}

static void check_console(struct need need, const char *cmdline)
{
	const char *at = cmdline;
	char what[80], device[96], name[32];
	bool any = false;

	while (at && (at = strstr(at, "console="))) {
		bool whole = at == cmdline || at[-1] == ' ';
		size_t length = 0;

		at += strlen("console=");
		while (isalnum((unsigned char)at[length]))
			length++;
		if (!whole || !copy_span(name, sizeof(name), at, length))
			continue;
		snprintf(what, sizeof(what), "console %s", name);
		snprintf(device, sizeof(device), "/sys/class/tty/%s", name);
		need.what = what;
		check_sysfs(&need, device, "serial");
		any = true;
	}
	need.what = "console of stdout-path";
	if (!any)
		check_stdout(&need);
}

/* struct storage - while disks are looked at; @stem: of an alias that counts, or NULL */
struct storage {
	struct need need;
	const char *stem;
};

static void check_disk(const char *point, const char *device, void *data)
{
	struct storage *storage = data;
	struct need need = storage->need;
	char what[300];

	snprintf(what, sizeof(what), "storage of %s", point);
	need.what = what;
	if (device && check_sysfs(&need, device, storage->stem))
		return;
	need.level = LEVEL_WARNING;
	complain(&need, "see by dtb-swap diff that what it is on stays the same",
		 "no node of the tree was found behind it%s%s", "", "");
}

static void check_storage(struct need need, const char *cmdline)
{
	bool by_name = cmdline && strstr(cmdline, "root=/dev/mmcblk");
	struct storage storage = { .need = need, .stem = by_name ? "mmc" : NULL };

	each_disk(need.swap, check_disk, &storage);
}

/* Interfaces whose drivers tell no carrier, such as modems, are unknown while in use. */
static bool interface_up(const struct swap *swap, const char *device)
{
	char *path = format_text("%s/operstate", device);
	char *state = path ? sys_line(swap, path) : NULL, *flags = NULL;
	bool up = state && !strcmp(state, "up");

	free(path);
	path = format_text("%s/flags", device);
	if (state && !strcmp(state, "unknown") && path)
		flags = sys_line(swap, path);
	up |= flags && strtoul(flags, NULL, 16) & IFF_UP;
	free(flags);
	free(path);
	free(state);
	return up;
}

static void check_class(struct need need, const char *class, bool network)
{
	char *folder = format_text("%s/sys/class/%s", need.swap->root, class);
	DIR *dir = folder ? opendir(folder) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char what[300], device[300];

		if (*entry->d_name == '.')
			continue;
		snprintf(what, sizeof(what), "%s %s", network ? "network" : class, entry->d_name);
		snprintf(device, sizeof(device), "/sys/class/%s/%s", class, entry->d_name);
		need.what = what;
		need.level = network && interface_up(need.swap, device) ? LEVEL_REFUSAL :
									  LEVEL_WARNING;
		check_sysfs(&need, device, NULL);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

static bool is_cpu(const void *fdt, int node)
{
	const char *type = fdt_getprop(fdt, node, "device_type", NULL);

	return type && !strcmp(type, "cpu") && dtb_enabled(fdt, node);
}

/* Without cells of /cpus the kernel takes those of the root, and finds no number that short. */
static bool has_cells(const void *fdt, int cpus, int node)
{
	int size, length = 0;
	const fdt32_t *cells = fdt_getprop(fdt, cpus, "#address-cells", &size);

	cells = cells ? cells : fdt_getprop(fdt, 0, "#address-cells", &size);
	if (!cells || !fdt_getprop(fdt, node, "reg", &length))
		return true;
	return size == 4 && fdt32_to_cpu(*cells) <= length / 4u;
}

static unsigned long long cpu_number(const void *fdt, int node)
{
	int length, i;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);
	unsigned long long number = reg ? 0 : -1;

	for (i = 0; reg && i < length / 4; i++)
		number = number << 32 | fdt32_to_cpu(reg[i]);
	return number;
}

/* Firmware writes all versions of PSCI that it has; a kernel needs one. */
static int find_core(const void *fdt, const char *name)
{
	static const char *const psci[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };
	int node = fdt_node_offset_by_compatible(fdt, -1, name);
	size_t i;

	for (i = 0; i < 3 && node < 0 && !strncmp(name, "arm,psci", 8); i++)
		node = fdt_node_offset_by_compatible(fdt, -1, psci[i]);
	return node;
}

/* Bootloaders of 32-bit ARM write both, how a CPU is started and what starts it. */
static bool by_firmware(const void *fdt)
{
	int node;

	for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
		if (fdt_getprop(fdt, node, "enable-method", NULL))
			return false;
	return find_core(fdt, "arm,psci") < 0;
}

/* Whether a tree has a CPU of another, and says how to start it where that does. */
static bool has_cpu(const void *from, int cpu, const void *fdt)
{
	int node, cpus = fdt_path_offset(fdt, "/cpus");

	fdt_for_each_subnode(node, fdt, cpus)
		if (is_cpu(fdt, node) && cpu_number(fdt, node) == cpu_number(from, cpu) &&
		    has_cells(fdt, cpus, node))
			return !fdt_getprop(from, cpu, "enable-method", NULL) ||
			       fdt_getprop(fdt, node, "enable-method", NULL) || by_firmware(fdt);
	return false;
}

/* The kernel gets along with fewer. */
static void check_cpus(struct need need)
{
	int node, cpus = fdt_path_offset(need.running, "/cpus"), count = 0, left = 0;
	char texts[2][16];

	need.what = "cpus";
	fdt_for_each_subnode(node, need.running, cpus) {
		if (!is_cpu(need.running, node))
			continue;
		count++;
		left += has_cpu(need.running, node, need.fdt);
	}
	snprintf(texts[0], sizeof(texts[0]), "%d", left);
	snprintf(texts[1], sizeof(texts[1]), "%d", count);
	if (left && left < count)
		need.level = LEVEL_WARNING;
	if (left < count)
		complain(&need, "see their status, reg and enable-method",
			 "the new tree has %s of the %s that run", texts[0], texts[1]);
}

/* Without these no kernel gets as far as a console. A node with several of the names is one. */
static void check_core(struct need need)
{
	static const char *const core[] = {
		"arm,armv8-timer", "arm,armv7-timer", "arm,psci-1.0", "arm,psci-0.2", "arm,psci",
	};
	const char *was, *is;
	int last = -1;
	size_t i;

	for (i = 0; i < sizeof(core) / sizeof(*core); i++) {
		int old = fdt_node_offset_by_compatible(need.running, -1, core[i]);
		int new = find_core(need.fdt, core[i]);

		need.what = core[i];
		need.level = !strncmp(core[i], "arm,psci", 8) && by_firmware(need.fdt) ?
			     LEVEL_WARNING : LEVEL_REFUSAL;
		if (old < 0 || old == last || !node_used(need.running, old))
			continue;
		last = old;
		was = fdt_getprop(need.running, old, "method", NULL);
		is = new < 0 ? NULL : fdt_getprop(need.fdt, new, "method", NULL);
		if (new < 0 || !node_used(need.fdt, new))
			complain(&need, KEEP, "the new tree has none that is in use%s%s",
				 "", "");
		else if (was && (!is || strcmp(was, is)))
			complain(&need, KEEP, "its method is %s, in the new tree %s", was,
				 is ? is : "none");
		if (new >= 0) {
			check_irqs(&need, old, new, false);
			follow_from(&need, new);
		}
	}
}

/* By the last name of the root 32-bit kernels know what to do before any driver. */
static void check_soc(struct need need)
{
	int count = fdt_stringlist_count(need.running, 0, "compatible");
	const char *soc = count < 1 ? NULL :
			  fdt_stringlist_get(need.running, 0, "compatible", count - 1, NULL);

	if (fdt_node_offset_by_compatible(need.running, -1, "arm,armv8-timer") >= 0)
		need.level = LEVEL_WARNING;
	if (soc && fdt_node_check_compatible(need.fdt, 0, soc))
		complain(&need, "add the name of the SoC to compatible of the root",
			 "the new tree is not for %s%s", soc, "");
}

/* Whether the memory can be read with the root's cells. */
static bool memory_divides(const void *fdt)
{
	int node, length, one = fdt_address_cells(fdt, 0) + fdt_size_cells(fdt, 0);

	fdt_for_each_subnode(node, fdt, 0) {
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);

		if (type && !strcmp(type, "memory") && fdt_getprop(fdt, node, "reg", &length))
			return one > 0 && !(length % (4 * one));
	}
	return true;
}

/* What all else is read by: the root's cells, its interrupt controller, a CPU. */
static void check_root(struct need need)
{
	static const char *const cells[] = { "#address-cells", "#size-cells" };
	size_t i;

	need.what = "root";
	for (i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		if (fdt_getprop(need.running, 0, cells[i], NULL) &&
		    !fdt_getprop(need.fdt, 0, cells[i], NULL))
			complain(&need, KEEP, "the new tree has no %s%s", cells[i], "");
	if (!memory_divides(need.fdt) && memory_divides(need.running))
		complain(&need, "give memory as many cells as the root says",
			 "the cells of memory are not those of the root%s%s", "", "");
	follow_from(&need, 0);
	check_soc(need);
}

/**
 * check_needs() - refuse a tree without what the running system stands on
 * @swap: is told; has the root
 * @running: the tree of the running kernel
 * @fdt: the tree to check
 */
void check_needs(struct swap *swap, const void *running, const void *fdt)
{
	struct need need = { .swap = swap, .running = running, .fdt = fdt,
			     .level = LEVEL_REFUSAL };
	char *cmdline = sys_line(swap, "/proc/cmdline");

	need.stood = calloc(fdt_size_dt_struct(fdt) + 1, 1);
	swap->report.no_memory |= !need.stood;
	check_root(need);
	check_cpus(need);
	check_core(need);
	check_console(need, cmdline);
	check_storage(need, cmdline);
	check_class(need, "net", true);
	check_class(need, "watchdog", false);
	check_memory(need);
	check_reserved(need);
	check_rails(need);
	check_lines(need);
	check_pins(need);
	check_partners(need);
	check_limits(need);
	free(need.stood);
	free(cmdline);
}
