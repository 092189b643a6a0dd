// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

static int __init bad_init(void)
{
	int level;

	level = 1;
	return 0;
}
module_init(bad_init);

MODULE_DESCRIPTION("What is set and not used, a warning of W=1");
MODULE_LICENSE("GPL");
