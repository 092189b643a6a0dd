/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * USB devices for the tests of usb-modeswitch that the kernel itself is: gadgets
 * of configfs behind dummy_hcd. Their modem functions are real ones, and unlike
 * vhci_hcd this controller can be suspended. One of them is plugged in at a time.
 */
#ifndef PACK_USB_GADGET_H
#define PACK_USB_GADGET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define GADGET_MAX	8

/* Storage whose endpoints are a program's: FunctionFS */
struct gadget_storage {
	volatile bool hold;		/* takes no command: NAK */
	volatile unsigned int commands;
	__u8 command[GADGET_MAX][31];
	pid_t pid;
	int ep0;
};

bool gadget_start(void);
bool gadget_make(const char *name, __u16 vid, __u16 pid, const char *const functions[]);
bool gadget_set(const char *name, const char *file, const char *text);
bool gadget_get(const char *name, const char *file, char *text, size_t size);
void gadget_remove(const char *name);
bool gadget_plug(const char *name);
bool gadget_unplug(const char *name);
bool gadget_port_name(char *name, size_t size);

struct gadget_storage *gadget_storage_new(const char *name);
bool gadget_storage_run(struct gadget_storage *storage);
void gadget_storage_delete(struct gadget_storage *storage);

#endif /* PACK_USB_GADGET_H */
