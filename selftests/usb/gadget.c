// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that the kernel's own gadget drivers are, behind dummy_hcd: they end as
 * real network cards and serial ports, and they sleep.
 */

#include "../lib/modeswitch.h"
#include "../lib/usb-gadget.h"

#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#define PM_TEST	"/sys/power/pm_test"
#define NO_PM_TEST	"the kernel has no test of suspend"

static const char *const storage_functions[] = { "ffs.before", NULL };
static const char *const disk_functions[] = { "mass_storage.0", NULL };
static const char *const modem_functions[] = { "ecm.0", "acm.0", NULL };
static char port[16];

static char *device_read(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), USB_DEVICES "%s/%s", port, file);

	return file_read(path);
}

static bool device_is(const char *vid, const char *pid)
{
	return !strcmp(device_read("idVendor"), vid) && !strcmp(device_read("idProduct"), pid) &&
	       device_read("bConfigurationValue")[0];
}

static bool driver_is(unsigned int intf, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX] = "";

	snprintf(path, sizeof(path), USB_DEVICES "%s:1.%u/driver", port, intf);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return !driver[0];

	return !strcmp(strrchr(target, '/') + 1, driver);
}

static char *port_read(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UMS "ports/%s/%s", port, file);

	return file_read(path);
}

static bool result_is(const char *result)
{
	return !strcmp(port_read("result"), result);
}

/* Stops where the devices sleep, and comes back after so many seconds. */
static int sleep_and_wake(const char *seconds)
{
	file_write("/sys/module/suspend/parameters/pm_test_delay", seconds);
	file_write("/sys/module/printk/parameters/console_suspend", "N");

	return file_write(PM_TEST, "devices") ?: file_write("/sys/power/state", "freeze") ?:
	       file_write(PM_TEST, "none");
}

FIXTURE(gadget) {
	struct gadget_storage *storage;
	int log;
};

FIXTURE_SETUP(gadget)
{
	self->log = log_open();
	self->storage = NULL;
	ASSERT_EQ(0, ums_unload());
	run_modprobe("-r usb-storage");
	ASSERT_TRUE(gadget_make("after", 0x12d1, 0x14db, modem_functions));
}

FIXTURE_TEARDOWN(gadget)
{
	gadget_remove("before");
	gadget_storage_delete(self->storage);
	gadget_remove("before");
	gadget_remove("after");
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static struct gadget_storage *storage_make_held(__u16 vid, __u16 pid, bool hold)
{
	struct gadget_storage *storage;

	if (!gadget_make("before", vid, pid, storage_functions))
		return NULL;
	storage = gadget_storage_new("before");
	if (!storage)
		return NULL;
	/* Before it waits for its first command, which it would take. */
	storage->hold = hold;
	if (!gadget_storage_run(storage)) {
		gadget_storage_delete(storage);
		return NULL;
	}

	return storage;
}

static struct gadget_storage *storage_make(__u16 vid, __u16 pid)
{
	return storage_make_held(vid, pid, false);
}

/* What a modem does after its command. */
static bool becomes_modem(void)
{
	return gadget_unplug("before") && wait_until(!device_read("idVendor")[0]) &&
	       gadget_plug("after") && wait_until(device_is("12d1", "14db")) &&
	       wait_until(result_is("switched"));
}

/* What has a command that is due later is plugged in, and that is waited for. */
static bool is_delayed(const struct gadget_storage *storage)
{
	return storage && !ums_load("") && gadget_plug("before") &&
	       wait_until(result_is("working"));
}

/* For the whole of its delay of 2 s, of which some was over. */
static bool waits_anew(const struct gadget_storage *storage)
{
	return holds_for(1500, !storage->commands) && wait_until(storage->commands);
}

#define is_commanded(n)		wait_until(self->storage->commands == (n))

/* The device sleeps as soon as nobody keeps it awake. */
static bool may_sleep(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), USB_DEVICES "%s/power/autosuspend_delay_ms", port);
	if (file_write(path, "0"))
		return false;
	snprintf(path, sizeof(path), USB_DEVICES "%s/power/control", port);

	return !file_write(path, "auto");
}

/* Real functions, and their drivers. */
TEST_F(gadget, becomes_network_card_and_serial_port)
{
	self->storage = storage_make(0x12d1, 0x1f01);
	ASSERT_NE(NULL, self->storage);
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(is_commanded(1));
	EXPECT_EQ(0x20, self->storage->command[0][17]);
	EXPECT_TRUE(becomes_modem());
	EXPECT_TRUE(wait_until(driver_is(0, "cdc_ether")));
	EXPECT_TRUE(wait_until(driver_is(2, "cdc_acm")));
	EXPECT_EQ(0, access("/dev/ttyACM0", F_OK));
	EXPECT_EQ(1, self->storage->commands);
	EXPECT_EQ(1, ums_count("switched"));
}

/* The disk is the kernel's own, which knows what an eject is. */
TEST_F(gadget, disk_is_ejected)
{
	char file[64];

	ASSERT_TRUE(gadget_make("before", 0x0421, 0x060c, disk_functions));
	ASSERT_EQ(0, system("dd if=/dev/zero of=/tmp/cd bs=1M count=1 2>/dev/null"));
	ASSERT_TRUE(gadget_set("before", "functions/mass_storage.0/lun.0/removable", "1"));
	ASSERT_TRUE(gadget_set("before", "functions/mass_storage.0/lun.0/cdrom", "1"));
	ASSERT_TRUE(gadget_set("before", "functions/mass_storage.0/lun.0/file", "/tmp/cd"));
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	EXPECT_TRUE(wait_until(gadget_get("before", "functions/mass_storage.0/lun.0/file", file,
					  sizeof(file)) && !strchr(file, '/')));
	EXPECT_STREQ("eject", port_read("method"));
	EXPECT_TRUE(becomes_modem());
}

/* A device that nobody used sleeps; it is woken. */
TEST_F(gadget, asleep_before_loading)
{
	self->storage = storage_make(0x12d1, 0x1f01);
	ASSERT_NE(NULL, self->storage);
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(wait_until(device_is("12d1", "1f01")));
	ASSERT_TRUE(may_sleep());
	ASSERT_TRUE(wait_until(!strcmp(device_read("power/runtime_status"), "suspended")));
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(is_commanded(1));
	EXPECT_TRUE(becomes_modem());
}

/* While a command waits, the device does not fall asleep. */
TEST_F(gadget, kept_awake)
{
	self->storage = storage_make(0x12d1, 0x1f01);
	ASSERT_NE(NULL, self->storage);
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(is_commanded(1));
	ASSERT_TRUE(may_sleep());
	EXPECT_TRUE(holds_for(3000, !strcmp(device_read("power/runtime_status"), "active")));
	EXPECT_TRUE(becomes_modem());
}

/* This one gets its command a second after it was plugged in, and nobody would wake it. */
TEST_F(gadget, kept_awake_before_the_command)
{
	self->storage = storage_make(0x1c9e, 0xf000);
	ASSERT_TRUE(is_delayed(self->storage));
	ASSERT_EQ(0, ums_count("sent"));
	ASSERT_TRUE(may_sleep());
	ASSERT_TRUE(is_commanded(1));
	EXPECT_TRUE(becomes_modem());
}

/* The command had not been taken: it is sent again. */
TEST_F(gadget, suspended_while_the_command_waits)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	self->storage = storage_make_held(0x12d1, 0x1f01, true);
	ASSERT_NE(NULL, self->storage);
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_EQ(0, sleep_and_wake("0"));
	self->storage->hold = false;
	ASSERT_TRUE(wait_until(self->storage->commands));
	EXPECT_TRUE(becomes_modem());
}

/* It had been taken, but who knows what a suspend did to it: again. */
TEST_F(gadget, suspended_after_the_command)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	self->storage = storage_make(0x12d1, 0x1f01);
	ASSERT_NE(NULL, self->storage);
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(is_commanded(1));
	ASSERT_EQ(0, sleep_and_wake("0"));
	ASSERT_TRUE(is_commanded(2));
	EXPECT_TRUE(becomes_modem());
}

/* This one gets its command late, too. */
TEST_F(gadget, suspended_before_the_command)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	self->storage = storage_make(0x1c9e, 0xf000);
	ASSERT_TRUE(is_delayed(self->storage));
	ASSERT_EQ(0, ums_count("sent"));
	ASSERT_EQ(0, sleep_and_wake("0"));
	ASSERT_TRUE(is_commanded(1));
	EXPECT_TRUE(becomes_modem());
}

/* What must be waited for before the command begins anew. */
TEST_F(gadget, suspended_before_the_command_waits_again)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	self->storage = storage_make(0x2020, 0x2030);
	ASSERT_TRUE(is_delayed(self->storage));
	ASSERT_EQ(0, sleep_and_wake("0"));
	EXPECT_TRUE(waits_anew(self->storage));
	EXPECT_TRUE(becomes_modem());
}

/* usb-storage has it, and the command is due while it sleeps. */
TEST_F(gadget, suspended_when_the_command_is_due)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	ASSERT_EQ(0, run_modprobe("usb-storage delay_use=30"));
	self->storage = storage_make(0x1c9e, 0xf000);
	ASSERT_TRUE(is_delayed(self->storage));
	ASSERT_TRUE(driver_is(0, "usb-storage"));
	ASSERT_EQ(0, sleep_and_wake("3"));
	EXPECT_TRUE(is_commanded(1));
	EXPECT_TRUE(becomes_modem());
	EXPECT_EQ(1, ums_count("tries"));
}

/* Also then what must be waited for is, though it is usb-storage that is told of the sleep. */
TEST_F(gadget, suspended_when_the_command_is_due_waits_again)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	ASSERT_EQ(0, run_modprobe("usb-storage delay_use=30"));
	self->storage = storage_make(0x2020, 0x2030);
	ASSERT_TRUE(is_delayed(self->storage));
	ASSERT_TRUE(driver_is(0, "usb-storage"));
	ASSERT_EQ(0, sleep_and_wake("3"));
	EXPECT_TRUE(waits_anew(self->storage));
	EXPECT_TRUE(becomes_modem());
	EXPECT_EQ(1, ums_count("tries"));
}

/* The system has woken before the command is due. */
TEST_F(gadget, suspended_long_before_the_command_waits_again)
{
	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	ASSERT_EQ(0, run_modprobe("usb-storage delay_use=30"));
	self->storage = storage_make(0x2020, 0x2030);
	ASSERT_TRUE(is_delayed(self->storage));
	ASSERT_TRUE(driver_is(0, "usb-storage"));
	usleep(1000000);
	ASSERT_EQ(0, ums_count("sent"));
	ASSERT_EQ(0, sleep_and_wake("0"));
	EXPECT_TRUE(waits_anew(self->storage));
	EXPECT_TRUE(becomes_modem());
}

/* As a program does that finds its device hung. */
static int device_reset(void)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/dev/bus/usb/%03d/%03d", atoi(device_read("busnum")),
		 atoi(device_read("devnum")));
	fd = open(path, O_RDWR | O_CLOEXEC);
	ret = ioctl(fd, USBDEVFS_RESET);
	close(fd);

	return ret;
}

/* A reset is no unplugging: the same job goes on, and waits anew. */
TEST_F(gadget, reset_before_the_command_waits_again)
{
	self->storage = storage_make(0x2020, 0x2030);
	ASSERT_TRUE(is_delayed(self->storage));
	usleep(1000000);
	ASSERT_EQ(0, ums_count("sent"));
	ASSERT_EQ(0, device_reset());
	EXPECT_TRUE(waits_anew(self->storage));
	EXPECT_TRUE(becomes_modem());
	EXPECT_EQ(1, ums_count("tries"));
}

/* Nobody knows what it did to a command that is on its way: again. */
TEST_F(gadget, reset_while_the_command_waits)
{
	self->storage = storage_make_held(0x12d1, 0x1f01, true);
	ASSERT_NE(NULL, self->storage);
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_EQ(0, device_reset());
	self->storage->hold = false;
	ASSERT_TRUE(wait_until(self->storage->commands));
	EXPECT_TRUE(becomes_modem());
	EXPECT_EQ(1, ums_count("tries"));
}

static bool usbip_write(const char *file, const char *verb)
{
	char path[PATH_MAX], text[32];

	snprintf(path, sizeof(path), USB_DRIVERS "%s", file);
	snprintf(text, sizeof(text), "%s%s", verb, port);

	return !file_write(path, text);
}

/* As usbip bind does it; the device has no configuration then. */
static bool usbip_lend(void)
{
	return usbip_write("usbip-host/match_busid", "add ") && usbip_write("usb/unbind", "") &&
	       usbip_write("usbip-host/bind", "");
}

/* What is lent to another machine is that machine's affair. */
TEST_F(gadget, lent_by_usbip_is_left)
{
	char path[PATH_MAX];

	if (run_modprobe("usbip-host"))
		SKIP(return, "the kernel has no usbip-host");
	self->storage = storage_make(0x12d1, 0x1f01);
	ASSERT_NE(NULL, self->storage);
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(wait_until(device_is("12d1", "1f01")));
	ASSERT_TRUE(usbip_lend());
	ASSERT_EQ(0, ums_load(""));
	snprintf(path, sizeof(path), USB_DEVICES "%s/bConfigurationValue", port);
	ASSERT_EQ(0, file_write(path, "1"));
	ASSERT_TRUE(driver_is(0, ""));
	ASSERT_EQ(0, file_write(UMS "rescan", "1"));
	EXPECT_TRUE(holds_for(2000, !ums_count("tries") && !self->storage->commands));
	EXPECT_TRUE(usbip_write("usbip-host/match_busid", "del "));
	EXPECT_TRUE(usbip_write("usbip-host/unbind", ""));
	run_modprobe("-r usbip-host");
	EXPECT_FALSE(module_is_loaded("usbip_host"));
}

/* The module goes right after the system has woken, in each of these states. */
TEST_F(gadget, suspended_then_unloaded)
{
	long long begin;

	if (access(PM_TEST, W_OK))
		SKIP(return, NO_PM_TEST);
	self->storage = storage_make_held(0x12d1, 0x1f01, true);
	ASSERT_NE(NULL, self->storage);
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(gadget_plug("before"));
	ASSERT_TRUE(wait_until(ums_count("sent")));
	ASSERT_EQ(0, sleep_and_wake("0"));
	begin = now_ms();
	EXPECT_EQ(0, ums_unload());
	EXPECT_LT(now_ms() - begin, 3000);
	self->storage->hold = false;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(wait_until(self->storage->commands));
	ASSERT_EQ(0, sleep_and_wake("0"));
	begin = now_ms();
	EXPECT_EQ(0, ums_unload());
	EXPECT_LT(now_ms() - begin, 3000);
}

int main(int argc, char **argv)
{
	ums_test_begin();
	if (!gadget_start() || !gadget_port_name(port, sizeof(port)))
		ksft_exit_skip("dummy_hcd and gadgets (configfs) cannot be loaded\n");

	return test_harness_run(argc, argv);
}
