// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: what a device is, and taking its interfaces over
 *
 * All of this needs the device's lock.
 */

#include "usb-modeswitch.h"

#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/usb.h>
#include <linux/usb/cdc.h>

#define UMS_SUBCLASS_MBIM	0x0e

static bool ums_config_has_mbim(const struct usb_host_config *config)
{
	unsigned int i;

	for (i = 0; i < config->desc.bNumInterfaces; i++) {
		const struct usb_interface_cache *cache = config->intf_cache[i];
		const struct usb_interface_descriptor *desc;

		if (!cache || !cache->num_altsetting)
			continue;
		desc = &cache->altsetting[0].desc;
		if (desc->bInterfaceClass == USB_CLASS_COMM &&
		    desc->bInterfaceSubClass == UMS_SUBCLASS_MBIM)
			return true;
	}

	return false;
}

static void ums_facts_read_configs(const struct usb_device *udev, struct ums_facts *facts)
{
	unsigned int unit = udev->speed >= USB_SPEED_SUPER ? 8 : 2;
	unsigned int i;

	facts->nr_configs = udev->descriptor.bNumConfigurations;
	for (i = 0; i < facts->nr_configs; i++) {
		const struct usb_host_config *config = &udev->config[i];
		u8 number = config->desc.bConfigurationValue;

		if (config->desc.bMaxPower * unit > udev->bus_mA)
			continue;
		facts->configs[number / 32] |= BIT(number % 32);
		if (!facts->mbim && ums_config_has_mbim(config))
			facts->mbim = number;
	}
}

static const struct usb_interface_descriptor *ums_descriptor(const struct usb_interface *intf)
{
	return &intf->altsetting[0].desc;
}

static bool ums_is_acm(const struct usb_interface *intf)
{
	const struct usb_interface_descriptor *desc = ums_descriptor(intf);

	return desc->bInterfaceClass == USB_CLASS_COMM &&
	       desc->bInterfaceSubClass == USB_CDC_SUBCLASS_ACM;
}

/* The data interface that an ACM interface names, or -1. */
static int ums_acm_union(const struct usb_interface *intf)
{
	const u8 *at = intf->altsetting[0].extra;
	int left = intf->altsetting[0].extralen;

	for (; left >= 2 && at[0] >= 2 && at[0] <= left; left -= at[0], at += at[0]) {
		if (at[0] >= sizeof(struct usb_cdc_union_desc) &&
		    at[1] == USB_DT_CS_INTERFACE && at[2] == USB_CDC_UNION_TYPE)
			return at[4];
	}

	return -1;
}

/* The one that is named, or else the next; the first may belong to a network card. */
static struct usb_interface *ums_acm_data(const struct usb_host_config *config,
					  const struct usb_interface *acm)
{
	struct usb_interface *next = NULL;
	int named = ums_acm_union(acm);
	unsigned int i;

	for (i = 0; i < config->desc.bNumInterfaces; i++) {
		struct usb_interface *intf = config->interface[i];
		const struct usb_interface_descriptor *desc = ums_descriptor(intf);

		if (desc->bInterfaceClass != USB_CLASS_CDC_DATA)
			continue;
		if (desc->bInterfaceNumber == named)
			return intf;
		if (!next && desc->bInterfaceNumber > ums_descriptor(acm)->bInterfaceNumber)
			next = intf;
	}

	return next;
}

/* Data first: it is what the script talks to. */
static bool ums_find_acm(const struct usb_host_config *config, struct usb_interface **found)
{
	unsigned int i;

	for (i = 0; i < config->desc.bNumInterfaces; i++) {
		if (!ums_is_acm(config->interface[i]))
			continue;
		found[0] = ums_acm_data(config, config->interface[i]);
		found[1] = config->interface[i];
		if (found[0])
			return true;
	}

	return false;
}

/**
 * ums_is_usable() - tell whether a device may be used here
 * @udev: the device
 *
 * Return: true if it is configured, and is not lent to another machine: it has
 * another driver than that of all devices then.
 */
bool ums_is_usable(const struct usb_device *udev)
{
	const struct device_driver *driver = udev->dev.driver;

	return udev->authorized && udev->actconfig && udev->parent &&
	       driver && !strcmp(driver->name, "usb");
}

/* The strings are the device's own. */
static void ums_facts_read(const struct usb_device *udev, struct ums_facts *facts)
{
	const struct usb_host_config *config = udev->actconfig;
	struct usb_interface *acm[2];
	unsigned int i;

	memset(facts, 0, sizeof(*facts));
	facts->vid = le16_to_cpu(udev->descriptor.idVendor);
	facts->pid = le16_to_cpu(udev->descriptor.idProduct);
	facts->manufacturer = udev->manufacturer;
	facts->product = udev->product;
	facts->config = config->desc.bConfigurationValue;
	for (i = 0; i < config->desc.bNumInterfaces && i < UMS_MAX_INTERFACES; i++)
		facts->classes[i] = config->interface[i]->altsetting[0].desc.bInterfaceClass;
	facts->nr_interfaces = i;
	facts->acm = ums_find_acm(config, acm);
	ums_facts_read_configs(udev, facts);
}

static bool ums_may_be_taken(const struct usb_device *udev)
{
	const struct usb_interface *first = udev->actconfig->interface[0];

	return !first || first->authorized;
}

/**
 * ums_judge() - decide whether a device is to be switched now; needs ums_lock
 * @udev: the device, usable
 * @port: what is known of its port, which is told of the device; or NULL
 * @facts: where to put what decided
 * @plan: where to put how it is switched
 *
 * Return: UMS_SWITCH or UMS_ASK if it is, or why not.
 */
enum ums_verdict ums_judge(const struct usb_device *udev, struct ums_port *port,
			   struct ums_facts *facts, struct ums_plan *plan)
{
	unsigned int again = port ? ums_port_again(port, udev) : 0;
	enum ums_verdict verdict;
	bool wanted;

	ums_facts_read(udev, facts);
	verdict = ums_decide(facts, &ums_settings, ums_state.mbim, plan);
	if (again && verdict != UMS_IGNORED && facts->nr_interfaces) {
		plan->script = again;
		verdict = UMS_SWITCH;
	}
	wanted = verdict == UMS_SWITCH || verdict == UMS_ASK;
	/* What is left to do with it must be known still when it may be taken. */
	if (wanted && !ums_may_be_taken(udev))
		return UMS_IGNORED;
	if (port)
		ums_port_appeared(port, udev, wanted ? !again :
				  verdict == UMS_IGNORED && ums_port_still(port, udev, facts));

	return verdict;
}

/**
 * ums_taken_add() - remember an interface that is ours
 * @taken: what is ours
 * @intf: the interface
 */
void ums_taken_add(struct ums_taken *taken, struct usb_interface *intf)
{
	usb_set_intfdata(intf, taken);
	taken->intf[taken->intf[0] ? 1 : 0] = usb_get_intf(intf);
}

static int ums_take(struct ums_taken *taken, struct usb_interface *intf)
{
	struct device_driver *driver;
	int ret;

	if (!intf)
		return -ENODEV;
	if (taken->intf[0] == intf || taken->intf[1] == intf)
		return 0;
	if (!intf->authorized)
		return -ENOMEDIUM;
	driver = intf->dev.driver;
	if (driver)
		usb_driver_release_interface(to_usb_driver(driver), intf);
	ret = usb_driver_claim_interface(&ums_driver, intf, taken);
	if (!ret)
		ums_taken_add(taken, intf);

	return ret;
}

static int ums_take_acm(struct usb_device *udev, struct ums_taken *taken)
{
	struct usb_interface *found[2];

	if (!ums_find_acm(udev->actconfig, found))
		return -ENODEV;

	return ums_take(taken, found[0]) ?: ums_take(taken, found[1]);
}

/* For a port that a program has claimed the kernel chooses no configuration: 0. */
static bool ums_is_claimed(struct usb_device *udev)
{
	unsigned int i;

	for (i = 0; i < udev->descriptor.bNumConfigurations; i++) {
		/* One of that number may be meant. */
		if (!udev->config[i].desc.bConfigurationValue)
			return false;
	}

	return !usb_choose_configuration(udev);
}

/**
 * ums_is_in_use() - tell whether a program has an interface, or the port, by usbfs
 * @udev: the device
 *
 * Return: true if one has: it knows what it does.
 */
bool ums_is_in_use(struct usb_device *udev)
{
	const struct usb_host_config *config = udev->actconfig;
	unsigned int i;

	if (ums_is_claimed(udev))
		return true;
	for (i = 0; config && i < config->desc.bNumInterfaces; i++) {
		const struct device_driver *driver = config->interface[i]->dev.driver;

		if (driver && !strcmp(driver->name, "usbfs"))
			return true;
	}

	return false;
}

/**
 * ums_is_asleep() - tell whether the system suspends, or is about to
 * @udev: the device; as long as it is locked it does not fall asleep
 *
 * Return: true if it does: nothing would get to the device.
 */
bool ums_is_asleep(const struct usb_device *udev)
{
	return READ_ONCE(ums_state.asleep) || udev->dev.power.is_prepared;
}

/**
 * ums_take_over() - take the interfaces that a script needs from their drivers
 * @udev: the device
 * @config: number of the configuration in which it was found
 * @script: number of the script
 * @taken: where to put them, also if there is an error
 *
 * Return: 0, -EAGAIN if the system sleeps, -ENOMEDIUM if the device is not any
 * more what it was, -EBUSY if a program uses one, or another negative error code.
 */
int ums_take_over(struct usb_device *udev, unsigned int config, unsigned int script,
		  struct ums_taken *taken)
{
	int ret;

	if (ums_is_asleep(udev))
		return -EAGAIN;
	if (udev->state == USB_STATE_NOTATTACHED)
		return -ENODEV;
	if (udev->state < USB_STATE_CONFIGURED || !udev->actconfig)
		return -ENOMEDIUM;
	if (udev->actconfig->desc.bConfigurationValue != config)
		return -ENOMEDIUM;
	if (ums_is_in_use(udev))
		return -EBUSY;
	if (script == UMS_SCRIPT_CONFIG || script == UMS_SCRIPT_MBIM)
		return 0;

	if (ums_scripts[script].gate == UMS_GATE_MODEM)
		ret = ums_take_acm(udev, taken);
	else
		ret = ums_take(taken, udev->actconfig->interface[0]);
	if (ret)
		return ret;
	if (taken->awake)
		return 0;
	ret = usb_autopm_get_interface(taken->intf[0]);
	taken->awake = !ret;

	return ret;
}

/* A device that is gone takes its interfaces with it. */
static void ums_give_back_one(struct usb_device *udev, struct ums_taken *taken,
			      struct usb_interface *intf, bool awake)
{
	if (usb_get_intfdata(intf) != taken)
		return;
	usb_set_intfdata(intf, NULL);
	if (udev->state == USB_STATE_NOTATTACHED)
		return;

	if (awake)
		usb_autopm_put_interface(intf);
	usb_driver_release_interface(&ums_driver, intf);
	if (udev->state >= USB_STATE_CONFIGURED && !intf->dev.driver &&
	    device_attach(&intf->dev) < 0)
		dev_dbg(&intf->dev, "no driver wants it\n");
}

/**
 * ums_give_back() - let other drivers have the interfaces
 * @udev: the device
 * @taken: the interfaces, none afterwards
 */
void ums_give_back(struct usb_device *udev, struct ums_taken *taken)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(taken->intf); i++) {
		if (!taken->intf[i])
			continue;
		ums_give_back_one(udev, taken, taken->intf[i], !i && taken->awake);
		usb_put_intf(taken->intf[i]);
		taken->intf[i] = NULL;
	}
}
