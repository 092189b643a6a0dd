/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of rtc-seed in C share. They set the clock of the machine, and
 * use RTCs whose answers they set (module rtc-fake).
 */
#ifndef PACK_CLOCK_H
#define PACK_CLOCK_H

#include <sys/time.h>
#include <sys/timex.h>

#include "pack.h"

#define SEED	"/sys/class/misc/rtc-seed/"
#define FAKE	"/sys/kernel/debug/rtc-fake/"
#define FAKES	4
#define OF_NODE	"/proc/device-tree/rtc-seed"

#define RIGHT	1927857906LL	/* 2031-02-03T04:05:06 */
#define Y2000	946684800LL
#define Y2037	2114380800LL
#define Y2099	4070908800LL

static inline long long clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);

	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline long long clock_sec(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000000;
}

static inline int clock_set(long long sec)
{
	const struct timespec ts = { .tv_sec = sec };

	return clock_settime(CLOCK_REALTIME, &ts) ? -errno : 0;
}

/* As early as the kernel takes it: the boot may not have been before 1970. */
static inline int clock_set_1970(void)
{
	return clock_set(clock_ns(CLOCK_BOOTTIME) / 1000000000 + 10);
}

/* The clock is slewed from then on, until the rate is 0. */
static inline int clock_set_rate(int ppm)
{
	struct timex ntp = { .modes = ADJ_FREQUENCY | ADJ_STATUS | ADJ_MAXERROR,
			     .freq = ppm * 65536, .status = STA_PLL };

	return adjtimex(&ntp) < 0 ? -errno : 0;
}

static inline bool clock_is(long long sec)
{
	long long apart = clock_sec() - sec;

	return apart >= -2 && apart <= 2;
}

static inline char *seed_read(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), SEED "%s", file);

	return file_read(path);
}

static inline long long seed_number(const char *file)
{
	return atoll(seed_read(file));
}

static inline int seed_write(const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), SEED "%s", file);

	return file_write(path, text);
}

static inline bool seed_reads(const char *file, const char *text)
{
	return !strcmp(seed_read(file), text);
}

static inline int fake_write(int n, const char *file, long long value)
{
	char path[PATH_MAX], text[32];

	snprintf(path, sizeof(path), FAKE "%d/%s", n, file);
	/* 5.10 takes no sign in these files. */
	snprintf(text, sizeof(text), "%llu", value);

	return file_write(path, text);
}

static inline long long fake_read(int n, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), FAKE "%d/%s", n, file);

	return atoll(file_read(path));
}

/* An RTC that says a time appears. */
static inline int fake_plug(int n, long long time)
{
	return fake_write(n, "time", time) ?: fake_write(n, "present", 1);
}

static inline int fake_unplug(int n)
{
	return fake_write(n, "present", 0);
}

/* Half a second is lost when it is set; its seconds begin with those of the uptime. */
static inline bool fake_is_right(int n)
{
	return llabs(fake_read(n, "time") - clock_sec()) <= 2;
}

/* The name that an RTC of ours has got. */
static inline const char *fake_name(int n)
{
	static char name[FAKES][32];
	char path[PATH_MAX];
	int i;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/platform/rtc-fake.%d/rtc/rtc%d", n, i);
		if (access(path, F_OK))
			continue;
		snprintf(name[n], sizeof(name[n]), "rtc%d", i);
		return name[n];
	}

	return "none";
}

static inline int seed_unload(void)
{
	if (!module_is_loaded("rtc_seed"))
		return 0;

	return syscall(SYS_delete_module, "rtc_seed", O_NONBLOCK) ? -errno : 0;
}

static inline int seed_load(const char *parameters)
{
	char arguments[1024];

	snprintf(arguments, sizeof(arguments), "rtc-seed %s", parameters);

	return run_modprobe(arguments);
}

static inline int clock_reset(void)
{
	int n, ret = seed_unload();

	for (n = 0; n < FAKES; n++)
		ret = ret ?: fake_unplug(n) ?: fake_write(n, "error", 0) ?:
		      fake_write(n, "reads", 0) ?: fake_write(n, "writes", 0) ?:
		      fake_write(n, "delay", 0) ?: fake_write(n, "garbage", 0);

	return ret ?: clock_set_1970();
}

static struct module_before clock_modules[] = { { "rtc_seed" }, { } };

static inline void clock_test_end(void)
{
	clock_reset();
	run_modprobe("-r rtc-fake");
	modules_put_back(clock_modules);
}

/* Begins a test: no RTC is there, and the module is not loaded. */
static inline void clock_test_begin(void)
{
	if (!access("/sys/class/rtc/rtc0", F_OK))
		ksft_exit_skip("this machine has an RTC already\n");
	modules_note(clock_modules);
	if (run_modprobe("rtc-fake"))
		ksft_exit_skip("the test's module rtc-fake cannot be loaded\n");
	if (run_modprobe("rtc-seed") || seed_unload())
		ksft_exit_skip("the module rtc-seed cannot be loaded and unloaded\n");
	atexit(clock_test_end);
}

/* For a test that leaves no device as it was: on a machine of the bench, or on one alone. */
static inline void clock_test_in_bench(const char *wanted)
{
	static const char why[] =
		"it reboots the machine, sets its RTC or formats its disk: only in the bench";
	const char *machine = getenv("PACK_MACHINE");

	if (!machine || (wanted && strcmp(machine, wanted)))
		ksft_exit_skip("%s\n", why);
}

/* Whether the kernel sets the clock from rtc0 when that comes. */
static inline bool kernel_has_hctosys(void)
{
	bool has;

	clock_reset();
	fake_plug(0, RIGHT);
	has = clock_is(RIGHT);
	clock_reset();

	return has;
}

#endif /* PACK_CLOCK_H */
