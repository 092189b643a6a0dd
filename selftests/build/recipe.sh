#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A recipe's way: KERNEL_SRC, CC and LD from outside, modules_install into an
# image, by the calls that OE's module.bbclass makes. BUILD_KDIR is the kernel.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/log

plan 9
release=$(cat "$BUILD_KDIR/include/config/kernel.release")
cross=aarch64-linux-gnu-
cp -R "$top/Kbuild" "$top/Makefile" "$top/drivers" "$work/"
mkdir "$work/scripts"
cp "$top/scripts/check-kdir" "$work/scripts/"

oe_make() {
	make -C "$work" KERNEL_PATH="$BUILD_KDIR" KERNEL_SRC="$BUILD_KDIR" KERNEL_VERSION="$release" \
		ARCH=arm64 CROSS_COMPILE=$cross CC="${cross}gcc  -fuse-ld=bfd" LD=${cross}ld.bfd \
		AR=${cross}ar O="$BUILD_KDIR" "$@" >"$said" 2>&1
}

oe_make
result $? "the default target builds the modules"
oe_make INSTALL_MOD_PATH="$work/image" DEPMOD=true modules_install
result $? "modules_install takes them into the image"
find "$work/image" -name 'leds-identify.ko*' | grep -q "/lib/modules/$release/"
result $? "below /lib/modules of that kernel"
# What make leaves in a kernel by mistake is in one of links.
mkdir "$work/kernel"
ln -s "$BUILD_KDIR"/* "$BUILD_KDIR/.config" "$work/kernel/"

# install_to(image) - as its recipe's environment names it
install_to() {
	(cd "$work" && INSTALL_MOD_PATH=$1 make KDIR="$work/kernel" ARCH=arm64 CROSS_COMPILE=$cross DEPMOD=true \
		modules_install) >"$said" 2>&1
}

install_to out/image && find "$work/out/image" -name 'leds-identify.ko*' | grep -q . && [ ! -e "$work/kernel/out" ]
result $? "an image that is named from where make is started is there"
! install_to "my image" && [ "$(grep -c 'INSTALL_MOD_PATH=my image has a blank' "$said")" = 1 ] &&
	[ ! -e "$work/kernel/my" ] && [ ! -e "$work/kernel/image" ]
result $? "one with a blank is refused"

# floor(epoch) - the floor of rtc-seed as built with that SOURCE_DATE_EPOCH
floor() {
	touch "$work/drivers/rtc/rtc-seed-core.c"
	SOURCE_DATE_EPOCH=$1 oe_make && modinfo -F floor "$work/drivers/rtc/rtc-seed.ko"
}

same() {
	[ "$1" = "$2" ]
}

first=$(floor 1800000000)
sum=$(sha256sum <"$work/drivers/rtc/rtc-seed.ko")
same "$first" 1800000000
result $? "the clock's floor is SOURCE_DATE_EPOCH"
floor 1800000000 >/dev/null && same "$(sha256sum <"$work/drivers/rtc/rtc-seed.ko")" "$sum"
result $? "the same SOURCE_DATE_EPOCH gives the same module"
released=$(floor '')
fallback=$(floor 1302044400)
[ -n "$released" ] && same "$fallback" "$released"
result $? "one before the release is not used"
oe_make clean && ! find "$work" -path "$work/image" -prune -o -name '*.o' -print | grep -q .
result $? "clean leaves no object behind"
exit $failed
