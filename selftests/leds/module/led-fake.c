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
 *
 * With node= it disables a node of the device tree for as long as it is loaded,
 * has it name another LED, or takes it out; "held" is then how often others hold it,
 * and a write to "undo" ends that before.
 */

#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/leds.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/slab.h>

static char *name = "pack:fake:test";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "of the LED");

static char *node;
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "the path of a node that has no status");

static char *names;
module_param(names, charp, 0444);
MODULE_PARM_DESC(names, "linux,led-names of the node, in place of its status");

static bool detach;
module_param(detach, bool, 0444);
MODULE_PARM_DESC(detach, "take the node out");

static int held;
module_param(held, int, 0444);
MODULE_PARM_DESC(held, "how many references to the node are left");

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

static void fake_change_back(void);

static ssize_t undo_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t size)
{
	if (!node)
		return -EINVAL;
	fake_change_back();

	return size;
}
static DEVICE_ATTR_WO(undo);

static struct attribute *fake_led_attrs[] = {
	&dev_attr_blink.attr,
	&dev_attr_disabled.attr,
	&dev_attr_event.attr,
	&dev_attr_suspended.attr,
	&dev_attr_undo.attr,
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

#ifdef CONFIG_OF_DYNAMIC
static struct of_changeset fake_change;

static int fake_add_property(struct device_node *np)
{
	struct property *prop = kzalloc(sizeof(*prop), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!prop)
		return ret;
	prop->name = kstrdup(names ? "linux,led-names" : "status", GFP_KERNEL);
	prop->value = kstrdup(names ?: "disabled", GFP_KERNEL);
	if (prop->name && prop->value) {
		prop->length = strlen(prop->value) + 1;
		ret = of_changeset_add_property(&fake_change, np, prop);
	}
	/* The kernel keeps what it has taken, also when it is removed. */
	if (ret) {
		kfree(prop->value);
		kfree(prop->name);
		kfree(prop);
	}

	return ret;
}

static int fake_change_node(void)
{
	struct device_node *np = of_find_node_by_path(node);
	int ret;

	if (!np)
		return -ENODEV;
	of_changeset_init(&fake_change);
	ret = detach ? of_changeset_detach_node(&fake_change, np) : fake_add_property(np);
	if (!ret)
		ret = of_changeset_apply(&fake_change);
	if (ret)
		of_changeset_destroy(&fake_change);
	held = kref_read(&np->kobj.kref);
	of_node_put(np);

	return ret;
}

static void fake_change_back(void)
{
	of_changeset_revert(&fake_change);
	of_changeset_destroy(&fake_change);
	node = NULL;
}
#else
static int fake_change_node(void)
{
	return -ENODEV;
}

static void fake_change_back(void)
{
}
#endif

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

	ret = node ? fake_change_node() : 0;
	if (ret)
		goto unregister_choosy;

	fake_led.name = name;
	ret = led_classdev_register(NULL, &fake_led);
	if (ret)
		goto change_back;

	return 0;

change_back:
	if (node)
		fake_change_back();
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
	if (node)
		fake_change_back();
	led_trigger_unregister(&fake_choosy);
	led_trigger_unregister(&fake_echo);
	led_trigger_unregister(&fake_plain);
}
module_exit(fake_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("LED and triggers that tests of leds-identify need");
MODULE_LICENSE("GPL");
