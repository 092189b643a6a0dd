// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: what happened on a port, in sysfs and as uevents
 *
 * A port is named as its device, such as "1-1.2". It is kept until the module
 * is unloaded: the loop guard and the second appearance of a device need it.
 */

#include "usb-modeswitch.h"

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/usb.h>

#define UMS_MAX_PORTS		256
#define UMS_AGAIN_SECONDS	40

struct ums_port {
	struct kobject kobj;
	struct list_head node;
	struct ums_guard guard;
	u16 vid;
	u16 pid;
	u8 script;
	bool pending;		/* sent, and not seen again */
	time64_t ended;
	struct {
		int devnum;
		u16 vid;
		u16 pid;
	} left;			/* is not touched any more */
	enum ums_result result;
	int error;
	unsigned int tries;
	unsigned int switched;
	s64 us;
	struct completion *gone;
};

static LIST_HEAD(ums_ports);
static unsigned int ums_nr_ports;
static struct kobject *ums_ports_dir;
static struct device *ums_dev;

static const char *const ums_result_names[UMS_RESULTS] = {
	[UMS_RESULT_NONE] = "unplugged",
	[UMS_RESULT_WORKING] = "working",
	[UMS_RESULT_SENT] = "sent",
	[UMS_RESULT_SWITCHED] = "switched",
	[UMS_RESULT_RETURNED] = "returned",
	[UMS_RESULT_FAILED] = "failed",
	[UMS_RESULT_BUSY] = "busy",
	[UMS_RESULT_CANCELLED] = "cancelled",
	[UMS_RESULT_GUARDED] = "guarded",
};

static struct ums_port *to_ums_port(struct kobject *kobj)
{
	return container_of(kobj, struct ums_port, kobj);
}

#define UMS_PORT_SHOW(_name, _format, ...)				\
static ssize_t _name##_show(struct kobject *kobj,			\
			    struct kobj_attribute *attr, char *buf)	\
{									\
	struct ums_port *port = to_ums_port(kobj);			\
	ssize_t len;							\
									\
	mutex_lock(&ums_lock);						\
	len = sysfs_emit(buf, _format "\n", __VA_ARGS__);		\
	mutex_unlock(&ums_lock);					\
									\
	return len;							\
}

UMS_PORT_SHOW(id, "%04x:%04x", port->vid, port->pid)
static struct kobj_attribute ums_port_id = __ATTR_RO(id);

UMS_PORT_SHOW(method, "%s", ums_method(port->script))
static struct kobj_attribute ums_port_method = __ATTR_RO(method);

UMS_PORT_SHOW(result, "%s", ums_result_names[port->result])
static struct kobj_attribute ums_port_result = __ATTR_RO(result);

UMS_PORT_SHOW(error, "%d", port->error)
static struct kobj_attribute ums_port_error = __ATTR_RO(error);

UMS_PORT_SHOW(tries, "%u", port->tries)
static struct kobj_attribute ums_port_tries = __ATTR_RO(tries);

UMS_PORT_SHOW(switched, "%u", port->switched)
static struct kobj_attribute ums_port_switched = __ATTR_RO(switched);

UMS_PORT_SHOW(delay_us, "%lld", (long long)port->us)
static struct kobj_attribute ums_port_delay_us = __ATTR_RO(delay_us);

static struct attribute *ums_port_attrs[] = {
	&ums_port_delay_us.attr,
	&ums_port_error.attr,
	&ums_port_id.attr,
	&ums_port_method.attr,
	&ums_port_result.attr,
	&ums_port_switched.attr,
	&ums_port_tries.attr,
	NULL
};

static const struct attribute_group ums_port_group = {
	.attrs = ums_port_attrs,
};

static void ums_port_release(struct kobject *kobj)
{
	struct completion *gone = to_ums_port(kobj)->gone;

	kfree(to_ums_port(kobj));
	complete(gone);
}

static struct kobj_type ums_port_type = {
	.release = ums_port_release,
	.sysfs_ops = &kobj_sysfs_ops,
};

static void ums_port_announce(const struct ums_port *port, const char *what,
			      const struct usb_device *udev)
{
	char event[32], name[64], from[24], to[24] = "TO=", method[40];
	char *envp[6] = { event, name, from, to, method, NULL };

	snprintf(event, sizeof(event), "MODESWITCH=%s", what);
	snprintf(name, sizeof(name), "PORT=%s", kobject_name(&port->kobj));
	snprintf(from, sizeof(from), "FROM=%04x:%04x", port->vid, port->pid);
	if (udev)
		snprintf(to, sizeof(to), "TO=%04x:%04x",
			 le16_to_cpu(udev->descriptor.idVendor),
			 le16_to_cpu(udev->descriptor.idProduct));
	snprintf(method, sizeof(method), "METHOD=%s", ums_method(port->script));
	kobject_uevent_env(&ums_dev->kobj, KOBJ_CHANGE, envp);
}

/* The module may go after this: a kobject's release may come late. */
static void ums_port_put(struct ums_port *port)
{
	DECLARE_COMPLETION_ONSTACK(gone);

	port->gone = &gone;
	kobject_put(&port->kobj);
	wait_for_completion(&gone);
}

/**
 * ums_port_find() - find what is known of a device's port
 * @udev: the device
 *
 * Return: the port, or NULL.
 */
struct ums_port *ums_port_find(const struct usb_device *udev)
{
	struct ums_port *port;

	list_for_each_entry(port, &ums_ports, node) {
		if (!strcmp(kobject_name(&port->kobj), dev_name(&udev->dev)))
			return port;
	}

	return NULL;
}

/**
 * ums_port_new() - remember a port from now on
 * @udev: the device there
 *
 * Return: the port, or NULL.
 */
struct ums_port *ums_port_new(const struct usb_device *udev)
{
	struct ums_port *port;

	if (ums_nr_ports == UMS_MAX_PORTS)
		return NULL;
	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return NULL;
	if (kobject_init_and_add(&port->kobj, &ums_port_type, ums_ports_dir, "%s",
				 dev_name(&udev->dev)) ||
	    sysfs_create_group(&port->kobj, &ums_port_group)) {
		ums_port_put(port);
		return NULL;
	}
	list_add_tail(&port->node, &ums_ports);
	ums_nr_ports++;

	return port;
}

static bool ums_port_has(const struct ums_port *port, const struct usb_device *udev)
{
	return port->vid == le16_to_cpu(udev->descriptor.idVendor) &&
	       port->pid == le16_to_cpu(udev->descriptor.idProduct);
}

/* What comes much later is another one, and no answer. */
static bool ums_port_is_pending(const struct ums_port *port)
{
	return port->pending &&
	       ktime_get_seconds() - port->ended <= UMS_AGAIN_SECONDS;
}

static void ums_port_set_device(struct ums_port *port, const struct usb_device *udev)
{
	port->vid = le16_to_cpu(udev->descriptor.idVendor);
	port->pid = le16_to_cpu(udev->descriptor.idProduct);
}

/**
 * ums_port_try() - ask whether the loop guard allows one more try
 * @port: the port
 *
 * Return: true if it does.
 */
bool ums_port_try(struct ums_port *port)
{
	if (ums_guard_try(&port->guard, ktime_get_seconds()))
		return true;

	if (port->result != UMS_RESULT_GUARDED) {
		pr_warn("%s: tried %u times in vain, left alone\n",
			kobject_name(&port->kobj), UMS_GUARD_TRIES);
		ums_port_announce(port, "guarded", NULL);
	}
	port->result = UMS_RESULT_GUARDED;
	ums_state.counter[UMS_COUNT_GUARDED]++;

	return false;
}

/**
 * ums_port_begin() - a device is about to be switched
 * @port: its port
 * @udev: the device
 * @script: what it is switched by
 */
void ums_port_begin(struct ums_port *port, const struct usb_device *udev,
		    unsigned int script)
{
	ums_port_set_device(port, udev);
	port->script = script;
	port->result = UMS_RESULT_WORKING;
	port->error = 0;
	port->pending = false;
	port->us = 0;
	port->tries++;
	ums_state.counter[UMS_COUNT_TRIES]++;
}

/**
 * ums_port_sent() - the first message is sent now
 * @port: the port
 * @script: which it belongs to
 * @us: microseconds since the device was set up
 */
void ums_port_sent(struct ums_port *port, unsigned int script, s64 us)
{
	port->script = script;
	port->us = us;
	ums_state.counter[UMS_COUNT_SENT]++;
}

static void ums_port_switched_to(struct ums_port *port, const struct usb_device *udev)
{
	port->result = UMS_RESULT_SWITCHED;
	port->switched++;
	ums_state.counter[UMS_COUNT_SWITCHED]++;
	ums_port_announce(port, "switched", udev);
}

static void ums_port_log(const struct ums_port *port, const struct usb_device *udev)
{
	const char *method = ums_method(port->script);

	if (port->result == UMS_RESULT_SENT || port->result == UMS_RESULT_SWITCHED)
		dev_info(&udev->dev, UMS_NAME ": switched by %s\n", method);
	else if (port->result == UMS_RESULT_FAILED)
		dev_warn(&udev->dev, UMS_NAME ": %s failed (%d), given back\n", method,
			 port->error);
}

/**
 * ums_port_end() - a job has ended
 * @port: its port
 * @udev: its device
 * @result: how
 * @error: negative error code, or 0
 */
void ums_port_end(struct ums_port *port, const struct usb_device *udev,
		  enum ums_result result, int error)
{
	port->result = result;
	port->error = error;
	port->ended = ktime_get_seconds();
	port->pending = result == UMS_RESULT_SENT;
	ums_port_log(port, udev);
	if (result == UMS_RESULT_SWITCHED) {
		ums_port_switched_to(port, NULL);
	} else if (result == UMS_RESULT_FAILED) {
		ums_state.counter[UMS_COUNT_FAILED]++;
		ums_port_announce(port, "failed", NULL);
	}
}

/**
 * ums_port_appeared() - a device is there, perhaps the one that was switched
 * @port: its port
 * @udev: the device
 * @same: it has still, or again, to be switched
 */
void ums_port_appeared(struct ums_port *port, const struct usb_device *udev, bool same)
{
	bool pending;

	if (!ums_port_has(port, udev))
		port->guard.returns = 0;
	pending = ums_port_is_pending(port);
	port->pending = false;
	if (!pending)
		return;
	if (!same) {
		ums_port_switched_to(port, udev);
		return;
	}
	port->guard.returns += ums_port_has(port, udev);
	port->result = UMS_RESULT_RETURNED;
	ums_state.counter[UMS_COUNT_RETURNED]++;
	ums_port_announce(port, "returned", udev);
}

/**
 * ums_port_still() - tell whether a device is what it was before its switch
 * @port: its port
 * @udev: the device
 * @facts: what is known of it
 *
 * Return: true if it has the same ID, and what it was switched by fits it still.
 */
bool ums_port_still(const struct ums_port *port, const struct usb_device *udev,
		    const struct ums_facts *facts)
{
	return ums_port_has(port, udev) && ums_script_fits(facts, port->script);
}

/**
 * ums_port_leave() - do not touch this device again, as long as it is plugged in
 * @port: its port
 * @udev: the device
 */
void ums_port_leave(struct ums_port *port, const struct usb_device *udev)
{
	port->left.devnum = udev->devnum;
	port->left.vid = le16_to_cpu(udev->descriptor.idVendor);
	port->left.pid = le16_to_cpu(udev->descriptor.idProduct);
}

/**
 * ums_port_unleave() - the user takes a device away, and may bring it back
 * @udev: the device; takes ums_lock itself
 */
void ums_port_unleave(const struct usb_device *udev)
{
	struct ums_port *port;

	mutex_lock(&ums_lock);
	port = ums_port_find(udev);
	if (port)
		port->left.devnum = 0;
	mutex_unlock(&ums_lock);
}

/**
 * ums_port_is_left() - tell whether a device is not to be touched again
 * @port: its port
 * @udev: the device
 *
 * Return: true if it is not.
 */
bool ums_port_is_left(struct ums_port *port, const struct usb_device *udev)
{
	return port->left.devnum == udev->devnum &&
	       port->left.vid == le16_to_cpu(udev->descriptor.idVendor) &&
	       port->left.pid == le16_to_cpu(udev->descriptor.idProduct);
}

/**
 * ums_port_again() - ask what is left to do with a device that has come back
 * @port: its port
 * @udev: the device
 *
 * Return: the script, or 0.
 */
unsigned int ums_port_again(struct ums_port *port, const struct usb_device *udev)
{
	if (!ums_port_is_pending(port) || !ums_port_has(port, udev))
		return 0;

	return ums_scripts[port->script].again;
}

/**
 * ums_port_forget() - touch all devices again
 */
void ums_port_forget(void)
{
	struct ums_port *port;

	list_for_each_entry(port, &ums_ports, node) {
		port->left.devnum = 0;
		memset(&port->guard, 0, sizeof(port->guard));
	}
}

/**
 * ums_port_start() - get ready for ports
 * @dev: the device that they belong to
 *
 * Return: 0 or a negative error code.
 */
int ums_port_start(struct device *dev)
{
	ums_dev = dev;
	ums_ports_dir = kobject_create_and_add("ports", &dev->kobj);

	return ums_ports_dir ? 0 : -ENOMEM;
}

/**
 * ums_port_stop() - forget all ports; takes ums_lock itself
 */
void ums_port_stop(void)
{
	struct ums_port *port, *next;
	LIST_HEAD(ports);

	/* Who reads a port's files has the lock: it is not held while they go. */
	mutex_lock(&ums_lock);
	list_splice_init(&ums_ports, &ports);
	ums_nr_ports = 0;
	mutex_unlock(&ums_lock);
	list_for_each_entry_safe(port, next, &ports, node) {
		list_del(&port->node);
		ums_port_put(port);
	}
	kobject_put(ums_ports_dir);
}
