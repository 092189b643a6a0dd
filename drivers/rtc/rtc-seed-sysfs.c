// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: its attributes
 */

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/sysfs.h>

/* How far it is. */
static const char *seed_state(void)
{
	switch (seed.owner) {
	case SEED_BY_NTP:
		return "disciplined";
	case SEED_BY_ROOT:
		return "left";
	case SEED_BY_OTHERS:
		if (seed.seeded)
			return "left";
		break;
	default:
		break;
	}

	return seed.seeded ? "seeded" : "waiting";
}

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	ssize_t len;

	/* Nothing tells when NTP starts: look now. */
	seed_settle();
	mutex_lock(&seed_lock);
	len = sysfs_emit(buf, "%s\n", seed_state());
	mutex_unlock(&seed_lock);

	return len;
}
static DEVICE_ATTR_RO(state);

static ssize_t source_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	ssize_t len;

	mutex_lock(&seed_lock);
	len = sysfs_emit(buf, "%s\n", seed.source);
	mutex_unlock(&seed_lock);

	return len;
}
static DEVICE_ATTR_RO(source);

static ssize_t floor_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	ssize_t len;

	mutex_lock(&seed_lock);
	len = sysfs_emit(buf, "%lld\n", (long long)seed.window.floor);
	mutex_unlock(&seed_lock);

	return len;
}

static ssize_t floor_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t size)
{
	time64_t time;
	int ret;

	ret = seed_time_parse(buf, &time);
	if (ret)
		return ret;

	mutex_lock(&seed_lock);
	ret = seed_set_floor(time);
	mutex_unlock(&seed_lock);
	if (ret)
		return ret;
	seed_settle();

	return size;
}
static DEVICE_ATTR_RW(floor);

static ssize_t ceiling_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	ssize_t len;

	mutex_lock(&seed_lock);
	len = sysfs_emit(buf, "%lld\n", (long long)seed.window.ceiling);
	mutex_unlock(&seed_lock);

	return len;
}
static DEVICE_ATTR_RO(ceiling);

static ssize_t disciplined_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	seed_settle();

	return sysfs_emit(buf, "%d\n", READ_ONCE(seed.owner) == SEED_BY_NTP);
}

static ssize_t disciplined_store(struct device *dev,
				 struct device_attribute *attr, const char *buf,
				 size_t size)
{
	unsigned int value;
	int ret;

	ret = kstrtouint(buf, 10, &value);
	if (ret)
		return ret;
	/* What NTP has taken over is not taken away from it. */
	if (value != 1)
		return -EINVAL;
	/* What has happened before is judged without this knowledge. */
	seed_settle();
	seed_trust();
	seed_settle();

	return size;
}
static DEVICE_ATTR_RW(disciplined);

#define SEED_COUNTER_SHOW(_name, _counter)				\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%u\n", READ_ONCE(seed.counter[_counter])); \
}

SEED_COUNTER_SHOW(rejected_invalid, SEED_COUNT_INVALID)
static DEVICE_ATTR_RO(rejected_invalid);

SEED_COUNTER_SHOW(rejected_error, SEED_COUNT_ERROR)
static DEVICE_ATTR_RO(rejected_error);

SEED_COUNTER_SHOW(rejected_past, SEED_COUNT_PAST)
static DEVICE_ATTR_RO(rejected_past);

SEED_COUNTER_SHOW(rejected_future, SEED_COUNT_FUTURE)
static DEVICE_ATTR_RO(rejected_future);

SEED_COUNTER_SHOW(rewinds_undone, SEED_COUNT_REWINDS)
static DEVICE_ATTR_RO(rewinds_undone);

SEED_COUNTER_SHOW(written_back, SEED_COUNT_HEALED)
static DEVICE_ATTR_RO(written_back);

static struct attribute *seed_attrs[] = {
	&dev_attr_ceiling.attr,
	&dev_attr_disciplined.attr,
	&dev_attr_floor.attr,
	&dev_attr_rejected_error.attr,
	&dev_attr_rejected_future.attr,
	&dev_attr_rejected_invalid.attr,
	&dev_attr_rejected_past.attr,
	&dev_attr_rewinds_undone.attr,
	&dev_attr_source.attr,
	&dev_attr_state.attr,
	&dev_attr_written_back.attr,
	NULL
};

static const struct attribute_group seed_group = {
	.attrs = seed_attrs,
};

const struct attribute_group *seed_groups[] = {
	&seed_group,
	NULL
};
