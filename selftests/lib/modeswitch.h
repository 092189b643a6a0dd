/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of usb-modeswitch in C share.
 */
#ifndef PACK_MODESWITCH_H
#define PACK_MODESWITCH_H

#include <dirent.h>

#include "clock.h"
#include "usb-emu.h"

#define UMS		"/sys/class/misc/usb-modeswitch/"
#define UMS_PARAMETER	"/sys/module/usb_modeswitch/parameters/"
#define USB_DEVICES	"/sys/bus/usb/devices/"
#define USB_DRIVERS	"/sys/bus/usb/drivers/"

static inline char *ums_read(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UMS "%s", file);

	return file_read(path);
}

static inline long long ums_count(const char *file)
{
	return atoll(ums_read(file));
}

static inline int ums_set(const char *parameter, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UMS_PARAMETER "%s", parameter);

	return file_write(path, text);
}

/* The name that USB gives to a port of the emulated hub. */
static inline char *ums_port_name(unsigned int port)
{
	static char name[4][32];
	static unsigned int turn;
	char *buf = name[turn++ % 4];

	if (!emu_port_name(port, buf, sizeof(name[0])))
		snprintf(buf, sizeof(name[0]), "none");

	return buf;
}

static inline char *ums_result(unsigned int port, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UMS "ports/%s/%s", ums_port_name(port), file);

	return file_read(path);
}

static inline bool ums_result_is(unsigned int port, const char *result)
{
	return !strcmp(ums_result(port, "result"), result);
}

static inline char *usb_device_read(unsigned int port, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), USB_DEVICES "%s/%s", ums_port_name(port), file);

	return file_read(path);
}

static inline int usb_device_write(unsigned int port, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), USB_DEVICES "%s/%s", ums_port_name(port), file);

	return file_write(path, text);
}

static inline bool usb_device_is(unsigned int port, const struct emu_mode *mode)
{
	char vid[8], pid[8];

	snprintf(vid, sizeof(vid), "%04x", mode->vid);
	snprintf(pid, sizeof(pid), "%04x", mode->pid);

	return !strcmp(usb_device_read(port, "idVendor"), vid) &&
	       !strcmp(usb_device_read(port, "idProduct"), pid) &&
	       usb_device_read(port, "bConfigurationValue")[0];
}

/* The driver of an interface; empty if it has none. */
static inline char *usb_driver(unsigned int port, unsigned int intf)
{
	static char target[4][PATH_MAX];
	static unsigned int turn;
	char *buf = target[turn++ % 4], path[PATH_MAX], *name;
	ssize_t len;

	snprintf(path, sizeof(path), USB_DEVICES "%s:%s.%u/driver", ums_port_name(port),
		 usb_device_read(port, "bConfigurationValue"), intf);
	len = readlink(path, buf, PATH_MAX - 1);
	buf[len > 0 ? len : 0] = '\0';
	name = strrchr(buf, '/');

	return name ? name + 1 : buf;
}

static inline bool usb_driver_is(unsigned int port, unsigned int intf, const char *driver)
{
	return !strcmp(usb_driver(port, intf), driver);
}

static inline int ums_load(const char *parameters)
{
	char arguments[4096];

	snprintf(arguments, sizeof(arguments), "usb-modeswitch %.3000s", parameters);

	return run_modprobe(arguments);
}

static inline int ums_unload(void)
{
	if (!module_is_loaded("usb_modeswitch"))
		return 0;

	return syscall(SYS_delete_module, "usb_modeswitch", O_NONBLOCK) ? -errno : 0;
}

/* What tests take away, with what that needs. */
static struct module_before ums_modules[] = {
	{ "usb_storage" }, { "uas" }, { "option" }, { "cdc_acm" }, { "cdc_ether" },
	{ "cdc_mbim" }, { "cdc_ncm" }, { "cdc_wdm" }, { "huawei_cdc_ncm" }, { "rndis_host" },
	{ "usb_modeswitch" }, { }
};

static inline int usb_is_interface(const struct dirent *entry)
{
	return !!strchr(entry->d_name, ':');
}

/* Which of them drives a device, such as the modem that a board is reached by; or NULL. */
static inline const char *ums_module_in_use(void)
{
	const struct module_before *module;
	struct dirent **list;
	char path[PATH_MAX];
	int n;

	for (module = ums_modules; module->name; module++) {
		/* Only usb-storage is named otherwise as a driver. */
		snprintf(path, sizeof(path), USB_DRIVERS "%s",
			 strcmp(module->name, "usb_storage") ? module->name : "usb-storage");
		n = scandir(path, &list, usb_is_interface, NULL);
		if (n > 0)
			return module->name;
	}

	return NULL;
}

static inline void ums_test_end(void)
{
	ums_unload();
	modules_put_back(ums_modules);
}

/* Then it is always there, and always first. */
static inline bool storage_is_builtin(void)
{
	return !access(USB_DRIVERS "usb-storage", F_OK) &&
	       access("/sys/module/usb_storage/initstate", F_OK);
}

static inline void ums_test_begin(void)
{
	bool free;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Those of the test before may still be going; in the bench it has left none. */
	if (!wait_until(!ums_module_in_use())) {
		if (getenv("PACK_MACHINE"))
			ksft_exit_fail_msg("%s drives a device still\n", ums_module_in_use());
		ksft_exit_skip("%s drives a device of this machine, and would be unloaded\n",
			       ums_module_in_use());
	}
	modules_note(ums_modules);
	if (run_modprobe("vhci-hcd") || emu_port_number(0, &free) < 0)
		ksft_exit_skip("vhci-hcd (USB/IP) cannot be loaded\n");
	if (ums_load("") || ums_unload())
		ksft_exit_skip("the module usb-modeswitch cannot be loaded and unloaded\n");
	atexit(ums_test_end);
	run_modprobe("usb-storage");
	run_modprobe("cdc-acm");
	run_modprobe("option");
	run_modprobe("cdc-ether");
	run_modprobe("cdc-mbim");
	run_modprobe("huawei-cdc-ncm");
	run_modprobe("rndis-host");
}

#endif /* PACK_MODESWITCH_H */
