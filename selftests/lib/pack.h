/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all tests in C share: files, waiting, modules and the kernel's log.
 */
#ifndef PACK_H
#define PACK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"

/* Writes to a file in one go; returns 0 or a negative error code. */
static inline int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;

	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);

	return ret;
}

/* Reads the first line of a file; it is empty if that fails. */
static inline char *file_read(const char *path)
{
	static char text[4][256];
	static unsigned int turn;
	char *buf = text[turn++ % 4];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, 255);

	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';

	return buf;
}

static inline long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Sleeps between two looks, ever longer: to look often is what an emulated CPU is slow at. */
static inline void pause_longer(unsigned int *us)
{
	usleep(*us);
	*us = *us < 25000 ? *us * 2 : 50000;
}

/* Waits until a condition holds; false if it did not within 20 seconds. */
#define wait_until(condition)					\
({								\
	long long __end = now_ms() + 20000;			\
	unsigned int __us = 1000;				\
	bool __met;						\
								\
	while (!(__met = (condition)) && now_ms() < __end)	\
		pause_longer(&__us);				\
	__met;							\
})

/* Whether a condition holds all the time, for so many milliseconds. */
#define holds_for(ms, condition)				\
({								\
	long long __end = now_ms() + (ms);			\
	unsigned int __us = 1000;				\
	bool __met;						\
								\
	while ((__met = (condition)) && now_ms() < __end)	\
		pause_longer(&__us);				\
	__met;							\
})

/* Runs modprobe with arguments; returns its exit status. */
static inline int run_modprobe(const char *arguments)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "exec modprobe %.1024s >/dev/null 2>&1", arguments);

	return system(command);
}

static inline bool module_is_loaded(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s", name);

	return !access(path, F_OK);
}

/* Modules that a test takes away, up to one without a name. */
struct module_before {
	const char *name;
	bool loaded;
};

static inline void modules_note(struct module_before *module)
{
	for (; module->name; module++)
		module->loaded = module_is_loaded(module->name);
}

/* Loads again what was loaded, as modprobe.d has it. */
static inline void modules_put_back(const struct module_before *module)
{
	for (; module->name; module++)
		if (module->loaded && !module_is_loaded(module->name))
			run_modprobe(module->name);
}

/* Whether nodes of the device tree may come and go, as with an overlay. */
static inline bool tree_can_change(void)
{
	return !system("grep -q ' of_reconfig_notifier_register$' /proc/kallsyms");
}

/* How many references to the node that tree-change has changed others have. */
static inline int tree_held(void)
{
	return atoi(file_read("/sys/module/tree_change/parameters/held"));
}

/* Opens the kernel's log so that only what comes from now on is read. */
static inline int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);

	return fd;
}

/* Counts the new lines of the kernel's log that hold one of some texts. */
static inline int log_count_any(int fd, const char * const texts[])
{
	char line[8192];
	int i, count = 0;
	ssize_t len;

	for (;;) {
		len = read(fd, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return count;
		line[len] = '\0';
		for (i = 0; texts[i]; i++)
			count += !!strstr(line, texts[i]);
	}
}

static inline int log_count(int fd, const char *text)
{
	return log_count_any(fd, (const char * const []){ text, NULL });
}

/* Whether the kernel has found something wrong. */
static inline int log_reports(int fd)
{
	return log_count_any(fd, (const char * const []){
		"WARNING:", "BUG:", "Oops", "INFO: ", "possible ", "Call trace:", "Call Trace:",
		NULL });
}

#endif /* PACK_H */
