// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated USB devices: what they answer in place of what is right.
 */

#include <errno.h>

#include "random.h"
#include "usb-emu.h"

/* What controllers report of a device. */
static int emu_error(struct emu *e)
{
	static const int errors[] = {
		EPIPE, EPROTO, EILSEQ, ETIME, EOVERFLOW, EREMOTEIO, ENODEV, ECOMM, ENOSR,
	};

	return -random_of(&e->random, errors);
}

static bool emu_is_spoilt(struct emu *e, enum emu_spoils what)
{
	return e->fault == EMU_RANDOM && random_below(&e->random, 100) < e->spoils[what];
}

/* Whether it keeps the host waiting for ever. */
bool emu_is_silent(struct emu *e)
{
	return emu_is_spoilt(e, EMU_ANSWERS) && random_one_in(&e->random, 4);
}

int emu_spoil_status(struct emu *e, int status)
{
	return emu_is_spoilt(e, EMU_ANSWERS) ? emu_error(e) : status;
}

/*
 * An answer of some bytes, or a negative status: with other bytes, cut, lengthened up to
 * a limit, or another status.
 */
int emu_spoil(struct emu *e, enum emu_spoils what, __u8 *data, int size, unsigned int limit)
{
	unsigned int i;

	if (!emu_is_spoilt(e, what))
		return size;
	switch (random_below(&e->random, 4)) {
	case 0:
		for (i = 0; i < limit; i++)
			data[i] = random_next(&e->random);
		return random_below(&e->random, limit + 1);
	case 1:
		return random_below(&e->random, (limit < 64 ? limit : 64) + 1);
	case 2:
		return emu_error(e);
	default:
		for (i = 0; size > 0 && i < 4; i++)
			data[random_below(&e->random, size)] = random_next(&e->random);
		return size;
	}
}
