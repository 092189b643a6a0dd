// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mutex.h>

struct bad {
	struct mutex lock;
	int level;
};

static int bad_lock(struct bad *bad)
{
	mutex_lock(&bad->lock);
	if (bad->level < 0)
		return -EINVAL;
	bad->level = 0;
	mutex_unlock(&bad->lock);
	return 0;
}
