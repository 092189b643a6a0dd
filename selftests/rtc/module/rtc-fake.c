// SPDX-License-Identifier: GPL-2.0-only
/*
 * RTCs whose answers a test sets, in debugfs: rtc-fake/0 to rtc-fake/3
 *
 * They run on the time since boot: setting the clock does not move them. The node
 * /rtc-fake-0 and so on is theirs, where the device tree has it.
 */

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/rtc.h>

#define FAKES	4

struct fake {
	struct platform_device *pdev;
	s64 offset;		/* of its time, from the time since boot */
	s64 error;		/* what reading returns */
	s64 errors_left;	/* so often; -1 for ever */
	u64 reads;
	u64 writes;
	u32 delay;		/* of reading and writing, in ms */
	u32 garbage;		/* what it says is spoilt by that, or 0 */
};

static struct fake fakes[FAKES];
static struct dentry *fake_dir;
static DEFINE_MUTEX(fake_lock);

static s64 fake_uptime(void)
{
	return div_s64(ktime_to_ns(ktime_get_boottime()), NSEC_PER_SEC);
}

static struct fake *fake_of(struct device *dev)
{
	return &fakes[to_platform_device(dev)->id];
}

/* One of the fields is whatever the bus gave. */
static void fake_spoil(struct fake *fake, struct rtc_time *tm)
{
	int *const fields[] = {
		&tm->tm_sec, &tm->tm_min, &tm->tm_hour, &tm->tm_mday, &tm->tm_mon, &tm->tm_year,
	};

	fake->garbage = fake->garbage * 1664525 + 1013904223;
	*fields[fake->garbage % ARRAY_SIZE(fields)] = (s32)fake->garbage >> (fake->garbage >> 27);
}

static int fake_read_time(struct device *dev, struct rtc_time *tm)
{
	struct fake *fake = fake_of(dev);

	fake->reads++;
	if (fake->delay)
		msleep(fake->delay);
	if (fake->error && fake->errors_left) {
		if (fake->errors_left > 0)
			fake->errors_left--;
		return fake->error;
	}
	rtc_time64_to_tm(fake->offset + fake_uptime(), tm);
	if (fake->garbage)
		fake_spoil(fake, tm);

	return 0;
}

static int fake_set_time(struct device *dev, struct rtc_time *tm)
{
	struct fake *fake = fake_of(dev);

	if (fake->delay)
		msleep(fake->delay);
	fake->error = 0;
	fake->offset = rtc_tm_to_time64(tm) - fake_uptime();
	fake->writes++;

	return 0;
}

static const struct rtc_class_ops fake_ops = {
	.read_time = fake_read_time,
	.set_time = fake_set_time,
};

static int fake_probe(struct platform_device *pdev)
{
	return PTR_ERR_OR_ZERO(devm_rtc_device_register(&pdev->dev, "rtc-fake",
							&fake_ops, THIS_MODULE));
}

static struct platform_driver fake_driver = {
	.probe = fake_probe,
	.driver = { .name = "rtc-fake" },
};

static int time_get(void *data, u64 *value)
{
	struct fake *fake = data;

	*value = fake->offset + fake_uptime();

	return 0;
}

static int time_set(void *data, u64 value)
{
	struct fake *fake = data;

	fake->offset = value - fake_uptime();

	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(time_fops, time_get, time_set, "%lld\n");

static int error_get(void *data, u64 *value)
{
	struct fake *fake = data;

	*value = fake->error;

	return 0;
}

static int error_set(void *data, u64 value)
{
	struct fake *fake = data;

	fake->errors_left = -1;
	fake->error = value;

	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(error_fops, error_get, error_set, "%lld\n");

static int left_get(void *data, u64 *value)
{
	struct fake *fake = data;

	*value = fake->errors_left;

	return 0;
}

static int left_set(void *data, u64 value)
{
	struct fake *fake = data;

	fake->errors_left = value;

	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(left_fops, left_get, left_set, "%lld\n");

static int present_get(void *data, u64 *value)
{
	struct fake *fake = data;

	*value = !!fake->pdev;

	return 0;
}

static struct platform_device *fake_add(struct fake *fake)
{
	struct platform_device_info info = {
		.name = "rtc-fake",
		.id = fake - fakes,
	};
	struct platform_device *pdev;
	struct device_node *np;
	char path[24];

	snprintf(path, sizeof(path), "/rtc-fake-%d", info.id);
	np = of_find_node_by_path(path);
	info.fwnode = of_fwnode_handle(np);
	pdev = platform_device_register_full(&info);
	of_node_put(np);

	return pdev;
}

static int present_set(void *data, u64 value)
{
	struct platform_device *pdev;
	struct fake *fake = data;
	int ret = 0;

	mutex_lock(&fake_lock);
	if (value && !fake->pdev) {
		pdev = fake_add(fake);
		ret = PTR_ERR_OR_ZERO(pdev);
		if (!ret)
			fake->pdev = pdev;
	} else if (!value && fake->pdev) {
		platform_device_unregister(fake->pdev);
		fake->pdev = NULL;
	}
	mutex_unlock(&fake_lock);

	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(present_fops, present_get, present_set, "%llu\n");

static void __init fake_add_files(struct fake *fake)
{
	struct dentry *dir;
	char name[12];

	snprintf(name, sizeof(name), "%d", (int)(fake - fakes));
	dir = debugfs_create_dir(name, fake_dir);
	debugfs_create_file("time", 0600, dir, fake, &time_fops);
	debugfs_create_file("error", 0600, dir, fake, &error_fops);
	debugfs_create_file("errors_left", 0600, dir, fake, &left_fops);
	debugfs_create_file("present", 0600, dir, fake, &present_fops);
	debugfs_create_u64("reads", 0600, dir, &fake->reads);
	debugfs_create_u64("writes", 0600, dir, &fake->writes);
	debugfs_create_u32("delay", 0600, dir, &fake->delay);
	debugfs_create_u32("garbage", 0600, dir, &fake->garbage);
}

static int __init fake_init(void)
{
	unsigned int i;
	int ret;

	ret = platform_driver_register(&fake_driver);
	if (ret)
		return ret;

	fake_dir = debugfs_create_dir("rtc-fake", NULL);
	for (i = 0; i < FAKES; i++)
		fake_add_files(&fakes[i]);

	return 0;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	unsigned int i;

	debugfs_remove_recursive(fake_dir);
	for (i = 0; i < FAKES; i++)
		present_set(&fakes[i], 0);
	platform_driver_unregister(&fake_driver);
}
module_exit(fake_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("RTCs whose answers a test sets");
MODULE_LICENSE("GPL");
