// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated USB devices: the protocol of USB/IP, as vhci_hcd speaks it, and its ports.
 */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "usb-emu.h"

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

static bool emu_read(int fd, void *buf, size_t size)
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

void emu_answer(struct emu *e, __u32 seqnum, int status, const void *data, unsigned int actual,
		bool in)
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

static void emu_forget(struct emu *e, unsigned int i)
{
	memmove(&e->urb[i], &e->urb[i + 1], (e->pending - i - 1) * sizeof(e->urb[0]));
	e->pending--;
}

/* Requests that wait get what there is for them. */
static void emu_serve(struct emu *e)
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

static void emu_submit(struct emu *e, const struct emu_header *head)
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
		emu_answer(e, seqnum, emu_spoil_status(e, 0), NULL, size, false);
		emu_bulk_out(e, ep, data, size);
	}
	emu_serve(e);
}

static void emu_unlink(struct emu *e, const struct emu_header *head)
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

/* One message of the host. */
void emu_receive(struct emu *e)
{
	struct emu_header head;

	if (!emu_read(e->fd, &head, sizeof(head)))
		_exit(0);
	if (be32toh(head.command) == 1)
		emu_submit(e, &head);
	else
		emu_unlink(e, &head);
}

/* Ports */

static bool emu_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (len < 0)
		return false;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';

	return true;
}

static bool emu_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);

	return ok;
}

/* vhci's table of ports: one file for each of its controllers. */
static FILE *emu_table(unsigned int controller)
{
	char path[64];

	snprintf(path, sizeof(path), controller ? EMU_VHCI "status.%u" : EMU_VHCI "status", 0,
		 controller);

	return fopen(path, "re");
}

/* The next high-speed port in it. */
static bool emu_table_next(FILE *in, unsigned int *number, unsigned int *status)
{
	char line[128];

	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "hs %u %u", number, status) == 2)
			return true;

	return false;
}

/* High-speed ports of one controller; all have as many. */
static unsigned int emu_ports_each(void)
{
	static unsigned int n;
	unsigned int number, status;
	FILE *in = n ? NULL : emu_table(0);

	while (in && emu_table_next(in, &number, &status))
		n++;
	if (in)
		fclose(in);

	return n;
}

unsigned int emu_ports(void)
{
	unsigned int controllers = 0;
	FILE *in;

	while ((in = emu_table(controllers))) {
		controllers++;
		fclose(in);
	}

	return controllers * emu_ports_each();
}

/* The number in vhci's files of a high-speed port; -1: there are fewer. */
int emu_port_number(unsigned int port, bool *free)
{
	unsigned int each = emu_ports_each(), i, number, status = 0;
	FILE *in = each ? emu_table(port / each) : NULL;
	int found = -1;

	if (!in)
		return -1;
	for (i = 0; i <= port % each; i++)
		found = emu_table_next(in, &number, &status) ? (int)number : -1;
	fclose(in);
	*free = status == 4;

	return found;
}

/* What USB calls the device on a port. */
bool emu_port_name(unsigned int port, char *name, size_t size)
{
	static unsigned int found[32];
	unsigned int each = emu_ports_each(), bus, controller = each ? port / each : 32;
	char path[64], speed[8];

	for (bus = 1; controller < 32 && !found[controller] && bus < 64; bus++) {
		snprintf(path, sizeof(path), EMU_VHCI "usb%u/speed", controller, bus);
		if (emu_text(path, speed, sizeof(speed)) && !strcmp(speed, "480"))
			found[controller] = bus;
	}
	if (controller >= 32 || !found[controller])
		return false;
	snprintf(name, size, "%u-%u", found[controller], port % each + 1);

	return true;
}

/*
 * vhci_hcd's port is free before its hub has seen that: a device that comes at once would
 * be taken for the one that went.
 */
bool emu_wait_free(unsigned int port)
{
	char name[32], path[64];
	bool free = false;
	int i;

	if (!emu_port_name(port, name, sizeof(name)))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s", name);
	for (i = 0; i < 100; i++) {
		if (access(path, F_OK) && emu_port_number(port, &free) < 0)
			return false;
		if (free)
			return true;
		usleep(20000 + 2000 * i);
	}

	return false;
}

bool emu_attach(struct emu *e)
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
