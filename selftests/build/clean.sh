#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make clean takes away what a build has left, and nothing of what else lies in a checkout:
# kernel headers, what was put into out/. BUILD_KDIR is the kernel.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/said
pack=$work/pack
others="linux-headers/Module.symvers linux-headers/scripts/mod/modpost.o linux-headers/.config.cmd
	out/kselftest/a.ko out/modules.order"

# files() - of the pack
files() {
	(cd "$pack" && find . -type f | sort)
}

plan 4
mkdir "$pack" "$pack/scripts"
cp -R "$top/Kbuild" "$top/Makefile" "$pack/"
(cd "$top" && find drivers selftests/*/module -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod*' \
	! -name '.*' ! -name '*.order' ! -name Module.symvers) | while read -r file; do
	mkdir -p "$pack/$(dirname "$file")"
	cp "$top/$file" "$pack/$file"
done
cp "$top/scripts/check-kdir" "$pack/scripts/"
for file in $others; do
	mkdir -p "$pack/$(dirname "$file")"
	echo "$file" >"$pack/$file"
done
files >"$work/before"
make -C "$pack" KDIR="$BUILD_KDIR" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
	CONFIG_USB_MODESWITCH=n CONFIG_RTC_SEED=n >"$said" 2>&1 &&
	make -C "$BUILD_KDIR" M="$pack/selftests/rtc/module" ARCH=arm64 \
		CROSS_COMPILE=aarch64-linux-gnu- >>"$said" 2>&1
result $? "the pack and a module of the tests are built"
files | comm -13 "$work/before" - >"$said"
grep -q '/leds-identify.ko$' "$said" && grep -q '^./selftests/.*\.ko$' "$said" &&
	grep -q '^./Module.symvers$' "$said"
result $? "which leaves files"
make -C "$pack" clean >"$said" 2>&1
result $? "make clean"
files | diff "$work/before" - >"$said"
result $? "takes these and no other"
exit $failed
