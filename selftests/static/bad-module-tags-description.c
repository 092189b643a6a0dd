// SPDX-License-Identifier: GPL-2.0-only

module_platform_driver(bad_driver);

MODULE_AUTHOR("boardpack");
MODULE_LICENSE("GPL");
