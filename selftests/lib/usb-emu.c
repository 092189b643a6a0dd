// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated USB devices: what a device is asked, and when it becomes another one.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "usb-emu.h"

__u64 emu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void emu_log(struct emu *e, enum emu_kind kind, __u8 ep, const void *head, size_t head_size,
	     const void *data, size_t size)
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

/* Requests to endpoint 0 */

bool emu_is_enumeration(const __u8 *setup)
{
	return (setup[0] & 0x60) == 0 && setup[1] != 3 && setup[1] != 1;
}

/* Requests by which devices are switched */
static bool emu_is_order(const __u8 *setup)
{
	return (setup[0] & 0x60) == 0x40 || (setup[0] == 0x00 && setup[1] == 3) ||
	       (setup[0] == 0xa1 && setup[1] == 0xa0);
}

static int emu_control_data(struct emu *e, const __u8 *setup, __u8 *to)
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

void emu_control(struct emu *e, __u32 seqnum, const __u8 *setup, bool in, const __u8 *data,
		 __u32 size)
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
		if (e->fault == EMU_NAK_CONTROL || emu_is_silent(e))
			return;
	}
	ret = emu_spoil(e, setup[1] == 6 ? EMU_DESCRIPTORS : EMU_ANSWERS, answer,
			emu_control_data(e, setup, answer), size < 1024 ? size : 1024);
	if (ret > (int)size)
		ret = size;
	emu_answer(e, seqnum, ret < 0 ? ret : 0, answer, ret < 0 ? 0 : in ? ret : (int)size, in);
}

/* vhci_hcd does not end what it is asked in the moment in which a device goes. */
static void emu_stay(struct emu *e)
{
	struct pollfd poll_fd = { .fd = e->fd, .events = POLLIN };
	__u64 end = emu_ns() + e->stays_ms * 1000000ULL;

	while (emu_ns() < end)
		if (poll(&poll_fd, 1, 1) > 0)
			emu_receive(e);
}

static void emu_become(struct emu *e)
{
	emu_stay(e);
	close(e->fd);
	usleep(e->away_ms * 1000);
	e->now++;
	e->orders = 0;
	if (!emu_attach(e))
		_exit(1);
}

static bool emu_is_due(struct emu *e)
{
	return e->switch_after && e->orders >= e->switch_after &&
	       (e->returns || e->now + 1 < e->modes) &&
	       (e->switch_early || !e->replies);
}

static void emu_run(struct emu *e)
{
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
		emu_receive(e);
		if (e->unplug_after && e->transfers >= e->unplug_after) {
			e->gone = true;
			_exit(0);
		}
	}
}

/* For tests */

struct emu *emu_new(unsigned int port)
{
	struct emu *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (e == MAP_FAILED)
		return NULL;
	e->port = port;

	return e;
}

bool emu_plug(struct emu *e)
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

bool emu_unplug(struct emu *e)
{
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		waitpid(e->pid, NULL, 0);
		e->pid = 0;
	}

	return emu_wait_free(e->port);
}

void emu_delete(struct emu *e)
{
	if (!e)
		return;
	emu_unplug(e);
	munmap(e, sizeof(*e));
}

/* The n-th event of a kind that was seen in a mode, or NULL. */
const struct emu_event *emu_find(const struct emu *e, enum emu_kind kind, unsigned int mode,
				 unsigned int n)
{
	unsigned int i;

	for (i = 0; i < e->events; i++)
		if (e->event[i].kind == kind && e->event[i].mode == mode && !n--)
			return &e->event[i];

	return NULL;
}

unsigned int emu_count(const struct emu *e, enum emu_kind kind, unsigned int mode)
{
	unsigned int n = 0;

	while (emu_find(e, kind, mode, n))
		n++;

	return n;
}
