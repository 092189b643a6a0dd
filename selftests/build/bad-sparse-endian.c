// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

static __le32 bad_word = 1;
module_param_named(word, *(__force u32 *)&bad_word, uint, 0444);

MODULE_DESCRIPTION("A number without an order of bytes, a warning of sparse's");
MODULE_LICENSE("GPL");
