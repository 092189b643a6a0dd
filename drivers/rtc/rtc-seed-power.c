// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: what happens when the system sleeps or goes down
 */

#include "rtc-seed.h"

#include <linux/compiler.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

static bool seed_asleep;

static int seed_on_reboot(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	/* Works are frozen: nothing may be waited for. After a hibernation that
	 * boot is over, and from a suspend only an emergency gets here.
	 */
	if (READ_ONCE(seed_asleep))
		return NOTIFY_DONE;

	/* What comes after this is the end of the buses. */
	seed_leave();

	return NOTIFY_DONE;
}

static struct notifier_block seed_reboot_nb = {
	.notifier_call = seed_on_reboot,
};

/* Also while an image is loaded works are frozen. */
static bool seed_sleeps(unsigned long action)
{
	return action == PM_HIBERNATION_PREPARE || action == PM_SUSPEND_PREPARE ||
	       action == PM_RESTORE_PREPARE;
}

static bool seed_wakes(unsigned long action)
{
	return action == PM_POST_HIBERNATION || action == PM_POST_SUSPEND ||
	       action == PM_POST_RESTORE;
}

static int seed_on_pm(struct notifier_block *nb, unsigned long action, void *data)
{
	if (seed_sleeps(action))
		WRITE_ONCE(seed_asleep, true);

	/* Not every RTC brings the clock forward by itself. */
	if (seed_wakes(action)) {
		WRITE_ONCE(seed_asleep, false);
		seed_watch_reread();
		seed_kick();
	}

	return NOTIFY_DONE;
}

static struct notifier_block seed_pm_nb = {
	.notifier_call = seed_on_pm,
};

/**
 * seed_power_start() - be told when the system sleeps or goes down
 */
void seed_power_start(void)
{
	register_reboot_notifier(&seed_reboot_nb);
	register_pm_notifier(&seed_pm_nb);
}

/**
 * seed_power_stop() - be told no more
 */
void seed_power_stop(void)
{
	unregister_pm_notifier(&seed_pm_nb);
	unregister_reboot_notifier(&seed_reboot_nb);
}
