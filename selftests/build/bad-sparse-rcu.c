// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/rcupdate.h>

static int *bad_pointer;

static int __init bad_init(void)
{
	int there;

	rcu_read_lock();
	there = rcu_dereference(bad_pointer) ? -EBUSY : 0;
	rcu_read_unlock();
	return there;
}
module_init(bad_init);

MODULE_DESCRIPTION("What lacks __rcu, an error of sparse's");
MODULE_LICENSE("GPL");
