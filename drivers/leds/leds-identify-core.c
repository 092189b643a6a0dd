// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: the LED, what its targets show, and for how long
 *
 * Whatever writes to the identify LED, or a schedule, starts a session: the
 * targets are borrowed. When nothing wants them any more they are given back.
 * The state below changes under its spinlock, from any context; all that sleeps
 * is done by one work.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "leds-identify.h"

#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/leds.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

/* More than any LED can do: the LED core cuts it down to each one's maximum. */
#define IDENTIFY_FULL ((enum led_brightness)INT_MAX)

static char *leds;
module_param(leds, charp, 0444);
MODULE_PARM_DESC(leds, "LEDs to blink, such as \"ACT,led0 usr3\": ACT or else led0, and usr3");

static unsigned int hold_ms = 3000;
module_param(hold_ms, uint, 0444);
MODULE_PARM_DESC(hold_ms, "time after the last write until the LEDs are given back (default 3000)");

static struct {
	spinlock_t lock;	/* for all up to the timer */
	bool session;		/* the targets are wanted */
	bool fresh;		/* the work has not seen this session yet */
	bool closing;
	bool on;		/* what the targets show */
	bool writer;		/* something has written in this session */
	unsigned int level;	/* last written */
	unsigned long written;	/* when, in jiffies */
	unsigned int hold;	/* ms */
	bool running;		/* the schedule */
	ktime_t start;
	ktime_t end;
	struct identify_pattern pattern;
	struct hrtimer timer;
	struct delayed_work work;
	bool active;		/* as told to user space; only for the work */
	bool panicked;
	struct led_classdev cdev;
} identify = {
	.pattern = { .steps = 2, .ms = { 200, 200 } },
};

/* All functions down to identify_timer() are called with identify.lock held. */

static void identify_show(bool on)
{
	identify.on = on;
	led_trigger_event(&identify_trigger, on ? IDENTIFY_FULL : LED_OFF);
}

static unsigned long identify_hold_end(void)
{
	return identify.written + msecs_to_jiffies(identify.hold) + 1;
}

static bool identify_writer_is_active(void)
{
	if (!identify.writer)
		return false;

	/* A trigger may be silent for long: it stays until it is removed. */
	return READ_ONCE(identify.cdev.trigger) ||
	       time_before(jiffies, identify_hold_end());
}

static void identify_begin(void)
{
	if (identify.session)
		return;

	identify.session = true;
	identify.fresh = true;
	mod_delayed_work(system_highpri_wq, &identify.work, 0);
}

static void identify_finish(void)
{
	identify.running = false;
	identify_show(identify_writer_is_active() && identify.level);
	if (!identify.closing)
		mod_delayed_work(system_highpri_wq, &identify.work, 0);
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
	identify_show(on);

	edge = ktime_add_ns(identify.start, next);
	if (ktime_after(edge, identify.end))
		edge = identify.end;
	hrtimer_start(&identify.timer, edge, HRTIMER_MODE_ABS);
}

static enum hrtimer_restart identify_timer(struct hrtimer *timer)
{
	unsigned long flags;

	spin_lock_irqsave(&identify.lock, flags);
	if (identify.running && !READ_ONCE(identify.panicked))
		identify_step();
	spin_unlock_irqrestore(&identify.lock, flags);

	/* If there is a next edge, it has been started under the lock. */
	return HRTIMER_NORESTART;
}

static void identify_brightness_set(struct led_classdev *cdev,
				    enum led_brightness level)
{
	unsigned long flags;

	/* Old kernels cannot refuse our trigger on our LED: it would recurse. */
	if (READ_ONCE(identify.panicked) || cdev->trigger == &identify_trigger)
		return;

	spin_lock_irqsave(&identify.lock, flags);
	identify.level = level;
	if (!identify.closing && (level || identify.session)) {
		identify.writer = true;
		identify.written = jiffies;
		if (!identify.running)
			identify_show(level);
		identify_begin();
		/* No-op while it is pending: it looks at the time itself. */
		queue_delayed_work(system_highpri_wq, &identify.work,
				   msecs_to_jiffies(identify.hold) + 2);
	}
	spin_unlock_irqrestore(&identify.lock, flags);
}

static enum led_brightness identify_brightness_get(struct led_classdev *cdev)
{
	return READ_ONCE(identify.level);
}

static int identify_activate(struct led_classdev *cdev)
{
	unsigned long flags;

	if (identify_is_self(cdev))
		return -ELOOP;

	spin_lock_irqsave(&identify.lock, flags);
	led_set_brightness(cdev, identify.on ? IDENTIFY_FULL : LED_OFF);
	spin_unlock_irqrestore(&identify.lock, flags);

	return 0;
}

struct led_trigger identify_trigger = {
	.name = IDENTIFY_NAME,
	.activate = compat_led_trigger_activate(identify_activate),
	.deactivate = identify_targets_released,
};

/**
 * identify_is_self() - whether an LED is the identify LED
 * @cdev: the LED
 *
 * Return: true if so.
 */
bool identify_is_self(const struct led_classdev *cdev)
{
	return cdev == &identify.cdev;
}

/* Ends the session if nothing wants it; returns when to look again. */
static unsigned long identify_update(bool *session, bool *fresh)
{
	unsigned long delay = 0;

	spin_lock_irq(&identify.lock);
	if (identify.session && !identify.running && !identify_writer_is_active()) {
		identify.session = false;
		identify.writer = false;
		identify.level = 0;
		identify_show(false);
	}
	if (identify.session && identify.writer)
		delay = max_t(long, identify_hold_end() - jiffies, 1);
	*session = identify.session;
	*fresh = identify.fresh;
	identify.fresh = false;
	spin_unlock_irq(&identify.lock);

	return delay;
}

static void identify_requeue(unsigned long delay, unsigned int retry)
{
	spin_lock_irq(&identify.lock);
	if (!identify.closing && retry)
		mod_delayed_work(system_highpri_wq, &identify.work,
				 msecs_to_jiffies(retry));
	else if (!identify.closing && delay)
		queue_delayed_work(system_highpri_wq, &identify.work, delay);
	spin_unlock_irq(&identify.lock);
}

static void identify_work(struct work_struct *work)
{
	struct device *dev = READ_ONCE(identify.cdev.dev);
	unsigned long delay;
	bool session, fresh, active;
	unsigned int retry;

	delay = identify_update(&session, &fresh);
	retry = identify_targets_sync(session, fresh);

	active = session || identify_targets_borrowed();
	if (active != identify.active) {
		WRITE_ONCE(identify.active, active);
		/* The LED may be written to before its registration is over. */
		if (!IS_ERR_OR_NULL(dev))
			sysfs_notify(&dev->kobj, NULL, "active");
	}

	identify_requeue(delay, retry);
}

/**
 * identify_kick() - look at the targets again, if there is a session
 */
void identify_kick(void)
{
	spin_lock_irq(&identify.lock);
	if (identify.session && !identify.closing)
		mod_delayed_work(system_highpri_wq, &identify.work, 0);
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
 * Goes on where it was and ends at the later of both ends if it blinks already.
 *
 * Return: 0 or -ENODEV if the module is being unloaded.
 */
int identify_run(unsigned int seconds)
{
	ktime_t now, end;
	int ret = 0;

	spin_lock_irq(&identify.lock);
	now = ktime_get();
	end = ktime_add_ns(now, (u64)seconds * NSEC_PER_SEC);
	if (identify.closing) {
		ret = -ENODEV;
	} else if (!seconds) {
		hrtimer_try_to_cancel(&identify.timer);
		if (identify.running)
			identify_finish();
	} else if (identify.running) {
		if (ktime_after(end, identify.end))
			identify.end = end;
		identify_step();
	} else {
		identify.running = true;
		identify.start = now;
		identify.end = end;
		identify_step();
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
	if (identify.running)
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
		if (identify.running)
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

static int identify_panic(struct notifier_block *nb, unsigned long event,
			  void *data)
{
	WRITE_ONCE(identify.panicked, true);

	return NOTIFY_DONE;
}

/* First of all, so that the LEDs belong to the kernel's own panic blink. */
static struct notifier_block identify_panic_nb = {
	.notifier_call = identify_panic,
	.priority = INT_MAX,
};

static int __init identify_read_params(void)
{
	struct identify_list *list;

	if (identify_set_hold(hold_ms)) {
		pr_err("hold_ms=%u is not within %u to %u\n", hold_ms,
		       IDENTIFY_MIN_HOLD, IDENTIFY_MAX_HOLD);
		return -ERANGE;
	}

	if (!leds)
		return 0;

	list = identify_list_parse_logged(leds, "leds=");
	if (IS_ERR(list))
		return PTR_ERR(list);
	identify_targets_use(list);

	return 0;
}

static int __init identify_register_led(void)
{
	int ret;

	identify.cdev.name = IDENTIFY_NAME;
	identify.cdev.max_brightness = LED_FULL;
	identify.cdev.brightness_set = identify_brightness_set;
	identify.cdev.brightness_get = identify_brightness_get;
	identify.cdev.groups = identify_groups;

	ret = led_classdev_register(NULL, &identify.cdev);
	if (ret)
		return ret;

	if (strcmp(dev_name(identify.cdev.dev), IDENTIFY_NAME)) {
		led_classdev_unregister(&identify.cdev);
		pr_err("there is an LED called %s already: give it another label\n",
		       IDENTIFY_NAME);
		return -EEXIST;
	}

	return 0;
}

/* From here on nothing starts any more; what is borrowed is given back. */
static void identify_close(void)
{
	spin_lock_irq(&identify.lock);
	identify.closing = true;
	identify.session = false;
	identify.running = false;
	identify_show(false);
	spin_unlock_irq(&identify.lock);

	hrtimer_cancel(&identify.timer);
	cancel_delayed_work_sync(&identify.work);
	while (identify_targets_sync(false, false))
		schedule_timeout_uninterruptible(1);
}

static int __init identify_init(void)
{
	int ret;

	spin_lock_init(&identify.lock);
	hrtimer_setup(&identify.timer, identify_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS);
	INIT_DELAYED_WORK(&identify.work, identify_work);

	ret = identify_read_params();
	if (ret)
		return ret;

	ret = led_trigger_register(&identify_trigger);
	if (ret)
		goto drop_list;

	ret = identify_register_led();
	if (ret)
		goto unregister_trigger;

	ret = identify_targets_start(identify.cdev.dev);
	if (ret)
		goto unregister_led;

	atomic_notifier_chain_register(&panic_notifier_list, &identify_panic_nb);

	ret = identify_of_register();
	if (ret)
		goto stop_targets;

	return 0;

stop_targets:
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &identify_panic_nb);
	identify_close();
	identify_targets_stop();
unregister_led:
	identify_close();
	led_classdev_unregister(&identify.cdev);
unregister_trigger:
	led_trigger_unregister(&identify_trigger);
drop_list:
	identify_targets_use(NULL);
	return ret;
}
module_init(identify_init);

static void __exit identify_exit(void)
{
	identify_of_unregister();
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &identify_panic_nb);
	identify_close();
	led_classdev_unregister(&identify.cdev);
	led_trigger_unregister(&identify_trigger);
	identify_targets_stop();
}
module_exit(identify_exit);

MODULE_ALIAS("ledtrig:" IDENTIFY_NAME);
MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("Identify LED: borrows the LEDs of the board to blink");
MODULE_LICENSE("GPL");
