/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEMO_H
#define DEMO_H

unsigned int demo_clamp(unsigned int level);

#endif
