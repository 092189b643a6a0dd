// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: taking one LED over and giving it back as it was
 *
 * An LED is borrowed by attaching our trigger to it. So whoever takes it away,
 * be it the user with another trigger or the driver that unregisters it, tells
 * us through deactivate().
 *
 * Locks: led_access keeps sysfs out, trigger_lock keeps the trigger. The LED
 * core holds led_access while it registers an LED, also while it calls our
 * class interface: it must not be waited for here, the work tries again.
 */

#include "leds-identify.h"

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#define IDENTIFY_RETRY_DISABLED	250	/* ms */
#define IDENTIFY_RETRY_MEMORY	100	/* ms */
#define IDENTIFY_MEMORY_TRIES	20

struct identify_setting {
	struct list_head node;
	size_t len;
	const char *text;
	char name[];	/* of the attribute, then the text */
};

typedef int (*identify_attr_fn)(struct led_classdev *cdev,
				struct device_attribute *attr,
				struct identify_snapshot *snapshot);

static bool identify_is_setting(struct led_classdev *cdev,
				const struct attribute_group *group, int n)
{
	struct attribute *attr = group->attrs[n];
	struct device_attribute *dev_attr;
	umode_t mode = attr->mode;

	if (group->is_visible)
		mode = group->is_visible(&cdev->dev->kobj, attr, n);
	dev_attr = container_of(attr, struct device_attribute, attr);

	return (mode & 0444) && (mode & 0222) && dev_attr->show &&
	       dev_attr->store;
}

/*
 * Calls @fn for each setting of the LED's trigger: each attribute that can be
 * read and written. No trigger is known by name here.
 */
static int identify_each_setting(struct led_classdev *cdev, identify_attr_fn fn,
				 struct identify_snapshot *snapshot)
{
	const struct attribute_group **groups;
	struct device_attribute *attr;
	int i, ret;

	groups = compat_led_trigger_groups(cdev->trigger);
	for (; groups && *groups; groups++) {
		for (i = 0; (*groups)->attrs && (*groups)->attrs[i]; i++) {
			if (!identify_is_setting(cdev, *groups, i))
				continue;
			attr = container_of((*groups)->attrs[i],
					    struct device_attribute, attr);
			ret = fn(cdev, attr, snapshot);
			if (ret)
				return ret;
		}
	}

	return 0;
}

static ssize_t identify_setting_show(struct led_classdev *cdev,
				     struct device_attribute *attr, char *page)
{
	ssize_t len = attr->show(cdev->dev, attr, page);

	if (len >= (ssize_t)PAGE_SIZE)
		return -E2BIG;
	if (len >= 0)
		page[len] = '\0';

	return len;
}

static int identify_setting_save(struct led_classdev *cdev,
				 struct device_attribute *attr,
				 struct identify_snapshot *snapshot)
{
	size_t name_size = strlen(attr->attr.name) + 1;
	struct identify_setting *setting;
	ssize_t len;

	if (!snapshot->page)
		snapshot->page = (char *)__get_free_page(GFP_KERNEL);
	if (!snapshot->page)
		return -ENOMEM;

	/* What shows nothing is not in use, such as the pattern's hr_pattern. */
	len = identify_setting_show(cdev, attr, snapshot->page);
	if (len <= 0 || !*skip_spaces(snapshot->page))
		return 0;

	setting = kmalloc(sizeof(*setting) + name_size + len + 1, GFP_KERNEL);
	if (!setting)
		return -ENOMEM;

	memcpy(setting->name, attr->attr.name, name_size);
	memcpy(setting->name + name_size, snapshot->page, len + 1);
	setting->text = setting->name + name_size;
	setting->len = len;
	list_add_tail(&setting->node, &snapshot->settings);

	return 0;
}

static int identify_setting_restore(struct led_classdev *cdev,
				    struct device_attribute *attr,
				    struct identify_snapshot *snapshot)
{
	struct identify_setting *setting;
	ssize_t len;

	list_for_each_entry(setting, &snapshot->settings, node) {
		if (strcmp(setting->name, attr->attr.name))
			continue;

		/* Many a store restarts its trigger: not without need. */
		len = identify_setting_show(cdev, attr, snapshot->page);
		if (len < 0 || strcmp(setting->text, snapshot->page))
			attr->store(cdev->dev, attr, setting->text,
				    setting->len);
	}

	return 0;
}

static void identify_snapshot_drop(struct identify_snapshot *snapshot)
{
	struct identify_setting *setting, *next;

	if (snapshot->page) {
		list_for_each_entry_safe(setting, next, &snapshot->settings, node)
			kfree(setting);
		free_page((unsigned long)snapshot->page);
	}
	kfree(snapshot->trigger);
	memset(snapshot, 0, sizeof(*snapshot));
	INIT_LIST_HEAD(&snapshot->settings);
}

/* The level of an LED that blinks: the LED core notes it when it goes off. */
static int identify_blink_level(struct led_classdev *cdev)
{
	int next = compat_led_next_blink_brightness(cdev);

	if (next)
		return next;
	if (cdev->blink_delay_on && cdev->brightness)
		return cdev->brightness;

	return cdev->blink_brightness;
}

/* What an LED shows that is suspended, perhaps meanwhile, is not what was set. */
static void identify_level_update(struct led_classdev *cdev)
{
	unsigned int level = cdev->brightness;

	if (!(cdev->flags & LED_SUSPENDED))
		led_update_brightness(cdev);
	if (cdev->flags & LED_SUSPENDED)
		cdev->brightness = level;
}

static int identify_snapshot_take(struct led_classdev *cdev,
				  struct identify_snapshot *snapshot)
{
	int ret;

	identify_snapshot_drop(snapshot);

	flush_work(&cdev->set_brightness_work);
	identify_level_update(cdev);
	snapshot->level = cdev->brightness;
	snapshot->delay_on = cdev->blink_delay_on;
	snapshot->delay_off = cdev->blink_delay_off;
	snapshot->blink_brightness = identify_blink_level(cdev);
	snapshot->flags = cdev->flags & LED_INIT_DEFAULT_TRIGGER;
	snapshot->dynamic = snapshot->delay_on && snapshot->delay_off;
	if (!cdev->trigger)
		return 0;

	if (compat_led_trigger_groups(cdev->trigger))
		snapshot->dynamic = true;
	else if (!cdev->trigger->activate)
		snapshot->blinks = compat_led_blinks(cdev);
	snapshot->event = compat_led_trigger_brightness(cdev->trigger, 0);

	snapshot->trigger = kstrdup(cdev->trigger->name, GFP_KERNEL);
	if (!snapshot->trigger)
		return -ENOMEM;

	ret = identify_each_setting(cdev, identify_setting_save, snapshot);
	if (ret)
		identify_snapshot_drop(snapshot);

	return ret;
}

/*
 * Attaches the trigger by its name, through the door for default triggers: it
 * may have been unloaded, or loaded again, so that no pointer to it was kept.
 * Called with trigger_lock held for writing, which is dropped meanwhile.
 *
 * Return: true if the trigger is there but could not be attached.
 */
static bool identify_trigger_restore(struct led_classdev *cdev,
				     struct identify_snapshot *snapshot)
{
	const char *own = cdev->default_trigger;
	bool retry;

	/* An LED without a trigger is on no list; an attempt leaves its mark. */
	INIT_LIST_HEAD(&cdev->trig_list);
	cdev->default_trigger = snapshot->trigger;
	up_write(&cdev->trigger_lock);

	led_trigger_set_default(cdev);

	down_write(&cdev->trigger_lock);
	retry = !cdev->trigger && !list_empty(&cdev->trig_list);
	cdev->default_trigger = own;
	cdev->flags &= ~LED_INIT_DEFAULT_TRIGGER;
	cdev->flags |= snapshot->flags;

	return retry;
}

/* Whether the LED has the trigger back that it had. */
static bool identify_trigger_is(struct led_classdev *cdev,
				struct identify_snapshot *snapshot)
{
	return cdev->trigger && snapshot->trigger &&
	       !strcmp(cdev->trigger->name, snapshot->trigger);
}

static void identify_settings_restore(struct led_classdev *cdev,
				      struct identify_snapshot *snapshot)
{
	int pass;

	if (!snapshot->page)
		return;

	/* Some settings are only taken after others: hence the second pass. */
	for (pass = 0; pass < 2; pass++)
		identify_each_setting(cdev, identify_setting_restore, snapshot);
}

/*
 * The level under a trigger that has nothing but events. It has set the level
 * itself, or its last event is known, or what it was is the best guess. A level
 * between off and full is the user's, for the times when the trigger is on.
 */
static unsigned int identify_trigger_level(struct led_classdev *cdev,
					   struct identify_snapshot *snapshot)
{
	unsigned int level = cdev->brightness;

	if (!level)
		level = compat_led_trigger_brightness(cdev->trigger,
						      snapshot->level);
	if (level && snapshot->level && snapshot->level < cdev->max_brightness &&
	    snapshot->level != LED_FULL)
		level = snapshot->level;

	return level;
}

/* Whether what has started its blinking has not done so again, nor has stopped it. */
static bool identify_blink_is_ours(struct led_classdev *cdev,
				   struct identify_snapshot *snapshot)
{
	if (!cdev->trigger)
		return true;

	return snapshot->blinks && !compat_led_blinks(cdev) &&
	       compat_led_trigger_brightness(cdev->trigger, 0) == snapshot->event;
}

/* The LED core would take the level of its trigger's last event for that of the blink. */
static void identify_blink_restore(struct led_classdev *cdev,
				   struct identify_snapshot *snapshot)
{
	if (cdev->brightness)
		led_set_brightness(cdev, LED_OFF);
	/* That is only queued where the LED has begun to blink just now. */
	flush_work(&cdev->set_brightness_work);
	led_blink_set(cdev, &snapshot->delay_on, &snapshot->delay_off);
}

static void identify_level_restore(struct led_classdev *cdev,
				   struct identify_snapshot *snapshot)
{
	unsigned int level = snapshot->level;

	if (snapshot->dynamic) {
		if (identify_blink_is_ours(cdev, snapshot))
			identify_blink_restore(cdev, snapshot);
		return;
	}

	if (cdev->trigger)
		level = identify_trigger_level(cdev, snapshot);
	if (level != cdev->brightness)
		led_set_brightness(cdev, level);
}

static void identify_trigger_lost(struct led_classdev *cdev,
				  struct identify_snapshot *snapshot)
{
	/* With these left behind it would look as if it blinked. */
	if (!cdev->trigger) {
		cdev->blink_delay_on = 0;
		cdev->blink_delay_off = 0;
	}
	if (!(cdev->flags & LED_UNREGISTERING))
		dev_warn(cdev->dev, "trigger %s is gone, left off\n",
			 snapshot->trigger);
}

static void identify_details_restore(struct led_classdev *cdev,
				     struct identify_snapshot *snapshot)
{
	if (identify_trigger_is(cdev, snapshot))
		identify_settings_restore(cdev, snapshot);
	else if (snapshot->trigger)
		identify_trigger_lost(cdev, snapshot);
	if (!snapshot->trigger == !cdev->trigger)
		identify_level_restore(cdev, snapshot);
}

/*
 * Called with trigger_lock held for writing, which is released.
 *
 * Return: false if this has to be tried again.
 */
static bool identify_snapshot_restore(struct led_classdev *cdev,
				      struct identify_snapshot *snapshot)
{
	bool retry = false;

	cdev->blink_brightness = snapshot->blink_brightness;
	if (snapshot->trigger) {
		/* For triggers that read them; a blink of others brings them along. */
		cdev->blink_delay_on = snapshot->blinks ? 0 : snapshot->delay_on;
		cdev->blink_delay_off = snapshot->blinks ? 0 : snapshot->delay_off;
		retry = identify_trigger_restore(cdev, snapshot) &&
			++snapshot->tries < IDENTIFY_MEMORY_TRIES;
	}
	downgrade_write(&cdev->trigger_lock);
	if (!retry)
		identify_details_restore(cdev, snapshot);
	up_read(&cdev->trigger_lock);
	flush_work(&cdev->set_brightness_work);

	return !retry;
}

/* Called with trigger_lock held for writing. */
static int identify_attach(struct identify_led *led)
{
	struct led_classdev *cdev = led->cdev;
	int ret;

	/* What is still to be given back is what it was before. */
	if (cdev->trigger || led->state != IDENTIFY_OWED) {
		ret = identify_snapshot_take(cdev, &led->snapshot);
		if (ret)
			return ret;
	}

	/* Nothing else stops an LED that blinks without a trigger. */
	if (!cdev->trigger) {
		led_set_brightness(cdev, LED_OFF);
		flush_work(&cdev->set_brightness_work);
	}

	ret = led_trigger_set(cdev, &identify_trigger);
	if (!ret)
		identify_targets_set_state(led, IDENTIFY_BORROWED);

	return ret;
}

/**
 * identify_led_borrow() - take over an LED
 * @led: the LED
 *
 * Return: 0 or the time to wait before the next try, in ms.
 */
int identify_led_borrow(struct identify_led *led)
{
	struct led_classdev *cdev = led->cdev;
	int ret = 0;

	if (!mutex_trylock(&cdev->led_access))
		return IDENTIFY_RETRY_BUSY;

	if (led_sysfs_is_disabled(cdev)) {
		mutex_unlock(&cdev->led_access);
		return IDENTIFY_RETRY_DISABLED;
	}

	down_write(&cdev->trigger_lock);
	/* If it has our trigger already, it is the user who made it follow. */
	if (cdev->trigger == &identify_trigger)
		identify_targets_set_state(led, IDENTIFY_LEFT_ALONE);
	else
		ret = identify_attach(led);
	up_write(&cdev->trigger_lock);

	if (ret) {
		dev_warn(led->dev, "not borrowed: error %d\n", ret);
		identify_targets_set_state(led, IDENTIFY_LEFT_ALONE);
	}
	mutex_unlock(&cdev->led_access);

	return 0;
}

/**
 * identify_led_give_back() - make a borrowed LED what it was before
 * @led: the LED
 *
 * Does nothing to an LED that somebody else has taken meanwhile.
 *
 * Return: 0 or the time to wait before the next try, in ms.
 */
int identify_led_give_back(struct identify_led *led)
{
	struct led_classdev *cdev = led->cdev;
	bool done = true;

	if (!mutex_trylock(&cdev->led_access))
		return IDENTIFY_RETRY_BUSY;

	down_write(&cdev->trigger_lock);
	if (led->state == IDENTIFY_BORROWED) {
		/* Before the trigger goes: so this is not taken for the user. */
		identify_targets_set_state(led, IDENTIFY_OWED);
		led_trigger_set(cdev, NULL);
	}
	if (led->state == IDENTIFY_OWED && !cdev->trigger)
		done = identify_snapshot_restore(cdev, &led->snapshot);
	else
		up_write(&cdev->trigger_lock);

	if (done && led->state == IDENTIFY_OWED)
		identify_targets_set_state(led, IDENTIFY_FREE);
	if (done)
		identify_snapshot_drop(&led->snapshot);
	mutex_unlock(&cdev->led_access);

	return done ? 0 : IDENTIFY_RETRY_MEMORY;
}

/**
 * identify_led_forget() - last thing to do with an LED
 * @led: the LED, which nobody can find any more
 * @going: whether it is known to be unregistered
 *
 * An LED loses its trigger and is switched off before our class interface hears
 * that it goes. If it was given back in between, it has a trigger again, and
 * would be freed while on the list of that trigger.
 */
void identify_led_forget(struct identify_led *led, bool going)
{
	struct led_classdev *cdev = led->cdev;

	if (led->ready && (going || cdev->flags & LED_UNREGISTERING)) {
		led_trigger_remove(cdev);
		if (cdev->blink_delay_on ||
		    !(cdev->flags & LED_RETAIN_AT_SHUTDOWN))
			led_set_brightness(cdev, LED_OFF);
		flush_work(&cdev->set_brightness_work);
	}

	identify_snapshot_drop(&led->snapshot);
}
