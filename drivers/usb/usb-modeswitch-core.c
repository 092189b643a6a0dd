// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: the module, its parameters, what USB tells
 *
 * Two ways lead to a device. As a driver for interfaces of class 08 the module
 * is asked before usb-storage where it was loaded first, and keeps the device to
 * itself. Where usb-storage came first the notifier is called when all drivers
 * are bound; usb-storage waits 1 s (delay_use) before its first command, so that
 * the interface is taken away from it before anything is on the wire.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "usb-modeswitch.h"

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/sysfs.h>
#include <linux/usb.h>

struct ums_state ums_state = {
	.enable = true,
	.mbim = true,
};

struct ums_settings ums_settings;

/* For all of the above, for jobs and for ports. */
DEFINE_MUTEX(ums_lock);

static bool ums_running;

static int enable_set(const char *text, const struct kernel_param *kp)
{
	bool value;
	int ret;

	ret = kstrtobool(text ?: "1", &value);
	if (ret)
		return ret;

	mutex_lock(&ums_lock);
	ums_state.enable = value;
	mutex_unlock(&ums_lock);
	if (!value)
		ums_job_cancel_all();
	else if (ums_running)
		ums_rescan();

	return 0;
}

static int enable_get(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%c\n", ums_state.enable ? 'Y' : 'N');
}

static const struct kernel_param_ops enable_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = enable_set,
	.get = enable_get,
};
module_param_cb(enable, &enable_ops, NULL, 0644);
MODULE_PARM_DESC(enable, "switch devices (default Y); N gives back what is being switched");

module_param_named(mbim, ums_state.mbim, bool, 0644);
MODULE_PARM_DESC(mbim, "choose the configuration with MBIM where there is one (default Y)");

/* Text is read into a copy, so that a bad one changes nothing. */
static int ums_set_text(const char *text,
			int (*parse)(const char *, struct ums_settings *))
{
	struct ums_settings *settings;
	int ret;

	/* On a kernel's command line: there is no memory yet, and a bad list is none. */
	if (system_state == SYSTEM_BOOTING)
		return parse(text, &ums_settings);
	settings = kmalloc(sizeof(*settings), GFP_KERNEL);
	if (!settings)
		return -ENOMEM;

	mutex_lock(&ums_lock);
	*settings = ums_settings;
	ret = parse(text, settings);
	if (!ret)
		ums_settings = *settings;
	mutex_unlock(&ums_lock);
	kfree(settings);

	return ret;
}

static int ignore_set(const char *text, const struct kernel_param *kp)
{
	return ums_set_text(text, ums_parse_ignore);
}

static int ignore_get(char *buf, const struct kernel_param *kp)
{
	int len;

	mutex_lock(&ums_lock);
	len = ums_print_ignore(buf, PAGE_SIZE, &ums_settings);
	mutex_unlock(&ums_lock);

	return len;
}

static const struct kernel_param_ops ignore_ops = {
	.set = ignore_set,
	.get = ignore_get,
};
module_param_cb(ignore, &ignore_ops, NULL, 0644);
MODULE_PARM_DESC(ignore, "devices never to touch, such as \"12d1:1f01,05c6:*\"");

static int override_set(const char *text, const struct kernel_param *kp)
{
	return ums_set_text(text, ums_parse_override);
}

static int override_get(char *buf, const struct kernel_param *kp)
{
	int len;

	mutex_lock(&ums_lock);
	len = ums_print_override(buf, PAGE_SIZE, &ums_settings);
	mutex_unlock(&ums_lock);

	return len;
}

static const struct kernel_param_ops override_ops = {
	.set = override_set,
	.get = override_get,
};
module_param_cb(override, &override_ops, NULL, 0644);
MODULE_PARM_DESC(override, "how to switch devices, such as \"12d1:1f01:huawei-alt\"");

#define UMS_COUNTER_SHOW(_name, _counter)				\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%u\n",					\
			  READ_ONCE(ums_state.counter[_counter]));	\
}

UMS_COUNTER_SHOW(tries, UMS_COUNT_TRIES)
static DEVICE_ATTR_RO(tries);

UMS_COUNTER_SHOW(sent, UMS_COUNT_SENT)
static DEVICE_ATTR_RO(sent);

UMS_COUNTER_SHOW(switched, UMS_COUNT_SWITCHED)
static DEVICE_ATTR_RO(switched);

UMS_COUNTER_SHOW(returned, UMS_COUNT_RETURNED)
static DEVICE_ATTR_RO(returned);

UMS_COUNTER_SHOW(failed, UMS_COUNT_FAILED)
static DEVICE_ATTR_RO(failed);

UMS_COUNTER_SHOW(guarded, UMS_COUNT_GUARDED)
static DEVICE_ATTR_RO(guarded);

static ssize_t rescan_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t size)
{
	bool value;
	int ret;

	ret = kstrtobool(buf, &value);
	if (ret)
		return ret;
	if (!value)
		return -EINVAL;
	mutex_lock(&ums_lock);
	ums_port_forget();
	mutex_unlock(&ums_lock);
	/* The module is loaded to the end first, and looks at all then. */
	if (ums_running)
		ums_rescan();

	return size;
}
static DEVICE_ATTR_WO(rescan);

static struct attribute *ums_attrs[] = {
	&dev_attr_failed.attr,
	&dev_attr_guarded.attr,
	&dev_attr_rescan.attr,
	&dev_attr_returned.attr,
	&dev_attr_sent.attr,
	&dev_attr_switched.attr,
	&dev_attr_tries.attr,
	NULL
};

static const struct attribute_group ums_group = {
	.attrs = ums_attrs,
};

const struct attribute_group *ums_groups[] = {
	&ums_group,
	NULL
};

static const struct file_operations ums_fops = {
	.owner = THIS_MODULE,
};

static struct miscdevice ums_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = UMS_NAME,
	.fops = &ums_fops,
	.groups = ums_groups,
};

static int ums_probe(struct usb_interface *intf, const struct usb_device_id *id)
{
	return ums_job_consider(interface_to_usbdev(intf), intf) ? 0 : -ENODEV;
}

static void ums_disconnect(struct usb_interface *intf)
{
	ums_job_lost(intf);
}

static int ums_suspend(struct usb_interface *intf, pm_message_t message)
{
	ums_job_pause(intf);

	return 0;
}

static int ums_resume(struct usb_interface *intf)
{
	ums_job_resume(intf);

	return 0;
}

static int ums_pre_reset(struct usb_interface *intf)
{
	ums_job_pause(intf);

	return 0;
}

/* Any of them: which are wanted is decided by the table and the user. */
static const struct usb_device_id ums_storage[] = {
	{ .match_flags = USB_DEVICE_ID_MATCH_INT_CLASS,
	  .bInterfaceClass = USB_CLASS_MASS_STORAGE },
	{ }
};

struct usb_driver ums_driver = {
	.name = UMS_NAME,
	.probe = ums_probe,
	.disconnect = ums_disconnect,
	.suspend = ums_suspend,
	.resume = ums_resume,
	.reset_resume = ums_resume,
	.pre_reset = ums_pre_reset,
	.post_reset = ums_resume,
	.id_table = ums_storage,
	.no_dynamic_id = 1,
	/* Only so can a device be woken; while it is switched it is kept awake. */
	.supports_autosuspend = 1,
};

static void ums_let_go(struct usb_device *udev, bool withdrawn)
{
	ums_job_gone(udev, withdrawn);
	ums_port_unleave(udev);
}

/* A device that is authorized later gets its interfaces then, and no other notice. */
static int ums_bus_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct usb_device *udev;

	if (!dev->type || !dev->type->name || strcmp(dev->type->name, "usb_interface"))
		return NOTIFY_OK;
	udev = interface_to_usbdev(to_usb_interface(dev));
	if (action == BUS_NOTIFY_ADD_DEVICE)
		ums_job_consider(udev, NULL);
	else if (action == BUS_NOTIFY_REMOVED_DEVICE && !udev->authorized)
		ums_let_go(udev, true);

	return NOTIFY_OK;
}

static struct notifier_block ums_bus_nb = {
	.notifier_call = ums_bus_notify,
};

/* The bus is not exported: the first device shows it. */
static typeof(((struct device *)NULL)->bus) ums_bus;

/* Not ums_lock, which the notifier takes. */
static DEFINE_MUTEX(ums_bus_lock);

static void ums_watch_bus(struct usb_device *udev)
{
	mutex_lock(&ums_bus_lock);
	if (!ums_bus && !READ_ONCE(ums_state.closing)) {
		ums_bus = udev->dev.bus;
		bus_register_notifier(ums_bus, &ums_bus_nb);
	}
	mutex_unlock(&ums_bus_lock);
}

static int ums_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct usb_device *udev = data;

	if (action == USB_DEVICE_ADD) {
		ums_watch_bus(udev);
		ums_job_consider(udev, NULL);
	}
	/* Also one that is only taken from its driver is told as removed. */
	if (action == USB_DEVICE_REMOVE)
		ums_let_go(udev, udev->state != USB_STATE_NOTATTACHED);

	return NOTIFY_OK;
}

static struct notifier_block ums_nb = {
	.notifier_call = ums_notify,
};

/* Where another driver has a device's interface, that one is told of a sleep. */
static int ums_pm_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	mutex_lock(&ums_lock);
	switch (action) {
	case PM_HIBERNATION_PREPARE:
	case PM_SUSPEND_PREPARE:
	case PM_RESTORE_PREPARE:
		ums_state.asleep = true;
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_SUSPEND:
	case PM_POST_RESTORE:
		ums_state.asleep = false;
		ums_state.woke = ktime_get();
		break;
	}
	mutex_unlock(&ums_lock);

	return NOTIFY_OK;
}

static struct notifier_block ums_pm_nb = {
	.notifier_call = ums_pm_notify,
};

/**
 * ums_early() - tell how much of a delay is left, counted from when the system woke
 * @seconds: the delay
 *
 * Return: milliseconds, 0 if it is over or the system has not slept.
 */
unsigned int ums_early(unsigned int seconds)
{
	s64 delay = seconds * MSEC_PER_SEC;
	s64 since;

	mutex_lock(&ums_lock);
	since = ktime_to_ms(ktime_sub(ktime_get(), ums_state.woke));
	mutex_unlock(&ums_lock);

	return since < delay ? delay - since : 0;
}

static int ums_rescan_one(struct usb_device *udev, void *data)
{
	ums_watch_bus(udev);
	usb_lock_device(udev);
	/* Also while it is suspended. */
	if (udev->state >= USB_STATE_CONFIGURED && udev->actconfig)
		ums_job_consider(udev, NULL);
	usb_unlock_device(udev);

	return 0;
}

/**
 * ums_rescan() - look at all devices
 */
void ums_rescan(void)
{
	usb_for_each_dev(NULL, ums_rescan_one);
}

static int __init ums_init(void)
{
	int ret;

	ret = ums_job_start();
	if (ret)
		return ret;
	ret = misc_register(&ums_misc);
	if (ret)
		goto stop_jobs;
	ret = ums_port_start(ums_misc.this_device);
	if (ret)
		goto deregister_misc;
	ret = usb_register(&ums_driver);
	if (ret)
		goto stop_ports;
	usb_register_notify(&ums_nb);
	register_pm_notifier(&ums_pm_nb);
	ums_running = true;
	ums_rescan();

	return 0;

stop_ports:
	ums_port_stop();
deregister_misc:
	misc_deregister(&ums_misc);
stop_jobs:
	ums_job_stop();
	return ret;
}
module_init(ums_init);

static void __exit ums_exit(void)
{
	mutex_lock(&ums_lock);
	ums_state.closing = true;
	mutex_unlock(&ums_lock);
	/* They are given back while their driver is still there to let go of them. */
	ums_job_cancel_all();
	usb_unregister_notify(&ums_nb);
	mutex_lock(&ums_bus_lock);
	if (ums_bus)
		bus_unregister_notifier(ums_bus, &ums_bus_nb);
	mutex_unlock(&ums_bus_lock);
	usb_deregister(&ums_driver);
	unregister_pm_notifier(&ums_pm_nb);
	ums_job_stop();
	ums_port_stop();
	misc_deregister(&ums_misc);
}
module_exit(ums_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("USB mode switcher: a modem is a modem when it is plugged in");
MODULE_LICENSE("GPL");
