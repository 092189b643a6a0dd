/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of leds-identify in C share
 */
#ifndef PACK_LED_H
#define PACK_LED_H

#include <dirent.h>
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

#define LEDS	"/sys/class/leds/"

/* Writes to a file of an LED in one go; returns 0 or a negative error code. */
static inline int led_write(const char *led, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd, ret;

	snprintf(path, sizeof(path), LEDS "%s/%s", led, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);

	return ret;
}

/* Reads a file of an LED, without the newline; it is empty if that fails. */
static inline char *led_read(const char *led, const char *file)
{
	static char text[4][4096];
	static unsigned int turn;
	char *buf = text[turn++ % 4];
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), LEDS "%s/%s", led, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, buf, sizeof(text[0]) - 1);
	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';

	return buf;
}

static inline bool led_reads(const char *led, const char *file, const char *text)
{
	return !strcmp(led_read(led, file), text);
}

static inline bool led_has_trigger(const char *led, const char *trigger)
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "[%s]", trigger);

	return strstr(led_read(led, "trigger"), wanted);
}

static inline bool led_exists(const char *led)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LEDS "%s/brightness", led);

	return !access(path, F_OK);
}

static inline long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits until a condition holds; false if it did not within 20 seconds. */
#define wait_until(condition)					\
({								\
	long long __end = now_ms() + 20000;			\
	bool __met;						\
								\
	while (!(__met = (condition)) && now_ms() < __end)	\
		usleep(2000);					\
	__met;							\
})

/* The first LED that PACK_LEDS names, otherwise one on a GPIO, otherwise any. */
static inline const char *led_target(void)
{
	static char name[NAME_MAX + 1];
	char path[PATH_MAX], link[PATH_MAX];
	struct dirent *entry;
	ssize_t len;
	DIR *dir;

	if (getenv("PACK_LEDS") && sscanf(getenv("PACK_LEDS"), "%255s", name) == 1)
		return name;

	dir = opendir(LEDS);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "identify"))
			continue;
		snprintf(path, sizeof(path), LEDS "%s/device/driver", entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		if (!name[0] || strstr(link, "/leds-gpio"))
			snprintf(name, sizeof(name), "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);

	return name[0] ? name : NULL;
}

/* Runs modprobe with arguments; returns its exit status. */
static inline int led_modprobe(const char *arguments)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "exec modprobe %.1024s >/dev/null 2>&1",
		 arguments);

	return system(command);
}

#define led_unload()	led_modprobe("-r leds-identify")

/* Loads the module; returns 0 or the negative error, which modprobe may hide. */
static inline int led_load(const char *parameters)
{
	static char path[PATH_MAX];
	FILE *modprobe;
	int fd, ret;

	if (!path[0]) {
		modprobe = popen("modprobe -D leds-identify 2>/dev/null", "r");
		if (modprobe)
			while (fscanf(modprobe, " insmod %4095s%*[^\n]", path) > 0)
				;
		if (!modprobe || pclose(modprobe) || !path[0])
			return -ENOENT;
	}

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);

	return ret;
}

/* Opens the kernel's log so that only what comes from now on is read. */
static inline int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);

	return fd;
}

/* Counts the new lines of the kernel's log that hold a text. */
static inline int log_count(int fd, const char *text)
{
	char line[8192];
	int count = 0;
	ssize_t len;

	for (;;) {
		len = read(fd, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return count;
		line[len] = '\0';
		count += !!strstr(line, text);
	}
}

#endif /* PACK_LED_H */
