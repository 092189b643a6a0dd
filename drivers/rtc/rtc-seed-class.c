// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: RTCs, and their class, which is not exported
 */

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/rtc.h>
#include <linux/time64.h>

#define SEED_LAST	(S64_MAX / NSEC_PER_SEC / 2)

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

/* No RTC is there, and the number that this one takes is free again at once. */
static int seed_class_make(struct class_interface *interface)
{
	struct rtc_device *rtc;
	struct device *parent;
	int ret = -ENOMEM;
	void *group;

	parent = root_device_register(SEED_NAME "-class");
	if (IS_ERR(parent))
		return PTR_ERR(parent);

	group = devres_open_group(parent, NULL, GFP_KERNEL);
	if (group) {
		rtc = devm_rtc_allocate_device(parent);
		ret = PTR_ERR_OR_ZERO(rtc);
		if (!ret)
			interface->class = rtc->dev.class;
		devres_release_group(parent, group);
	}
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

/**
 * seed_rtc_ns() - the time that it was when an RTC was read
 * @time: what it said, a whole second: half a second later is the best guess
 *
 * Return: the time, in ns since 1970.
 */
s64 seed_rtc_ns(time64_t time)
{
	/* As nanoseconds later years would overflow. */
	return clamp_t(time64_t, time, 0, SEED_LAST) * NSEC_PER_SEC +
	       SEED_HALF_SECOND;
}

/**
 * seed_rtc_is_locked() - whether an RTC is being registered, perhaps
 * @rtc: the RTC
 *
 * Return: true if somebody holds the lock of its parent, as the driver core does
 * while the driver of that registers it.
 */
bool seed_rtc_is_locked(const struct rtc_device *rtc)
{
	struct device *parent = rtc->dev.parent;

	if (!parent)
		return false;
	if (!device_trylock(parent))
		return true;
	device_unlock(parent);

	return false;
}

/**
 * seed_rtc_read() - read an RTC
 * @rtc: the RTC
 * @time: where to put what it says, in seconds since 1970
 * @boot: where to put when that was, since boot, in ns
 *
 * Return: 0 or a negative error code.
 */
int seed_rtc_read(struct rtc_device *rtc, time64_t *time, s64 *boot)
{
	struct rtc_time tm;
	s64 real;
	int err;

	err = rtc_read_time(rtc, &tm);
	seed_clock_now(&real, boot);
	*time = err ? 0 : rtc_tm_to_time64(&tm);

	return err;
}

/**
 * seed_rtc_is_right() - whether an RTC has the time of the clock
 * @err: what seed_rtc_read() returned,
 * @time: and what it got
 * @now: the clock's time, in ns since 1970
 *
 * Return: true if so.
 */
bool seed_rtc_is_right(int err, time64_t time, s64 now)
{
	s64 apart = seed_rtc_ns(time) - now;

	return !err && apart > -SEED_AGREE * NSEC_PER_SEC &&
	       apart < SEED_AGREE * NSEC_PER_SEC;
}
