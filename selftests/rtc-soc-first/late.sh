#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The RTC of the SoC, which is dead, comes minutes late and is rtc0; the clock chip
# comes a minute after it.

# shellcheck source=selftests/lib/late.sh
. "$(dirname "$0")/../lib/late.sh"

plan 12
modprobe rtc-seed
check "without an RTC the clock is at the floor" is_guess
sleep 120
modprobe rtc-snvs
check "a dead RTC is passed over" wait_for 20 reads rejected_past 1
check "the kernel's rewind to its time is undone" reads rewinds_undone 1
check "the clock goes on" is_guess
sleep 60
modprobe i2c-imx
check "the chip sets the clock" wait_for 20 is_right
check "it is the source" reads source rtc1
check "and the clock is seeded" reads state seeded

set_soc "$(clock)"
chip_driver unbind
begin_in_1970
check "the RTC of the SoC alone will do when it is right" is_right
check "it is the source then" reads source rtc0
chip_driver bind
sleep 2
check "the chip changes nothing" is_right
check "and is not rejected" reads rejected_past 0
modprobe -r rtc-seed
check "the module unloads" eval "! loaded rtc-seed"
ktap_finished
