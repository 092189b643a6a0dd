// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB gadgets for the tests of usb-modeswitch.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usb-gadget.h"

#define CONFIGFS	"/sys/kernel/config/"
#define GADGETS		CONFIGFS "usb_gadget/"
#define UDC		"dummy_udc.0"
#define HOST		"/sys/devices/platform/dummy_hcd.0/"

static bool gadget_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);

	return ok;
}

/* What gadgets need; false: the kernel has it not. */
bool gadget_start(void)
{
	if (system("modprobe dummy_hcd && modprobe libcomposite") ||
	    (access(CONFIGFS, F_OK) && mkdir(CONFIGFS, 0755)))
		return false;
	if (access(GADGETS, F_OK))
		mount("none", CONFIGFS, "configfs", 0, NULL);

	return !access(GADGETS, F_OK) && !access("/sys/class/udc/" UDC, F_OK);
}

bool gadget_set(const char *name, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), GADGETS "%s/%s", name, file);

	return gadget_file(path, text);
}

bool gadget_get(const char *name, const char *file, char *text, size_t size)
{
	char path[256];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), GADGETS "%s/%s", name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	if (len < 0)
		return false;
	text[len] = '\0';

	return true;
}

static bool gadget_folder(const char *name, const char *folder)
{
	char path[256];

	snprintf(path, sizeof(path), GADGETS "%s/%s", name, folder);

	return !mkdir(path, 0755);
}

static bool gadget_add(const char *name, const char *function)
{
	char path[256], link[256];

	snprintf(path, sizeof(path), GADGETS "%s/functions/%s", name, function);
	snprintf(link, sizeof(link), GADGETS "%s/configs/c.1/%s", name, function);

	return !mkdir(path, 0755) && !symlink(path, link);
}

/* A device of these functions, not plugged in yet. */
bool gadget_make(const char *name, __u16 vid, __u16 pid, const char *const functions[])
{
	char id[8];

	if (!gadget_folder(name, "."))
		gadget_folder(name, "");
	snprintf(id, sizeof(id), "0x%04x", vid);
	if (!gadget_set(name, "idVendor", id))
		return false;
	snprintf(id, sizeof(id), "0x%04x", pid);
	if (!gadget_set(name, "idProduct", id) ||
	    !gadget_folder(name, "strings/0x409") ||
	    !gadget_set(name, "strings/0x409/manufacturer", "Acme") ||
	    !gadget_set(name, "strings/0x409/product", "Modem") ||
	    !gadget_folder(name, "configs/c.1"))
		return false;
	for (; *functions; functions++)
		if (!gadget_add(name, *functions))
			return false;

	return true;
}

static void gadget_remove_all(const char *name, const char *folder, bool links)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), GADGETS "%s/%s", name, folder);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), GADGETS "%s/%s/%.64s", name, folder, entry->d_name);
		if (entry->d_name[0] == '.')
			continue;
		if (links && entry->d_type == DT_LNK)
			unlink(path);
		else if (!links)
			rmdir(path);
	}
	if (dir)
		closedir(dir);
}

void gadget_remove(const char *name)
{
	static const char *const folders[] = { "configs/c.1", "strings/0x409", "" };
	char path[256];
	unsigned int i;

	gadget_unplug(name);
	gadget_remove_all(name, "configs/c.1", true);
	gadget_remove_all(name, "functions", false);
	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), GADGETS "%s/%s", name, folders[i]);
		rmdir(path);
	}
}

bool gadget_plug(const char *name)
{
	return gadget_set(name, "UDC", UDC "\n");
}

bool gadget_unplug(const char *name)
{
	return gadget_set(name, "UDC", "\n");
}

/* What USB calls the device on the only port. */
bool gadget_port_name(char *name, size_t size)
{
	char path[64];
	unsigned int bus;

	for (bus = 1; bus < 64; bus++) {
		snprintf(path, sizeof(path), HOST "usb%u", bus);
		if (!access(path, F_OK)) {
			snprintf(name, size, "%u-1", bus);
			return true;
		}
	}

	return false;
}
