// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: its attributes
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "leds-identify.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sysfs.h>

#define IDENTIFY_LOG_TEXT	128	/* more would cut off the reason behind it */

static ssize_t identify_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%u\n", identify_seconds_left());
}

static ssize_t identify_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t size)
{
	unsigned int seconds;
	int ret;

	ret = kstrtouint(buf, 10, &seconds);
	if (ret)
		return ret;
	if (seconds > IDENTIFY_MAX_SECONDS)
		return -ERANGE;

	ret = identify_run(seconds);
	if (ret)
		return ret;
	identify_settle();

	return size;
}
static DEVICE_ATTR_RW(identify);

static ssize_t blink_pattern_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	struct identify_pattern pattern;

	identify_get_pattern(&pattern);

	return identify_pattern_print(&pattern, buf, PAGE_SIZE);
}

static ssize_t blink_pattern_store(struct device *dev,
				   struct device_attribute *attr,
				   const char *buf, size_t size)
{
	struct identify_pattern pattern;
	int ret;

	ret = identify_pattern_parse(&pattern, buf);
	if (ret)
		return ret;
	ret = identify_set_pattern(&pattern);
	if (ret)
		return ret;

	return size;
}
static DEVICE_ATTR_RW(blink_pattern);

static ssize_t hold_ms_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%u\n", identify_get_hold());
}

static ssize_t hold_ms_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t size)
{
	unsigned int ms;
	int ret;

	ret = kstrtouint(buf, 10, &ms);
	if (ret)
		return ret;
	ret = identify_set_hold(ms);
	if (ret)
		return ret;

	return size;
}
static DEVICE_ATTR_RW(hold_ms);

/**
 * identify_list_parse_logged() - read targets from text and log what is wrong
 * @text: the text
 * @source: where it comes from
 *
 * Return: as identify_list_parse().
 */
struct identify_list *identify_list_parse_logged(const char *text,
						 const char *source)
{
	struct identify_list *list;
	const char *why;

	list = identify_list_parse(text, &why);
	if (IS_ERR(list))
		pr_err("%s%.*s: %s\n", source,
		       (int)min_t(size_t, strcspn(text, "\n"), IDENTIFY_LOG_TEXT),
		       text, why);

	return list;
}

static ssize_t leds_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return identify_targets_print(buf, PAGE_SIZE);
}

static ssize_t leds_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t size)
{
	struct identify_list *list;

	list = identify_list_parse_logged(buf, "leds: ");
	if (IS_ERR(list))
		return PTR_ERR(list);

	identify_targets_use(list);
	identify_kick();
	identify_settle();

	return size;
}
static DEVICE_ATTR_RW(leds);

static ssize_t active_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%d\n", identify_is_active());
}
static DEVICE_ATTR_RO(active);

/**
 * identify_tell_active() - wake up who waits for another value of "active"
 */
void identify_tell_active(void)
{
	struct device *dev = READ_ONCE(identify_cdev.dev);

	/* The LED may be written to before its registration is over. */
	if (!IS_ERR_OR_NULL(dev))
		sysfs_notify(&dev->kobj, NULL, "active");
}

static struct attribute *identify_attrs[] = {
	&dev_attr_active.attr,
	&dev_attr_blink_pattern.attr,
	&dev_attr_hold_ms.attr,
	&dev_attr_identify.attr,
	&dev_attr_leds.attr,
	NULL
};

static const struct attribute_group identify_group = {
	.attrs = identify_attrs,
};

const struct attribute_group *identify_groups[] = {
	&identify_group,
	NULL
};
