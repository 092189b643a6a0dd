// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: the class of the RTCs, which is not exported
 */

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/rtc.h>

static bool seed_class_borrow(struct class_interface *interface)
{
	struct rtc_device *rtc;
	char name[8];
	int i;

	for (i = 0; i < SEED_MAX_RTCS; i++) {
		snprintf(name, sizeof(name), "rtc%d", i);
		rtc = rtc_class_open(name);
		if (!rtc)
			continue;
		interface->class = rtc->dev.class;
		rtc_class_close(rtc);
		return true;
	}

	return false;
}

/* No RTC is there, so that none loses the number that this one takes. */
static int seed_class_make(struct class_interface *interface)
{
	struct rtc_device *rtc;
	struct device *parent;
	int ret = 0;

	parent = root_device_register(SEED_NAME "-class");
	if (IS_ERR(parent))
		return PTR_ERR(parent);

	rtc = devm_rtc_allocate_device(parent);
	if (IS_ERR(rtc))
		ret = PTR_ERR(rtc);
	else
		interface->class = rtc->dev.class;
	root_device_unregister(parent);

	return ret;
}

/**
 * seed_class_find() - find out the class of the RTCs
 * @interface: where to put it
 *
 * Return: 0 or a negative error code.
 */
int seed_class_find(struct class_interface *interface)
{
	if (seed_class_borrow(interface))
		return 0;

	return seed_class_make(interface);
}
