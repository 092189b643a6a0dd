// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated USB devices: one of any kind.
 */

#include <stdio.h>
#include <string.h>

#include "random.h"
#include "usb-emu.h"

/* One or two for each way to switch, and some that are told by their strings */
static const struct emu_id { __u16 vid, pid; } known[] = {
	{ 0x03f0, 0x002a }, { 0x0408, 0x1000 }, { 0x0408, 0xea17 }, { 0x0408, 0xea25 },
	{ 0x0408, 0xf000 }, { 0x046d, 0xc261 }, { 0x04e8, 0x680c }, { 0x05c6, 0x1000 },
	{ 0x05c6, 0x2000 }, { 0x05c6, 0xf000 }, { 0x072f, 0x100d }, { 0x0d46, 0x45a1 },
	{ 0x0df7, 0x0800 }, { 0x0fca, 0x8020 }, { 0x0fce, 0xd0e1 }, { 0x1076, 0x7f40 },
	{ 0x10a9, 0x6080 }, { 0x1199, 0x0fff }, { 0x1199, 0x9011 }, { 0x12d1, 0x14fe },
	{ 0x12d1, 0x15c1 }, { 0x12d1, 0x1f01 }, { 0x148e, 0xa000 }, { 0x1546, 0x1146 },
	{ 0x19d2, 0x0149 }, { 0x19d2, 0x2000 }, { 0x1c9e, 0xf000 }, { 0x1da5, 0xf000 },
	{ 0x201e, 0x1023 }, { 0x2020, 0xf00e },
};

static const struct emu_if interfaces[] = {
	EMU_STORAGE, EMU_SERIAL(1), EMU_ACM_CONTROL(3), EMU_ACM_DATA(2), EMU_RNDIS(1), EMU_ECM(1),
	EMU_MBIM(1), EMU_HUAWEI_NCM(1), EMU_NET_DATA(2, 2),
	{ 0x03, 0, 0, { { 0x81, 3 }, { 0x02, 3 } } },
};

static const char *const words[] = {
	"", "HUAWEI", "Qualcomm", "SAMSUNG", "Option", "GT", "Storage", "\xff\x01%s", "Acme",
};

static void emu_any_interface(struct emu_if *intf, __u64 *random)
{
	*intf = random_one_in(random, 3) ? interfaces[0] : random_of(random, interfaces);
	if (random_one_in(random, 4))
		intf->ep[random_below(random, 3)] = (struct emu_ep){
			random_next(random), random_below(random, 4) };
	if (random_one_in(random, 8))
		intf->class = random_next(random);
	if (random_one_in(random, 8))
		intf->data = random_next(random);
}

static void emu_any_word(char *to, size_t size, __u64 *random)
{
	snprintf(to, size, "%s", random_of(random, words));
}

static void emu_any_mode(struct emu_mode *mode, __u64 *random)
{
	const struct emu_id *id = &random_of(random, known);
	unsigned int configs = 1 + random_below(random, 3), i, n;

	memset(mode, 0, sizeof(*mode));
	mode->vid = random_one_in(random, 8) ? random_next(random) : id->vid;
	mode->pid = random_one_in(random, 8) ? random_next(random) : id->pid;
	emu_any_word(mode->manufacturer, sizeof(mode->manufacturer), random);
	emu_any_word(mode->product, sizeof(mode->product), random);
	emu_any_word(mode->scsi_vendor, sizeof(mode->scsi_vendor), random);
	emu_any_word(mode->scsi_model, sizeof(mode->scsi_model), random);
	for (i = 0; i < configs; i++) {
		struct emu_config *config = &mode->config[i];

		config->number = random_one_in(random, 8) ? 1 + random_below(random, 255) : i + 1;
		config->power = random_one_in(random, 8) ? random_next(random) : 0;
		for (n = 1 + random_below(random, 5); n; n--)
			emu_any_interface(&config->intf[n - 1], random);
	}
	if (random_one_in(random, 8))
		mode->claims = random_next(random);
}

void emu_any(struct emu *e, __u64 *random)
{
	static const unsigned int spoils[] = { 0, 0, 3, 10, 50 };
	unsigned int i;

	e->modes = 1 + random_below(random, 3);
	for (i = 0; i < e->modes; i++)
		emu_any_mode(&e->mode[i], random);
	e->fault = random_one_in(random, 2) ? EMU_RANDOM : random_below(random, EMU_FAULTS);
	e->random = random_next(random);
	e->spoils[EMU_DESCRIPTORS] = random_of(random, spoils);
	e->spoils[EMU_ANSWERS] = 5 * random_of(random, spoils) / 2;
	e->switch_after = random_below(random, 4);
	e->unplug_after = random_one_in(random, 4) ? 1 + random_below(random, 12) : 0;
	e->switch_early = random_one_in(random, 2);
	e->returns = random_one_in(random, 3);
	e->stays_ms = random_one_in(random, 2) ? random_below(random, 1500) : 0;
	e->away_ms = random_one_in(random, 2) ? random_below(random, 1500) : 0;
	e->modem_ms = random_below(random, 3000);
}
