#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make selftests installs where it is told to, also by a path from where make is started,
# and what reboots a machine does so in the bench alone.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/log
ksft=$LINUX_SRC/tools/testing/selftests
unset INSTALL_PATH KSFT BUILD

# near(path) - the same from the checkout
near() {
	realpath -m --relative-to="$top" "$1"
}

# made(argument...) - with the least of the tests that is compiled
made() {
	rm -rf "$work/kk" "$work/kk.build"
	make -s -C "$top" selftests TARGETS=rtc-systemd "$@" >"$said" 2>&1
}

# refused(name, path) - in one sentence
refused() {
	! made KSFT="$ksft" INSTALL_PATH="$work/kk" "$1=$2" &&
		[ "$(grep -c 'has a blank' "$said")" = 1 ] && [ ! -e "$work/kk" ] && [ ! -e "$work/my" ]
}

# left_out(test, variable...) - before it does anything
left_out() {
	_test=$1
	shift
	env -u PACK_MACHINE "$@" "$work/kk/$_test" >"$said" 2>&1
	[ $? = 4 ] && grep -q '^1\.\.0 # SKIP it reboots .*: only in the bench$' "$said"
}

plan 10
made KSFT="$ksft" INSTALL_PATH="$work/kk" && [ -x "$work/kk/rtc-systemd/ntp-server" ]
result $? "a whole path"
made KSFT="$ksft" INSTALL_PATH="$(near "$work/kk")" && [ -x "$work/kk/rtc-systemd/ntp-server" ] &&
	[ ! -e "$top/selftests/out" ]
result $? "one from here"
made KSFT="$(near "$ksft")" INSTALL_PATH="$work/kk" && [ -x "$work/kk/run_kselftest.sh" ]
result $? "and to the kernel's selftests"
refused INSTALL_PATH "$work/my kk"
result $? "one with a blank is refused"
refused KSFT "$work/my ksft"
result $? "be it the kernel's"
made KSFT="$ksft" INSTALL_PATH="$work/kk" TARGETS="rtc-reboot rtc-sleep"
for test in rtc-reboot/heal rtc-reboot/memory rtc-sleep/hibernate rtc-sleep/idle; do
	left_out "$test"
	result $? "$test leaves a machine alone that is not the bench's"
done
left_out rtc-sleep/hibernate PACK_MACHINE=virt-rtc
result $? "and hibernate another one of the bench"
exit $failed
