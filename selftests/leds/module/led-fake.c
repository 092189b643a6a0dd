// SPDX-License-Identifier: GPL-2.0-only
/*
 * An LED without a device and a node, and three triggers, which do what drivers may do
 * and those of the test bench do not
 *
 * The file "disabled" keeps users away from the LED, "suspended" is what its driver may
 * do at any time, "blink" what a trigger without settings may, for good or "once", or
 * "again", as soon as the LED has that trigger again and is set. fake-plain, its default
 * trigger, is one, and "event" is what that one says.
 *
 * fake-echo shows what the LED does, in the moment in which it does it. fake-choosy
 * takes one of two settings, and has the second at first; "default" tells whether it was
 * started as the default trigger, "asleep" whether on an LED that was suspended.
 */

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/leds.h>
#include <linux/module.h>
#include <linux/mutex.h>

static char *name = "pack:fake:test";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "of the LED");

static bool slow;
module_param(slow, bool, 0444);
MODULE_PARM_DESC(slow, "its driver sleeps when it sets the LED, of which 100 is the maximum");

static unsigned int highest;
module_param(highest, uint, 0444);
MODULE_PARM_DESC(highest, "level that its driver was given");

static bool fake_choice[2], fake_is_default, fake_is_asleep, fake_blinks_again;

static ssize_t fake_store(const char *buf, size_t size, int which)
{
	bool on;

	if (kstrtobool(buf, &on) || (on && fake_choice[!which]))
		return -EINVAL;
	fake_choice[which] = on;

	return size;
}

static ssize_t first_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sprintf(buf, "%d\n", fake_choice[0]);
}

static ssize_t first_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t size)
{
	return fake_store(buf, size, 0);
}
static DEVICE_ATTR_RW(first);

static ssize_t second_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sprintf(buf, "%d\n", fake_choice[1]);
}

static ssize_t second_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t size)
{
	return fake_store(buf, size, 1);
}
static DEVICE_ATTR_RW(second);

static ssize_t default_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sprintf(buf, "%d\n", fake_is_default);
}
static DEVICE_ATTR_RO(default);

static ssize_t asleep_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sprintf(buf, "%d\n", fake_is_asleep);
}
static DEVICE_ATTR_RO(asleep);

static struct attribute *fake_choosy_attrs[] = {
	&dev_attr_first.attr,
	&dev_attr_second.attr,
	&dev_attr_default.attr,
	&dev_attr_asleep.attr,
	NULL
};
ATTRIBUTE_GROUPS(fake_choosy);

static int fake_choosy_activate(struct led_classdev *cdev)
{
	fake_choice[0] = false;
	fake_choice[1] = true;
	fake_is_asleep = cdev->flags & LED_SUSPENDED;
	fake_is_default = cdev->flags & LED_INIT_DEFAULT_TRIGGER;
	cdev->flags &= ~LED_INIT_DEFAULT_TRIGGER;

	return 0;
}

static struct led_trigger fake_choosy = {
	.name = "fake-choosy",
	.activate = fake_choosy_activate,
	.groups = fake_choosy_groups,
};

static struct led_trigger fake_plain = {
	.name = "fake-plain",
};

static struct led_trigger fake_echo = {
	.name = "fake-echo",
};

static ssize_t disabled_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sprintf(buf, "%d\n",
		       led_sysfs_is_disabled(dev_get_drvdata(dev)));
}

static ssize_t disabled_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t size)
{
	struct led_classdev *cdev = dev_get_drvdata(dev);
	bool on;

	if (kstrtobool(buf, &on))
		return -EINVAL;
	mutex_lock(&cdev->led_access);
	if (on)
		led_sysfs_disable(cdev);
	else
		led_sysfs_enable(cdev);
	mutex_unlock(&cdev->led_access);

	return size;
}
static DEVICE_ATTR_RW(disabled);

static ssize_t suspended_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct led_classdev *cdev = dev_get_drvdata(dev);

	return sprintf(buf, "%d\n", !!(cdev->flags & LED_SUSPENDED));
}

static ssize_t suspended_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t size)
{
	bool on;

	if (kstrtobool(buf, &on))
		return -EINVAL;
	if (on)
		led_classdev_suspend(dev_get_drvdata(dev));
	else
		led_classdev_resume(dev_get_drvdata(dev));

	return size;
}
static DEVICE_ATTR_RW(suspended);

static ssize_t blink_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t size)
{
	unsigned long on = 20, off = 20, once = 500;

	if (sysfs_streq(buf, "again"))
		fake_blinks_again = true;
	else if (sysfs_streq(buf, "once"))
		led_blink_set_oneshot(dev_get_drvdata(dev), &once, &once, 0);
	else
		led_blink_set(dev_get_drvdata(dev), &on, &off);

	return size;
}
static DEVICE_ATTR_WO(blink);

static ssize_t event_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t size)
{
	unsigned int level;

	if (kstrtouint(buf, 0, &level))
		return -EINVAL;
	led_trigger_event(&fake_plain, level);

	return size;
}
static DEVICE_ATTR_WO(event);

static struct attribute *fake_led_attrs[] = {
	&dev_attr_blink.attr,
	&dev_attr_disabled.attr,
	&dev_attr_event.attr,
	&dev_attr_suspended.attr,
	NULL
};
ATTRIBUTE_GROUPS(fake_led);

static enum led_brightness fake_level;

static void fake_led_set(struct led_classdev *cdev, enum led_brightness level)
{
	unsigned long on = 20, off = 20;

	fake_level = level;
	led_trigger_event(&fake_echo, level);
	if (!fake_blinks_again || cdev->trigger != &fake_plain)
		return;
	fake_blinks_again = false;
	led_blink_set(cdev, &on, &off);
}

static int fake_led_set_slowly(struct led_classdev *cdev, enum led_brightness level)
{
	msleep(50);
	fake_level = level;
	highest = max_t(unsigned int, highest, level);

	return 0;
}

static enum led_brightness fake_led_get(struct led_classdev *cdev)
{
	return fake_level;
}

static struct led_classdev fake_led = {
	.brightness_set = fake_led_set,
	.brightness_get = fake_led_get,
	.flags = LED_CORE_SUSPENDRESUME,
	.default_trigger = "fake-plain",
	.groups = fake_led_groups,
};

static int __init fake_init(void)
{
	int ret;

	ret = led_trigger_register(&fake_plain);
	if (ret)
		return ret;
	ret = led_trigger_register(&fake_echo);
	if (ret)
		goto unregister_plain;
	ret = led_trigger_register(&fake_choosy);
	if (ret)
		goto unregister_echo;

	fake_led.name = name;
	if (slow) {
		fake_led.brightness_set = NULL;
		fake_led.brightness_set_blocking = fake_led_set_slowly;
		fake_led.max_brightness = 100;
	}
	ret = led_classdev_register(NULL, &fake_led);
	if (ret)
		goto unregister_choosy;

	return 0;

unregister_choosy:
	led_trigger_unregister(&fake_choosy);
unregister_echo:
	led_trigger_unregister(&fake_echo);
unregister_plain:
	led_trigger_unregister(&fake_plain);
	return ret;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	led_classdev_unregister(&fake_led);
	led_trigger_unregister(&fake_choosy);
	led_trigger_unregister(&fake_echo);
	led_trigger_unregister(&fake_plain);
}
module_exit(fake_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("LED and triggers that tests of leds-identify need");
MODULE_LICENSE("GPL");
