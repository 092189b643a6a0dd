#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest of make bench: a boot in which both rtc-seed and a unit that waits for
# the RTC set the clock. The kernel's trace tells when.

systemctl start hwclock-late
cat /sys/kernel/tracing/trace
