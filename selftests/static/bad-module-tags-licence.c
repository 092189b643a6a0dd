// SPDX-License-Identifier: GPL-2.0-only

module_init(bad_init);

MODULE_AUTHOR("boardpack");
MODULE_DESCRIPTION("A licence string that taints the kernel");
MODULE_LICENSE("GPLv2");
