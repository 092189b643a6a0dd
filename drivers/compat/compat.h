/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comes before every source file. The drivers are written against the newest
 * kernel; what an older one lacks is added here and nowhere else. HAVE_* comes
 * from Kbuild.include.
 */
#ifndef BOARDPACK_COMPAT_H
#define BOARDPACK_COMPAT_H

/* Sources that say the same say it too late: the headers below settle it. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#ifdef KERNEL_BELOW_4_4
#error "boardpack needs Linux 4.4 or newer: this kernel is too old"
#endif

#include <linux/device.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/leds.h>
#include <linux/rtc.h>
#include <linux/sysfs.h>

/* 5.9: dev_err_probe() logs and returns the error */
#ifndef HAVE_DEV_ERR_PROBE
#define dev_err_probe(dev, err, fmt, ...) ({				\
	int __err = (err);						\
									\
	dev_err(dev, "error %d: " fmt, __err, ##__VA_ARGS__);		\
	__err;								\
})
#endif

/* 5.10: sysfs_emit() */
#ifndef HAVE_SYSFS_EMIT
#define sysfs_emit(buf, fmt, ...) \
	scnprintf(buf, PAGE_SIZE, fmt, ##__VA_ARGS__)
#endif

/* 4.7: devm_add_action_or_reset() */
#ifndef HAVE_DEVM_ADD_ACTION_OR_RESET
static inline int devm_add_action_or_reset(struct device *dev,
					   void (*action)(void *), void *data)
{
	int ret = devm_add_action(dev, action, data);

	if (ret)
		action(data);
	return ret;
}
#endif

/* 6.13: hrtimer_setup() sets the function too */
#ifndef HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

/* 6.4: the callbacks of a class interface get the device alone */
#ifdef HAVE_CLASS_INTERFACE_ARG
struct compat_class_interface {
	struct class *class;
	int (*add_dev)(struct device *dev);
	void (*remove_dev)(struct device *dev);
	struct class_interface old;
};

static inline int compat_class_add_dev(struct device *dev,
				       struct class_interface *old)
{
	return container_of(old, struct compat_class_interface, old)->add_dev(dev);
}

static inline void compat_class_remove_dev(struct device *dev,
					   struct class_interface *old)
{
	container_of(old, struct compat_class_interface, old)->remove_dev(dev);
}

static inline int
compat_class_interface_register(struct compat_class_interface *ci)
{
	ci->old.class = ci->class;
	ci->old.add_dev = compat_class_add_dev;
	ci->old.remove_dev = compat_class_remove_dev;
	return class_interface_register(&ci->old);
}

static inline void
compat_class_interface_unregister(struct compat_class_interface *ci)
{
	class_interface_unregister(&ci->old);
}

#define class_interface compat_class_interface
#define class_interface_register compat_class_interface_register
#define class_interface_unregister compat_class_interface_unregister
#endif

/* 4.11: an RTC can be had without being announced */
#ifndef HAVE_DEVM_RTC_ALLOCATE_DEVICE
static inline struct rtc_device *devm_rtc_allocate_device(struct device *dev)
{
	static const struct rtc_class_ops ops;

	return devm_rtc_device_register(dev, KBUILD_MODNAME, &ops, NULL);
}
#endif

/* 4.19: triggers bring attribute groups, and activation can fail */
#ifdef HAVE_LED_TRIGGER_GROUPS
#define compat_led_trigger_activate(fn)	(fn)
#define compat_led_trigger_groups(trig)	((trig)->groups)
#else
#define compat_led_trigger_activate(fn)	((void *)(fn))
#define compat_led_trigger_groups(trig) \
	((void)(trig), (const struct attribute_group **)NULL)
#define led_trigger_set(led_cdev, trig) ({				\
	led_trigger_set(led_cdev, trig);				\
	0;								\
})
#endif

/* 6.8: a trigger remembers its last event */
#ifdef HAVE_LED_TRIGGER_BRIGHTNESS
#define compat_led_trigger_brightness(trig, unknown) \
	((void)(unknown), (trig)->brightness)
#else
#define compat_led_trigger_brightness(trig, unknown) \
	((void)(trig), (unknown))
#endif

/* 4.12: the next blink's level (0: the present one) and that it blinks are kept apart */
#ifdef HAVE_LED_NEW_BLINK_BRIGHTNESS
#define compat_led_next_blink_brightness(cdev)				\
	(test_bit(LED_BLINK_BRIGHTNESS_CHANGE, &(cdev)->work_flags) ?	\
	 (cdev)->new_blink_brightness : 0)
#define compat_led_blinks(cdev)						\
	(test_bit(LED_BLINK_SW, &(cdev)->work_flags) &&			\
	 !test_bit(LED_BLINK_ONESHOT, &(cdev)->work_flags))
#else
#define compat_led_next_blink_brightness(cdev)	((void)(cdev), 0)
#define compat_led_blinks(cdev)						\
	(timer_pending(&(cdev)->blink_timer) &&				\
	 !((cdev)->flags & LED_BLINK_ONESHOT))
#endif

/* 4.11: an LED says that it is on its way out; 0 = it does not */
#ifndef LED_UNREGISTERING
#define LED_UNREGISTERING 0
#endif

/* 4.12: an LED can keep its level beyond its driver; 0 = it cannot */
#ifndef LED_RETAIN_AT_SHUTDOWN
#define LED_RETAIN_AT_SHUTDOWN 0
#endif

/* 4.20: an LED says that its trigger is the initial one; 0 = it does not */
#ifndef LED_INIT_DEFAULT_TRIGGER
#define LED_INIT_DEFAULT_TRIGGER 0
#endif

#endif /* BOARDPACK_COMPAT_H */
