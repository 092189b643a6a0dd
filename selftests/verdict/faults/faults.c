// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does wrong, on purpose, what the sanitizer kernel has to report: the fault that the
 * parameter names. Without one it is a good module.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

#define LOST	8	/* objects: an old pointer on a stack may hide one */

static char *fault = "";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "leak, lock, timer or use");

static DEFINE_MUTEX(fault_first);
static DEFINE_MUTEX(fault_second);

/* Memory that nothing points to: kmemleak. */
static noinline void fault_leak(void)
{
	unsigned int i;
	void *memory;

	for (i = 0; i < LOST; i++) {
		memory = kzalloc(100, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(memory);
	}
}

/* Two locks in both orders: lockdep. */
static noinline void fault_lock(void)
{
	mutex_lock(&fault_first);
	mutex_lock(&fault_second);
	mutex_unlock(&fault_second);
	mutex_unlock(&fault_first);

	mutex_lock(&fault_second);
	mutex_lock(&fault_first);
	mutex_unlock(&fault_first);
	mutex_unlock(&fault_second);
}

static void fault_expire(struct timer_list *timer)
{
}

/* Memory with a timer that still runs is freed: DEBUG_OBJECTS. */
static noinline void fault_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, fault_expire, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
}

/* Memory is read after it was freed: KASAN. */
static noinline void fault_use(void)
{
	char *memory = kzalloc(100, GFP_KERNEL);
	char *stale = memory;

	OPTIMIZER_HIDE_VAR(stale);	/* or the compiler warns of it */
	kfree(memory);
	if (stale)
		READ_ONCE(*stale);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "leak", fault_leak },
	{ "lock", fault_lock },
	{ "timer", fault_timer },
	{ "use", fault_use },
};

static int __init faults_init(void)
{
	unsigned int i;

	if (!*fault)
		return 0;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(fault, faults[i].name)) {
			faults[i].make();
			return 0;
		}
	}

	return -EINVAL;
}
module_init(faults_init);

static void __exit faults_exit(void)
{
}
module_exit(faults_exit);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("Faults that a sanitizer has to report");
MODULE_LICENSE("GPL");
