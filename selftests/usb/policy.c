// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user decides: what is switched, how, and whether at all; when the module is
 * loaded and at run time.
 */

#include "../lib/uevent.h"
#include "stick.h"

#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#define EJECT	"USBC\x97\x65\x43\x21\0\0\0\0\0\0\x06\x1b"
#define OWN	"55534243aabbccdd000000000000061b000000020000000000000000000000"

#define INQUIRY	"55534243aabbccdd2400000080000612000000240000000000000000000000"

FIXTURE(policy) {
	struct emu *emu;
	int log, uevents;
};

FIXTURE_SETUP(policy)
{
	self->log = log_open();
	self->uevents = uevents_open();
	ASSERT_EQ(0, ums_unload());
	run_modprobe("usb-storage");
	self->emu = stick_new();
	ASSERT_NE(NULL, self->emu);
}

FIXTURE_TEARDOWN(policy)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->uevents);
	close(self->log);
}

#define is_left_to_storage()						\
	(wait_until(usb_driver_is(0, 0, "usb-storage")) &&		\
	 holds_for(1500, usb_driver_is(0, 0, "usb-storage")) &&		\
	 !ums_count("sent"))

TEST_F(policy, disabled_at_load)
{
	ASSERT_EQ(0, ums_load("enable=0"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(is_left_to_storage());
	ASSERT_EQ(0, ums_set("enable", "1"));
	EXPECT_TRUE(becomes_modem());
}

TEST_F(policy, disabled_at_run_time)
{
	ASSERT_EQ(0, ums_load(""));
	ASSERT_EQ(0, ums_set("enable", "N"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(is_left_to_storage());
}

TEST_F(policy, disabled_while_switching)
{
	self->emu->fault = EMU_NAK_IN;
	self->emu->switch_after = 0;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_EQ(0, ums_set("enable", "0"));
	EXPECT_TRUE(ums_result_is(0, "cancelled"));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "usb-storage")));
	/* It is left alone from then on, as long as it is plugged in. */
	ASSERT_EQ(0, ums_set("enable", "1"));
	EXPECT_TRUE(holds_for(1000, ums_count("tries") == 1));
}

TEST_F(policy, ignored_at_load)
{
	ASSERT_EQ(0, ums_load("ignore=05c6:*,12d1:1f01"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(is_left_to_storage());
}

TEST_F(policy, ignored_at_run_time)
{
	ASSERT_EQ(0, ums_load(""));
	ASSERT_EQ(0, ums_set("ignore", "12d1:*"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(is_left_to_storage());
	ASSERT_EQ(0, ums_set("ignore", "\n"));
	ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	EXPECT_TRUE(becomes_modem());
}

TEST_F(policy, bad_text_changes_nothing)
{
	ASSERT_EQ(0, ums_load("ignore=12d1:1f01"));
	EXPECT_EQ(-EINVAL, ums_set("ignore", "12d1:1f01,x"));
	EXPECT_EQ(-EINVAL, ums_set("override", "12d1:1f01:nonsense"));
	EXPECT_EQ(-ERANGE, ums_set("override", "12d1:1f01:config:300"));
	EXPECT_EQ(-EINVAL, ums_set("enable", "maybe"));
	EXPECT_EQ(-EINVAL, file_write(UMS "rescan", "0"));
	EXPECT_STREQ("12d1:1f01", file_read(UMS_PARAMETER "ignore"));
	EXPECT_STREQ("", file_read(UMS_PARAMETER "override"));
	EXPECT_NE(0, ums_unload() ?: ums_load("override=12d1"));
	EXPECT_FALSE(module_is_loaded("usb_modeswitch"));
}

TEST_F(policy, override_by_method)
{
	const struct emu_event *sent;

	self->emu->switch_after = 4;
	ASSERT_EQ(0, ums_load("override=12d1:1f01:eject"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
	sent = emu_find(self->emu, EMU_OUT, 0, 1);
	ASSERT_NE(NULL, sent);
	EXPECT_EQ(0, memcmp(sent->data, EJECT, sizeof(EJECT) - 1));
	EXPECT_STREQ("eject", ums_result(0, "method"));
}

TEST_F(policy, override_by_message)
{
	const struct emu_event *sent;

	ASSERT_EQ(0, ums_load(""));
	ASSERT_EQ(0, ums_set("override", "12d1:1f01:message:" OWN));
	EXPECT_STREQ("12d1:1f01:message:" OWN, file_read(UMS_PARAMETER "override"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
	sent = emu_find(self->emu, EMU_OUT, 0, 0);
	ASSERT_NE(NULL, sent);
	EXPECT_EQ(0, memcmp(sent->data, "USBC\xaa\xbb\xcc\xdd", 8));
}

TEST_F(policy, data_and_status_of_a_command_are_read)
{
	ASSERT_EQ(0, ums_load("override=12d1:1f01:message:" INQUIRY));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
	EXPECT_EQ(2, emu_count(self->emu, EMU_IN, 0));
}

TEST_F(policy, override_of_an_unknown_device)
{
	self->emu->mode[0].vid = 0x1234;
	ASSERT_EQ(0, ums_load("override=1234:1f01:huawei-alt"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
	EXPECT_STREQ("huawei-alt", ums_result(0, "method"));
}

TEST_F(policy, override_by_none)
{
	ASSERT_EQ(0, ums_load("override=12d1:1f01:none"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(is_left_to_storage());
}

/* As "usbip bind" does it: who takes the device away from its driver has not unplugged it. */
TEST_F(policy, unbound_in_the_act_is_cancelled)
{
	self->emu->fault = EMU_NAK_IN;
	self->emu->switch_after = 0;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_EQ(0, file_write(USB_DRIVERS "usb/unbind", ums_port_name(0)));
	EXPECT_TRUE(wait_until(!ums_result_is(0, "working")));
	EXPECT_STREQ("cancelled", ums_result(0, "result"));
	ASSERT_EQ(0, file_write(USB_DRIVERS "usb/bind", ums_port_name(0)));
	EXPECT_TRUE(wait_until(ums_count("tries") == 2 && ums_count("sent") == 2));
	EXPECT_EQ(0, ums_count("returned"));
}

TEST_F(policy, failed_is_given_back)
{
	self->emu->switch_after = 0;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(ums_result_is(0, "failed")));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "usb-storage")));
	EXPECT_STREQ("-110", ums_result(0, "error"));
	EXPECT_EQ(1, ums_count("failed"));
	EXPECT_TRUE(uevents_have(self->uevents, "MODESWITCH=failed", "FROM=12d1:1f01"));
	EXPECT_TRUE(holds_for(3000, ums_count("tries") == 1));
}

/* Its interfaces are new then, the device is not. */
TEST_F(policy, failed_is_left_when_it_is_configured_again)
{
	char path[64];

	self->emu->fault = EMU_NAK_OUT;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(ums_result_is(0, "failed")));
	snprintf(path, sizeof(path), USB_DEVICES "%s/bConfigurationValue", ums_port_name(0));
	ASSERT_EQ(0, file_write(path, "1"));
	EXPECT_TRUE(holds_for(3000, ums_count("tries") == 1));
}

/* A configuration that is refused leaves the device as it was. */
TEST_F(policy, failed_configuration_is_undone)
{
	self->emu->mode[0].config[1] = (struct emu_config){ 2, { EMU_SERIAL(1) } };
	self->emu->fault = EMU_STALL_CONFIG;
	ASSERT_EQ(0, ums_load("override=12d1:1f01:config:2"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(ums_result_is(0, "failed")));
	EXPECT_STREQ("1", usb_device_read(0, "bConfigurationValue"));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "usb-storage")));
}

/* The table knows it in its first configuration; who chooses another one means it. */
static bool is_left_in_config(struct emu *emu, const char *number)
{
	const struct emu_mode *mode = &emu->mode[0];

	return !ums_load("") && emu_plug(emu) && wait_until(ums_result_is(0, "working")) &&
	       !usb_device_write(0, "bConfigurationValue", number) &&
	       wait_until(ums_result_is(0, "cancelled")) &&
	       (!atoi(number) || usb_device_is(0, mode)) &&
	       atoi(usb_device_read(0, "bConfigurationValue")) == atoi(number) &&
	       !ums_count("sent") && !ums_count("failed");
}

TEST_F(policy, configured_before_the_command_is_left)
{
	self->emu->mode[0].vid = 0x1c9e;
	self->emu->mode[0].pid = 0xf000;
	self->emu->mode[0].config[1] = (struct emu_config){ 2, { EMU_SERIAL(1) } };
	self->emu->mode[0].config[2] = (struct emu_config){ 3 };
	EXPECT_TRUE(is_left_in_config(self->emu, "2"));
	ASSERT_EQ(0, ums_unload());
	ASSERT_TRUE(emu_unplug(self->emu));
	EXPECT_TRUE(is_left_in_config(self->emu, "3"));
	ASSERT_EQ(0, ums_unload());
	ASSERT_TRUE(emu_unplug(self->emu));
	EXPECT_TRUE(is_left_in_config(self->emu, "0"));
}

/* That nobody wants it switched any more does not make it another one. */
TEST_F(policy, back_and_ignored_is_no_modem)
{
	self->emu->mode[1] = self->emu->mode[0];
	self->emu->away_ms = 1000;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_EQ(0, ums_set("ignore", "12d1:1f01"));
	EXPECT_TRUE(wait_until(ums_result_is(0, "returned")));
	EXPECT_EQ(1, ums_count("returned"));
	EXPECT_EQ(0, ums_count("switched"));
	EXPECT_EQ(1, ums_count("tries"));
}

/* It is the one that was told to go, and has nothing that could be told anything. */
TEST_F(policy, back_without_interfaces_is_left)
{
	self->emu->mode[0].vid = 0x0fce;
	self->emu->mode[0].pid = 0xd0e1;
	self->emu->mode[1] = (struct emu_mode){
		0x0fce, 0xd0e1, "Sony Ericsson", "MD400", .config = { { 1 } } };
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(self->emu->now == 1 && usb_device_is(0, &self->emu->mode[1])));
	EXPECT_TRUE(holds_for(1000, ums_count("tries") == 1));
}

/* Also where the device that is there now is another one than the port remembers. */
TEST_F_TIMEOUT(policy, guard_counts_a_device_once, 100)
{
	int i;

	self->emu->fault = EMU_STALL_OUT;
	self->emu->switch_after = 0;
	ASSERT_EQ(0, ums_load(""));
	for (i = 1; i <= 3; i++) {
		ASSERT_TRUE(emu_plug(self->emu));
		ASSERT_TRUE(wait_until(ums_count("failed") == i));
		ASSERT_TRUE(emu_unplug(self->emu));
	}
	self->emu->mode[0].pid = 0x1446;
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(ums_result_is(0, "guarded")));
	ASSERT_EQ(0, file_write(UMS_PARAMETER "enable", "1"));
	EXPECT_TRUE(holds_for(1000, ums_count("guarded") == 1));
}

static int usbfs_open(int bus, int device)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/bus/usb/%03d/%03d", bus, device);

	return open(path, O_RDWR | O_CLOEXEC);
}

static int usbfs_claim(unsigned int port, unsigned int intf)
{
	int fd = usbfs_open(atoi(usb_device_read(port, "busnum")),
			    atoi(usb_device_read(port, "devnum")));

	return fd >= 0 && ioctl(fd, USBDEVFS_CLAIMINTERFACE, &intf) ? -1 : fd;
}

/* Of the interfaces that a program has, also the second one counts. */
TEST_F(policy, used_by_a_program)
{
	int fd;

	self->emu->mode[0].config[0].intf[1] = (struct emu_if)EMU_SERIAL(3);
	self->emu->mode[0].config[1] = (struct emu_config){ 2, { EMU_SERIAL(1) } };
	run_modprobe("-r option");
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_device_is(0, &self->emu->mode[0])));
	fd = usbfs_claim(0, 1);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ums_load(""));
	EXPECT_TRUE(wait_until(ums_result_is(0, "busy")));
	ASSERT_EQ(0, ums_set("override", "12d1:1f01:config:2"));
	ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	EXPECT_TRUE(wait_until(ums_count("tries") == 2 && ums_result_is(0, "busy")));
	EXPECT_STREQ("usbfs", usb_driver(0, 1));
	close(fd);
}

/* What a program lets go of at any moment is not kept by a job that ends. */
TEST_F_TIMEOUT(policy, let_go_by_a_program, 100)
{
	struct usbdevfs_ioctl connect = { .ioctl_code = USBDEVFS_CONNECT };
	unsigned int i, intf = 0;
	int fd;

	self->emu->fault = EMU_STALL_OUT;
	self->emu->switch_after = 0;
	run_modprobe("-r usb-storage");
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_device_is(0, &self->emu->mode[0])));
	ASSERT_EQ(0, ums_load("enable=0"));
	for (i = 0; i < 20; i++) {
		fd = usbfs_claim(0, intf);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, ums_set("enable", "1"));
		ASSERT_EQ(0, file_write(UMS "rescan", "1"));
		usleep(i * i * 100);
		ioctl(fd, USBDEVFS_RELEASEINTERFACE, &intf);
		ioctl(fd, USBDEVFS_IOCTL, &connect);
		close(fd);
		ASSERT_TRUE(wait_until(!ums_result_is(0, "working")));
		ASSERT_EQ(0, ums_set("enable", "0"));
		ASSERT_STREQ("", usb_driver(0, 0));
	}
}

/* Who has a port has what is plugged in there, with interfaces or without. */
TEST_F(policy, port_of_a_program)
{
	unsigned int port = atoi(strchr(ums_port_name(0), '-') + 1);
	int fd = usbfs_open(atoi(ums_port_name(0)), 1);

	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CLAIM_PORT, &port));
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_device_read(0, "idVendor")[0]));
	ASSERT_TRUE(wait_until(!usb_device_write(0, "bConfigurationValue", "1")));
	EXPECT_TRUE(wait_until(ums_result_is(0, "busy")));
	EXPECT_EQ(0, ums_count("sent"));
	EXPECT_STREQ("", usb_driver(0, 0));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_RELEASE_PORT, &port));
	ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	EXPECT_TRUE(becomes_modem());
	close(fd);
}

TEST_F(policy, switch_is_announced)
{
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
	EXPECT_TRUE(uevents_have(self->uevents, "MODESWITCH=switched",
				 "FROM=12d1:1f01 TO=12d1:14dc METHOD=huawei-new"));
	EXPECT_EQ(1, ums_count("ports/../switched"));
	EXPECT_STREQ("12d1:1f01", ums_result(0, "id"));
	EXPECT_STREQ("1", ums_result(0, "switched"));
	EXPECT_STREQ("1", ums_result(0, "tries"));
	EXPECT_GT(atoll(ums_result(0, "delay_us")), 0);
	EXPECT_STREQ("0", ums_result(0, "error"));
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
