// SPDX-License-Identifier: GPL-2.0-only

static int level;
module_param(level, int, 0644);
