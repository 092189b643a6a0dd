// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: which LEDs are there, and which of them are wanted
 *
 * identify_leds_lock is a leaf: no LED is touched while it is held. So it may be
 * taken under any lock of the LED core. The one work that touches LEDs pins the
 * LED it has in hand; an LED that goes away waits for that one alone, not for
 * others, whose triggers may wait for locks that are held around its removal
 * (a network PHY's LED is removed under RTNL). It waits under the lock of the
 * class, though, for which the removal of others may have to wait then.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "leds-identify.h"

#include <linux/device.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

static DEFINE_MUTEX(identify_leds_lock);
static LIST_HEAD(identify_leds);
static bool identify_stopping;
static struct identify_led *identify_pinned;
static DECLARE_WAIT_QUEUE_HEAD(identify_unpinned);

/* The user's list, where it is not empty, otherwise the one of the firmware. */
static struct identify_list *identify_user_list;
static struct identify_list *identify_default_list;

static struct identify_list *identify_list_in_force(void)
{
	if (identify_user_list && identify_user_list->n)
		return identify_user_list;

	return identify_default_list;
}

static struct identify_led *identify_led_find(const struct led_classdev *cdev)
{
	struct identify_led *led;

	list_for_each_entry(led, &identify_leds, node)
		if (led->cdev == cdev)
			return led;

	return NULL;
}

static struct identify_led *identify_led_by_name(const char *name, size_t len)
{
	struct identify_led *led;

	list_for_each_entry(led, &identify_leds, node)
		if (strlen(dev_name(led->dev)) == len &&
		    !memcmp(dev_name(led->dev), name, len))
			return led;

	return NULL;
}

/*
 * Some drivers do not tell the LED core the node of an LED; the name then comes
 * from the label, or is that of the node.
 */
static bool identify_led_has_node(struct identify_led *led,
				  struct device_node *np)
{
	const char *name;

	if (led->dev->of_node)
		return led->dev->of_node == np;

	if (of_property_read_string(np, "label", &name))
		name = np->name;

	return !strcmp(dev_name(led->dev), name);
}

static struct identify_led *identify_led_by_node(struct device_node *np)
{
	struct identify_led *led;

	list_for_each_entry(led, &identify_leds, node)
		if (identify_led_has_node(led, np))
			return led;

	return NULL;
}

/*
 * The user may have written what the firmware's list reads as, "&node" among it. An LED
 * that is about to be ready is waited for: a worse one would stay.
 */
static struct identify_led *identify_choose(const struct identify_list *list,
					    const struct identify_target *target)
{
	const char *names = target->names;
	size_t left = target->len, len;
	const struct identify_target *same;
	struct identify_led *led = NULL;
	const char *name;

	/* There may be a comma in the name of a node. */
	same = identify_list_same(identify_default_list, list, target, names, left);
	if (same && same->np) {
		led = identify_led_by_node(same->np);
		names = NULL;
	}

	while (!led && (name = identify_names_next(&names, &left, &len))) {
		same = identify_list_same(identify_default_list, list, target,
					  name, len);
		led = same && same->np ? identify_led_by_node(same->np) :
					 identify_led_by_name(name, len);
	}

	return led && led->ready ? led : NULL;
}

/* A choice stands until the session ends or the LED goes away. */
static bool identify_choose_all(struct identify_list *list)
{
	struct identify_target *target;
	bool any = false;
	unsigned int i;

	for (i = 0; list && i < list->n; i++) {
		target = &list->target[i];
		if (!target->led)
			target->led = identify_choose(list, target);
		if (target->led) {
			target->led->wanted = true;
			any = true;
		}
	}

	return any;
}

static void identify_tell_waiting(struct identify_list *list)
{
	if (!list || !list->n) {
		pr_warn_once("no LED to blink: name one in /sys/class/leds/identify/leds\n");
	} else if (!list->told) {
		list->told = true;
		pr_warn("no LED to blink yet, waiting for: %s\n", list->text);
	}
}

static void identify_select(bool session, bool fresh, bool settled)
{
	static bool starting;
	struct identify_list *list;
	struct identify_led *led;
	bool any;

	mutex_lock(&identify_leds_lock);

	list = identify_list_in_force();
	if (fresh) {
		starting = true;
		identify_list_forget(list, NULL);
	}

	list_for_each_entry(led, &identify_leds, node) {
		led->wanted = false;
		if (fresh && led->state == IDENTIFY_LEFT_ALONE)
			led->state = IDENTIFY_FREE;
	}

	if (session) {
		any = identify_choose_all(list);
		if (starting && settled && !any)
			identify_tell_waiting(list);
		if (any || settled)
			starting = false;
	}

	mutex_unlock(&identify_leds_lock);
}

static bool identify_is_unsettled(const struct identify_led *led)
{
	return !led->ready;
}

/* Returns 0 or the time to wait before the next look, in ms. */
static int identify_led_settle(struct identify_led *led)
{
	unsigned int ms = identify_settle_left(led->added, get_jiffies_64());

	/* Before 4.20 the LED core does not hold the lock meanwhile. */
	if (ms)
		return ms;

	if (!mutex_trylock(&led->cdev->led_access))
		return IDENTIFY_RETRY_BUSY;

	led->ready = true;
	mutex_unlock(&led->cdev->led_access);

	return 0;
}

static bool identify_has_ours(const struct identify_led *led)
{
	return led->state == IDENTIFY_BORROWED || led->state == IDENTIFY_OWED;
}

static bool identify_is_wanted(const struct identify_led *led)
{
	return led->wanted &&
	       (led->state == IDENTIFY_FREE || led->state == IDENTIFY_OWED);
}

static bool identify_is_unwanted(const struct identify_led *led)
{
	return !led->wanted && identify_has_ours(led);
}

static struct identify_led *
identify_pin_next(bool (*todo)(const struct identify_led *), unsigned int round)
{
	struct identify_led *led, *next = NULL;

	mutex_lock(&identify_leds_lock);

	list_for_each_entry(led, &identify_leds, node) {
		if (led->round == round || !todo(led))
			continue;
		led->round = round;
		next = led;
		break;
	}
	/* Pairs with identify_is_pinned(): what was done to the last one comes before. */
	smp_store_release(&identify_pinned, next);

	mutex_unlock(&identify_leds_lock);
	wake_up_all(&identify_unpinned);

	return next;
}

static bool identify_is_pinned(const struct identify_led *led)
{
	/* Pairs with identify_pin_next(). */
	return smp_load_acquire(&identify_pinned) == led;
}

/* Does @handle once to each LED that @todo asks for, while it is pinned. */
static unsigned int identify_each_led(bool (*todo)(const struct identify_led *),
				      int (*handle)(struct identify_led *))
{
	static unsigned int round;
	struct identify_led *led;
	unsigned int retry = 0;
	unsigned int ms;

	round++;
	while ((led = identify_pin_next(todo, round))) {
		ms = handle(led);
		if (ms && (!retry || ms < retry))
			retry = ms;
	}

	return retry;
}

/**
 * identify_targets_sync() - borrow what is wanted, give back what is not
 * @session: whether anything is wanted
 * @fresh: whether the session has just begun
 *
 * Must not run twice at the same time.
 *
 * Return: 0 or the time after which it should be tried again, in ms.
 */
unsigned int identify_targets_sync(bool session, bool fresh)
{
	unsigned int retry[3] = { 0 };
	unsigned int i, ms = 0;

	if (session)
		retry[0] = identify_each_led(identify_is_unsettled,
					     identify_led_settle);
	identify_select(session, fresh, !retry[0]);
	retry[1] = identify_each_led(identify_is_unwanted,
				     identify_led_give_back);
	retry[2] = identify_each_led(identify_is_wanted, identify_led_borrow);

	for (i = 0; i < ARRAY_SIZE(retry); i++)
		if (retry[i] && (!ms || retry[i] < ms))
			ms = retry[i];

	return ms;
}

/**
 * identify_targets_borrowed() - whether any LED is borrowed
 *
 * Return: true if so.
 */
bool identify_targets_borrowed(void)
{
	struct identify_led *led;
	bool borrowed = false;

	mutex_lock(&identify_leds_lock);
	list_for_each_entry(led, &identify_leds, node)
		borrowed |= identify_has_ours(led);
	mutex_unlock(&identify_leds_lock);

	return borrowed;
}

/**
 * identify_targets_set_state() - note what has become of an LED
 * @led: the LED
 * @state: its state
 */
void identify_targets_set_state(struct identify_led *led,
				enum identify_state state)
{
	mutex_lock(&identify_leds_lock);
	led->state = state;
	mutex_unlock(&identify_leds_lock);
}

/**
 * identify_targets_released() - our trigger has been taken off an LED
 * @cdev: the LED
 *
 * If we did not do that ourselves, the user did, and wins.
 */
void identify_targets_released(struct led_classdev *cdev)
{
	struct identify_led *led;

	mutex_lock(&identify_leds_lock);
	led = identify_led_find(cdev);
	if (led && led->state == IDENTIFY_BORROWED)
		led->state = IDENTIFY_LEFT_ALONE;
	mutex_unlock(&identify_leds_lock);
}

/**
 * identify_targets_use() - take over the user's list
 * @list: the list; belongs to this file from now on
 */
void identify_targets_use(struct identify_list *list)
{
	struct identify_list *old;

	mutex_lock(&identify_leds_lock);
	old = identify_user_list;
	identify_user_list = list;
	identify_list_forget(identify_default_list, NULL);
	mutex_unlock(&identify_leds_lock);

	kfree(old);
}

/**
 * identify_targets_use_default() - take over the list of the firmware
 * @list: the list, or NULL; remains the caller's
 */
void identify_targets_use_default(struct identify_list *list)
{
	mutex_lock(&identify_leds_lock);
	identify_default_list = list;
	mutex_unlock(&identify_leds_lock);
}

/**
 * identify_target_use_node() - have a target of the firmware's list name a node
 * @target: the target
 * @np: the node, or NULL; remains the caller's
 */
void identify_target_use_node(struct identify_target *target,
			      struct device_node *np)
{
	mutex_lock(&identify_leds_lock);
	target->np = np;
	mutex_unlock(&identify_leds_lock);
}

/**
 * identify_targets_print() - write the list that is in force as text
 * @buf: where to put the text
 * @size: the room there
 *
 * Return: the length of the text.
 */
int identify_targets_print(char *buf, size_t size)
{
	const struct identify_list *list;
	int len;

	mutex_lock(&identify_leds_lock);
	list = identify_list_in_force();
	len = scnprintf(buf, size, "%s\n", list ? list->text : "");
	mutex_unlock(&identify_leds_lock);

	return len;
}

/*
 * Runs in the middle of the registration of an LED: it can only be noted here.
 */
static int identify_led_added(struct device *dev)
{
	struct led_classdev *cdev = dev_get_drvdata(dev);
	struct identify_led *led;

	if (identify_is_self(cdev))
		return 0;

	led = kzalloc(sizeof(*led), GFP_KERNEL);
	if (!led)
		return -ENOMEM;

	led->dev = dev;
	led->cdev = cdev;
	led->added = get_jiffies_64();
	INIT_LIST_HEAD(&led->snapshot.settings);

	mutex_lock(&identify_leds_lock);
	list_add_tail(&led->node, &identify_leds);
	mutex_unlock(&identify_leds_lock);

	identify_kick();

	return 0;
}

static void identify_led_removed(struct device *dev)
{
	struct identify_led *led;

	mutex_lock(&identify_leds_lock);
	led = identify_led_find(dev_get_drvdata(dev));
	if (led) {
		list_del(&led->node);
		identify_list_forget(identify_user_list, led);
		identify_list_forget(identify_default_list, led);
	}
	mutex_unlock(&identify_leds_lock);
	if (!led)
		return;

	wait_event(identify_unpinned, !identify_is_pinned(led));
	/* The class interface also says goodbye to LEDs that stay. */
	identify_led_forget(led, !identify_stopping);
	kfree(led);

	identify_kick();
}

static struct class_interface identify_interface = {
	.add_dev = identify_led_added,
	.remove_dev = identify_led_removed,
};

/**
 * identify_targets_start() - watch LEDs come and go
 * @sibling: any LED; the class itself is not exported
 *
 * Return: 0 or a negative error code.
 */
int identify_targets_start(const struct device *sibling)
{
	identify_interface.class = sibling->class;

	return class_interface_register(&identify_interface);
}

/**
 * identify_targets_stop() - forget all LEDs and lists
 *
 * Nothing may be borrowed any more.
 */
void identify_targets_stop(void)
{
	identify_stopping = true;
	class_interface_unregister(&identify_interface);
	kfree(identify_user_list);
	identify_user_list = NULL;
}
