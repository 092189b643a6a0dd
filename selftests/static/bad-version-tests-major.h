/* SPDX-License-Identifier: GPL-2.0-only */

#if LINUX_VERSION_MAJOR < 6
#endif
