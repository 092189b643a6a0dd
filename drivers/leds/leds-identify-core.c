// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: the module, its LED and its trigger
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "leds-identify.h"

#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/leds.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/printk.h>
#include <linux/string.h>

static char *leds;
module_param(leds, charp, 0444);
MODULE_PARM_DESC(leds, "LEDs to blink, such as \"ACT,led0 usr3\": ACT or else led0, and usr3");

static unsigned int hold_ms = IDENTIFY_DEFAULT_HOLD;
module_param(hold_ms, uint, 0444);
MODULE_PARM_DESC(hold_ms, "time after the last write until the LEDs are given back (default 3000)");

struct led_classdev identify_cdev = {
	.name = IDENTIFY_NAME,
	.max_brightness = LED_FULL,
	.brightness_set = identify_brightness_set,
	.brightness_get = identify_brightness_get,
	.groups = identify_groups,
};

struct led_trigger identify_trigger = {
	.name = IDENTIFY_NAME,
	.activate = compat_led_trigger_activate(identify_activate),
	.deactivate = identify_targets_released,
};

/**
 * identify_is_self() - whether an LED is the identify LED
 * @cdev: the LED
 *
 * Return: true if so.
 */
bool identify_is_self(const struct led_classdev *cdev)
{
	return cdev == &identify_cdev;
}

/* From here on the LEDs belong to the kernel's own panic blink. */
bool identify_panicked;

static int identify_on_panic(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	WRITE_ONCE(identify_panicked, true);

	return NOTIFY_DONE;
}

static struct notifier_block identify_panic_nb = {
	.notifier_call = identify_on_panic,
	.priority = INT_MAX,
};

static int __init identify_read_params(void)
{
	struct identify_list *list;

	if (identify_set_hold(hold_ms)) {
		pr_err("hold_ms=%u is not within %u to %u\n", hold_ms,
		       IDENTIFY_MIN_HOLD, IDENTIFY_MAX_HOLD);
		return -ERANGE;
	}

	if (!leds)
		return 0;

	list = identify_list_parse_logged(leds, "leds=");
	if (IS_ERR(list))
		return PTR_ERR(list);
	identify_targets_use(list);

	return 0;
}

/*
 * What has been written to the LED so far must not outlive it. The LED core takes
 * the trigger off before it takes the files away: nobody may attach another one in
 * between, it would outlive the LED too.
 */
static void identify_unregister_led(void)
{
	identify_close();

	mutex_lock(&identify_cdev.led_access);
	led_sysfs_disable(&identify_cdev);
	mutex_unlock(&identify_cdev.led_access);

	led_classdev_unregister(&identify_cdev);
}

static int __init identify_register_led(void)
{
	int ret;

	ret = led_classdev_register(NULL, &identify_cdev);
	if (ret)
		return ret;

	if (strcmp(dev_name(identify_cdev.dev), IDENTIFY_NAME)) {
		identify_unregister_led();
		pr_err("there is an LED called %s already: give it another label\n",
		       IDENTIFY_NAME);
		/* Not -EEXIST: modprobe takes that for "is loaded already". */
		return -EBUSY;
	}

	return 0;
}

static int __init identify_init(void)
{
	int ret;

	ret = identify_open();
	if (ret)
		return ret;

	ret = identify_read_params();
	if (ret)
		goto free;

	ret = led_trigger_register(&identify_trigger);
	if (ret)
		goto drop_list;

	ret = identify_register_led();
	if (ret)
		goto unregister_trigger;

	ret = identify_targets_start(identify_cdev.dev);
	if (ret)
		goto unregister_led;

	atomic_notifier_chain_register(&panic_notifier_list, &identify_panic_nb);

	identify_of_register();

	return 0;

unregister_led:
	identify_unregister_led();
unregister_trigger:
	led_trigger_unregister(&identify_trigger);
drop_list:
	identify_targets_use(NULL);
free:
	identify_free();
	return ret;
}
module_init(identify_init);

static void __exit identify_exit(void)
{
	identify_of_unregister();
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &identify_panic_nb);
	identify_unregister_led();
	led_trigger_unregister(&identify_trigger);
	identify_targets_stop();
	identify_free();
}
module_exit(identify_exit);

MODULE_ALIAS("ledtrig:" IDENTIFY_NAME);
MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("Identify LED: borrows the LEDs of the board to blink");
MODULE_LICENSE("GPL");
