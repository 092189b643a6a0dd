// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module can go at any moment: while it blinks, while others write to all
 * its files, while a target goes at the same time, after allocations have failed.
 * Whatever it had borrowed is then what it was.
 *
 * Races need luck: PACK_ROUNDS= says how often they are tried (5).
 */

#include <linux/uleds.h>
#include <signal.h>
#include <sys/wait.h>

#include "../lib/led.h"

#include "kselftest_harness.h"

#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define BUSY		240	/* seconds: on two CPUs the time is the host's, which may be busy */

static int rounds(void)
{
	return getenv("PACK_ROUNDS") ? atoi(getenv("PACK_ROUNDS")) : 5;
}

/* Targets that blink, so that there is something to get back. */
static void set_up(void)
{
	led_use_trigger(T1, "timer");
	led_write(T1, "delay_on", "30");
	led_write(T1, "delay_off", "45");
	if (T2)
		led_use_trigger(T2, "heartbeat");
}

static bool is_as_before(void)
{
	if (T2 && !led_has_trigger(T2, "heartbeat"))
		return false;

	return led_has_trigger(T1, "timer") && led_reads(T1, "delay_on", "30") &&
	       led_reads(T1, "delay_off", "45");
}

static int load(void)
{
	char parameters[600];

	snprintf(parameters, sizeof(parameters), "leds=\"%.255s %.255s\" hold_ms=60000", T1,
		 T2 ?: "");

	return led_load(parameters) ?: led_write(ID, "blink_pattern", "10 10");
}

FIXTURE(module) {
	int log;
};

FIXTURE_SETUP(module)
{
	self->log = log_open();
	led_unload();
	led_plain(T1);
	if (T2)
		led_plain(T2);
	set_up();
	if (!led_has_trigger(T1, "timer"))
		SKIP(return, "this machine has no trigger timer");
}

FIXTURE_TEARDOWN(module)
{
	if (led_is_loaded())
		EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F_TIMEOUT(module, can_go_in_mid_blink, BUSY)
{
	ASSERT_EQ(0, load());
	ASSERT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_TRUE(led_changes(T1, 2));
	EXPECT_EQ(0, led_unload());
	EXPECT_FALSE(led_exists(ID));
	EXPECT_TRUE(is_as_before());
	EXPECT_TRUE(led_changes(T1, 2));
}

/* Writes to a file for ever, whether it is there or not. */
static pid_t hammer(const char *file, const char * const texts[])
{
	pid_t pid = fork();
	int i;

	for (i = 0; !pid; i++) {
		led_write(ID, file, texts[i % 3]);
		usleep(2000);
	}

	return pid;
}

TEST_F_TIMEOUT(module, can_come_and_go_while_others_write, BUSY)
{
	static const char * const levels[] = { "1", "0", "255" };
	static const char * const seconds[] = { "1", "0", "5" };
	static const char * const patterns[] = { "10 10", "20 30 40 50", "11 12" };
	static const char * const triggers[] = { "timer", "none", "heartbeat" };
	const char * const leds[] = { T1, "no-such-led", T2 ?: "" };
	pid_t pids[5];
	int i;

	pids[0] = hammer("brightness", levels);
	pids[1] = hammer("identify", seconds);
	pids[2] = hammer("blink_pattern", patterns);
	pids[3] = hammer("trigger", triggers);
	pids[4] = hammer("leds", leds);
	for (i = 0; i < rounds(); i++) {
		EXPECT_EQ(0, load());
		usleep(20000 * (i % 8));
		EXPECT_EQ(0, led_unload());
		EXPECT_FALSE(led_is_borrowed(T1));
	}
	for (i = 0; i < 5; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	EXPECT_TRUE(is_as_before());
}

TEST_F_TIMEOUT(module, can_go_while_a_target_goes, BUSY)
{
	char device[PATH_MAX], driver[PATH_MAX], unbind[PATH_MAX], bind[PATH_MAX];
	pid_t pid;
	int i;

	if (!led_device(T1, "", device) || !led_device(T1, "/driver", driver))
		SKIP(return, "the LED cannot be unbound from its driver");
	snprintf(unbind, sizeof(unbind), "%.4000s/unbind", driver);
	snprintf(bind, sizeof(bind), "%.4000s/bind", driver);
	if (access(unbind, W_OK) || !strstr(driver, "/leds-gpio"))
		SKIP(return, "the LED cannot be unbound from its driver");

	for (i = 0; i < rounds(); i++) {
		ASSERT_EQ(0, load());
		EXPECT_EQ(0, led_write(ID, "identify", "60"));
		EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
		pid = fork();
		if (!pid) {
			usleep(i % 5 * 1500);
			_exit(file_write(unbind, strrchr(device, '/') + 1));
		}
		EXPECT_EQ(0, led_unload());
		waitpid(pid, NULL, 0);
		EXPECT_EQ(0, file_write(bind, strrchr(device, '/') + 1));
		EXPECT_TRUE(wait_until(led_exists(T1)));
		EXPECT_FALSE(led_is_borrowed(T1));
		set_up();
	}
	EXPECT_TRUE(is_as_before());
}

/* It has to take its LED back where another one is called so. */
TEST_F_TIMEOUT(module, can_be_refused_while_others_write, BUSY)
{
	struct uleds_user_dev other = { .name = ID, .max_brightness = 1 };
	pid_t pid;
	int fd, i;

	run_modprobe("-q uleds");
	fd = open("/dev/uleds", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "this kernel has no LEDs of user space (uleds)");
	ASSERT_EQ(sizeof(other), write(fd, &other, sizeof(other)));
	pid = fork();
	while (!pid)
		led_write(ID "_1", "identify", "60");
	for (i = 0; i < 4 * rounds(); i++)
		EXPECT_EQ(-EBUSY, led_load(""));
	usleep(500000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	EXPECT_FALSE(led_is_loaded());
}

/* Allocations that fail: those of the module, and what is called by it. */

static int fail_only_in_module(void)
{
	unsigned long long address, first = ~0ULL, last = 0;
	char line[512], type, text[32];
	FILE *symbols = fopen("/proc/kallsyms", "r");

	while (symbols && fgets(line, sizeof(line), symbols)) {
		if (!strstr(line, "[leds_identify]") ||
		    sscanf(line, "%llx %c", &address, &type) != 2 || (type | 32) != 't')
			continue;
		first = address < first ? address : first;
		last = address > last ? address : last;
	}
	if (symbols)
		fclose(symbols);

	snprintf(text, sizeof(text), "0x%llx", first);
	if (file_write(FAILSLAB "require-start", text))
		return -1;
	snprintf(text, sizeof(text), "0x%llx", last);

	return file_write(FAILSLAB "require-end", text) ?:
	       file_write(FAILSLAB "stacktrace-depth", "32") ?:
	       file_write(FAILSLAB "ignore-gfp-wait", "N") ?:
	       file_write(FAILSLAB "verbose", "0") ?:
	       file_write(FAILSLAB "interval", "1") ?:
	       file_write(FAILSLAB "times", "-1");
}

/*
 * Lets the nth allocation of the kernel's workers fail; returns whether one of
 * them has come that far since the last call.
 */
static bool fail_nth(int n)
{
	char path[PATH_MAX], comm[32], left[16] = "", text[16];
	bool failed = false;
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int fd;

	snprintf(text, sizeof(text), "%d", n);
	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		fd = atoi(entry->d_name) ? open(path, O_RDONLY) : -1;
		if (fd < 0)
			continue;
		memset(comm, 0, sizeof(comm));
		if (read(fd, comm, sizeof(comm) - 1) > 0 && !strncmp(comm, "kworker/", 8)) {
			snprintf(path, sizeof(path), "/proc/%s/fail-nth", entry->d_name);
			close(fd);
			fd = open(path, O_RDONLY);
			if (read(fd, left, sizeof(left)) > 0 && !atoi(left))
				failed = true;
			file_write(path, text);
		}
		close(fd);
	}
	closedir(proc);

	return failed;
}

TEST_F_TIMEOUT(module, survives_the_failure_of_each_allocation, BUSY)
{
	int n, step = rounds() < 20 ? 7 : 1;

	ASSERT_EQ(0, load());
	if (fail_only_in_module())
		SKIP(return, "this kernel has no failslab");
	for (n = 1; n < 1000; n += step) {
		fail_nth(n);
		led_write(ID, "identify", "60");
		led_write(ID, "identify", "0");
		if (!fail_nth(0))
			break;
		EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
		EXPECT_TRUE(is_as_before())
			TH_LOG("after the failure of allocation %d", n);
	}
	TH_LOG("%d allocations", n - 1);
	EXPECT_LT(10, n);
	EXPECT_GT(1000, n);
}

TEST_F_TIMEOUT(module, survives_the_failure_of_many_allocations, BUSY)
{
	int i;

	ASSERT_EQ(0, load());
	if (fail_only_in_module())
		SKIP(return, "this kernel has no failslab");
	ASSERT_EQ(0, file_write(FAILSLAB "probability", "30"));
	for (i = 0; i < rounds(); i++) {
		led_write(ID, "leds", i % 2 ? T1 : T2 ?: T1);
		led_write(ID, "identify", "60");
		led_write(ID, "identify", "0");
	}
	ASSERT_EQ(0, file_write(FAILSLAB "probability", "0"));
	EXPECT_TRUE(wait_until(led_reads(ID, "active", "0")));
	EXPECT_FALSE(led_is_borrowed(T1));
	EXPECT_FALSE(T2 && led_is_borrowed(T2));

	set_up();
	EXPECT_EQ(0, led_write(ID, "leds", T1));
	EXPECT_EQ(0, led_write(ID, "identify", "60"));
	EXPECT_TRUE(wait_until(led_is_borrowed(T1)));
	EXPECT_EQ(0, led_unload());
	EXPECT_TRUE(is_as_before());
}

int main(int argc, char **argv)
{
	led_test_begin(NULL);

	return test_harness_run(argc, argv);
}
