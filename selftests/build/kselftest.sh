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

plan 20
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

# other(file) - the kernel's selftests, but for what is read into that file
other() {
	rm -rf "$work/ksft"
	mkdir "$work/ksft"
	cp -R "$ksft/lib.mk" "$ksft/run_kselftest.sh" "$ksft/kselftest" "$work/ksft/"
	cat >"$work/ksft/$1"
}

made KSFT="$ksft" INSTALL_PATH="$work/kk" TARGETS=kunit && ! grep -q bash "$said"
result $? "nothing is said of a runner that busybox takes"
{ cat "$ksft/kselftest/runner.sh"; echo 'pids=()'; } | other kselftest/runner.sh
made KSFT="$work/ksft" INSTALL_PATH="$work/kk" TARGETS=kunit && [ -x "$work/kk/run_kselftest.sh" ] &&
	[ "$(grep -c 'the device needs bash' "$said")" = 1 ]
result $? "of a newer one that wants bash that is told"
other none </dev/null
rm "$work/ksft/kselftest/ktap_helpers.sh"
! made KSFT="$work/ksft" INSTALL_PATH="$work/kk" TARGETS=kunit && [ ! -e "$work/kk" ] &&
	[ "$(grep -v '^make' "$said" | grep -c 'no kselftest/ktap_helpers.sh')" = 1 ]
result $? "an older one without the helpers is refused"

# machine(file) - what machine a program is for
machine() {
	od -An -tu2 -j18 -N2 "$1" | tr -d ' '
}

# again(word...) - into what is there already
again() {
	make -s -C "$top" selftests TARGETS=rtc-systemd KSFT="$ksft" INSTALL_PATH="$work/kk" "$@" >"$said" 2>&1
}

program=$work/kk/rtc-systemd/ntp-server
made KSFT="$ksft" INSTALL_PATH="$work/kk" CROSS_COMPILE=aarch64-linux-gnu- && [ "$(machine "$program")" = 183 ] &&
	again CROSS_COMPILE=arm-linux-gnueabihf- && [ "$(machine "$program")" = 40 ]
result $? "another compiler's are made anew"
object=$work/kk.build/rtc-systemd/ntp-server
touch -d '1 hour' "$object" && before=$(stat -c %Y "$object") && again CROSS_COMPILE=arm-linux-gnueabihf- &&
	[ "$(stat -c %Y "$object")" = "$before" ]
result $? "the same one's are not"
rm "$work/kk.build/rtc-systemd"/.made-with && again CROSS_COMPILE=aarch64-linux-gnu- &&
	[ "$(machine "$program")" = 183 ]
result $? "as are those of which nobody knows"
again CC="gcc -DNAME='\"a b\"'" && [ "$(machine "$program")" != 183 ]
result $? "a CC with quotes is another one, too"

# kunit(installed modules, variable...) - of a kernel that has KUnit, for which modprobe finds these
kunit() {
	# shellcheck disable=SC2016 # of that script
	printf '#!/bin/sh\nfor last; do :; done\ncase " %s " in *" $last "*) ;; *) exit 1 ;; esac\n' "$1" \
		>"$work/bin/modprobe"
	chmod +x "$work/bin/modprobe"
	shift
	env -u PACK_MODULES PATH="$work/bin:$PATH" "$@" "$work/kk/kunit/kunit.sh" >"$said" 2>&1
}

mkdir "$work/bin" "$work/results"
made KSFT="$ksft" INSTALL_PATH="$work/kk" TARGETS=kunit
sed -i "s:^results=.*:results=$work/results:" "$work/kk/kunit/kunit.sh"
kunit "leds-identify rtc-seed"
[ $? = 4 ] && grep -q '^1\.\.0 # SKIP no KUnit module of the pack is installed$' "$said"
result $? "modules without their KUnit ones, as DKMS has them, are no failure"
kunit "leds-identify rtc-seed rtc-seed-kunit"
[ $? = 1 ] && grep -q '^not ok .* rtc-seed-kunit runs a suite' "$said" && ! grep -q leds-identify "$said"
result $? "one that is there is run"
kunit "leds-identify" PACK_MODULES=leds-identify
[ $? = 1 ] && grep -q '^not ok .* leds-identify-kunit loads' "$said"
result $? "and one that somebody names is to be there"
exit $failed
