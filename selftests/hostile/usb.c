// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random devices, two at a time, which are given, taken and meddled with at random moments:
 * each is over in bounded time and given back, and the module can be unloaded.
 */

#include "../lib/modeswitch.h"
#include "../lib/hostile.h"

#include <dirent.h>

#include "kselftest_harness.h"

#define LIMIT_MS	90000	/* at-ublox waits for 60 s, and 10 after its last transfer */
#define UNLOAD_MS	3000
#define DEVICES		2

static const char *const methods[] = {
	"none", "config:1", "config:3", "mbim", "eject", "huawei-new", "huawei-alt", "option",
	"cisco", "huawei", "sierra", "sequans", "gct", "kobil", "quanta", "blackberry", "qisda",
	"pantech:2", "sony:2", "mobileaction", "at-ublox",
	"message:55534243aabbccddc000000080000612000000240000000000000000000000",
};

static struct emu *emu[DEVICES];

static int load(__u64 *random)
{
	const struct emu_mode *mode = &emu[0]->mode[0];
	char text[256];

	snprintf(text, sizeof(text), "override=%04x:%04x:%s", mode->vid, mode->pid,
		 random_of(random, methods));

	return ums_load(random_one_in(random, 2) ? text : random_one_in(random, 3) ? "mbim=N" : "");
}

static bool unload(void)
{
	long long begin = now_ms();

	return !ums_unload() && now_ms() - begin < UNLOAD_MS;
}

static void meddle(unsigned int port, __u64 *random)
{
	char number[4];

	switch (random_below(random, 7)) {
	case 0:
		file_write(UMS "rescan", "1");
		break;
	case 1:
		ums_set("enable", random_one_in(random, 3) ? "N" : "Y");
		break;
	case 2:
		usb_device_write(port, "authorized", random_one_in(random, 2) ? "0" : "1");
		break;
	case 3:
		snprintf(number, sizeof(number), "%u", random_below(random, 5));
		usb_device_write(port, "bConfigurationValue", number);
		break;
	case 4:
		usb_device_write(port, "power/control", random_one_in(random, 2) ? "auto" : "on");
		usb_device_write(port, "power/autosuspend_delay_ms", "0");
		break;
	default:
		emu_unplug(emu[port]);
		emu_any(emu[port], random);
		emu_plug(emu[port]);
		break;
	}
}

/* Whether an interface is bound to our driver. */
static bool has_interface(void)
{
	DIR *dir = opendir(USB_DRIVERS "usb-modeswitch");
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir)))
		found |= !!strchr(entry->d_name, ':');
	if (dir)
		closedir(dir);

	return found;
}

static bool is_over(void)
{
	return !ums_result_is(0, "working") && !ums_result_is(1, "working") && !has_interface();
}

static const char *usb_round(__u64 *random)
{
	unsigned int i, n = random_below(random, 5);
	bool waits = !random_one_in(random, 4);
	long long begin;

	for (i = 0; i < DEVICES; i++)
		emu_any(emu[i], random);
	if (load(random))
		return "the module is not loaded";
	for (i = 0; i < DEVICES - random_below(random, 2); i++)
		emu_plug(emu[i]);
	for (i = 0; i < n; i++) {
		usleep(random_below(random, random_one_in(random, 2) ? 2000000 : 20000));
		meddle(random_below(random, DEVICES), random);
		if (random_one_in(random, 8) && (!unload() || load(random)))
			return "the module is not unloaded in time, or not loaded again";
	}
	for (begin = now_ms(); waits && !is_over(); usleep(100000))
		if (now_ms() - begin > LIMIT_MS)
			return "a device is not over in time, or not given back";
	if (!unload())
		return "the module is not unloaded in time";
	for (i = 0; i < DEVICES; i++)
		if (!emu_unplug(emu[i]))
			return "the hub does not see a device go";

	return NULL;
}

FIXTURE(devices) { };

FIXTURE_SETUP(devices)
{
	unsigned int i;

	ASSERT_EQ(0, ums_unload());
	/* They wait for ever for some, with the device locked, and have bugs of their own. */
	run_modprobe("-r uas usb-storage option cdc-mbim huawei-cdc-ncm rndis-host cdc-ether");
	for (i = 0; i < DEVICES; i++)
		ASSERT_NE(NULL, (emu[i] = emu_new(i)));
}

FIXTURE_TEARDOWN(devices)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		emu_delete(emu[i]);
}

TEST_F_TIMEOUT(devices, of_any_kind, 1 << 30)
{
	EXPECT_STREQ("", hostile_rounds("usb", 30, usb_round));
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
