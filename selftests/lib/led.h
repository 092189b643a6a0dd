/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of leds-identify in C share. They work on the LEDs that
 * PACK_LEDS names, otherwise on those that the machine has: first the ones on
 * GPIOs, whose pins are looked at.
 */
#ifndef PACK_LED_H
#define PACK_LED_H

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "pack.h"

#define LEDS	"/sys/class/leds/"
#define ID	"identify"
#define T1	led_target(0)
#define T2	led_target(1)

static inline int led_write(const char *led, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LEDS "%s/%s", led, file);

	return file_write(path, text);
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

static inline bool led_has(const char *led, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LEDS "%s/%s", led, file);

	return !access(path, F_OK);
}

static inline bool led_exists(const char *led)
{
	return led_has(led, "brightness");
}

/* The current trigger of an LED; empty if there is no such LED. */
static inline char *led_trigger(const char *led)
{
	char *trigger = strchr(led_read(led, "trigger"), '[');

	if (!trigger)
		return "";
	trigger[strcspn(trigger, "]")] = '\0';

	return trigger + 1;
}

static inline bool led_has_trigger(const char *led, const char *trigger)
{
	return !strcmp(led_trigger(led), trigger);
}

static inline bool led_is_borrowed(const char *led)
{
	return led_has_trigger(led, ID);
}

static inline void led_plain(const char *led)
{
	led_write(led, "trigger", "none");
	led_write(led, "brightness", "0");
}

/* The path of an LED's device, or of that one's driver if sub is "/driver". */
static inline bool led_device(const char *led, const char *sub, char device[PATH_MAX])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LEDS "%s/device%s", led, sub);

	return realpath(path, device);
}

static inline int led_is_for_us(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, ID);
}

/* The nth LED, from 0; NULL if there is no such LED. */
static inline const char *led_target(int n)
{
	static char names[8][NAME_MAX + 1];
	static int count = -1;
	char driver[PATH_MAX];
	struct dirent **list;
	int i, all, pass;

	if (count < 0 && getenv("PACK_LEDS"))
		count = sscanf(getenv("PACK_LEDS"), "%255s %255s %255s", names[0], names[1],
			       names[2]);
	if (count < 0) {
		count = 0;
		all = scandir(LEDS, &list, led_is_for_us, alphasort);
		for (pass = 1; pass >= 0; pass--)
			for (i = 0; i < all && count < 8; i++)
				if ((led_device(list[i]->d_name, "/driver", driver) &&
				     strstr(driver, "/leds-gpio")) == pass)
					snprintf(names[count++], sizeof(names[0]), "%s",
						 list[i]->d_name);
	}

	return n < count ? names[n] : NULL;
}

/* Whether an LED is lit, by the level of its pin where it has one. */
static inline bool led_is_lit(const char *led)
{
	static char text[65536];
	char label[32], *line;
	bool level, low;
	ssize_t len;
	int fd;

	fd = open("/sys/kernel/debug/gpio", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';

	snprintf(label, sizeof(label), "|%.20s ", led);
	line = strstr(text, label);
	if (!line)
		return atoi(led_read(led, "brightness"));
	line[strcspn(line, "\n")] = '\0';
	level = strstr(line, "out hi");
	low = strstr(line, "ACTIVE LOW");

	return level != low;
}

/* Whether an LED goes on or off so many times. */
static inline bool led_changes(const char *led, int times)
{
	bool level = led_is_lit(led);

	while (times-- && wait_until(led_is_lit(led) != level))
		level = !level;

	return times < 0;
}

/* What their triggers change all the time is not state. */
static inline bool led_is_still(const char *led)
{
	static const char * const moving[] = { "heartbeat", "timer", "pattern",
					       "activity", "cpu", "cpu0" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(moving); i++)
		if (led_has_trigger(led, moving[i]))
			return false;

	return true;
}

static inline int led_is_setting(const struct dirent *entry)
{
	return entry->d_type == DT_REG && strcmp(entry->d_name, "uevent") &&
	       strcmp(entry->d_name, "trigger") && strcmp(entry->d_name, "brightness");
}

/* All that can be read of an LED, as text. */
static inline void led_state(const char *led, char *state, size_t size)
{
	struct dirent **list;
	char path[PATH_MAX];
	size_t len;
	int i, all;

	len = snprintf(state, size, "trigger=%s", led_trigger(led));
	if (led_is_still(led))
		len += snprintf(state + len, size - len, " brightness=%s lit=%d",
				led_read(led, "brightness"), led_is_lit(led));
	snprintf(path, sizeof(path), LEDS "%s", led);
	all = scandir(path, &list, led_is_setting, alphasort);
	for (i = 0; i < all && len < size; i++)
		len += snprintf(state + len, size - len, " %s=%s", list[i]->d_name,
				led_read(led, list[i]->d_name));
}

/* Gives an LED a trigger, whose module may have to be loaded. */
static inline bool led_use_trigger(const char *led, const char *trigger)
{
	char arguments[128];

	if (!led_write(led, "trigger", trigger))
		return true;
	snprintf(arguments, sizeof(arguments), "-q ledtrig-%.100s", trigger);
	run_modprobe(arguments);

	return !led_write(led, "trigger", trigger);
}

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

/* Unloads the module; returns 0 or a negative error code. */
static inline int led_unload(void)
{
	return syscall(SYS_delete_module, "leds_identify", O_NONBLOCK) ? -errno : 0;
}

static inline bool led_is_loaded(void)
{
	return !access("/sys/module/leds_identify", F_OK);
}

/* Loads the module anew, for targets that do nothing yet. */
static inline int led_reload(const char *leds)
{
	char parameters[1024];
	int i;

	if (led_is_loaded() && led_unload())
		return -EBUSY;
	for (i = 0; i < 3 && led_target(i); i++)
		led_plain(led_target(i));
	snprintf(parameters, sizeof(parameters), "hold_ms=60000 leds=\"%s\"", leds);

	return led_load(parameters) ?: led_write(ID, "blink_pattern", "20 20");
}

/* Ends what there is of a session; false if that does not happen. */
static inline bool led_session_end(void)
{
	if (!led_exists(ID))
		return true;
	led_write(ID, "trigger", "none");
	led_write(ID, "identify", "0");
	led_write(ID, "hold_ms", "10");

	return wait_until(led_reads(ID, "active", "0"));
}

/* The same for every test: targets that do nothing yet, a long hold_ms. */
static inline int led_session_reset(const char *leds)
{
	int i;

	if (!led_exists(ID))
		return led_reload(leds);
	if (!led_session_end())
		return -EBUSY;
	for (i = 0; i < 3 && led_target(i); i++)
		led_plain(led_target(i));

	return led_write(ID, "leds", leds) ?: led_write(ID, "hold_ms", "60000") ?:
	       led_write(ID, "blink_pattern", "20 20");
}

/* What of the module a program may have set. */
static const char * const led_settings[] = { "leds", "hold_ms", "blink_pattern" };

static struct {
	pid_t self;
	bool loaded;
	char setting[ARRAY_SIZE(led_settings)][4096];
	struct {
		char trigger[128];
		char level[16];
	} led[3];
} led_before;

static inline void led_module_note(void)
{
	unsigned int i;

	led_before.loaded = led_is_loaded();
	for (i = 0; i < ARRAY_SIZE(led_settings); i++)
		snprintf(led_before.setting[i], sizeof(led_before.setting[i]), "%s",
			 led_read(ID, led_settings[i]));
}

/* Loads it as modprobe.d has it, and writes what it does not say then. */
static inline void led_module_put_back(void)
{
	unsigned int i;

	if (!led_before.loaded)
		return;
	run_modprobe("leds-identify");
	for (i = 0; i < ARRAY_SIZE(led_settings); i++)
		if (!led_reads(ID, led_settings[i], led_before.setting[i]))
			led_write(ID, led_settings[i], led_before.setting[i]);
}

static inline void led_test_end(void)
{
	int i;

	led_unload();
	for (i = 0; i < 3 && led_target(i); i++) {
		led_plain(led_target(i));
		led_write(led_target(i), "brightness", led_before.led[i].level);
		led_write(led_target(i), "trigger", led_before.led[i].trigger);
	}
	led_module_put_back();
}

static inline int led_is_process(const struct dirent *entry)
{
	return atoi(entry->d_name) > 0;
}

/* A test is a child with a process group of its own, which no terminal ends. */
static inline void led_kill_tests(void)
{
	struct dirent **list;
	char path[PATH_MAX];
	int i, all, parent;

	all = scandir("/proc", &list, led_is_process, NULL);
	for (i = 0; i < all; i++) {
		snprintf(path, sizeof(path), "/proc/%s/stat", list[i]->d_name);
		if (sscanf(file_read(path), "%*d (%*[^)]) %*c %d", &parent) != 1 ||
		    parent != led_before.self)
			continue;
		kill(-atoi(list[i]->d_name), SIGKILL);
		kill(atoi(list[i]->d_name), SIGKILL);
		waitpid(atoi(list[i]->d_name), NULL, 0);
	}
}

/* Who is told to end puts back what there was, once its test has ended. */
static inline void led_test_stop(int sig)
{
	if (getpid() != led_before.self)
		_exit(128 + sig);
	led_kill_tests();
	exit(128 + sig);
}

/*
 * Begins a test: the module is not loaded. At the end all is put back, save for
 * the settings of triggers. Skips all where there is no LED or no module, or where
 * the function why says why.
 */
static inline void led_test_begin(const char *(*why)(void))
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	const char *text = NULL;
	unsigned int n;
	int i;

	if (!T1)
		ksft_exit_skip("this machine has no LED\n");
	led_before.self = getpid();
	led_module_note();
	if (led_before.loaded ? led_unload() : led_load("") || led_unload())
		ksft_exit_skip("the module leds-identify cannot be loaded and unloaded\n");

	for (i = 0; i < 3 && led_target(i); i++) {
		snprintf(led_before.led[i].trigger, sizeof(led_before.led[i].trigger),
			 "%.127s", led_trigger(led_target(i)));
		snprintf(led_before.led[i].level, sizeof(led_before.led[i].level), "%.15s",
			 led_read(led_target(i), "brightness"));
	}
	atexit(led_test_end);
	for (n = 0; n < ARRAY_SIZE(signals); n++)
		if (signal(signals[n], led_test_stop) == SIG_IGN)
			signal(signals[n], SIG_IGN);
	if (why)
		text = why();
	if (text)
		ksft_exit_skip("%s\n", text);
}

#endif /* PACK_LED_H */
