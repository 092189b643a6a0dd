// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>
#include <linux/module.h>
static struct kunit_suite identify_suite = { .name = "leds-identify" };
kunit_test_suite(identify_suite);
MODULE_LICENSE("GPL");
