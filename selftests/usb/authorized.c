// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user decides which devices, and which of their interfaces, may be used at all.
 */

#include "stick.h"

#include "kselftest_harness.h"

FIXTURE(authorized) {
	struct emu *emu;
	int log;
};

FIXTURE_SETUP(authorized)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	run_modprobe("usb-storage");
	self->emu = stick_new();
	ASSERT_NE(NULL, self->emu);
}

FIXTURE_TEARDOWN(authorized)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(authorized, unauthorized_is_not_touched)
{
	char *path = file_read("/dev/null");

	ASSERT_EQ(0, ums_load(""));
	asprintf(&path, USB_DEVICES "usb%d/authorized_default", atoi(ums_port_name(0)));
	ASSERT_EQ(0, file_write(path, "0"));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_device_read(0, "idVendor")[0]));
	EXPECT_TRUE(holds_for(1500, !self->emu->transfers));
	EXPECT_EQ(0, ums_count("tries"));
	ASSERT_EQ(0, file_write(path, "1"));
	free(path);
	ASSERT_EQ(0, usb_device_write(0, "authorized", "1"));
	EXPECT_TRUE(becomes_modem());
}

static bool usb_bus_write(const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), USB_DEVICES "usb%d/%s", atoi(ums_port_name(0)), file);

	return !file_write(path, text);
}

/* It gets no driver by that alone. */
static bool interface_authorize(void)
{
	char path[64], name[32];

	snprintf(name, sizeof(name), "%s:1.0", ums_port_name(0));
	snprintf(path, sizeof(path), USB_DEVICES "%s/authorized", name);

	return !file_write(path, "1") && !file_write("/sys/bus/usb/drivers_probe", name);
}

TEST_F(authorized, unauthorized_interface_is_not_touched)
{
	bool left;

	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(usb_bus_write("interface_authorized_default", "0"));
	left = emu_plug(self->emu) && wait_until(usb_device_is(0, &self->emu->mode[0])) &&
	       holds_for(1000, !ums_count("tries"));
	EXPECT_TRUE(usb_bus_write("interface_authorized_default", "1"));
	ASSERT_TRUE(left);
	ASSERT_TRUE(interface_authorize());
	ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	EXPECT_TRUE(becomes_modem());
}

/* A modem is one whoever may have it; that is told while nobody may. */
TEST_F(authorized, switched_to_an_unauthorized_interface)
{
	bool told;

	self->emu->away_ms = 1000;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_TRUE(usb_bus_write("interface_authorized_default", "0"));
	told = wait_until(ums_count("switched") == 1);
	EXPECT_TRUE(usb_bus_write("interface_authorized_default", "1"));
	EXPECT_TRUE(told);
	EXPECT_TRUE(ums_result_is(0, "switched"));
}

/* What is left to do with one that has come back is not forgotten till then. */
TEST_F(authorized, back_with_an_unauthorized_interface)
{
	bool held;

	self->emu->mode[1] = self->emu->mode[0];
	self->emu->away_ms = 1000;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_TRUE(usb_bus_write("interface_authorized_default", "0"));
	held = wait_until(self->emu->now == 1 && usb_device_is(0, &self->emu->mode[1])) &&
	       holds_for(1000, ums_result_is(0, "sent"));
	EXPECT_TRUE(usb_bus_write("interface_authorized_default", "1"));
	ASSERT_TRUE(held);
	ASSERT_TRUE(interface_authorize());
	ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	EXPECT_TRUE(wait_until(ums_count("returned") == 1 && ums_count("tries") == 2));
}

/* To take the authorization away and give it again is to plug it in again. */
TEST_F(authorized, authorized_again_is_tried_again)
{
	ASSERT_EQ(0, ums_load(""));
	self->emu->fault = EMU_STALL_OUT;
	self->emu->switch_after = 0;
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_result_is(0, "failed")));
	ASSERT_EQ(0, usb_device_write(0, "authorized", "0"));
	ASSERT_EQ(0, usb_device_write(0, "authorized", "1"));
	EXPECT_TRUE(wait_until(ums_count("tries") == 2));
}

/* At once, while the job of before has not ended. */
TEST_F(authorized, authorized_again_in_the_act_is_tried_again)
{
	int i;

	self->emu->fault = EMU_NAK_IN;
	self->emu->switch_after = 0;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	for (i = 1; i <= 8; i++) {
		ASSERT_TRUE(wait_until(ums_count("tries") == i && ums_count("sent") == i));
		ASSERT_EQ(0, file_write(UMS "rescan", "1"));	/* no guard */
		ASSERT_EQ(0, usb_device_write(0, "authorized", "0"));
		ASSERT_EQ(0, usb_device_write(0, "authorized", "1"));
	}
	EXPECT_TRUE(wait_until(ums_count("tries") == i));
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
