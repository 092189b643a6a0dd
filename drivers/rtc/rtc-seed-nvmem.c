// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: the memory of the last good time
 *
 * For boards without an RTC, in a cell of an nvmem device.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/nvmem-consumer.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#define SEED_MEMORY_RETRY	1000	/* ms */
#define SEED_MEMORY_LATER	3	/* tries later than an RTC would be */
/* What is not worth a write, in seconds: an EEPROM takes only so many. */
#define SEED_MEMORY_STEP	3600
#define SEED_MEMORY_LAST_STEP	10

static struct device *seed_memory_dev;
static bool seed_memory_known;	/* what it held */
static time64_t seed_memory_time;
static unsigned int seed_memory_errors;

/* Until it was read it must not be written: what it holds may be later. */
static int seed_memory_read(struct nvmem_cell *cell)
{
	char text[SEED_TIME_TEXT];
	size_t len;
	u8 *bytes;

	bytes = nvmem_cell_read(cell, &len);
	if (IS_ERR(bytes)) {
		if (!seed_memory_errors++)
			pr_err("memory: cannot be read: error %ld, will be tried again\n",
			       PTR_ERR(bytes));
		return -EAGAIN;
	}
	if (len != SEED_MEMORY_SIZE) {
		pr_err("memory: the cell has %zu bytes, not %d\n", len,
		       SEED_MEMORY_SIZE);
		kfree(bytes);
		return -EINVAL;
	}

	if (!seed_memory_unpack(bytes, &seed_memory_time)) {
		/* Nor does one that was there before count any more. */
		seed_memory_time = 0;
		pr_info("memory: holds no time\n");
	} else {
		pr_info("memory: the last good time is %s\n",
			seed_time_print(seed_memory_time, text));
	}
	kfree(bytes);

	return 0;
}

static void seed_memory_forget(void)
{
	put_device(seed_memory_dev);
	seed_memory_dev = NULL;
}

/* The provider may come late: until then this returns when to try again. */
static unsigned int seed_memory_find(void)
{
	struct seed_window kept = seed.kept;
	struct nvmem_cell *cell;
	int ret;

	if (!seed_memory_dev)
		return UINT_MAX;

	cell = nvmem_cell_get(seed_memory_dev, "time");
	if (PTR_ERR_OR_ZERO(cell) == -EPROBE_DEFER)
		return SEED_MEMORY_RETRY;
	if (IS_ERR(cell)) {
		pr_err("memory: no cell: error %ld\n", PTR_ERR(cell));
		seed_memory_forget();
		return UINT_MAX;
	}

	ret = seed_memory_read(cell);
	nvmem_cell_put(cell);
	if (ret == -EAGAIN)
		return seed_backoff(seed_memory_errors + SEED_MEMORY_LATER);
	if (ret) {
		seed_memory_forget();
		return UINT_MAX;
	}

	seed_memory_known = true;
	if (seed_memory_time <= seed.window.floor)
		return UINT_MAX;
	/* The ceiling rises with it: a clock that goes on from there is not after it. */
	if (seed_memory_time > seed.window.ceiling || seed_set_floor(seed_memory_time)) {
		pr_err("memory: that is after the ceiling: not used\n");
		seed_memory_time = 0;
		return UINT_MAX;
	}
	seed.kept = kept;
	seed.remembered = true;

	/* Look again, with the new floor. */
	return 0;
}

/*
 * Whether a clock before it is right. A rate from a daemon's last run proves nothing,
 * but one that was right once, however long ago, was set back by somebody.
 */
static bool seed_memory_is_refuted(void)
{
	return seed.owner == SEED_BY_ROOT ||
	       (seed.owner == SEED_BY_NTP && seed.proven);
}

/* Who knows better has set the clock to a time before that of the memory. */
static void seed_memory_doubt(time64_t now)
{
	char text[SEED_TIME_TEXT];

	if (!seed.remembered || !seed_memory_is_refuted() ||
	    now >= seed.window.floor || now < seed.kept.floor ||
	    now > seed.kept.ceiling)
		return;

	seed.window = seed.kept;
	seed.remembered = false;
	pr_info("memory: was ahead: the floor is %s again\n",
		seed_time_print(seed.window.floor, text));
	seed_watch_reread();
	seed_kick();
}

/* The cell is not held in between: older kernels let its provider go all the same. */
static void seed_memory_write(time64_t now)
{
	u8 bytes[SEED_MEMORY_SIZE];
	struct nvmem_cell *cell;
	int ret;

	cell = nvmem_cell_get(seed_memory_dev, "time");
	if (IS_ERR(cell))
		return;

	seed_memory_pack(now, bytes);
	ret = nvmem_cell_write(cell, bytes, sizeof(bytes));
	nvmem_cell_put(cell);
	if (ret < 0)
		pr_err("memory: cannot be written: error %d\n", ret);
	else
		seed_memory_time = now;
}

/**
 * seed_memory_sync() - find, read and write the memory
 * @save: whether it is time to write
 * @leaving: whether this is the last time
 *
 * Return: the time after which to try again, in ms; UINT_MAX for never.
 */
unsigned int seed_memory_sync(bool save, bool leaving)
{
	time64_t step = leaving ? SEED_MEMORY_LAST_STEP : SEED_MEMORY_STEP;
	s64 real, boot;
	time64_t now;

	seed_clock_now(&real, &boot);
	now = div_s64(real, NSEC_PER_SEC);
	seed_memory_doubt(now);
	if (!seed_memory_known)
		return seed_memory_find();
	if (!save)
		return UINT_MAX;

	/* Not back by a guess, and not ahead for good by a mistake. */
	if (now > seed.window.ceiling || now < seed.window.floor ||
	    (now < seed_memory_time && !seed_memory_is_refuted()))
		return UINT_MAX;
	if (now >= seed_memory_time && now < seed_memory_time + step)
		return UINT_MAX;
	seed_memory_write(now);

	return UINT_MAX;
}

/**
 * seed_memory_use() - have a memory, if a device has one
 * @dev: the device
 */
void seed_memory_use(struct device *dev)
{
	if (!of_find_property(dev->of_node, "nvmem-cells", NULL))
		return;

	mutex_lock(&seed_lock);
	seed_memory_dev = get_device(dev);
	mutex_unlock(&seed_lock);
}

/**
 * seed_memory_drop() - have no memory any more
 */
void seed_memory_drop(void)
{
	mutex_lock(&seed_lock);
	seed_memory_known = false;
	seed_memory_forget();
	mutex_unlock(&seed_lock);
}
