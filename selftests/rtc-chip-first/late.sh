#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The clock chip comes minutes late and is rtc0; the RTC of the SoC, which is dead,
# comes a minute after it. Then the chip alone goes and comes.

# shellcheck source=selftests/lib/late.sh
. "$(dirname "$0")/../lib/late.sh"

plan 12
modprobe rtc-seed
check "without an RTC the clock is at the floor" is_guess
sleep 120
modprobe i2c-imx
check "the chip sets the clock" wait_for 20 is_right
check "it is the source" reads source rtc0
sleep 60
modprobe rtc-snvs
check "a dead RTC is passed over" wait_for 20 reads rejected_past 1
check "and changes nothing" is_right
check "there was no rewind" reads rewinds_undone 0

chip_driver unbind
check "the clock goes on without the chosen RTC" is_right
begin_in_1970
check "the dead one is no source" reads source floor
check "the clock is at the floor again" is_guess
chip_driver bind
check "the chip sets the clock again" wait_for 20 is_right
check "and the clock is seeded" wait_for 20 reads state seeded
modprobe -r rtc-seed
check "the module unloads" eval "! loaded rtc-seed"
ktap_finished
