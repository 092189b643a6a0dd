#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Real drivers minutes late, in either order: a clock chip whose I2C controller is
# a module, and the RTC of the SoC. QEMU gives the chip 2031-02-03, the SoC's says
# 1970 at first, as one does that has no battery.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

seed=/sys/class/misc/rtc-seed
right=1927857906
chip=/sys/bus/i2c/drivers/rtc-ds1307
soc=/sys/bus/platform/drivers/snvs_rtc

[ "$PACK_MACHINE" = imx8mp-rtc ] || skip_all "not the machine whose RTCs are modules"

clock() {
	date +%s
}

# is_right() - the clock is in the first hour after what QEMU was given
is_right() {
	[ "$(clock)" -ge "$right" ] && [ "$(clock)" -lt $((right + 3600)) ]
}

reads() {
	[ "$(cat "$seed/$1")" = "$2" ]
}

in_1970() {
	modprobe -r rtc-seed
	date -s @100000 >/dev/null
}

# set_soc(seconds) - give the RTC of the SoC a time
set_soc() {
	date -s "@$1" >/dev/null
	hwclock -u -w -f "/dev/$(basename $soc/*/rtc/rtc*)"
}

plan 17

modprobe rtc-seed
check "without an RTC the clock is at the floor" \
	[ "$(($(clock) - $(cat $seed/floor)))" -lt 20 ]
sleep 120
modprobe i2c-imx
check "the chip on I2C is seen two minutes late" wait_for 20 is_right
check "it is the source" reads source rtc0
sleep 60
modprobe rtc-snvs
check "the one of the SoC is passed over" wait_for 20 reads rejected_past 1
check "and changes nothing" is_right
chip_name=$(cd $chip && echo ?-0068)
soc_name=$(cd $soc && echo ./*snvs-rtc*)
soc_name=${soc_name#./}

set_soc "$(clock)"
echo "$chip_name" >$chip/unbind
in_1970
modprobe rtc-seed
check "the one of the SoC alone will do when it is right" is_right
check "it is the source then" reads source rtc1

echo "$soc_name" >$soc/unbind
in_1970
modprobe rtc-seed
check "without both it is at the floor again" reads source floor
sleep 120
echo "$soc_name" >$soc/bind
check "the one of the SoC is seen two minutes late" wait_for 20 is_right
echo "$chip_name" >$chip/bind
sleep 2
check "then the chip changes nothing" is_right
check "and is not rejected" reads rejected_past 0

# The other order, and the one of the SoC is dead.
set_soc 946684800
echo "$chip_name" >$chip/unbind
echo "$soc_name" >$soc/unbind
in_1970
modprobe rtc-seed
echo "$soc_name" >$soc/bind
check "dead, it is passed over" wait_for 20 reads rejected_past 1
check "the clock is at the floor" [ "$(clock)" -ge "$(cat $seed/floor)" ]
check "or not far above" [ "$(clock)" -lt "$right" ]
echo "$chip_name" >$chip/bind
check "the chip sets the clock" wait_for 20 is_right
check "it is the source" reads state seeded
modprobe -r rtc-seed
check "the module unloads" eval "! loaded rtc-seed"
ktap_finished
