/* SPDX-License-Identifier: GPL-2.0-only */
/* 6.12 moved it here from asm/. */
#ifndef BOARDPACK_COMPAT_UNALIGNED_H
#define BOARDPACK_COMPAT_UNALIGNED_H

#include <asm/unaligned.h>

#endif
