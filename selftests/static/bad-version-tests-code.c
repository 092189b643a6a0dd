// SPDX-License-Identifier: GPL-2.0-only

#if LINUX_VERSION_CODE < 0x050a00
#endif
