// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: which RTCs are there, what they say, writing to them
 *
 * seed_rtcs_lock is a leaf: no RTC is touched while it is held, as an RTC that
 * goes away is reported with its ops_lock held. The work takes a reference to the
 * one RTC that it asks; the RTC core refuses when that has gone meanwhile.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "rtc-seed.h"

#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rtc.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#ifdef CONFIG_RTC_HCTOSYS_DEVICE
#define SEED_HCTOSYS		CONFIG_RTC_HCTOSYS_DEVICE
#else
#define SEED_HCTOSYS		""
#endif

#define SEED_REGISTERING	HZ	/* hctosys has done its work by then */
#define SEED_NO_OFFSET		S64_MIN
#define SEED_PATIENT_TRIES	5	/* an RTC that has erred so often is not waited for */

struct seed_rtc {
	struct list_head node;
	struct rtc_device *rtc;
	s64 offset;		/* of the clock when it came, until the next look */
	unsigned long added;	/* in jiffies, */
	pid_t by;		/* or 0 where that is not known */
	bool registering;
	bool due;
	bool refused;		/* to be set, and that is told */
	unsigned int tries;
	unsigned long next;	/* try, in jiffies */
	enum seed_verdict verdict;
	struct seed_source answer;
};

static DEFINE_MUTEX(seed_rtcs_lock);
static LIST_HEAD(seed_rtcs);
static struct task_struct *seed_replayer;

/* An RTC has gone again before anybody looked at what hctosys did. */
static bool seed_gone;
static unsigned long seed_gone_until;	/* it may have done it, in jiffies */
static pid_t seed_gone_by;
static s64 seed_gone_offset = SEED_NO_OFFSET;

static const char * const seed_verdict_text[SEED_VERDICTS] = {
	[SEED_GOOD] = "is plausible",
	[SEED_PAST] = "is before the floor: passed over",
	[SEED_FUTURE] = "is after the ceiling: passed over",
};

static struct seed_rtc *seed_rtc_find(const struct rtc_device *rtc)
{
	struct seed_rtc *entry;

	list_for_each_entry(entry, &seed_rtcs, node)
		if (entry->rtc == rtc)
			return entry;

	return NULL;
}

static struct rtc_device *seed_rtc_pin_due(unsigned long now)
{
	struct rtc_device *rtc = NULL;
	struct seed_rtc *entry;

	mutex_lock(&seed_rtcs_lock);
	list_for_each_entry(entry, &seed_rtcs, node) {
		if (!entry->due &&
		    (seed_judge_final(entry->verdict) ||
		     time_before(now, entry->next)))
			continue;
		rtc = entry->rtc;
		get_device(&rtc->dev);
		break;
	}
	mutex_unlock(&seed_rtcs_lock);

	return rtc;
}

static void seed_rtc_tell(struct seed_rtc *entry, int err)
{
	static const u8 counter[SEED_VERDICTS] = {
		[SEED_INVALID] = SEED_COUNT_INVALID,
		[SEED_ERROR] = SEED_COUNT_ERROR,
		[SEED_PAST] = SEED_COUNT_PAST,
		[SEED_FUTURE] = SEED_COUNT_FUTURE,
	};
	char text[SEED_TIME_TEXT];

	if (entry->verdict != SEED_GOOD)
		seed.counter[counter[entry->verdict]]++;

	switch (entry->verdict) {
	case SEED_INVALID:
		pr_info("%s: has lost its time (error %d): passed over\n",
			entry->answer.name, err);
		break;
	case SEED_ERROR:
		pr_info("%s: cannot be read: error %d, will be tried again\n",
			entry->answer.name, err);
		break;
	default:
		pr_info("%s: %s %s\n", entry->answer.name,
			seed_time_print(div_s64(entry->answer.real, NSEC_PER_SEC),
					text),
			seed_verdict_text[entry->verdict]);
		break;
	}
}

static void seed_rtc_note(struct seed_rtc *entry, int err, time64_t time, s64 boot)
{
	enum seed_verdict before = entry->verdict;

	entry->verdict = seed_judge(&seed.window, err, time);
	entry->answer.real = seed_rtc_ns(time);
	entry->answer.boot = boot;
	entry->due = false;
	entry->tries = entry->verdict == SEED_ERROR ? entry->tries + 1 : 0;
	entry->next = jiffies + msecs_to_jiffies(seed_backoff(entry->tries));
	if (entry->verdict != before)
		seed_rtc_tell(entry, err);
}

static void seed_rtc_ask(struct rtc_device *rtc)
{
	struct seed_rtc *entry;
	time64_t time;
	s64 boot;
	int err;

	err = seed_rtc_read(rtc, &time, &boot);

	mutex_lock(&seed_rtcs_lock);
	entry = seed_rtc_find(rtc);
	if (entry)
		seed_rtc_note(entry, err, time, boot);
	mutex_unlock(&seed_rtcs_lock);
}

/**
 * seed_watch_read() - ask each RTC whose answer is due
 *
 * Return: the time until the next one is due, in ms; UINT_MAX for never.
 */
unsigned int seed_watch_read(void)
{
	unsigned long now = jiffies;
	unsigned int ms = UINT_MAX;
	struct seed_rtc *entry;
	struct rtc_device *rtc;

	/* One that is due again while others are asked is so in the next look. */
	while ((rtc = seed_rtc_pin_due(now))) {
		seed_rtc_ask(rtc);
		put_device(&rtc->dev);
	}

	now = jiffies;
	mutex_lock(&seed_rtcs_lock);
	list_for_each_entry(entry, &seed_rtcs, node)
		if (!seed_judge_final(entry->verdict))
			ms = min(ms, time_after(entry->next, now) ?
				 jiffies_to_msecs(entry->next - now) : 1);
	mutex_unlock(&seed_rtcs_lock);

	return ms;
}

/**
 * seed_watch_reread() - have each RTC asked again
 */
void seed_watch_reread(void)
{
	struct seed_rtc *entry;

	mutex_lock(&seed_rtcs_lock);
	list_for_each_entry(entry, &seed_rtcs, node)
		entry->due = true;
	mutex_unlock(&seed_rtcs_lock);
}

static struct seed_rtc *seed_rtc_by_rank(unsigned int rank)
{
	struct seed_rtc *entry;

	list_for_each_entry(entry, &seed_rtcs, node)
		if (seed_prefer_rank(&entry->rtc->dev) == rank)
			return entry;

	return NULL;
}

/* The best rank of an RTC that may still come, or answer. */
static unsigned int seed_awaited(bool patient)
{
	static bool told;
	unsigned int rank, awaited = SEED_UNRANKED;
	struct seed_rtc *entry;

	for (rank = 0; rank < seed_prefer_wanted(); rank++) {
		entry = seed_rtc_by_rank(rank);
		if (entry && (seed_judge_final(entry->verdict) ||
			      entry->tries >= SEED_PATIENT_TRIES))
			continue;
		if (patient)
			awaited = min(awaited, rank);
		else if (!entry && !told)
			pr_warn("%s: is no RTC, or its driver is not there\n",
				seed_prefer_text(rank));
	}
	told |= !patient;

	return awaited;
}

/**
 * seed_watch_choose() - choose an RTC
 * @patient: whether to wait for one that is preferred
 * @source: where to put its answer
 * @chosen: where to put how it compares
 *
 * Return: true if there is one to choose.
 */
bool seed_watch_choose(bool patient, struct seed_source *source,
		       struct seed_candidate *chosen)
{
	struct seed_candidate candidates[SEED_MAX_RTCS];
	struct seed_rtc *entry, *entries[SEED_MAX_RTCS];
	unsigned int n = 0;
	s64 real, boot;
	int best;

	mutex_lock(&seed_rtcs_lock);
	seed_clock_now(&real, &boot);
	list_for_each_entry(entry, &seed_rtcs, node) {
		if (n == SEED_MAX_RTCS)
			break;
		candidates[n].verdict = entry->verdict;
		candidates[n].rank = seed_prefer_rank(&entry->rtc->dev);
		candidates[n].time = div_s64(entry->answer.real + boot -
					     entry->answer.boot, NSEC_PER_SEC);
		entries[n++] = entry;
	}
	best = seed_choose(candidates, n, seed_awaited(patient));
	if (best >= 0) {
		*source = entries[best]->answer;
		*chosen = candidates[best];
	}
	mutex_unlock(&seed_rtcs_lock);

	return best >= 0;
}

static bool seed_rtc_is_registering(struct seed_rtc *entry, unsigned long when)
{
	if (entry->registering &&
	    !time_before(when, entry->added + SEED_REGISTERING))
		entry->registering = seed_rtc_is_locked(entry->rtc);

	return entry->registering;
}

static bool seed_rtc_may_hctosys(struct seed_rtc *entry, const struct seed_setting *set)
{
	if (strcmp(entry->answer.name, SEED_HCTOSYS))
		return false;

	/* Old kernels do it once, when all that is built in is there. */
	return set->booting || ((!entry->by || entry->by == set->by) &&
				seed_rtc_is_registering(entry, set->at));
}

/* One that cannot be read now could be read by the kernel then. */
static bool seed_rtc_says(const struct seed_rtc *entry, s64 offset)
{
	s64 apart = offset - entry->answer.real + entry->answer.boot;

	return !seed_judge_final(entry->verdict) ||
	       entry->verdict == SEED_INVALID ||
	       (apart > -SEED_AGREE * NSEC_PER_SEC &&
		apart < SEED_AGREE * NSEC_PER_SEC);
}

/**
 * seed_watch_hctosys() - whether the kernel set the clock from a new RTC
 * @real: where to put the clock, in ns
 * @boot: where to put the time since boot, in ns
 * @last: the last setting of the clock
 * @offset: the difference between them that was right before; may be raised
 *
 * Return: true if so.
 */
bool seed_watch_hctosys(s64 *real, s64 *boot, const struct seed_setting *last,
			s64 *offset)
{
	struct seed_setting set;
	struct seed_rtc *entry;
	bool hctosys;

	mutex_lock(&seed_rtcs_lock);
	/* Locked: no RTC that has set it goes between this and the look at seed_gone. */
	seed_clock_now(real, boot);
	set.at = READ_ONCE(last->at);
	set.by = READ_ONCE(last->by);
	set.booting = READ_ONCE(last->booting);
	hctosys = seed_gone && time_before(set.at, seed_gone_until) &&
		  (!seed_gone_by || seed_gone_by == set.by);
	if (hctosys)
		*offset = max(*offset, seed_gone_offset);
	seed_gone = false;
	seed_gone_offset = SEED_NO_OFFSET;

	list_for_each_entry(entry, &seed_rtcs, node) {
		if (seed_rtc_may_hctosys(entry, &set) &&
		    seed_rtc_says(entry, *real - *boot)) {
			hctosys = true;
			*offset = max(*offset, entry->offset);
		}
		entry->offset = SEED_NO_OFFSET;
	}
	mutex_unlock(&seed_rtcs_lock);

	return hctosys;
}

static void seed_rtc_refused(struct rtc_device *rtc, int err)
{
	struct seed_rtc *entry;

	mutex_lock(&seed_rtcs_lock);
	entry = seed_rtc_find(rtc);
	if (entry && !entry->refused) {
		entry->refused = true;
		pr_info("%s: cannot be set: error %d\n", entry->answer.name, err);
	}
	mutex_unlock(&seed_rtcs_lock);
}

static void seed_rtc_heal(struct rtc_device *rtc)
{
	char text[SEED_TIME_TEXT];
	struct rtc_time tm;
	time64_t time;
	s64 real, boot;
	int err;

	err = seed_rtc_read(rtc, &time, &boot);
	seed_clock_now(&real, &boot);
	if (err == -ENODEV || seed_rtc_is_right(err, time, real))
		return;

	time = div_s64(real + SEED_HALF_SECOND, NSEC_PER_SEC);
	rtc_time64_to_tm(time, &tm);
	err = rtc_set_time(rtc, &tm);
	flush_work(&rtc->irqwork);	/* before 5.15 it is freed with that queued */
	if (err) {
		seed_rtc_refused(rtc, err);
		return;
	}
	seed.counter[SEED_COUNT_HEALED]++;
	pr_info("%s: set to %s\n", dev_name(&rtc->dev), seed_time_print(time, text));
	seed_rtc_ask(rtc);
}

/**
 * seed_watch_heal() - give the clock's time to each RTC that has another
 */
void seed_watch_heal(void)
{
	struct rtc_device *rtcs[SEED_MAX_RTCS];
	struct device *parent;
	struct seed_rtc *entry;
	unsigned int i, n = 0;

	mutex_lock(&seed_rtcs_lock);
	list_for_each_entry(entry, &seed_rtcs, node)
		if (n < SEED_MAX_RTCS) {
			/* rtc_set_time() uses the parent also when that is gone. */
			get_device(entry->rtc->dev.parent);
			rtcs[n++] = to_rtc_device(get_device(&entry->rtc->dev));
		}
	mutex_unlock(&seed_rtcs_lock);

	for (i = 0; i < n; i++) {
		parent = rtcs[i]->dev.parent;
		seed_rtc_heal(rtcs[i]);
		put_device(&rtcs[i]->dev);
		put_device(parent);
	}
}

/* Runs in the middle of the registration of an RTC, before hctosys. */
static int seed_rtc_added(struct device *dev)
{
	struct seed_rtc *entry;
	s64 real, boot;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;

	seed_clock_now(&real, &boot);
	entry->rtc = to_rtc_device(dev);
	entry->offset = real - boot;
	entry->added = jiffies;
	entry->by = current == seed_replayer ? 0 : task_pid_nr(current);
	entry->next = jiffies;
	entry->due = true;	/* also in a look that has begun */
	/* One of those that are there at load may be in the middle of it, too. */
	entry->registering = current != seed_replayer ||
			     seed_rtc_is_locked(entry->rtc);
	snprintf(entry->answer.name, sizeof(entry->answer.name), "%s",
		 dev_name(dev));

	mutex_lock(&seed_rtcs_lock);
	list_add_tail(&entry->node, &seed_rtcs);
	mutex_unlock(&seed_rtcs_lock);

	seed_kick();

	return 0;
}

static void seed_rtc_removed(struct device *dev)
{
	struct seed_setting set = {};
	struct seed_rtc *entry;

	mutex_lock(&seed_rtcs_lock);
	entry = seed_rtc_find(to_rtc_device(dev));
	if (entry) {
		list_del(&entry->node);
		set.at = entry->added;
		set.by = entry->by;
		if (seed_rtc_may_hctosys(entry, &set)) {
			seed_gone = true;
			seed_gone_by = entry->by;
			seed_gone_until = entry->added + SEED_REGISTERING;
			seed_gone_offset = max(seed_gone_offset, entry->offset);
		}
	}
	mutex_unlock(&seed_rtcs_lock);
	kfree(entry);

	seed_kick();
}

static struct class_interface seed_interface = {
	.add_dev = seed_rtc_added,
	.remove_dev = seed_rtc_removed,
};

/**
 * seed_watch_start() - watch RTCs come and go
 *
 * Return: 0 or a negative error code.
 */
int seed_watch_start(void)
{
	int ret;

	ret = seed_class_find(&seed_interface);
	if (ret)
		return ret;

	seed_replayer = current;
	ret = class_interface_register(&seed_interface);
	seed_replayer = NULL;

	return ret;
}

/**
 * seed_watch_stop() - forget all RTCs
 */
void seed_watch_stop(void)
{
	class_interface_unregister(&seed_interface);
}
