/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * USB devices for the tests of usb-modeswitch, emulated in user space behind
 * vhci_hcd (USB/IP), which every distribution has. A device is data: its modes,
 * with their descriptors, and how it misbehaves. Each is a process of its own,
 * which answers the host's requests and logs them in memory that is shared.
 *
 * usb-emu.c		the device: what it is asked, when it switches; for tests
 * usb-emu-bulk.c	its endpoints: storage, AT commands
 * usb-emu-descriptor.c	its descriptors
 * usb-emu-random.c	what is spoilt of both
 * usb-emu-any.c	one of any kind
 * usb-emu-usbip.c	the protocol, and ports of the host
 */
#ifndef PACK_USB_EMU_H
#define PACK_USB_EMU_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define EMU_MAX_EVENTS	2048
#define EMU_MAX_PENDING	64
#define EMU_MAX_REPLIES	128

struct emu_ep {
	__u8 address;
	__u8 type;		/* 2 bulk, 3 interrupt */
};

struct emu_if {
	__u8 class, sub, proto;
	struct emu_ep ep[3];
	__u8 data;		/* the interface that has the data of this one; 0: the next */
};

struct emu_config {
	__u8 number;
	struct emu_if intf[6];	/* up to the first without a class */
	__u8 power;		/* in units of 2 mA; 0: as much as most */
};

struct emu_mode {
	__u16 vid, pid;
	char manufacturer[24];
	char product[24];
	char scsi_vendor[9];
	char scsi_model[17];
	struct emu_config config[3];
	__u8 claims;		/* so many configurations; 0: as many as it has */
};

/* How it misbehaves */
enum emu_fault {
	EMU_GOOD,
	EMU_STALL_OUT,
	EMU_STALL_IN,
	EMU_STALL_ONCE,		/* IN, then a status */
	EMU_NAK_OUT,		/* for ever */
	EMU_NAK_IN,
	EMU_BABBLE,
	EMU_BUS_ERROR_OUT,
	EMU_BUS_ERROR_IN,
	EMU_SHORT_CSW,
	EMU_LONG_CSW,
	EMU_WRONG_TAG,
	EMU_WRONG_SIGNATURE,
	EMU_CSW_FAILED,
	EMU_CSW_PHASE,
	EMU_CSW_STATUS,
	EMU_NO_DATA,		/* status where data is due */
	EMU_MUCH_DATA,		/* without end */
	EMU_EMPTY,		/* packets of no bytes, without end */
	EMU_NAK_CONTROL,
	EMU_STALL_CONTROL,
	EMU_STALL_CONFIG,	/* all but its first one */
	EMU_FEW_CONFIGS,	/* of those that it claims only some can be read */
	EMU_LONG_CONFIG,	/* longer than it is, by what it says */
	EMU_EMPTY_DESCRIPTOR,	/* of no bytes, behind the interfaces */
	EMU_LONG_STRING,	/* longer than it is, too */
	EMU_RANDOM,		/* something else each time: see spoils */
	EMU_FAULTS
};

/* What EMU_RANDOM spoils */
enum emu_spoils { EMU_DESCRIPTORS, EMU_ANSWERS, EMU_SPOILS };

enum emu_kind { EMU_OUT, EMU_IN, EMU_CONTROL, EMU_SET_CONFIG, EMU_PLUGGED };

struct emu_event {
	__u8 kind;
	__u8 ep;
	__u8 size;
	__u8 mode;
	__u8 data[40];	/* setup packet first, for EMU_CONTROL */
	__u64 ns;
};

struct emu {
	/* what it is */
	struct emu_mode mode[3];
	unsigned int modes;
	enum emu_fault fault;
	unsigned int switch_after;	/* orders; 0: never */
	unsigned int unplug_after;	/* transfers after the enumeration */
	bool switch_early;		/* before the status of the last order */
	bool returns;			/* to the first mode, again and again */
	unsigned int stays_ms;		/* after the last order, and answers */
	unsigned int away_ms;		/* between two modes */
	unsigned int modem_ms;		/* until it answers AT */
	unsigned int chatter;		/* bytes that nobody asked for, before each answer to AT */
	__u64 random;			/* what it spoils is made of this */
	unsigned int spoils[EMU_SPOILS];	/* so many of 100 */
	unsigned int port;
	/* what happened */
	volatile unsigned int now;	/* mode, counted on and on */
	volatile unsigned int orders;
	volatile unsigned int transfers;
	volatile unsigned int events;
	volatile bool gone;		/* it has unplugged itself */
	struct emu_event event[EMU_MAX_EVENTS];
	/* its own */
	pid_t pid;
	int fd;
	__u64 began;
	__u8 config;
	__u8 cbw[31];
	unsigned int replies;
	struct emu_reply {
		__u8 ep;
		int status;
		unsigned int size;
		__u8 data[1100];
	} reply[EMU_MAX_REPLIES];
	unsigned int pending;
	struct emu_urb {
		__u32 seqnum;
		__u8 ep;		/* number, without direction */
		bool in;
		__u32 size;
	} urb[EMU_MAX_PENDING];
};

/* For tests */

struct emu *emu_new(unsigned int port);
bool emu_plug(struct emu *e);
bool emu_unplug(struct emu *e);
void emu_any(struct emu *e, __u64 *random);
void emu_delete(struct emu *e);
const struct emu_event *emu_find(const struct emu *e, enum emu_kind kind, unsigned int mode,
				 unsigned int n);
unsigned int emu_count(const struct emu *e, enum emu_kind kind, unsigned int mode);
unsigned int emu_ports(void);
int emu_port_number(unsigned int port, bool *free);
bool emu_port_name(unsigned int port, char *name, size_t size);
__u64 emu_ns(void);

/* Between its parts */

void emu_log(struct emu *e, enum emu_kind kind, __u8 ep, const void *head, size_t head_size,
	     const void *data, size_t size);
const struct emu_mode *emu_mode(const struct emu *e);
unsigned int emu_configs(const struct emu_mode *mode);
int emu_descriptor(const struct emu *e, unsigned int type, unsigned int index, __u8 *to);
void emu_bulk_out(struct emu *e, __u8 ep, const __u8 *data, size_t size);
bool emu_is_silent(struct emu *e);
int emu_spoil_status(struct emu *e, int status);
int emu_spoil(struct emu *e, enum emu_spoils what, __u8 *data, int size, unsigned int limit);
bool emu_is_enumeration(const __u8 *setup);
void emu_control(struct emu *e, __u32 seqnum, const __u8 *setup, bool in, const __u8 *data,
		 __u32 size);
void emu_answer(struct emu *e, __u32 seqnum, int status, const void *data, unsigned int actual,
		bool in);
void emu_receive(struct emu *e);
bool emu_wait_free(unsigned int port);
bool emu_attach(struct emu *e);

/* Modes that many tests need */

#define EMU_STORAGE	{ 0x08, 0x06, 0x50, { { 0x81, 2 }, { 0x02, 2 } } }
#define EMU_SERIAL(n)	{ 0xff, 0xff, 0xff, { { 0x80 | (n), 2 }, { (n), 2 } } }
#define EMU_ACM_CONTROL(n) { 0x02, 0x02, 0x01, { { 0x80 | (n), 3 } } }
#define EMU_ACM_DATA(n)	{ 0x0a, 0x00, 0x00, { { 0x80 | (n), 2 }, { (n), 2 } } }
#define EMU_RNDIS(n)	{ 0xe0, 0x01, 0x03, { { 0x80 | (n), 3 } } }
#define EMU_ECM(n)	{ 0x02, 0x06, 0x00, { { 0x80 | (n), 3 } } }
#define EMU_MBIM(n)	{ 0x02, 0x0e, 0x00, { { 0x80 | (n), 3 } } }
/* Network and its data in one interface, which has them only in an altsetting */
#define EMU_HUAWEI_NCM(n) \
	{ 0xff, 0x02, 0x16, { { 0x80 | (n), 3 }, { 0x80 | ((n) + 1), 2 }, { (n) + 1, 2 } } }
#define EMU_NET_DATA(n, proto) { 0x0a, 0x01, proto, { { 0x80 | (n), 2 }, { (n), 2 } } }

#endif /* PACK_USB_EMU_H */
