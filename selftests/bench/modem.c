// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guests of make bench and make demo: plugs in a Huawei stick, which is
 * emulated, and tells when it was switched and when its modem has a driver.
 * usage: modem NAME ROUNDS [PAUSE_MS]
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/usb-emu.h"

#define LIMIT_NS	20000000000ULL

static const struct emu_mode storage = {
	0x12d1, 0x14fe, "HUAWEI", "HUAWEI Mobile", "HUAWEI", "Mass Storage",
	.config = { { 1, { EMU_STORAGE } } },
};

static const struct emu_mode modem = {
	0x12d1, 0x1506, "HUAWEI", "HUAWEI Mobile", .config = {
		{ 1, { { 0xff, 0x02, 0x12, { { 0x81, 2 }, { 0x01, 2 } } }, EMU_HUAWEI_NCM(3) } } },
};

static const char *bound_to(unsigned int intf)
{
	static char target[PATH_MAX];
	char name[16], path[PATH_MAX];
	ssize_t len;

	if (!emu_port_name(0, name, sizeof(name)))
		return "";
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s:1.%u/driver", name, intf);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return "";
	target[len] = '\0';

	return strrchr(target, '/') + 1;
}

/* When the modem's first two interfaces have their drivers; 0: too late. */
static __u64 wait_bound(const struct emu *emu)
{
	__u64 end = emu_ns() + LIMIT_NS;

	while (emu_ns() < end) {
		if (emu->now && !strcmp(bound_to(0), "option") &&
		    !strcmp(bound_to(1), "huawei_cdc_ncm"))
			return emu_ns();
		usleep(1000);
	}

	return 0;
}

/* Processes started since boot */
static unsigned long forks(void)
{
	unsigned long n = 0;
	char line[1024];
	FILE *in = fopen("/proc/stat", "re");

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "processes %lu", &n) == 1)
			break;
	if (in)
		fclose(in);

	return n;
}

static long long since(const struct emu *emu, const struct emu_event *event)
{
	return event ? (long long)(event->ns - emu->event[0].ns) / 1000 : -1;
}

/* A port on which devices come again and again would be left alone. */
static void forget_tries(void)
{
	int fd = open("/sys/class/misc/usb-modeswitch/rescan", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) != 1)
		perror("rescan");
	if (fd >= 0)
		close(fd);
}

static const struct sched_param first = { .sched_priority = 1 };

static bool is_bus(const char *pid)
{
	char path[300], name[16] = "";
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	if (!fgets(name, sizeof(name), in))
		name[0] = '\0';
	fclose(in);

	return !strcmp(name, "vhci_rx\n") || !strcmp(name, "vhci_tx\n");
}

/* The threads that are the bus: with a real one they are an interrupt. */
static unsigned int hurry_bus(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned int n = 0;

	while (dir && (entry = readdir(dir)))
		if (is_bus(entry->d_name))
			n += !sched_setscheduler(atoi(entry->d_name), SCHED_FIFO, &first);
	if (dir)
		closedir(dir);

	return n;
}

/* A stick answers, whatever the host's CPU is busy with; who waits for it does not hurry. */
static bool plug(struct emu *emu)
{
	struct sched_param normal = { 0 };
	int i;

	if (sched_setscheduler(0, SCHED_FIFO, &first) || !emu_plug(emu) ||
	    sched_setscheduler(0, SCHED_OTHER, &normal))
		return false;
	for (i = 0; i < 50 && hurry_bus() < 2; i++)
		usleep(1000);

	return i < 50;
}

static bool round_once(const char *name, struct emu *emu, unsigned int pause_ms)
{
	unsigned long before = forks();
	__u64 bound;

	forget_tries();
	if (!plug(emu))
		return false;
	bound = wait_bound(emu);
	/* What is started then belongs to it, too. */
	usleep(pause_ms * 1000);
	printf("modem %s configured %lld command %lld away %lld ", name,
	       since(emu, emu_find(emu, EMU_SET_CONFIG, 0, 0)),
	       since(emu, emu_find(emu, EMU_OUT, 0, 0)),
	       since(emu, emu_find(emu, EMU_PLUGGED, 1, 0)));
	printf("modem %lld bound %lld processes %lu\n",
	       since(emu, emu_find(emu, EMU_SET_CONFIG, 1, 0)),
	       bound ? (long long)(bound - emu->event[0].ns) / 1000 : -1, forks() - before - 1);
	fflush(stdout);

	return emu_unplug(emu);
}

int main(int argc, char **argv)
{
	unsigned int i, pause_ms = argc > 3 ? atoi(argv[3]) : 0;
	struct emu *emu = emu_new(0);

	if (argc < 3 || !emu)
		return 2;
	emu->mode[0] = storage;
	emu->mode[1] = modem;
	emu->modes = 2;
	emu->switch_after = 1;
	emu->stays_ms = 100;
	emu->away_ms = 300;
	for (i = 0; i < (unsigned int)atoi(argv[2]); i++)
		if (!round_once(argv[1], emu, pause_ms))
			return 1;

	return 0;
}
