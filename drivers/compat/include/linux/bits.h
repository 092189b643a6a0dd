/* SPDX-License-Identifier: GPL-2.0-only */
/* 4.19 moved BIT() here from linux/bitops.h, later stable kernels did so, too. */
#ifndef BOARDPACK_COMPAT_BITS_H
#define BOARDPACK_COMPAT_BITS_H

#include <linux/bitops.h>

#endif
