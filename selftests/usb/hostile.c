// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that do it wrong: each is over in bounded time, is given back, and
 * keeps nobody else waiting, least of all the hub.
 */

#include "../lib/modeswitch.h"
#include "../lib/uevent.h"

#include "kselftest_harness.h"

#define LIMIT_MS	45000	/* 10 s of transfers, 10 s of waiting, storage after that */

static const struct emu_mode huawei = {
	0x12d1, 0x14fe, "HUAWEI", "HUAWEI Mobile", .config = { { 1, { EMU_STORAGE } } },
};

static const struct emu_mode zte = {		/* five commands */
	0x19d2, 0x2000, "ZTE", "ZTE Mobile", .config = { { 1, { EMU_STORAGE } } },
};

static const struct emu_mode data_phase = {	/* a command that asks for 192 bytes */
	0x201e, 0x1023, "Haier", "Haier CE682", .config = { { 1, { EMU_STORAGE } } },
};

static const struct emu_mode sierra = {		/* a request */
	0x1199, 0x0fff, "Sierra", "AirCard", .config = { { 1, { EMU_STORAGE } } },
};

static const struct emu_mode by_strings = {	/* asked for its SCSI strings */
	0x05c6, 0x1000, "Acme", "Disk", "Acme", "Disk", .config = { { 1, { EMU_STORAGE } } },
};

static const struct emu_mode *const modes[] = { &huawei, &zte, &data_phase, &sierra, &by_strings };

static bool is_over(void)
{
	const char *result = ums_result(0, "result");

	return result[0] && strcmp(result, "working");
}

FIXTURE(hostile) {
	struct emu *emu, *other;
	int log;
};

FIXTURE_VARIANT(hostile) {
	enum emu_fault fault;
	bool mute;		/* each command takes 3 s of the 10 that there are */
};

FIXTURE_VARIANT_ADD(hostile, stall_out) { .fault = EMU_STALL_OUT, .mute = true };
FIXTURE_VARIANT_ADD(hostile, stall_in) { .fault = EMU_STALL_IN };
FIXTURE_VARIANT_ADD(hostile, stall_once) { .fault = EMU_STALL_ONCE };
FIXTURE_VARIANT_ADD(hostile, nak_out) { .fault = EMU_NAK_OUT, .mute = true };
FIXTURE_VARIANT_ADD(hostile, nak_in) { .fault = EMU_NAK_IN, .mute = true };
FIXTURE_VARIANT_ADD(hostile, babble) { .fault = EMU_BABBLE };
FIXTURE_VARIANT_ADD(hostile, bus_error_out) { .fault = EMU_BUS_ERROR_OUT, .mute = true };
FIXTURE_VARIANT_ADD(hostile, bus_error_in) { .fault = EMU_BUS_ERROR_IN, .mute = true };
FIXTURE_VARIANT_ADD(hostile, short_csw) { .fault = EMU_SHORT_CSW, .mute = true };
FIXTURE_VARIANT_ADD(hostile, long_csw) { .fault = EMU_LONG_CSW, .mute = true };
FIXTURE_VARIANT_ADD(hostile, wrong_tag) { .fault = EMU_WRONG_TAG };
FIXTURE_VARIANT_ADD(hostile, wrong_signature) { .fault = EMU_WRONG_SIGNATURE, .mute = true };
FIXTURE_VARIANT_ADD(hostile, csw_failed) { .fault = EMU_CSW_FAILED };
FIXTURE_VARIANT_ADD(hostile, csw_phase) { .fault = EMU_CSW_PHASE };
FIXTURE_VARIANT_ADD(hostile, csw_status) { .fault = EMU_CSW_STATUS };
FIXTURE_VARIANT_ADD(hostile, no_data) { .fault = EMU_NO_DATA };
FIXTURE_VARIANT_ADD(hostile, much_data) { .fault = EMU_MUCH_DATA };
FIXTURE_VARIANT_ADD(hostile, empty) { .fault = EMU_EMPTY };
FIXTURE_VARIANT_ADD(hostile, nak_control) { .fault = EMU_NAK_CONTROL };
FIXTURE_VARIANT_ADD(hostile, stall_control) { .fault = EMU_STALL_CONTROL };

FIXTURE_SETUP(hostile)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	run_modprobe("-r usb-storage");
	ASSERT_EQ(0, ums_load(""));
	self->emu = emu_new(0);
	self->other = emu_new(1);
	ASSERT_NE(NULL, self->emu);
	ASSERT_NE(NULL, self->other);
	self->emu->modes = 1;
	self->emu->fault = variant->fault;
	self->other->mode[0] = huawei;
	self->other->mode[1] = (struct emu_mode){
		0x12d1, 0x1506, "HUAWEI", "HUAWEI Mobile",
		.config = { { 1, { EMU_SERIAL(1) } } },
	};
	self->other->modes = 2;
	self->other->switch_after = 1;
}

FIXTURE_TEARDOWN(hostile)
{
	emu_delete(self->emu);
	emu_delete(self->other);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F_TIMEOUT(hostile, is_over_in_time, 250)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		long long begin = now_ms();

		self->emu->mode[0] = *modes[i];
		ASSERT_TRUE(emu_plug(self->emu));
		ASSERT_TRUE(wait_until(self->emu->transfers));
		while (!is_over() && now_ms() < begin + LIMIT_MS)
			usleep(200000);
		EXPECT_LT(now_ms() - begin, LIMIT_MS);
		EXPECT_TRUE(ums_result_is(0, modes[i] == &by_strings ? "cancelled" : "failed") ||
			    (modes[i] == &by_strings && ums_result_is(0, "failed")));
		EXPECT_STREQ("", usb_driver(0, 0));
		/* What it does to one command does not keep it from the next. */
		if (modes[i] == &zte)
			EXPECT_GE(emu_count(self->emu, EMU_OUT, 0), variant->mute ? 3 : 5);
		ASSERT_TRUE(emu_unplug(self->emu));
		ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	}
}

/* The hub sees others come, and this one go, while it keeps us waiting. */
TEST_F(hostile, hub_does_not_wait)
{
	self->emu->mode[0] = zte;
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(self->emu->transfers));
	ASSERT_TRUE(emu_plug(self->other));
	EXPECT_TRUE(wait_until(usb_device_is(1, &self->other->mode[1])));
	ASSERT_TRUE(emu_unplug(self->emu));
	EXPECT_TRUE(wait_until(!usb_device_read(0, "idVendor")[0]));
}

/* Unloading does not wait either: all transfers end at once. */
TEST_F(hostile, unload_does_not_wait)
{
	long long begin;

	self->emu->mode[0] = zte;
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(self->emu->transfers));
	begin = now_ms();
	EXPECT_EQ(0, ums_unload());
	EXPECT_LT(now_ms() - begin, 3000);
}

FIXTURE(unplug) {
	struct emu *emu;
	int log;
};

FIXTURE_SETUP(unplug)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	/* Its own probe would talk to some of them, and keep the hub waiting. */
	run_modprobe("-r usb-storage");
	ASSERT_EQ(0, ums_load(""));
	self->emu = emu_new(0);
	ASSERT_NE(NULL, self->emu);
	self->emu->modes = 1;
}

FIXTURE_TEARDOWN(unplug)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F_TIMEOUT(unplug, at_every_step, 250)
{
	unsigned int i, step;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		self->emu->mode[0] = *modes[i];
		for (step = 1; step <= 12; step++) {
			self->emu->unplug_after = step;
			ASSERT_EQ(0, file_write(UMS "rescan", "1"));
			ASSERT_TRUE(emu_plug(self->emu));
			if (!wait_until(self->emu->gone))
				break;
			ASSERT_TRUE(emu_unplug(self->emu));
			EXPECT_TRUE(wait_until(is_over()));
		}
		ASSERT_TRUE(emu_unplug(self->emu));
	}
}

/* It comes back as storage again and again: three times, then it is left alone. */
TEST_F(unplug, storage_again_and_again)
{
	int uevents = uevents_open();
	char port[64];

	ASSERT_GE(uevents, 0);
	self->emu->mode[0] = huawei;
	self->emu->switch_after = 1;
	self->emu->returns = true;
	ASSERT_TRUE(emu_plug(self->emu));
	snprintf(port, sizeof(port), "PORT=%s FROM=12d1:14fe TO=", ums_port_name(0));
	EXPECT_TRUE(wait_until(uevents_have(uevents, "MODESWITCH=returned", port)));
	EXPECT_TRUE(wait_until(uevents_have(uevents, "MODESWITCH=guarded", port)));
	EXPECT_TRUE(wait_until(ums_result_is(0, "guarded")));
	EXPECT_EQ(3, ums_count("tries"));
	EXPECT_EQ(3, ums_count("returned"));
	EXPECT_EQ(0, ums_count("switched"));
	ASSERT_EQ(0, run_modprobe("usb-storage"));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "usb-storage")));
	close(uevents);
}

/* It has as many configurations as it says, and few of them can be read. */
TEST_F(unplug, lying_descriptors)
{
	static const struct emu_mode liars[] = {
		/* storage without endpoints */
		{ 0x12d1, 0x14fe, .config = { { 1, { { 0x08, 0x06, 0x50 } } } } },
		/* with interrupt endpoints */
		{ 0x12d1, 0x14fe, .config = {
			{ 1, { { 0x08, 0x06, 0x50, { { 0x81, 3 }, { 0x02, 3 } } } } } } },
		/* only one of two */
		{ 0x19d2, 0x2000, .config = { { 1, { { 0x08, 0x06, 0x50, { { 0x02, 2 } } } } } } },
		/* a configuration that it does not have */
		{ 0x1199, 0x9011, .config = { { 3, { EMU_SERIAL(1) } } } },
		/* a cable without its endpoints */
		{ 0x0df7, 0x0800, .config = { { 1, { { 0x03, 0, 0, { { 0x81, 3 } } } } } } },
		/* raw messages to an endpoint that is not there */
		{ 0x046d, 0xc261, .config = { { 1, { EMU_SERIAL(5) } } } },
		{ 0x04e8, 0x680c, .config = { { 1, { { 0x08, 0x06, 0x50 } } } } },
		/* told by its SCSI strings, with or without storage to ask, and with MBIM */
		{ 0x05c6, 0x1000, "Acme", "Disk", "GT", "Disk", .config = {
			{ 1, { EMU_STORAGE } }, { 2, { EMU_MBIM(1), EMU_NET_DATA(2, 2) } } } },
		{ 0x05c6, 0x1000, "Acme", "Disk", .config = {
			{ 1, { EMU_SERIAL(1) } }, { 2, { EMU_MBIM(1), EMU_NET_DATA(2, 2) } } } },
		/* a modem without data endpoints */
		{ 0x1546, 0x1146, .config = {
			{ 1, { EMU_RNDIS(1), EMU_ACM_DATA(2), EMU_ACM_CONTROL(3), { 0x0a } } } } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(liars); i++) {
		self->emu->mode[0] = liars[i];
		ASSERT_EQ(0, file_write(UMS "rescan", "1"));
		ASSERT_TRUE(emu_plug(self->emu));
		ASSERT_TRUE(wait_until(usb_device_is(0, &liars[i])));
		EXPECT_TRUE(wait_until(!ums_result_is(0, "working")));
		usleep(100000);
		ASSERT_TRUE(emu_unplug(self->emu));
	}
}

/* 200 configurations, of which the kernel looks at the first 8. */
TEST_F(unplug, many_configurations)
{
	self->emu->mode[0] = (struct emu_mode){
		0x12d1, 0x15c1, "HUAWEI", "ME909s", .claims = 200, .config = {
			{ 1, { EMU_SERIAL(1) } },
			{ 2, { EMU_ECM(1), EMU_NET_DATA(2, 0) } },
			{ 3, { EMU_MBIM(1), EMU_NET_DATA(2, 2) } } } };
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "cdc_mbim")));
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
	ASSERT_TRUE(emu_unplug(self->emu));
	/* Where the fourth cannot be read the kernel does not take the device. */
	self->emu->fault = EMU_FEW_CONFIGS;
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(holds_for(3000, ums_count("tries") == 1));
}

/* What such a device has first is what it says: it gets its command. */
TEST_F_TIMEOUT(unplug, lying_lengths, 100)
{
	static const enum emu_fault faults[] = {
		EMU_LONG_CONFIG, EMU_EMPTY_DESCRIPTOR, EMU_LONG_STRING,
	};
	unsigned int i;

	self->emu->mode[0] = huawei;
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		self->emu->fault = faults[i];
		ASSERT_EQ(0, file_write(UMS "rescan", "1"));
		ASSERT_TRUE(emu_plug(self->emu));
		EXPECT_TRUE(wait_until(emu_count(self->emu, EMU_OUT, 0) == 1));
		EXPECT_TRUE(wait_until(ums_result_is(0, "failed")));
		ASSERT_TRUE(emu_unplug(self->emu));
	}
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
