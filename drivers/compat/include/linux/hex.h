/* SPDX-License-Identifier: GPL-2.0-only */
/* 6.4 moved hex_to_bin() here from linux/kernel.h. */
#ifndef BOARDPACK_COMPAT_HEX_H
#define BOARDPACK_COMPAT_HEX_H

#include <linux/kernel.h>

#endif
