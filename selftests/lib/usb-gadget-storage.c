// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB gadgets for the tests of usb-modeswitch: storage that a program is.
 */

#include <endian.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usb-gadget.h"

#define FOLDER	"/tmp/gadget"

struct function {
	struct usb_interface_descriptor intf;
	struct usb_endpoint_descriptor_no_audio in, out;
};

static struct function storage_function(unsigned int packet)
{
	return (struct function){
		{ 9, USB_DT_INTERFACE, 0, 0, 2, USB_CLASS_MASS_STORAGE, 6, 0x50, 0 },
		{ 7, USB_DT_ENDPOINT, USB_DIR_IN | 1, USB_ENDPOINT_XFER_BULK, htole16(packet), 0 },
		{ 7, USB_DT_ENDPOINT, USB_DIR_OUT | 2, USB_ENDPOINT_XFER_BULK, htole16(packet), 0 },
	};
}

/* Says to the kernel what the function is; it has no strings. */
static bool describe(int ep0)
{
	struct {
		struct usb_functionfs_descs_head_v2 head;
		__le32 fs_count, hs_count;
		struct function fs, hs;
	} __attribute__((packed)) all = {
		{ htole32(FUNCTIONFS_DESCRIPTORS_MAGIC_V2), htole32(sizeof(all)),
		  htole32(FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC) },
		htole32(3), htole32(3), storage_function(64), storage_function(512),
	};
	struct usb_functionfs_strings_head strings = {
		htole32(FUNCTIONFS_STRINGS_MAGIC), htole32(sizeof(strings)), 0, 0,
	};

	return write(ep0, &all, sizeof(all)) == sizeof(all) &&
	       write(ep0, &strings, sizeof(strings)) == sizeof(strings);
}

/* The function ffs.NAME, which must have been made. */
struct gadget_storage *gadget_storage_new(const char *name)
{
	struct gadget_storage *storage = mmap(NULL, sizeof(*storage), PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (storage == MAP_FAILED)
		return NULL;
	mkdir(FOLDER, 0755);
	if (mount(name, FOLDER, "functionfs", 0, NULL))
		goto fail;
	storage->ep0 = open(FOLDER "/ep0", O_RDWR | O_CLOEXEC);
	if (storage->ep0 >= 0 && describe(storage->ep0))
		return storage;
fail:
	gadget_storage_delete(storage);
	return NULL;
}

static void answer(struct gadget_storage *storage, int in, int out)
{
	__u8 packet[512], csw[13] = "USBS";
	ssize_t size;

	for (;;) {
		while (storage->hold)
			usleep(10000);
		size = read(out, packet, sizeof(packet));
		if (size < 0) {		/* not configured, or suspended */
			usleep(10000);
			continue;
		}
		if (size != 31 || storage->commands == GADGET_MAX)
			continue;
		memcpy(storage->command[storage->commands], packet, 31);
		storage->commands++;
		memcpy(csw + 4, packet + 4, 4);
		if (write(in, csw, sizeof(csw)) < 0)
			usleep(10000);
	}
}

/* Answers commands from now on; the gadget may be plugged in then. */
bool gadget_storage_run(struct gadget_storage *storage)
{
	int in, out;

	storage->commands = 0;
	storage->pid = fork();
	if (storage->pid)
		return storage->pid > 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	in = open(FOLDER "/ep1", O_RDWR | O_CLOEXEC);
	out = open(FOLDER "/ep2", O_RDWR | O_CLOEXEC);
	if (in < 0 || out < 0)
		_exit(1);
	answer(storage, in, out);
	_exit(0);
}

/* Its gadget must have been unplugged. */
void gadget_storage_delete(struct gadget_storage *storage)
{
	if (!storage)
		return;
	if (storage->pid > 0) {
		kill(storage->pid, SIGKILL);
		waitpid(storage->pid, NULL, 0);
	}
	if (storage->ep0 > 0)
		close(storage->ep0);
	umount2(FOLDER, MNT_DETACH);
	munmap(storage, sizeof(*storage));
}
