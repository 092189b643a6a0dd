// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: the module, its parameters and the one work that acts
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/stringify.h>
#include <linux/workqueue.h>

/* Some build systems give a date of long ago where they know none. */
#define SEED_RELEASED	1793491200	/* 2026-11-01 */
#if SEED_BUILD_TIME > SEED_RELEASED
#define SEED_FLOOR	SEED_BUILD_TIME
#else
#define SEED_FLOOR	SEED_RELEASED
#endif

static char *floor;
module_param(floor, charp, 0444);
MODULE_PARM_DESC(floor, "no time is plausible before this: seconds since 1970, or YYYYMMDDhhmmss");

static unsigned int years = SEED_DEFAULT_YEARS;
module_param(years, uint, 0444);
MODULE_PARM_DESC(years, "no time is plausible so many years after the floor (default 20)");

static char *rtc;
module_param(rtc, charp, 0444);
MODULE_PARM_DESC(rtc, "RTCs to prefer, best first, such as \"rtc1,1-0068,rtc-ds1307\"");

static unsigned int wait = 20;
module_param(wait, uint, 0444);
MODULE_PARM_DESC(wait, "seconds to wait for a preferred RTC before others are used (default 20)");

static unsigned int interval = 660;
module_param(interval, uint, 0444);
MODULE_PARM_DESC(interval, "seconds between looks at clock and RTCs (default 660)");

static bool writeback = true;
module_param(writeback, bool, 0444);
MODULE_PARM_DESC(writeback, "set RTCs that are wrong, once NTP disciplines the clock (default Y)");

struct seed seed = {
	.source = "none",
};

/* For all of the above, and for what the other files keep. */
DEFINE_MUTEX(seed_lock);

static struct workqueue_struct *seed_wq;
static struct delayed_work seed_work;
/* So that nothing is queued once it is closed. */
static DEFINE_SPINLOCK(seed_queue_lock);
static bool seed_closed;
static unsigned long seed_started;
static unsigned long seed_saved;
static bool seed_leaving;

static const struct file_operations seed_fops = {
	.owner = THIS_MODULE,
};

static struct miscdevice seed_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = SEED_NAME,
	.fops = &seed_fops,
	.groups = seed_groups,
};

static void seed_queue(unsigned int ms)
{
	unsigned long flags;

	spin_lock_irqsave(&seed_queue_lock, flags);
	if (ms && !seed_closed)
		queue_delayed_work(seed_wq, &seed_work, msecs_to_jiffies(ms));
	else if (!seed_closed)
		mod_delayed_work(seed_wq, &seed_work, 0);
	spin_unlock_irqrestore(&seed_queue_lock, flags);
}

static void seed_queue_close(void)
{
	spin_lock_irq(&seed_queue_lock);
	seed_closed = true;
	spin_unlock_irq(&seed_queue_lock);
	cancel_delayed_work_sync(&seed_work);
}

/**
 * seed_kick() - have a look at once
 */
void seed_kick(void)
{
	seed_queue(0);
}

/**
 * seed_settle() - have a look and wait for its end
 */
void seed_settle(void)
{
	seed_kick();
	flush_delayed_work(&seed_work);
}

/**
 * seed_leave() - save for the last time, and do nothing from then on
 */
void seed_leave(void)
{
	WRITE_ONCE(seed_leaving, true);
	seed_settle();
	seed_queue_close();
}

/**
 * seed_set_floor() - raise the floor
 * @time: the new floor
 *
 * Return: 0 or -ERANGE if nothing above it would be plausible.
 */
int seed_set_floor(time64_t time)
{
	time64_t ceiling = seed_ceiling(time, years, BITS_PER_LONG);

	if (time >= ceiling)
		return -ERANGE;

	if (time > seed.kept.floor) {
		seed.kept.floor = time;
		seed.kept.ceiling = ceiling;
	}
	if (time > seed.window.floor) {
		seed.window = seed.kept;
		seed.remembered = false;
		seed_watch_reread();
	}

	return 0;
}

static void seed_announce(const char *source)
{
	char text[sizeof(seed.source) + 8];
	char *envp[2] = { text };

	snprintf(text, sizeof(text), "SEEDED=%s", source);
	/* Its files are there a moment before it is. */
	if (!IS_ERR_OR_NULL(seed_misc.this_device))
		kobject_uevent_env(&seed_misc.this_device->kobj, KOBJ_CHANGE,
				   envp);
}

/**
 * seed_disciplined() - from now on the clock is right without us
 */
void seed_disciplined(void)
{
	if (seed.owner == SEED_BY_NTP)
		return;

	pr_info("the clock is disciplined: left alone from now on\n");
	seed.owner = SEED_BY_NTP;
	seed_announce("ntp");
}

/**
 * seed_trust() - take it from user space that the clock is right
 */
void seed_trust(void)
{
	mutex_lock(&seed_lock);
	seed_disciplined();
	seed_clock_prove();
	seed_saved = jiffies - msecs_to_jiffies(interval * MSEC_PER_SEC);
	mutex_unlock(&seed_lock);
}

static void seed_set_source(const char *source, bool seeded)
{
	snprintf(seed.source, sizeof(seed.source), "%s", source);
	if (!seeded)
		return;

	seed.seeded = true;
	seed_announce(source);
}

static void seed_take(const struct seed_source *source, time64_t now)
{
	char from[SEED_TIME_TEXT], to[SEED_TIME_TEXT];
	s64 real, boot;

	if (seed_clock_set(source->real, source->boot))
		return;

	seed_clock_now(&real, &boot);
	seed.owner = SEED_BY_US;
	pr_info("the clock is set from %s, %s; it was %s\n", source->name,
		seed_time_print(div_s64(real, NSEC_PER_SEC), to),
		seed_time_print(now, from));
	seed_set_source(source->name, true);
}

static void seed_raise(time64_t now, s64 boot)
{
	char from[SEED_TIME_TEXT], to[SEED_TIME_TEXT];
	time64_t time = seed.window.floor;

	if (seed_clock_set(time * NSEC_PER_SEC, boot))
		return;

	seed.owner = SEED_BY_US;
	pr_info("the clock is set to the floor, %s; it was %s\n",
		seed_time_print(time, to), seed_time_print(now, from));
	seed_set_source(seed.remembered ? "memory" : "floor", false);
}

/* The kernel or others may have set the clock right before, the kernel also later. */
static void seed_confirm(const struct seed_source *source, time64_t apart)
{
	if ((seed.seeded && seed.owner != SEED_BY_NOBODY) ||
	    seed.owner >= SEED_BY_ROOT || apart < -SEED_AGREE || apart > SEED_AGREE)
		return;

	pr_info("the clock is right by %s\n", source->name);
	/* What others have set stays theirs. */
	if (seed.owner == SEED_BY_OTHERS) {
		seed.seeded = true;
		seed_announce(source->name);
		return;
	}
	seed.owner = SEED_BY_US;
	seed_set_source(source->name, true);
}

/* How long to wait for a preferred RTC, in ms. */
static unsigned int seed_patience(void)
{
	unsigned long end = seed_started + msecs_to_jiffies(wait * MSEC_PER_SEC);
	static bool over;
	unsigned long now = jiffies;

	over |= !time_before(now, end);

	return over ? 0 : jiffies_to_msecs(end - now) + 1;
}

/**
 * seed_may_be_set() - whether the kernel may have set the clock
 * @now: the time, in seconds
 *
 * Return: true if that is the time of the RTC that is to be believed, or none
 * is to be believed or awaited, and the clock was not others'.
 */
bool seed_may_be_set(time64_t now)
{
	struct seed_candidate chosen;
	struct seed_source source;

	if (seed.owner == SEED_BY_OTHERS && seed.seeded)
		return false;
	if (!seed_watch_choose(seed_patience(), &source, &chosen))
		return !seed_prefer_wanted();

	return chosen.time >= now - SEED_AGREE && chosen.time <= now + SEED_AGREE;
}

/* Returns the time after which it may look different, in ms. */
static unsigned int seed_apply(void)
{
	unsigned int patience = seed_patience();
	struct seed_situation situation;
	struct seed_candidate chosen;
	struct seed_source source;
	s64 real, boot;
	bool found;

	found = seed_watch_choose(patience, &source, &chosen);
	seed_clock_now(&real, &boot);
	situation.window = seed.window;
	situation.now = div_s64(real, NSEC_PER_SEC);
	situation.owner = seed.owner;
	situation.seeded = seed.seeded;

	switch (seed_decide(&situation, found ? &chosen : NULL)) {
	case SEED_TAKE:
		seed_take(&source, situation.now);
		break;
	case SEED_RAISE:
		seed_raise(situation.now, boot);
		break;
	default:
		if (found)
			seed_confirm(&source, chosen.time - situation.now);
		break;
	}

	return patience && seed_prefer_wanted() ? patience : UINT_MAX;
}

/* Whether the clock is worth to be told to RTCs. */
static bool seed_is_good(void)
{
	s64 real, boot;
	time64_t now;

	seed_clock_now(&real, &boot);
	now = div_s64(real, NSEC_PER_SEC);

	return boot < seed.proven && now >= seed.window.floor &&
	       now <= seed.window.ceiling;
}

/* Returns the time until the next time, in ms. */
static unsigned int seed_save(void)
{
	unsigned long wanted = msecs_to_jiffies(interval * MSEC_PER_SEC);
	unsigned long now = jiffies;
	bool leaving = READ_ONCE(seed_leaving);
	bool due = leaving || time_after_eq(now, seed_saved + wanted);
	unsigned int ms;

	/* First, as the memory may have been ahead. */
	ms = seed_memory_sync(due, leaving);
	if (due && writeback && seed_is_good())
		seed_watch_heal();
	if (due)
		seed_saved = now;

	return min(ms, jiffies_to_msecs(seed_saved + wanted - now) + 1);
}

static void seed_look(struct work_struct *work)
{
	unsigned int ms;

	mutex_lock(&seed_lock);
	if (time_after_eq(jiffies, seed_saved +
			  msecs_to_jiffies(interval * MSEC_PER_SEC)))
		seed_watch_reread();
	ms = seed_watch_read();
	seed_clock_check();
	ms = min(ms, seed_apply());
	ms = min(ms, seed_save());
	mutex_unlock(&seed_lock);

	/* Does nothing where somebody wants it sooner. */
	seed_queue(ms);
}

/* What is wrong is told and not used: the clock needs its seeder all the same. */
static void __init seed_read_params(void)
{
	time64_t time;
	int ret;

	if (!years || years > SEED_MAX_YEARS) {
		pr_err("years=%u is not within 1 to %u: %u is used\n", years,
		       SEED_MAX_YEARS, SEED_DEFAULT_YEARS);
		years = SEED_DEFAULT_YEARS;
	}
	wait = min(wait, 3600U);
	interval = clamp(interval, 1U, 86400U);

	if (seed_set_floor(SEED_FLOOR))
		seed_set_floor(SEED_RELEASED);
	if (floor) {
		ret = seed_time_parse(floor, &time);
		if (!ret)
			ret = seed_set_floor(time);
		if (ret == -ERANGE)
			pr_err("floor=%.64s is after every plausible time: not used\n",
			       floor);
		else if (ret)
			pr_err("floor=%.64s is neither seconds nor YYYYMMDDhhmmss: not used\n",
			       floor);
	}
	if (rtc && seed_prefer_names(rtc))
		pr_err("rtc=%.64s is not a list of at most %u names: not used\n",
		       rtc, SEED_MAX_WANTED);
}

/* The device tree comes first: neither clock nor RTC must be judged without it. */
static int __init seed_start_watching(void)
{
	int ret;

	seed_of_find();
	ret = seed_clock_start();
	if (ret)
		goto drop_node;

	ret = seed_of_register();
	if (ret)
		goto stop_clock;

	ret = seed_watch_start();
	if (ret)
		goto unregister_of;

	return 0;

unregister_of:
	seed_of_unregister();
stop_clock:
	seed_clock_stop();
drop_node:
	seed_of_drop();
	return ret;
}

static void seed_stop_watching(void)
{
	seed_watch_stop();
	seed_of_unregister();
	seed_clock_stop();
	seed_of_drop();
}

static int __init seed_init(void)
{
	int ret;

	seed_read_params();
	seed_started = jiffies;
	seed_saved = jiffies;

	INIT_DELAYED_WORK(&seed_work, seed_look);
	seed_wq = alloc_workqueue(SEED_NAME, WQ_UNBOUND | WQ_HIGHPRI | WQ_FREEZABLE,
				  1);
	if (!seed_wq)
		return -ENOMEM;

	/* Whoever reads one of its files has a look. */
	seed_clock_init();
	ret = misc_register(&seed_misc);
	if (ret)
		goto destroy_wq;

	ret = seed_start_watching();
	if (ret)
		goto deregister_misc;

	seed_power_start();
	seed_settle();

	return 0;

deregister_misc:
	seed_queue_close();
	misc_deregister(&seed_misc);
destroy_wq:
	/* Its files may have been there for a moment, and read. */
	seed_queue_close();
	destroy_workqueue(seed_wq);
	return ret;
}
module_init(seed_init);

static void __exit seed_exit(void)
{
	seed_power_stop();
	seed_stop_watching();
	seed_queue_close();
	misc_deregister(&seed_misc);
	seed_memory_drop();
	destroy_workqueue(seed_wq);
}
module_exit(seed_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("Clock seeder: the clock is never in the past, whatever the RTCs say");
MODULE_LICENSE("GPL");
MODULE_INFO(floor, __stringify(SEED_FLOOR));
