// SPDX-License-Identifier: GPL-2.0-only

static DEVICE_ATTR_RO(secret);
