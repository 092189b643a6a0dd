/* SPDX-License-Identifier: GPL-2.0-only */
/* 5.14 moved panic_notifier_list here from linux/kernel.h. */
#ifndef BOARDPACK_COMPAT_PANIC_NOTIFIER_H
#define BOARDPACK_COMPAT_PANIC_NOTIFIER_H

#include <linux/kernel.h>
#include <linux/notifier.h>

#endif
