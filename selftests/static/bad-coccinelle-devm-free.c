// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>

static int bad_devm_free(struct device *dev)
{
	void *memory;

	memory = devm_kzalloc(dev, 16, GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	kfree(memory);
	return 0;
}
