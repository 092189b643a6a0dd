// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: what its targets show, and for how long
 *
 * Whatever writes to the identify LED, or a schedule, starts a session: the
 * targets are borrowed. When nothing wants them any more they are given back.
 * The state below changes under its spinlock, from any context; all that sleeps
 * is done by one work.
 */

#include "leds-identify.h"

#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/leds.h>
#include <linux/math64.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/* How long a schedule waits for LEDs that cannot be had. */
#define IDENTIFY_PATIENCE (HZ / 4)

static struct {
	spinlock_t lock;	/* for all up to the timer */
	bool session;		/* the targets are wanted */
	bool fresh;		/* the work has not seen this session yet */
	bool again;		/* the work is to run at once */
	bool closing;
	bool on;		/* what the targets show */
	unsigned int full;	/* enough for all that have been targets */
	struct task_struct *output;	/* who sets them, now */
	bool writer;		/* something has written in this session */
	unsigned int level;	/* last written */
	unsigned long written;	/* when, in jiffies */
	unsigned int hold;	/* ms */
	bool running;		/* the schedule */
	unsigned int starting;	/* seconds; it waits for the targets */
	unsigned long patience;	/* until when, in jiffies */
	ktime_t start;
	ktime_t end;
	struct identify_pattern pattern;
	struct hrtimer timer;
	struct workqueue_struct *wq;
	struct delayed_work work;
	bool active;		/* as told to user space; only for the work */
} identify = {
	.lock = __SPIN_LOCK_UNLOCKED(identify.lock),
	.hold = IDENTIFY_DEFAULT_HOLD,
	.pattern = { .steps = 2, .ms = { 200, 200 } },
};

/* All functions down to identify_timer() are called with identify.lock held. */

/* Not twice: from 7.2 on what the last has not reached is not cut down to its maximum. */
static void identify_output(bool on)
{
	if (identify.on == on)
		return;
	identify.on = on;
	WRITE_ONCE(identify.output, current);
	led_trigger_event(&identify_trigger, on ? identify.full : LED_OFF);
	WRITE_ONCE(identify.output, NULL);
}

static bool identify_writer_is_active(unsigned long now)
{
	const struct led_trigger *trigger = READ_ONCE(identify_cdev.trigger);

	if (!identify.writer)
		return false;

	/*
	 * A trigger may be silent for long: it stays until it is removed. Ours stays as
	 * well before 4.19, where it cannot refuse, and writes nothing.
	 */
	return (trigger && trigger != &identify_trigger) ||
	       identify_hold_left(identify.written, identify.hold, now);
}

/* At once, and once more where it is running. */
static void identify_look(void)
{
	if (identify.closing)
		return;

	identify.again = true;
	mod_delayed_work(identify.wq, &identify.work, 0);
}

static void identify_begin(void)
{
	if (identify.session)
		return;

	identify.session = true;
	identify.fresh = true;
	identify_look();
}

static void identify_finish(void)
{
	identify.running = false;
	identify.starting = 0;
	identify_output(identify_writer_is_active(jiffies) && identify.level);
	identify_look();
}

static void identify_step(void)
{
	ktime_t now = ktime_get(), edge;
	u64 next;
	bool on;

	if (!ktime_before(now, identify.end)) {
		identify_finish();
		return;
	}

	on = identify_pattern_at(&identify.pattern,
				 ktime_to_ns(ktime_sub(now, identify.start)),
				 &next);
	identify_output(on);

	edge = ktime_add_ns(identify.start, next);
	if (ktime_after(edge, identify.end))
		edge = identify.end;
	hrtimer_start(&identify.timer, edge, HRTIMER_MODE_ABS);
}

static void identify_start(unsigned int seconds)
{
	identify.start = ktime_get();
	identify.end = ktime_add_ns(identify.start, (u64)seconds * NSEC_PER_SEC);
	identify_step();
}

static enum hrtimer_restart identify_timer(struct hrtimer *timer)
{
	unsigned long flags;

	/* Who held the lock may have been stopped. */
	if (READ_ONCE(identify_panicked))
		return HRTIMER_NORESTART;

	spin_lock_irqsave(&identify.lock, flags);
	if (identify.running && !identify.starting)
		identify_step();
	spin_unlock_irqrestore(&identify.lock, flags);

	/* If there is a next edge, it has been started under the lock. */
	return HRTIMER_NORESTART;
}

/**
 * identify_brightness_set() - something writes to the identify LED
 * @cdev: the identify LED
 * @level: the level
 */
void identify_brightness_set(struct led_classdev *cdev,
			     enum led_brightness level)
{
	unsigned long flags;

	/* By our trigger, before the kernel has refused it, or that of a target. */
	if (READ_ONCE(identify_panicked) ||
	    READ_ONCE(identify.output) == current)
		return;

	spin_lock_irqsave(&identify.lock, flags);
	identify.level = level;
	if (!identify.closing && (level || identify.session)) {
		identify.writer = true;
		identify.written = jiffies;
		if (!identify.running)
			identify_output(level);
		identify_begin();
		/* No-op while it is pending: it looks at the time itself. */
		queue_delayed_work(identify.wq, &identify.work,
				   msecs_to_jiffies(identify.hold) + 2);
	}
	spin_unlock_irqrestore(&identify.lock, flags);
}

/**
 * identify_brightness_get() - what was last written
 * @cdev: the identify LED
 *
 * Return: the level; 0 after the end of a session.
 */
enum led_brightness identify_brightness_get(struct led_classdev *cdev)
{
	return READ_ONCE(identify.level);
}

/**
 * identify_activate() - our trigger is attached to an LED
 * @cdev: the LED
 *
 * Return: 0 or -ELOOP if it is the identify LED.
 */
int identify_activate(struct led_classdev *cdev)
{
	unsigned long flags;

	if (identify_is_self(cdev))
		return -ELOOP;

	spin_lock_irqsave(&identify.lock, flags);
	identify.full = max_t(unsigned int, identify.full, cdev->max_brightness);
	WRITE_ONCE(identify.output, current);
	led_set_brightness(cdev, identify.on ? cdev->max_brightness : LED_OFF);
	WRITE_ONCE(identify.output, NULL);
	spin_unlock_irqrestore(&identify.lock, flags);

	return 0;
}

/* Ends the session if nothing wants it; returns when to look again. */
static unsigned long identify_update(bool *session, bool *fresh)
{
	unsigned long delay = 0, now;

	spin_lock_irq(&identify.lock);
	/* Once: what still counts here has to have some time left below. */
	now = jiffies;
	identify.again = false;
	if (identify.session && !identify.running && !identify_writer_is_active(now)) {
		identify.session = false;
		identify.writer = false;
		identify.level = 0;
		identify_output(false);
	}
	/* A trigger that is silent for longer writes 0 when it is removed. */
	if (identify.session && identify.writer)
		delay = identify_hold_left(identify.written, identify.hold, now);
	*session = identify.session;
	*fresh = identify.fresh;
	identify.fresh = false;
	spin_unlock_irq(&identify.lock);

	return delay;
}

static void identify_requeue(unsigned long delay, unsigned int retry)
{
	spin_lock_irq(&identify.lock);
	/* Not where it is to run at once, which somebody waits for. */
	if (!identify.closing && !identify.again && (retry || delay))
		mod_delayed_work(identify.wq, &identify.work,
				 min_not_zero(delay, msecs_to_jiffies(retry)));
	spin_unlock_irq(&identify.lock);
}

/*
 * To borrow an LED takes as long as its trigger needs to let go: the first
 * blink must not be cut short by that.
 */
static void identify_start_pending(bool ready)
{
	unsigned int seconds;

	spin_lock_irq(&identify.lock);
	seconds = identify.starting;
	if (seconds && (ready || time_after(jiffies, identify.patience))) {
		identify.starting = 0;
		identify_start(seconds);
	}
	spin_unlock_irq(&identify.lock);
}

static void identify_work(struct work_struct *work)
{
	unsigned long delay;
	bool session, fresh, active;
	unsigned int retry;

	delay = identify_update(&session, &fresh);
	retry = identify_targets_sync(session, fresh);
	identify_start_pending(!retry);

	active = session || identify_targets_borrowed();
	if (active != identify.active) {
		WRITE_ONCE(identify.active, active);
		identify_tell_active();
	}

	identify_requeue(delay, retry);
}

/**
 * identify_kick() - look at the targets again, if there is a session
 */
void identify_kick(void)
{
	spin_lock_irq(&identify.lock);
	if (identify.session)
		identify_look();
	spin_unlock_irq(&identify.lock);
}

/**
 * identify_settle() - wait until the targets are what they should be
 *
 * Short of those that are busy: they are tried again later.
 */
void identify_settle(void)
{
	flush_delayed_work(&identify.work);
}

/**
 * identify_run() - blink by ourselves
 * @seconds: for how long from now on; 0 to stop
 *
 * Goes on where it was and ends at the later of both ends if it blinks already,
 * otherwise begins when the targets have been borrowed.
 *
 * Return: 0 or -ENODEV if the module is being unloaded.
 */
int identify_run(unsigned int seconds)
{
	ktime_t end;
	int ret = 0;

	spin_lock_irq(&identify.lock);
	if (identify.closing) {
		ret = -ENODEV;
	} else if (!seconds) {
		hrtimer_try_to_cancel(&identify.timer);
		if (identify.running)
			identify_finish();
	} else if (identify.starting) {
		identify.starting = max(identify.starting, seconds);
	} else if (identify.running) {
		end = ktime_add_ns(ktime_get(), (u64)seconds * NSEC_PER_SEC);
		if (ktime_after(end, identify.end))
			identify.end = end;
		identify_step();
	} else if (identify.session) {
		identify.running = true;
		identify_start(seconds);
	} else {
		identify.running = true;
		identify.starting = seconds;
		identify.patience = jiffies + IDENTIFY_PATIENCE;
		identify_begin();
	}
	spin_unlock_irq(&identify.lock);

	return ret;
}

/**
 * identify_seconds_left() - how long we still blink
 *
 * Return: whole seconds, rounded up; 0 if we do not.
 */
unsigned int identify_seconds_left(void)
{
	s64 left = 0;

	spin_lock_irq(&identify.lock);
	if (identify.starting)
		left = (s64)identify.starting * NSEC_PER_SEC;
	else if (identify.running)
		left = ktime_to_ns(ktime_sub(identify.end, ktime_get()));
	spin_unlock_irq(&identify.lock);

	return left > 0 ? div_u64(left + NSEC_PER_SEC - 1, NSEC_PER_SEC) : 0;
}

/**
 * identify_set_pattern() - choose how to blink
 * @pattern: the pattern; if we blink, it starts now
 *
 * Return: 0 or -ENODEV if the module is being unloaded.
 */
int identify_set_pattern(const struct identify_pattern *pattern)
{
	int ret = 0;

	spin_lock_irq(&identify.lock);
	if (identify.closing) {
		ret = -ENODEV;
	} else {
		identify.pattern = *pattern;
		identify.start = ktime_get();
		if (identify.running && !identify.starting)
			identify_step();
	}
	spin_unlock_irq(&identify.lock);

	return ret;
}

/**
 * identify_get_pattern() - read how we blink
 * @pattern: filled with the pattern
 */
void identify_get_pattern(struct identify_pattern *pattern)
{
	spin_lock_irq(&identify.lock);
	*pattern = identify.pattern;
	spin_unlock_irq(&identify.lock);
}

/**
 * identify_set_hold() - choose when a writer counts as gone
 * @ms: time after the last write
 *
 * Return: 0 or -ERANGE.
 */
int identify_set_hold(unsigned int ms)
{
	if (ms < IDENTIFY_MIN_HOLD || ms > IDENTIFY_MAX_HOLD)
		return -ERANGE;

	spin_lock_irq(&identify.lock);
	identify.hold = ms;
	spin_unlock_irq(&identify.lock);
	identify_kick();

	return 0;
}

/**
 * identify_get_hold() - read when a writer counts as gone
 *
 * Return: the time in ms.
 */
unsigned int identify_get_hold(void)
{
	return READ_ONCE(identify.hold);
}

/**
 * identify_is_active() - whether targets are wanted, or still borrowed
 *
 * Return: true if so.
 */
bool identify_is_active(void)
{
	return READ_ONCE(identify.session) || READ_ONCE(identify.active);
}

/**
 * identify_open() - get ready, before anything can write
 *
 * The work is frozen while devices sleep: what is written to an LED whose bus is
 * asleep may be lost.
 *
 * Return: 0 or -ENOMEM.
 */
int identify_open(void)
{
	identify.wq = alloc_workqueue("leds-identify",
				      WQ_HIGHPRI | WQ_FREEZABLE | WQ_UNBOUND, 1);
	if (!identify.wq)
		return -ENOMEM;

	hrtimer_setup(&identify.timer, identify_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS);
	INIT_DELAYED_WORK(&identify.work, identify_work);

	return 0;
}

/**
 * identify_close() - start nothing any more and give everything back
 */
void identify_close(void)
{
	unsigned int ms;

	spin_lock_irq(&identify.lock);
	identify.closing = true;
	identify.session = false;
	identify.running = false;
	identify.starting = 0;
	identify_output(false);
	spin_unlock_irq(&identify.lock);

	hrtimer_cancel(&identify.timer);
	cancel_delayed_work_sync(&identify.work);
	while ((ms = identify_targets_sync(false, false)))
		msleep(ms);
}

/**
 * identify_free() - the opposite of identify_open(), after all else
 */
void identify_free(void)
{
	destroy_workqueue(identify.wq);
}
