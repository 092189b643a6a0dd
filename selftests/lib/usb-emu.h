/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * USB devices for the tests of usb-modeswitch, emulated in user space behind
 * vhci_hcd (USB/IP), which every distribution has. A device is data: its modes,
 * with their descriptors, and how it misbehaves. Each is a process of its own,
 * which answers the host's requests and logs them in memory that is shared.
 */
#ifndef PACK_USB_EMU_H
#define PACK_USB_EMU_H

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
};

struct emu_config {
	__u8 number;
	struct emu_if intf[6];	/* up to the first without a class */
};

struct emu_mode {
	__u16 vid, pid;
	char manufacturer[24];
	char product[24];
	char scsi_vendor[9];
	char scsi_model[17];
	struct emu_config config[3];
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
	EMU_FAULTS
};

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
	unsigned int away_ms;		/* between two modes */
	unsigned int modem_ms;		/* until it answers AT */
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

struct emu_header {
	__u32 command, seqnum, devid, direction, ep;
	union {
		struct {
			__u32 flags;
			__s32 size, frame, packets, interval;
			__u8 setup[8];
		} submit;
		struct {
			__s32 status, size, frame, packets, errors;
		} submitted;
		struct {
			__u32 seqnum;
		} unlink;
		struct {
			__s32 status;
		} unlinked;
		__u8 all[28];
	};
};

#define EMU_VHCI	"/sys/devices/platform/vhci_hcd.%u/"

static inline __u64 emu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static inline void emu_log(struct emu *e, enum emu_kind kind, __u8 ep, const void *head,
			   size_t head_size, const void *data, size_t size)
{
	struct emu_event *event;

	if (e->events == EMU_MAX_EVENTS)
		return;
	event = &e->event[e->events];
	event->kind = kind;
	event->ep = ep;
	event->mode = e->now;
	event->ns = emu_ns();
	size = size < sizeof(event->data) - head_size ? size : sizeof(event->data) - head_size;
	if (head_size)
		memcpy(event->data, head, head_size);
	if (size)
		memcpy(event->data + head_size, data, size);
	event->size = head_size + size;
	e->events++;
}

static inline bool emu_read(int fd, void *buf, size_t size)
{
	ssize_t ret;

	while (size) {
		ret = read(fd, buf, size);
		if (ret <= 0)
			return false;
		buf = (char *)buf + ret;
		size -= ret;
	}

	return true;
}

static inline void emu_answer(struct emu *e, __u32 seqnum, int status, const void *data,
			      unsigned int actual, bool in)
{
	struct {
		struct emu_header head;
		__u8 data[4096];
	} packet = {
		.head = {
			.command = htobe32(3), .seqnum = htobe32(seqnum),
			.submitted = { htobe32(status), htobe32(actual), 0, htobe32(-1), 0 },
		},
	};
	size_t size = sizeof(packet.head);

	if (in && actual) {
		memcpy(packet.data, data, actual);
		size += actual;
	}
	if (write(e->fd, &packet, size) != (ssize_t)size)
		_exit(0);
}

/* Descriptors */

static inline size_t emu_put(__u8 *to, size_t at, const __u8 *bytes, size_t n)
{
	memcpy(to + at, bytes, n);

	return at + n;
}

#define EMU_PUT(to, at, ...) \
	emu_put(to, at, (const __u8[]){ __VA_ARGS__ }, \
		sizeof((const __u8[]){ __VA_ARGS__ }))

static inline size_t emu_functional(const struct emu_if *intf, unsigned int n, __u8 *to,
				    size_t at)
{
	at = EMU_PUT(to, at, 5, 0x24, 0x00, 0x10, 0x01);
	if (intf->sub == 0x02) {
		at = EMU_PUT(to, at, 5, 0x24, 0x01, 0, n + 1);
		at = EMU_PUT(to, at, 4, 0x24, 0x02, 2);
	}
	at = EMU_PUT(to, at, 5, 0x24, 0x06, n, n + 1);
	if (intf->sub == 0x06 || intf->sub == 0x0d)
		at = EMU_PUT(to, at, 13, 0x24, 0x0f, 3, 0, 0, 0, 0, 0xea, 0x05, 0, 0, 0);
	if (intf->sub == 0x0d)
		at = EMU_PUT(to, at, 6, 0x24, 0x1a, 0x00, 0x01, 0);
	if (intf->sub == 0x0e)
		at = EMU_PUT(to, at, 12, 0x24, 0x1b, 0x00, 0x01, 0x00, 0x02, 16, 64, 0x00, 0x08, 0);

	return at;
}

static inline size_t emu_interface(const struct emu_if *intf, unsigned int n, __u8 *to,
				   size_t at)
{
	unsigned int i, eps = 0;

	while (eps < 3 && intf->ep[eps].address)
		eps++;
	/* The data of network functions is in an altsetting. */
	if (intf->class == 0x0a && intf->sub == 1) {
		at = EMU_PUT(to, at, 9, 4, n, 0, 0, 0x0a, 0, intf->proto, 0);
		at = EMU_PUT(to, at, 9, 4, n, 1, eps, 0x0a, 0, intf->proto, 0);
	} else {
		at = EMU_PUT(to, at, 9, 4, n, 0, eps, intf->class, intf->sub, intf->proto, 0);
	}
	if (intf->class == 0x02)
		at = emu_functional(intf, n, to, at);
	for (i = 0; i < eps; i++)
		at = EMU_PUT(to, at, 7, 5, intf->ep[i].address, intf->ep[i].type,
			     intf->ep[i].type == 3 ? 64 : 0, intf->ep[i].type == 3 ? 0 : 2,
			     intf->ep[i].type == 3 ? 1 : 0);

	return at;
}

static inline const struct emu_mode *emu_mode(const struct emu *e)
{
	return &e->mode[e->modes ? e->now % e->modes : 0];
}

static inline unsigned int emu_configs(const struct emu_mode *mode)
{
	unsigned int n = 0;

	while (n < 3 && mode->config[n].number)
		n++;

	return n;
}

static inline size_t emu_config_descriptor(const struct emu_config *config, __u8 *to)
{
	size_t at = 9;
	unsigned int n;

	for (n = 0; n < 6 && config->intf[n].class; n++)
		at = emu_interface(&config->intf[n], n, to, at);
	EMU_PUT(to, 0, 9, 2, at & 255, at >> 8, n, config->number, 0, 0x80, 50);

	return at;
}

static inline size_t emu_string_descriptor(const struct emu_mode *mode, unsigned int index,
					   __u8 *to)
{
	const char *text = index == 1 ? mode->manufacturer : index == 2 ? mode->product :
			   "020000000001";
	size_t i, len = strlen(text);

	if (!index)
		return EMU_PUT(to, 0, 4, 3, 0x09, 0x04);
	to[0] = 2 + 2 * len;
	to[1] = 3;
	for (i = 0; i < len; i++) {
		to[2 + 2 * i] = text[i];
		to[3 + 2 * i] = 0;
	}

	return to[0];
}

static inline int emu_descriptor(const struct emu *e, unsigned int type, unsigned int index,
				 __u8 *to)
{
	const struct emu_mode *mode = emu_mode(e);

	switch (type) {
	case 1:
		return EMU_PUT(to, 0, 18, 1, 0x00, 0x02, 0, 0, 0, 64, mode->vid & 255,
			       mode->vid >> 8, mode->pid & 255, mode->pid >> 8, 0, 1,
			       mode->manufacturer[0] ? 1 : 0, mode->product[0] ? 2 : 0, 3,
			       emu_configs(mode));
	case 2:
		if (index >= emu_configs(mode))
			return -EPIPE;
		return emu_config_descriptor(&mode->config[index], to);
	case 3:
		return emu_string_descriptor(mode, index, to);
	default:
		return -EPIPE;
	}
}

/* Storage, and other endpoints */

static inline void emu_reply(struct emu *e, __u8 ep, int status, const void *data,
			     unsigned int size)
{
	struct emu_reply *reply;

	if (e->replies == EMU_MAX_REPLIES)
		return;
	reply = &e->reply[e->replies++];
	reply->ep = ep;
	reply->status = status;
	reply->size = size > sizeof(reply->data) ? sizeof(reply->data) : size;
	memset(reply->data, 0, sizeof(reply->data));
	if (data)
		memcpy(reply->data, data, reply->size);
}

static inline void emu_csw(struct emu *e, __u8 ep)
{
	__u8 csw[20] = "USBS";
	unsigned int size = 13;

	memcpy(csw + 4, e->cbw + 4, 4);
	switch (e->fault) {
	case EMU_STALL_IN:
		emu_reply(e, ep, -EPIPE, NULL, 0);
		emu_reply(e, ep, -EPIPE, NULL, 0);
		return;
	case EMU_STALL_ONCE:
		emu_reply(e, ep, -EPIPE, NULL, 0);
		break;
	case EMU_NAK_IN:
		return;
	case EMU_BABBLE:
		emu_reply(e, ep, -EOVERFLOW, NULL, 0);
		break;
	case EMU_BUS_ERROR_IN:
		emu_reply(e, ep, -EPROTO, NULL, 0);
		return;
	case EMU_SHORT_CSW:
		size = 5;
		break;
	case EMU_LONG_CSW:
		size = 20;
		break;
	case EMU_WRONG_TAG:
		csw[4] ^= 0xff;
		break;
	case EMU_WRONG_SIGNATURE:
		csw[0] = 'X';
		break;
	case EMU_CSW_FAILED:
		csw[12] = 1;
		break;
	case EMU_CSW_PHASE:
		csw[12] = 2;
		break;
	case EMU_CSW_STATUS:
		csw[12] = 0x55;
		break;
	default:
		break;
	}
	emu_reply(e, ep, 0, csw, size);
}

static inline void emu_storage_data(struct emu *e, __u8 ep, __u32 size)
{
	const struct emu_mode *mode = emu_mode(e);
	__u8 data[1024] = { 0x05, 0x80, 0, 1, 31 };

	size = size > sizeof(data) ? sizeof(data) : size;
	if (e->cbw[15] == 0x12) {
		memset(data + 8, ' ', 28);
		memcpy(data + 8, mode->scsi_vendor, strlen(mode->scsi_vendor));
		memcpy(data + 16, mode->scsi_model, strlen(mode->scsi_model));
		size = size > 36 ? 36 : size;
	} else {
		memset(data, 0, sizeof(data));
	}
	if (e->cbw[15] == 0x25 && size >= 8) {		/* 1 MiB in sectors */
		data[2] = 7;
		data[3] = 255;
		data[6] = 2;
	}
	emu_reply(e, ep, 0, data, size);
}

/* Which IN endpoint answers an OUT endpoint: of the same interface. */
static inline __u8 emu_other(const struct emu *e, __u8 out)
{
	const struct emu_mode *mode = emu_mode(e);
	unsigned int c, i, j;

	for (c = 0; c < emu_configs(mode); c++) {
		if (mode->config[c].number != e->config)
			continue;
		for (i = 0; i < 6 && mode->config[c].intf[i].class; i++) {
			const struct emu_if *intf = &mode->config[c].intf[i];
			bool here = false;
			__u8 in = 0;

			for (j = 0; j < 3; j++) {
				here |= intf->ep[j].address == out;
				if (intf->ep[j].address & 0x80)
					in = intf->ep[j].address;
			}
			if (here)
				return in & 0x7f;
		}
	}

	return 0;
}

static inline void emu_at(struct emu *e, __u8 ep, const char *command, size_t size)
{
	char answer[64];

	if (emu_ns() - e->began < e->modem_ms * 1000000ULL)
		return;
	/* With its echo, as modems begin. */
	snprintf(answer, sizeof(answer), "%.*s\r\nOK\r\n", (int)size, command);
	emu_reply(e, ep, 0, answer, strlen(answer));
	if (size >= 7 && !memcmp(command, "AT+CFUN", 7))
		e->orders++;
}

static inline void emu_bulk_out(struct emu *e, __u8 ep, const __u8 *data, size_t size)
{
	__u8 in = emu_other(e, ep);

	if (size >= 2 && !memcmp(data, "AT", 2)) {
		emu_at(e, in, (const char *)data, size);
		return;
	}
	if (size != 31 || memcmp(data, "USBC", 4)) {
		e->orders++;
		emu_reply(e, in, 0, data, size);
		return;
	}

	memcpy(e->cbw, data, 31);
	/* Those of a storage driver are counted from 1. */
	if (e->cbw[6] | e->cbw[7])
		e->orders++;
	if (e->switch_early && e->orders == e->switch_after)
		return;
	if (e->fault == EMU_MUCH_DATA || e->fault == EMU_EMPTY) {
		while (e->replies < EMU_MAX_REPLIES)
			emu_reply(e, in, 0, NULL, e->fault == EMU_EMPTY ? 0 : 512);
		return;
	}
	if (e->cbw[12] & 0x80 && e->cbw[8] | e->cbw[9] | e->cbw[10] && e->fault != EMU_NO_DATA)
		emu_storage_data(e, in, e->cbw[8] | e->cbw[9] << 8 | e->cbw[10] << 16);
	emu_csw(e, in);
}

/* Requests to endpoint 0 */

static inline bool emu_is_enumeration(const __u8 *setup)
{
	return (setup[0] & 0x60) == 0 && setup[1] != 3 && setup[1] != 1;
}

/* Requests by which devices are switched */
static inline bool emu_is_order(const __u8 *setup)
{
	return (setup[0] & 0x60) == 0x40 || (setup[0] == 0x00 && setup[1] == 3) ||
	       (setup[0] == 0xa1 && setup[1] == 0xa0);
}

static inline int emu_control_data(struct emu *e, const __u8 *setup, __u8 *to)
{
	static const __u8 ntb[28] = {
		28, 0, 1, 0, 0, 0x08, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0,
		0, 0x08, 0, 0, 4, 0, 0, 0, 4, 0, 16, 0,
	};
	unsigned int length = setup[6] | setup[7] << 8;
	int size = length;

	memset(to, 0, 1024);
	if (size > 1024)
		size = 1024;
	if (setup[0] == 0x80 && setup[1] == 6) {
		size = emu_descriptor(e, setup[3], setup[2], to);
	} else if (setup[0] == 0xa1 && setup[1] == 0x80) {
		memcpy(to, ntb, sizeof(ntb));
		size = sizeof(ntb);
	} else if (!emu_is_enumeration(setup)) {
		e->orders += emu_is_order(setup);
		if (e->fault == EMU_STALL_CONTROL)
			return -EPIPE;
	}

	return size < 0 || size < (int)length ? size : (int)length;
}

static inline void emu_control(struct emu *e, __u32 seqnum, const __u8 *setup, bool in,
			       const __u8 *data, __u32 size)
{
	__u8 answer[1100];
	int ret;

	if (setup[0] == 0 && setup[1] == 9) {
		if (e->fault == EMU_STALL_CONFIG &&
		    setup[2] != emu_mode(e)->config[0].number) {
			emu_answer(e, seqnum, -EPIPE, NULL, 0, in);
			return;
		}
		e->config = setup[2];
		emu_log(e, EMU_SET_CONFIG, 0, setup, 8, NULL, 0);
	} else if (!emu_is_enumeration(setup)) {
		emu_log(e, EMU_CONTROL, 0, setup, 8, data, in ? 0 : size);
		if (e->fault == EMU_NAK_CONTROL)
			return;
	}
	ret = emu_control_data(e, setup, answer);
	if (ret > (int)size)
		ret = size;
	emu_answer(e, seqnum, ret < 0 ? ret : 0, answer, ret < 0 ? 0 : in ? ret : (int)size, in);
}

static inline void emu_forget(struct emu *e, unsigned int i)
{
	memmove(&e->urb[i], &e->urb[i + 1], (e->pending - i - 1) * sizeof(e->urb[0]));
	e->pending--;
}

/* Requests that wait get what there is for them. */
static inline void emu_serve(struct emu *e)
{
	unsigned int i, j;

	for (i = 0; i < e->replies; i++) {
		struct emu_reply *reply = &e->reply[i];

		for (j = 0; j < e->pending; j++)
			if (e->urb[j].in && e->urb[j].ep == reply->ep)
				break;
		if (j == e->pending)
			continue;
		if (!reply->status && reply->size > e->urb[j].size)
			reply->status = -EOVERFLOW;
		emu_answer(e, e->urb[j].seqnum, reply->status, reply->data,
			   reply->size > e->urb[j].size ? e->urb[j].size : reply->size, true);
		emu_forget(e, j);
		memmove(reply, reply + 1, (e->replies - i - 1) * sizeof(*reply));
		e->replies--;
		i--;
	}
}

static inline void emu_submit(struct emu *e, const struct emu_header *head)
{
	__u32 seqnum = be32toh(head->seqnum), size = be32toh(head->submit.size);
	__u8 ep = be32toh(head->ep);
	bool in = be32toh(head->direction);
	static __u8 data[65536];

	if (!in && size && (size > sizeof(data) || !emu_read(e->fd, data, size)))
		_exit(0);
	if (!ep) {
		emu_control(e, seqnum, head->submit.setup, in, data, size);
		if (!emu_is_enumeration(head->submit.setup))
			e->transfers++;
		return;
	}

	e->transfers++;
	emu_log(e, in ? EMU_IN : EMU_OUT, ep, NULL, 0, data, in ? 0 : size);
	if (emu_mode(e)->config[0].intf[0].class == 0x03) {
		/* Reports are always ready, and any is taken. */
		memset(data, 0, sizeof(data));
		emu_answer(e, seqnum, 0, data, size, in);
		return;
	}
	if (e->fault == EMU_STALL_OUT && !in) {
		emu_answer(e, seqnum, -EPIPE, NULL, 0, false);
	} else if (e->fault == EMU_BUS_ERROR_OUT && !in) {
		emu_answer(e, seqnum, -EPROTO, NULL, 0, false);
	} else if ((in || e->fault == EMU_NAK_OUT) && e->pending < EMU_MAX_PENDING) {
		e->urb[e->pending++] = (struct emu_urb){ seqnum, ep, in, size };
	} else if (!in) {
		emu_answer(e, seqnum, 0, NULL, size, false);
		emu_bulk_out(e, ep, data, size);
	}
	emu_serve(e);
}

static inline void emu_unlink(struct emu *e, const struct emu_header *head)
{
	struct emu_header answer = {
		.command = htobe32(4), .seqnum = head->seqnum,
	};
	unsigned int i;

	for (i = 0; i < e->pending; i++) {
		if (e->urb[i].seqnum == be32toh(head->unlink.seqnum)) {
			emu_forget(e, i);
			answer.unlinked.status = htobe32(-ECONNRESET);
			break;
		}
	}
	if (write(e->fd, &answer, sizeof(answer)) != sizeof(answer))
		_exit(0);
}

/* Ports */

static inline bool emu_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);

	return ok;
}

/* The number in vhci's files of a high-speed port; -1: there are fewer. */
static inline int emu_port_number(unsigned int port, bool *free)
{
	char line[128], path[64];
	unsigned int file, n = 0;
	FILE *in;

	for (file = 0; file < 16; file++) {
		snprintf(path, sizeof(path), EMU_VHCI "status", 0);
		if (file)
			snprintf(path, sizeof(path), EMU_VHCI "status.%u", 0, file);
		in = fopen(path, "re");
		if (!in)
			return -1;
		while (fgets(line, sizeof(line), in)) {
			unsigned int number, status;

			if (sscanf(line, "hs %u %u", &number, &status) == 2 && n++ == port) {
				*free = status == 4;
				fclose(in);
				return number;
			}
		}
		fclose(in);
	}

	return -1;
}

static inline bool emu_wait_free(unsigned int port)
{
	bool free = false;
	int i;

	for (i = 0; i < 500; i++) {
		if (emu_port_number(port, &free) < 0)
			return false;
		if (free)
			return true;
		usleep(20000);
	}

	return false;
}

static inline bool emu_attach(struct emu *e)
{
	char text[64], path[64];
	int fds[2], number;
	bool free;

	if (!emu_wait_free(e->port) || socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return false;
	number = emu_port_number(e->port, &free);
	e->fd = fds[0];
	e->began = emu_ns();
	e->replies = 0;
	e->pending = 0;
	e->config = 0;
	snprintf(text, sizeof(text), "%d %d %u 3", number, fds[1], e->port + 1);
	snprintf(path, sizeof(path), EMU_VHCI "attach", 0);
	emu_log(e, EMU_PLUGGED, 0, NULL, 0, NULL, 0);
	if (!emu_file(path, text))
		return false;
	close(fds[1]);

	return true;
}

static inline void emu_become(struct emu *e)
{
	close(e->fd);
	usleep(e->away_ms * 1000);
	e->now++;
	e->orders = 0;
	if (!emu_attach(e))
		_exit(1);
}

static inline bool emu_is_due(struct emu *e)
{
	return e->switch_after && e->orders >= e->switch_after &&
	       (e->returns || e->now + 1 < e->modes) &&
	       (e->switch_early || !e->replies);
}

static inline void emu_run(struct emu *e)
{
	struct emu_header head;

	for (;;) {
		struct pollfd poll_fd = { .fd = e->fd, .events = POLLIN };

		/* The status may have to be fetched first, or nobody wants it. */
		if (e->switch_after && e->orders >= e->switch_after &&
		    !poll(&poll_fd, 1, 100))
			e->replies = 0;
		if (emu_is_due(e)) {
			emu_become(e);
			continue;
		}
		if (!emu_read(e->fd, &head, sizeof(head)))
			_exit(0);
		if (be32toh(head.command) == 1)
			emu_submit(e, &head);
		else
			emu_unlink(e, &head);
		if (e->unplug_after && e->transfers >= e->unplug_after) {
			e->gone = true;
			_exit(0);
		}
	}
}

/* For tests */

static inline struct emu *emu_new(unsigned int port)
{
	struct emu *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (e == MAP_FAILED)
		return NULL;
	e->port = port;

	return e;
}

static inline bool emu_plug(struct emu *e)
{
	pid_t pid;

	if (!emu_wait_free(e->port))
		return false;
	e->events = 0;
	e->orders = 0;
	e->transfers = 0;
	e->now = 0;
	e->gone = false;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!emu_attach(e))
			_exit(1);
		emu_run(e);
	}
	e->pid = pid;

	return pid > 0;
}

static inline bool emu_unplug(struct emu *e)
{
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		waitpid(e->pid, NULL, 0);
		e->pid = 0;
	}

	return emu_wait_free(e->port);
}

static inline void emu_delete(struct emu *e)
{
	if (!e)
		return;
	emu_unplug(e);
	munmap(e, sizeof(*e));
}

/* The n-th event of a kind that was seen in a mode, or NULL. */
static inline const struct emu_event *emu_find(const struct emu *e, enum emu_kind kind,
					       unsigned int mode, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < e->events; i++)
		if (e->event[i].kind == kind && e->event[i].mode == mode && !n--)
			return &e->event[i];

	return NULL;
}

static inline unsigned int emu_count(const struct emu *e, enum emu_kind kind, unsigned int mode)
{
	unsigned int n = 0;

	while (emu_find(e, kind, mode, n))
		n++;

	return n;
}

/* Modes that many tests need */

#define EMU_STORAGE	{ 0x08, 0x06, 0x50, { { 0x81, 2 }, { 0x02, 2 } } }
#define EMU_SERIAL(n)	{ 0xff, 0xff, 0xff, { { 0x80 | (n), 2 }, { (n), 2 } } }
#define EMU_ACM_CONTROL(n) { 0x02, 0x02, 0x01, { { 0x80 | (n), 3 } } }
#define EMU_ACM_DATA(n)	{ 0x0a, 0x00, 0x00, { { 0x80 | (n), 2 }, { (n), 2 } } }
#define EMU_RNDIS(n)	{ 0xe0, 0x01, 0x03, { { 0x80 | (n), 3 } } }
#define EMU_ECM(n)	{ 0x02, 0x06, 0x00, { { 0x80 | (n), 3 } } }
#define EMU_MBIM(n)	{ 0x02, 0x0e, 0x00, { { 0x80 | (n), 3 } } }
#define EMU_NET_DATA(n, proto) { 0x0a, 0x01, proto, { { 0x80 | (n), 2 }, { (n), 2 } } }

#endif /* PACK_USB_EMU_H */
