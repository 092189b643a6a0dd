// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated USB devices: what their endpoints answer. Storage, and AT commands.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "usb-emu.h"

static void emu_reply(struct emu *e, __u8 ep, int status, const void *data, unsigned int size)
{
	struct emu_reply *reply;

	if (e->replies == EMU_MAX_REPLIES || emu_is_silent(e))
		return;
	reply = &e->reply[e->replies++];
	reply->ep = ep;
	reply->status = status;
	reply->size = size > sizeof(reply->data) ? sizeof(reply->data) : size;
	memset(reply->data, 0, sizeof(reply->data));
	if (data)
		memcpy(reply->data, data, reply->size);
	status = emu_spoil(e, EMU_ANSWERS, reply->data, status ?: (int)reply->size,
			   sizeof(reply->data));
	reply->status = status < 0 ? status : 0;
	reply->size = status < 0 ? 0 : status;
}

static void emu_csw(struct emu *e, __u8 ep)
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

static void emu_storage_data(struct emu *e, __u8 ep, __u32 size)
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
static __u8 emu_other(const struct emu *e, __u8 out)
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

static void emu_at(struct emu *e, __u8 ep, const char *command, size_t size)
{
	char answer[512], chatter[256] = "";

	if (emu_ns() - e->began < e->modem_ms * 1000000ULL)
		return;
	memset(chatter, '+', e->chatter < sizeof(chatter) ? e->chatter : sizeof(chatter) - 1);
	/* With its echo, as modems begin. */
	snprintf(answer, sizeof(answer), "%.*s\r\n%s\r\nOK\r\n", (int)size, command, chatter);
	emu_reply(e, ep, 0, answer, strlen(answer));
	if (size >= 7 && !memcmp(command, "AT+CFUN", 7))
		e->orders++;
}

void emu_bulk_out(struct emu *e, __u8 ep, const __u8 *data, size_t size)
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
