// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: the system clock, who has set it, and setting it
 *
 * Between steps the clock and the time since boot advance alike, also while NTP
 * slews: so a change of their difference is a step. NTP is recognised by the
 * slew, which the raw hardware clock does not follow.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "rtc-seed.h"

#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/pvclock_gtod.h>
#include <linux/sched.h>
#include <linux/timekeeper_internal.h>
#include <linux/timekeeping.h>

#define SEED_PROOF		(6LL * 3600 * NSEC_PER_SEC)
#define SEED_READINGS		4
/* The longer it is, the more of a slew gets lost in what rounding may do. */
#define SEED_SLEW_WINDOW	(600LL * NSEC_PER_SEC)
#define SEED_STEERED		5	/* rates */

static s64 seed_offset;		/* the clock less the time since boot */
static struct seed_setting seed_set;
static s64 seed_set_offset;	/* as seed_offset, by the kernel */
static unsigned int seed_sets;	/* that there were */
static s64 seed_slew_base;
static s64 seed_slew_since;
static u64 seed_tick;		/* the rate, in ns per tick, shifted */
static unsigned int seed_rates;	/* that there were, with the first */
static bool seed_slewed;	/* by that rate */

/* Reads two clocks as if at once: the tightest of some tries. */
static void seed_read_pair(ktime_t (*outer)(void), ktime_t (*inner)(void),
			   s64 *outer_ns, s64 *inner_ns)
{
	s64 first, middle, last, best = 0;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < SEED_READINGS; i++) {
		local_irq_save(flags);
		first = ktime_to_ns(outer());
		middle = ktime_to_ns(inner());
		last = ktime_to_ns(outer());
		local_irq_restore(flags);
		if (i && last - first >= best)
			continue;
		best = last - first;
		*outer_ns = first + best / 2;
		*inner_ns = middle;
	}
}

static ktime_t seed_get_boottime(void)
{
	return ktime_get_boottime();
}

static ktime_t seed_get_real(void)
{
	return ktime_get_real();
}

/**
 * seed_clock_now() - read the clock
 * @real: where to put its time, in ns since 1970
 * @boot: where to put the time since boot, in ns
 */
void seed_clock_now(s64 *real, s64 *boot)
{
	seed_read_pair(seed_get_boottime, seed_get_real, boot, real);
}

/*
 * How far the two are apart says nothing: on x86 one begins with the time since the
 * CPU's reset. Where HZ does not divide a second, one is ahead by what is cut off.
 */
static s64 seed_clock_slew(s64 *mono)
{
	s64 raw;

	seed_read_pair(ktime_get, ktime_get_raw, mono, &raw);

	return *mono - raw - div_s64(*mono, NSEC_PER_SEC) * (NSEC_PER_SEC % HZ);
}

static void seed_clock_anchor(void)
{
	s64 real, boot;

	seed_clock_now(&real, &boot);
	seed_offset = real - boot;
}

/**
 * seed_clock_set() - set the clock
 * @real: the time that it was, in ns since 1970,
 * @boot: when this was the time since boot, in ns
 *
 * Return: 0 or a negative error code.
 */
int seed_clock_set(s64 real, s64 boot)
{
	unsigned int sets = READ_ONCE(seed_sets);
	struct timespec64 ts;
	s64 old, now;
	int ret;

	seed_clock_now(&old, &now);
	ts = ns_to_timespec64(real + now - boot);
	ret = do_settimeofday64(&ts);
	if (ret) {
		pr_err("the clock cannot be set: error %d\n", ret);
		return ret;
	}
	seed_clock_anchor();
	/* By others meanwhile: that is a step, if they were the last. */
	if (READ_ONCE(seed_sets) - sets > 1)
		seed_offset = real - boot;

	return 0;
}

/**
 * seed_clock_prove() - the clock is known to be right, for some hours
 */
void seed_clock_prove(void)
{
	seed.proven = ktime_to_ns(ktime_get_boottime()) + SEED_PROOF;
}

/*
 * A daemon may set the rate that it remembers from its last run when it starts,
 * long before it knows the time. When it does, it steers: the rate changes.
 */
static bool seed_clock_is_steered(void)
{
	return READ_ONCE(seed_rates) >= SEED_STEERED;
}

static void seed_clock_check_slew(void)
{
	static unsigned int proof;
	unsigned int rates;
	s64 mono, slew;
	bool slewed;

	rates = READ_ONCE(seed_rates);
	slew = seed_clock_slew(&mono);
	slewed = seed_is_slewed(slew - seed_slew_base, mono - seed_slew_since);
	/* A clock at our guess is nobody's: who knows better sets it first. */
	if (slewed && seed_clock_is_steered() &&
	    (seed.seeded || seed.owner != SEED_BY_US)) {
		seed_disciplined();
		/* A daemon that has lost its servers steers no more. */
		if (rates != proof)
			seed_clock_prove();
		proof = rates;
	}

	if (mono - seed_slew_since > SEED_SLEW_WINDOW) {
		seed_slew_base = slew;
		seed_slew_since = mono;
	}
}

static void seed_clock_undo(s64 offset, s64 real, s64 boot)
{
	char wrong[SEED_TIME_TEXT], right[SEED_TIME_TEXT];

	/* Where that fails it is not a new step each time. */
	seed_offset = real - boot;
	if (seed_clock_set(boot + offset, boot))
		return;
	seed.counter[SEED_COUNT_REWINDS]++;
	pr_warn("the kernel had set the clock to %s: put back to %s\n",
		seed_time_print(div_s64(real, NSEC_PER_SEC), wrong),
		seed_time_print(div_s64(boot + offset, NSEC_PER_SEC), right));
}

static void seed_clock_other(enum seed_owner owner, s64 real)
{
	char text[SEED_TIME_TEXT];

	if (seed.owner < owner)
		seed.owner = owner;
	snprintf(seed.source, sizeof(seed.source), "other");
	pr_info("the clock was set %s, to %s, by others\n",
		owner == SEED_BY_ROOT ? "back" : "forward",
		seed_time_print(div_s64(real, NSEC_PER_SEC), text));
}

/**
 * seed_clock_check() - see whether somebody else has set the clock
 *
 * If that was hctosys, and to a wrong time, it is undone.
 */
void seed_clock_check(void)
{
	s64 real, boot, offset = seed_offset;
	enum seed_setter setter = SEED_SET_BY_OTHERS;

	seed_clock_check_slew();

	if (seed_watch_hctosys(&real, &boot, &seed_set, &offset))
		setter = seed_may_be_set(div_s64(real, NSEC_PER_SEC)) ?
			 SEED_SET_BY_KERNEL : SEED_SET_BY_KERNEL_AMISS;
	switch (seed_judge_step(&seed.window, seed.owner, boot + offset, real,
				setter)) {
	case SEED_STEP_UNDO:
		seed_clock_undo(offset, real, boot);
		return;
	case SEED_STEP_KERNEL:
		/* A guess of others has been replaced, not confirmed. */
		if (real - boot - offset > SEED_AGREE * NSEC_PER_SEC)
			seed.owner = SEED_BY_NOBODY;
		break;
	case SEED_STEP_FORWARD:
		seed_clock_other(SEED_BY_OTHERS, real);
		break;
	case SEED_STEP_BACK:
		seed_clock_other(SEED_BY_ROOT, real);
		break;
	default:
		break;
	}
	seed_offset = real - boot;
}

static void seed_clock_was_set(struct irq_work *work)
{
	seed_kick();
}

static struct irq_work seed_irq_work;

static void seed_clock_note(const struct timekeeper *tk)
{
	s64 offset = ktime_to_ns(ktime_sub(tk->offs_real, tk->offs_boot));

	/* A new clocksource is told like a new time. */
	if (offset == seed_set_offset)
		return;

	/* An RTC that answers slowly keeps the work from looking at once. */
	seed_set_offset = offset;
	WRITE_ONCE(seed_sets, seed_sets + 1);
	WRITE_ONCE(seed_set.booting, system_state < SYSTEM_RUNNING);
	WRITE_ONCE(seed_set.by, task_pid_nr(current));
	WRITE_ONCE(seed_set.at, jiffies);
}

/*
 * Called at every tick, too. The clock is being written to meanwhile: even a work
 * cannot be queued from here.
 */
static int seed_clock_updated(struct notifier_block *nb, unsigned long was_set,
			      void *data)
{
	const struct timekeeper *tk = data;

	if (tk->ntp_tick != seed_tick) {
		seed_tick = tk->ntp_tick;
		WRITE_ONCE(seed_slewed, seed_tick_is_slewed(seed_tick));
		WRITE_ONCE(seed_rates, seed_rates + 1);
	}
	if (was_set) {
		seed_clock_note(tk);
		irq_work_queue(&seed_irq_work);
	}

	return NOTIFY_OK;
}

static struct notifier_block seed_clock_nb = {
	.notifier_call = seed_clock_updated,
};

/**
 * seed_clock_init() - learn how the clock stands
 *
 * From now on a step is seen, as soon as somebody has a look.
 */
void seed_clock_init(void)
{
	init_irq_work(&seed_irq_work, seed_clock_was_set);
	seed_set.at = jiffies;
	seed_clock_anchor();
	seed_slew_base = seed_clock_slew(&seed_slew_since);
}

/**
 * seed_clock_start() - watch the clock
 *
 * Return: 0 or a negative error code.
 */
int seed_clock_start(void)
{
	s64 real, boot;
	time64_t now;
	int ret;

	/* This also tells the rate. */
	ret = pvclock_gtod_register_notifier(&seed_clock_nb);
	if (ret)
		return ret;

	mutex_lock(&seed_lock);
	seed_clock_now(&real, &boot);
	now = div_s64(real, NSEC_PER_SEC);
	/* It may be at the floor already, by whoever has had a look. */
	if (READ_ONCE(seed_slewed) && seed.owner == SEED_BY_NOBODY &&
	    now >= seed.window.floor && now <= seed.window.ceiling)
		seed_disciplined();
	mutex_unlock(&seed_lock);

	return 0;
}

/**
 * seed_clock_stop() - watch the clock no more
 */
void seed_clock_stop(void)
{
	pvclock_gtod_unregister_notifier(&seed_clock_nb);
	irq_work_sync(&seed_irq_work);
}
