/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stick that is storage until it is told otherwise, and then a network card.
 */

#ifndef STICK_H
#define STICK_H

#include "../lib/modeswitch.h"

/* For emu_delete(); NULL where there is no port for it. */
static inline struct emu *stick_new(void)
{
	struct emu *emu = emu_new(0);

	if (!emu)
		return NULL;
	emu->mode[0] = (struct emu_mode){
		0x12d1, 0x1f01, "HUAWEI", "HUAWEI Mobile", .config = { { 1, { EMU_STORAGE } } },
	};
	emu->mode[1] = (struct emu_mode){
		0x12d1, 0x14dc, "HUAWEI", "HUAWEI Mobile", .config = {
			{ 1, { EMU_ECM(1), EMU_NET_DATA(2, 0) } } },
	};
	emu->modes = 2;
	emu->switch_after = 1;

	return emu;
}

/* Of a fixture that has the stick as emu. */
#define becomes_modem()		wait_until(usb_device_is(0, &self->emu->mode[1]))

#endif /* STICK_H */
