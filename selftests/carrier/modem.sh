#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A stick in the carrier's modem slot: a drive behind a real USB host, which usb-modeswitch
# makes a modem whose driver binds and which answers. It is plugged in from the beginning;
# that it may run is the slot's supply and reset, in devices.sh.

# shellcheck source=selftests/lib/pack.sh
. "$(dirname "$0")/../lib/pack.sh"

slot=38200000.usb
usb=/sys/bus/usb/devices
switch=/sys/class/misc/usb-modeswitch

reads() {
	[ "$(cat "$1" 2>/dev/null)" = "$2" ]
}

# driven(interface, driver)
driven() {
	[ "$(basename "$(readlink "$usb/$1/driver")")" = "$2" ]
}

# answers(port) - whether it says OK to AT
answers() {
	exec 3<>"$1"
	stty -F "$1" raw -echo 2>/dev/null
	printf 'AT\r' >&3
	_said=$(timeout 5 head -c 6 <&3 | tr -d '\r\n')
	exec 3>&-
	[ "$_said" = OK ]
}

for module in fixed phy-fsl-imx8mq-usb xhci-plat-hcd; do
	modprobe $module
done
# The test bench has plugged one in: there it is a failure that there is none.
wait_for 30 reads $usb/1-1/idVendor 12d1 || [ -n "${PACK_MACHINE:-}" ] ||
	skip_all "no stick is in the modem slot"

plan 7
check "the stick is in the slot" eval "readlink -f $usb/1-1 | grep -q /$slot/"
check "it is a drive" reads $usb/1-1/idProduct 14fe
modprobe option
modprobe usb-modeswitch
check "it becomes a modem" wait_for 20 reads $usb/1-1/idProduct 1506
check "in the same slot" eval "readlink -f $usb/1-1 | grep -q /$slot/"
check "whose driver binds" wait_for 20 driven 1-1:1.0 option
check "and which answers" wait_for 20 answers /dev/ttyUSB0
check "by one switch" reads $switch/switched 1
ktap_finished
