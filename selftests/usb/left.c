// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not be touched is not: after the enumeration there is not one
 * transfer, whatever the order in which device and module come.
 */

#include "../lib/modeswitch.h"

#include "kselftest_harness.h"

FIXTURE(left) {
	struct emu *emu;
	int log;
};

FIXTURE_VARIANT(left) {
	struct emu_mode mode;
};

FIXTURE_VARIANT_ADD(left, ec20_2c7c) {
	.mode = { 0x2c7c, 0x0125, "Quectel", "EC20", .config = {
		{ 1, { EMU_SERIAL(1), EMU_SERIAL(2), EMU_SERIAL(3), EMU_SERIAL(4),
		       EMU_SERIAL(5) } } } },
};

FIXTURE_VARIANT_ADD(left, ec20_05c6) {
	.mode = { 0x05c6, 0x9215, "Quectel", "EC20", .config = {
		{ 1, { EMU_SERIAL(1), EMU_SERIAL(2), EMU_SERIAL(3), EMU_SERIAL(4) } } } },
};

FIXTURE_VARIANT_ADD(left, sim7600e) {
	.mode = { 0x1e0e, 0x9001, "SimTech, Incorporated", "SimTech", .config = {
		{ 1, { EMU_SERIAL(1), EMU_SERIAL(2), EMU_SERIAL(3), EMU_SERIAL(4),
		       EMU_SERIAL(5), EMU_SERIAL(6) } } } },
};

FIXTURE_VARIANT_ADD(left, flash_drive) {
	.mode = { 0x0781, 0x5567, "SanDisk", "Ultra", "SanDisk", "Ultra",
		  .config = { { 1, { EMU_STORAGE } } } },
};

/* The ID of the table, but none of its strings, and no storage to ask for more. */
FIXTURE_VARIANT_ADD(left, id_of_the_table_other_interface) {
	.mode = { 0x05c6, 0x1000, "Acme", "Thing", .config = { { 1, { EMU_SERIAL(1) } } } },
};

FIXTURE_VARIANT_ADD(left, printer_done) {
	.mode = { 0x03f0, 0x002a, "HP", "LaserJet", .config = {
		{ 1, { { 0x07, 0x01, 0x02, { { 0x81, 2 }, { 0x02, 2 } } } } } } },
};

FIXTURE_VARIANT_ADD(left, modem_switched) {
	.mode = { 0x12d1, 0x1506, "HUAWEI", "HUAWEI Mobile", .config = {
		{ 1, { EMU_SERIAL(3), EMU_SERIAL(4), EMU_STORAGE } } } },
};

/* Modem and storage device have this ID; the modem has storage, too. */
FIXTURE_VARIANT_ADD(left, modem_of_the_same_id) {
	.mode = { 0x12d1, 0x1001, "HUAWEI", "HUAWEI Mobile", .config = {
		{ 1, { EMU_SERIAL(3), EMU_SERIAL(4), EMU_STORAGE } } } },
};

FIXTURE_VARIANT_ADD(left, modem_with_storage_first) {
	.mode = { 0x19d2, 0x0033, "ZTE", "ZTE Mobile", .config = {
		{ 1, { EMU_STORAGE, EMU_SERIAL(3), EMU_SERIAL(4) } } } },
};

FIXTURE_VARIANT_ADD(left, me936_with_mbim_chosen) {
	.mode = { 0x12d1, 0x15bb, "HUAWEI", "ME936", .config = {
		{ 1, { EMU_MBIM(1), EMU_NET_DATA(2, 2) } } } },
};

FIXTURE_SETUP(left)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	run_modprobe("-r usb-storage option cdc-mbim huawei-cdc-ncm cdc-ether cdc-acm");
	self->emu = emu_new(0);
	ASSERT_NE(NULL, self->emu);
	self->emu->mode[0] = variant->mode;
	self->emu->modes = 1;
}

FIXTURE_TEARDOWN(left)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

#define is_left()							\
	(wait_until(usb_device_is(0, &variant->mode)) &&		\
	 holds_for(2000, !self->emu->transfers) && !ums_count("tries"))

TEST_F(left, plugged_in)
{
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(is_left());
}

TEST_F(left, there_before)
{
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_device_is(0, &variant->mode)));
	ASSERT_EQ(0, ums_load(""));
	EXPECT_TRUE(is_left());
}

/* A board may be reached by such a modem: then nothing is tried there. */
TEST(driver_of_a_modem_is_in_use)
{
	static const struct emu_mode mode = {
		0x12d1, 0x14db, "HUAWEI", "HUAWEI Mobile", .config = {
			{ 1, { EMU_ECM(1), EMU_NET_DATA(2, 0) } } } };
	struct emu *emu = emu_new(0);

	ASSERT_NE(NULL, emu);
	emu->mode[0] = mode;
	emu->modes = 1;
	run_modprobe("cdc-ether");
	EXPECT_EQ(NULL, ums_module_in_use());
	ASSERT_TRUE(emu_plug(emu));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "cdc_ether")));
	EXPECT_STREQ("cdc_ether", ums_module_in_use() ?: "none");
	emu_delete(emu);
	EXPECT_TRUE(wait_until(!ums_module_in_use()));
}

TEST(modules_are_there_again_after_the_tests)
{
	ASSERT_EQ(0, run_modprobe("option"));
	ASSERT_EQ(0, ums_load(""));
	modules_note(ums_modules);
	run_modprobe("-r option");
	ASSERT_FALSE(module_is_loaded("option"));
	ums_test_end();
	EXPECT_TRUE(module_is_loaded("option"));
	EXPECT_TRUE(module_is_loaded("usb_modeswitch"));
	EXPECT_EQ(0, ums_unload());
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
