// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated USB devices: their descriptors.
 */

#include <errno.h>
#include <string.h>

#include "usb-emu.h"

static size_t emu_put(__u8 *to, size_t at, const __u8 *bytes, size_t n)
{
	memcpy(to + at, bytes, n);

	return at + n;
}

#define EMU_PUT(to, at, ...) \
	emu_put(to, at, (const __u8[]){ __VA_ARGS__ }, \
		sizeof((const __u8[]){ __VA_ARGS__ }))

static bool emu_is_huawei_ncm(const struct emu_if *intf)
{
	return intf->class == 0xff && intf->sub == 0x02 && intf->proto == 0x16;
}

static size_t emu_functional(const struct emu_if *intf, unsigned int n, __u8 *to, size_t at)
{
	bool huawei = emu_is_huawei_ncm(intf);
	__u8 sub = huawei ? 0x0d : intf->sub;

	at = EMU_PUT(to, at, 5, 0x24, 0x00, 0x10, 0x01);
	if (sub == 0x02) {
		at = EMU_PUT(to, at, 5, 0x24, 0x01, 0, n + 1);
		at = EMU_PUT(to, at, 4, 0x24, 0x02, 2);
	}
	at = EMU_PUT(to, at, 5, 0x24, 0x06, n, huawei ? n : intf->data ?: n + 1);
	if (sub == 0x06 || sub == 0x0d)
		at = EMU_PUT(to, at, 13, 0x24, 0x0f, 3, 0, 0, 0, 0, 0xea, 0x05, 0, 0, 0);
	if (sub == 0x0d)
		at = EMU_PUT(to, at, 6, 0x24, 0x1a, 0x00, 0x01, 0);
	if (sub == 0x0e)
		at = EMU_PUT(to, at, 12, 0x24, 0x1b, 0x00, 0x01, 0x00, 0x02, 16, 64, 0x00, 0x08, 0);

	return at;
}

static size_t emu_altsetting(const struct emu_if *intf, unsigned int n, unsigned int alt,
			     unsigned int eps, __u8 *to, size_t at)
{
	unsigned int i;

	at = EMU_PUT(to, at, 9, 4, n, alt, eps, intf->class, intf->sub, intf->proto, 0);
	if (!alt && (intf->class == 0x02 || emu_is_huawei_ncm(intf)))
		at = emu_functional(intf, n, to, at);
	for (i = 0; i < eps; i++)
		at = EMU_PUT(to, at, 7, 5, intf->ep[i].address, intf->ep[i].type,
			     intf->ep[i].type == 3 ? 64 : 0, intf->ep[i].type == 3 ? 0 : 2,
			     intf->ep[i].type == 3 ? 1 : 0);

	return at;
}

static size_t emu_interface(const struct emu_if *intf, unsigned int n, __u8 *to, size_t at)
{
	unsigned int eps = 0;

	while (eps < 3 && intf->ep[eps].address)
		eps++;
	/* The data of network functions is in an altsetting. */
	if (emu_is_huawei_ncm(intf)) {
		at = emu_altsetting(intf, n, 0, 1, to, at);
		return emu_altsetting(intf, n, 1, eps, to, at);
	}
	if (intf->class == 0x0a && intf->sub == 1) {
		const struct emu_if data = {
			0x0a, 0, intf->proto, { intf->ep[0], intf->ep[1], intf->ep[2] },
		};

		at = emu_altsetting(&data, n, 0, 0, to, at);
		return emu_altsetting(&data, n, 1, eps, to, at);
	}

	return emu_altsetting(intf, n, 0, eps, to, at);
}

const struct emu_mode *emu_mode(const struct emu *e)
{
	return &e->mode[e->modes ? e->now % e->modes : 0];
}

unsigned int emu_configs(const struct emu_mode *mode)
{
	unsigned int n = 0;

	while (n < 3 && mode->config[n].number)
		n++;

	return n;
}

static size_t emu_config_descriptor(const struct emu *e, unsigned int index, __u8 *to)
{
	unsigned int has = emu_configs(emu_mode(e));
	const struct emu_config *config = &emu_mode(e)->config[index < has ? index : has - 1];
	__u8 number = config->number + (index < has ? 0 : index - has + 1);
	size_t at = 9, says;
	unsigned int n;

	for (n = 0; n < 6 && config->intf[n].class; n++)
		at = emu_interface(&config->intf[n], n, to, at);
	if (e->fault == EMU_EMPTY_DESCRIPTOR)
		at = EMU_PUT(to, at, 0, 5, 0, 0, 0, 0, 0);
	says = e->fault == EMU_LONG_CONFIG ? 0xffff : at;
	EMU_PUT(to, 0, 9, 2, says & 255, says >> 8, n, number, 0, 0x80,
		config->power ?: 50);

	return at;
}

static size_t emu_string_descriptor(const struct emu *e, unsigned int index, __u8 *to)
{
	const struct emu_mode *mode = emu_mode(e);
	const char *text = index == 1 ? mode->manufacturer : index == 2 ? mode->product :
			   "020000000001";
	size_t i, len = strlen(text);

	if (!index)
		return EMU_PUT(to, 0, 4, 3, 0x09, 0x04);
	to[0] = e->fault == EMU_LONG_STRING ? 255 : 2 + 2 * len;
	to[1] = 3;
	for (i = 0; i < len; i++) {
		to[2 + 2 * i] = text[i];
		to[3 + 2 * i] = 0;
	}

	return 2 + 2 * len;
}

int emu_descriptor(const struct emu *e, unsigned int type, unsigned int index, __u8 *to)
{
	const struct emu_mode *mode = emu_mode(e);
	unsigned int has = emu_configs(mode), claims = mode->claims ? mode->claims : has;

	switch (type) {
	case 1:
		return EMU_PUT(to, 0, 18, 1, 0x00, 0x02, 0, 0, 0, 64, mode->vid & 255,
			       mode->vid >> 8, mode->pid & 255, mode->pid >> 8, 0, 1,
			       mode->manufacturer[0] ? 1 : 0, mode->product[0] ? 2 : 0, 3,
			       claims);
	case 2:
		if (index >= (e->fault == EMU_FEW_CONFIGS ? has : claims))
			return -EPIPE;
		return emu_config_descriptor(e, index, to);
	case 3:
		return emu_string_descriptor(e, index, to);
	default:
		return -EPIPE;
	}
}
