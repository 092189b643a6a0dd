// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends a kernel that hangs while a tree is tried: a watchdog of the hardware. It is armed
 * before the kernel is started, and has to go on then, but most drivers stop theirs when the
 * system goes down, and kexec counts as that.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

#define STOPS "/sys/module/watchdog/parameters/stop_on_reboot"
#define LONGEST_WAIT 120

/* Drivers that let it go on, read in the source of 6.12; imx2-wdt cannot stop it. */
static const char *const GO_ON[] = { "imx2-wdt", "rti-wdt", "tegra-wdt", "tegra186-timer" };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Its name in sysfs. */
static const char *class_name(const char *path)
{
	const char *name = base_name(path);

	return strcmp(name, "watchdog") ? name : "watchdog0";
}

/* What drives it, for free(), or NULL; some drivers do not say whose the watchdog is. */
static char *driver_of(const struct swap *swap, const char *name)
{
	char *path = format_text("/sys/class/watchdog/%s/device/driver", name);
	char *real = path ? sys_real(swap, path) : NULL;
	char *driver = strdup(real ? base_name(real) : "unknown");

	free(real);
	free(path);
	return driver;
}

static bool is_there(const struct swap *swap, const char *name)
{
	char *path = format_text("/sys/class/watchdog/%s", name);
	bool there = path && sys_exists(swap, path);

	free(path);
	return there;
}

static bool goes_on(const struct swap *swap, const char *driver)
{
	char *stops = sys_line(swap, STOPS);
	bool good = stops && !strcmp(stops, "0"), never = stops && !strcmp(stops, "1");
	size_t i;

	for (i = 0; !good && !never && i < sizeof(GO_ON) / sizeof(*GO_ON); i++)
		good = !strcmp(GO_ON[i], driver);
	free(stops);
	return good;
}

/* Whether systemd has set one for kexec, which is its KExecWatchdogSec=, is not asked. */
static void warn_of_none(struct swap *swap)
{
	bool there = is_there(swap, "watchdog0");
	char *driver = driver_of(swap, "watchdog0");

	say(&swap->report, LEVEL_WARNING, KIND_KERNEL,
	    !there ? "be where its power can be switched" :
	    driver && goes_on(swap, driver) ?
	    "--watchdog /dev/watchdog0, or KExecWatchdogSec= where systemd has that open" :
	    "start this kernel with watchdog.stop_on_reboot=0, then say --watchdog /dev/watchdog0",
	    "nothing is known to end a kernel that hangs on this tree");
	free(driver);
}

/**
 * watchdog_check() - see that a watchdog will end a kernel that hangs
 * @call: has its device, or none; is told why it will not
 */
void watchdog_check(struct call *call)
{
	const char *name = call->watchdog ? class_name(call->watchdog) : NULL;
	char *driver;

	if (!name) {
		warn_of_none(&call->swap);
		return;
	}
	driver = driver_of(&call->swap, name);
	if (!driver || !is_there(&call->swap, name))
		refuse(&call->swap, KIND_KERNEL, "load its driver, name it as /dev/watchdog0",
		       "%s is no watchdog of this device", call->watchdog);
	else if (!goes_on(&call->swap, driver))
		refuse(&call->swap, KIND_KERNEL,
		       "start this kernel with watchdog.stop_on_reboot=0, or without --watchdog",
		       "%s stops for kexec, as far as is known of its driver, %s", call->watchdog,
		       driver);
	free(driver);
}

/* With nowayout it takes the V, and goes on; only the ioctl tells. Old drivers have just the V. */
static bool stop_dog(int fd)
{
	int off = WDIOS_DISABLECARD;
	bool stopped = !ioctl(fd, WDIOC_SETOPTIONS, &off);
	bool unknown = !stopped && (errno == ENOTTY || errno == EOPNOTSUPP);

	return write(fd, "V", 1) == 1 && (stopped || unknown);
}

/**
 * watchdog_close() - let go of it
 * @call: is told that it goes on
 * @fd: of watchdog_arm()
 * @stop: it is not to go on
 */
void watchdog_close(struct call *call, int fd, bool stop)
{
	if (fd < 0)
		return;
	if (stop && !stop_dog(fd))
		say(&call->swap.report, LEVEL_WARNING, KIND_KERNEL,
		    "feed it, or let it: the system comes up as it was",
		    "%s cannot be stopped (nowayout), and is going to restart the system",
		    call->watchdog);
	close(fd);
}

/* Of some drivers the kernel tells what they take. */
static void refuse_seconds(struct call *call, int seconds)
{
	char *path = format_text("/sys/class/watchdog/%s/max_timeout", class_name(call->watchdog));
	char *line = path ? sys_line(&call->swap, path) : NULL;
	unsigned long most = line ? strtoul(line, NULL, 10) : 0;
	char mend[96] = "say --limit, with a time that its driver takes";

	if (most)
		snprintf(mend + strlen(mend), sizeof(mend) - strlen(mend), ": %lu at most", most);
	refuse(&call->swap, KIND_KERNEL, mend, "%s cannot be set to %d s: %s", call->watchdog,
	       seconds, strerror(EINVAL));
	free(line);
	free(path);
}

/**
 * watchdog_arm() - start it
 * @call: has its device, or none; is told why that failed
 *
 * Return: what is open, for watchdog_close(), or -1
 */
int watchdog_arm(struct call *call)
{
	int fd = call->watchdog ? open(call->watchdog, O_WRONLY | O_CLOEXEC) : -1;
	int seconds = call->limit < LONGEST_WAIT ? call->limit : LONGEST_WAIT;

	if (!call->watchdog || (fd >= 0 && !ioctl(fd, WDIOC_SETTIMEOUT, &seconds) &&
				write(fd, "\n", 1) == 1))
		return fd;
	if (fd >= 0 && errno == EINVAL)
		refuse_seconds(call, seconds);
	else
		refuse(&call->swap, KIND_KERNEL,
		       "name one that nobody has open; systemd has its own: KExecWatchdogSec=",
		       "%s: %s", call->watchdog, strerror(errno));
	watchdog_close(call, fd, true);
	return -1;
}
