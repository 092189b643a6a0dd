#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Grafted into a kernel tree the drivers are configured and built with it. A
# tree of links to LINUX_SRC stands in for the kernel; GRAFT_DIR keeps what the
# kernel's own preparation made from run to run, of each source.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
GRAFT_DIR=$GRAFT_DIR/$(basename "$LINUX_SRC")
tree=$GRAFT_DIR/tree
out=$GRAFT_DIR/out
said=$GRAFT_DIR/log

kmake() {
	make -s -C "$tree" O="$out" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- -j"$(nproc)" "$@" \
		>>"$said" 2>&1
}

mkdir -p "$GRAFT_DIR"
# Another checkout may test at the same time.
exec 9>"$GRAFT_DIR/lock"
flock 9
: >"$said"
if [ ! -d "$tree" ]; then
	rm -rf "$tree.new"
	cp -al "$LINUX_SRC" "$tree.new"
	mv "$tree.new" "$tree"
fi
rm -rf "$tree/drivers/Kconfig" "$tree/drivers/Makefile" "$tree/drivers/boardpack"
cp "$LINUX_SRC/drivers/Kconfig" "$LINUX_SRC/drivers/Makefile" "$tree/drivers/"

plan 20
# graft(tree, words...) - as people type it
graft() {
	kernel=$1
	shift
	$limited make -s -C "$top" graft KERNEL="$kernel" "$@"
}

# untouched() - the kernel's files, and nothing beside them
untouched() {
	cmp "$LINUX_SRC/drivers/Kconfig" "$tree/drivers/Kconfig" &&
		cmp "$LINUX_SRC/drivers/Makefile" "$tree/drivers/Makefile" && ! ls -d "$tree"/drivers/*boardpack*
}

limited=
# Root writes what is read-only.
[ "$(id -u)" != 0 ] || limited="setpriv --bounding-set -dac_override"
chmod 444 "$tree/drivers/Makefile"
! graft "$tree" >"$said" 2>&1 && grep -q 'drivers/Makefile is not writable' "$said" && untouched >>"$said" 2>&1
result $? "one that cannot be hooked is left as it is"
chmod 644 "$tree/drivers/Makefile"
limited=
graft "$tree" >"$said" 2>&1 && CDPATH=.:/ graft "$tree" >>"$said" 2>&1 && [ -e "$tree/drivers/boardpack/Kbuild" ]
result $? "graft, twice, once with a path to change folders by"
# shellcheck disable=SC2016 # make's variable
[ "$(cat "$tree/drivers/Kconfig" "$tree/drivers/Makefile" | grep boardpack)" = 'source "drivers/boardpack/drivers/Kconfig"
obj-$(CONFIG_BOARDPACK) += boardpack/' ] && diff "$LINUX_SRC/drivers/Kconfig" "$tree/drivers/Kconfig" |
	grep -c '^[<>]' | grep -qx 1
result $? "hooks are there once"
rm -rf "$GRAFT_DIR/vendor"
mkdir -p "$GRAFT_DIR/vendor/drivers"
printf '%s\n' 'menu "Device Drivers"' 'menu "Vendor"' endmenu endmenu >"$GRAFT_DIR/vendor/drivers/Kconfig"
: >"$GRAFT_DIR/vendor/drivers/Makefile"
graft "$GRAFT_DIR/vendor" >"$said" 2>&1 && [ "$(grep -n boardpack "$GRAFT_DIR/vendor/drivers/Kconfig")" = \
	'4:source "drivers/boardpack/drivers/Kconfig"' ]
result $? "in a tree with a menu in its menu, once and in the outer one"
# full(command...) - as on a disk that is full soon: no file gets longer than 8 KB
full() {
	(trap '' XFSZ; ulimit -f 16; "$@")
}

touch "$tree/drivers/boardpack/old"
! full graft "$tree" >"$GRAFT_DIR/full" 2>&1 && [ -e "$tree/drivers/boardpack/old" ] &&
	[ -d "$tree/drivers/boardpack/drivers/usb" ] && ! ls -d "$tree"/drivers/boardpack[!/]* >"$said" 2>&1
result $? "on a full disk the copy from before stays"
graft "$tree" >"$said" 2>&1 && [ ! -e "$tree/drivers/boardpack/old" ]
result $? "or a new one takes its place"
# struck(SIGNAL, program, number) - graft gets it once it has run that program so often; what it leaves
# is one copy, and hooks for it
struck() {
	cp "$LINUX_SRC/drivers/Kconfig" "$LINUX_SRC/drivers/Makefile" "$tree/drivers/"
	mkdir -p "$GRAFT_DIR/bin"
	rm -f "$GRAFT_DIR/bin"/* "$GRAFT_DIR/count"
	cat >"$GRAFT_DIR/bin/$2" <<-END
		#!/bin/sh
		$(command -v "$2") "\$@" || exit
		echo >>"$GRAFT_DIR/count"
		[ "\$(wc -l <"$GRAFT_DIR/count")" != $3 ] || kill -s $1 \$PPID
	END
	chmod +x "$GRAFT_DIR/bin/$2"
	PATH=$GRAFT_DIR/bin:$PATH "$top/scripts/graft" "$tree" >"$said" 2>&1
	[ -s "$GRAFT_DIR/count" ] && [ -d "$tree/drivers/boardpack/drivers/usb" ] &&
		! ls -d "$tree"/drivers/boardpack[!/]* >>"$said" 2>&1
}

struck TERM mv 1 && [ "$(cat "$tree/drivers/Kconfig" "$tree/drivers/Makefile" | grep -c boardpack)" = 2 ]
result $? "a signal while they take their places comes too late"
struck HUP cp 3 && cmp "$LINUX_SRC/drivers/Kconfig" "$tree/drivers/Kconfig" >>"$said" 2>&1
result $? "and one before leaves nothing of them"
graft "$GRAFT_DIR/none" 2>&1 | grep -q 'is not a kernel source tree'
result $? "a folder that is no kernel tree is refused"
make -s -C "$top" graft 2>&1 | grep -q 'give KERNEL=/path'
result $? "where none is named, one is asked for"
rm -rf "$GRAFT_DIR/empty"
graft "$tree" O="$GRAFT_DIR/empty" ARCH=arm64 >"$said" 2>&1
grep -qxF "  make -C $tree O=$GRAFT_DIR/empty ARCH=arm64 drivers/boardpack/" "$said" &&
	grep -qxF "  $tree/scripts/config --file $GRAFT_DIR/empty/.config -e BOARDPACK -m LEDS_IDENTIFY -m RTC_SEED -m USB_MODESWITCH" "$said"
result $? "a tree that is not configured: the commands are told"

# built_in() - on a small kernel
built_in() {
	cat >"$GRAFT_DIR/all.config" <<-END
	CONFIG_64BIT=y
	CONFIG_MODULES=y
	CONFIG_OF=y
	CONFIG_NEW_LEDS=y
	CONFIG_LEDS_CLASS=y
	CONFIG_LEDS_TRIGGERS=y
	CONFIG_RTC_CLASS=y
	CONFIG_USB_SUPPORT=y
	CONFIG_USB=y
	CONFIG_BOARDPACK=y
	CONFIG_LEDS_IDENTIFY=y
	CONFIG_RTC_SEED=y
	CONFIG_USB_MODESWITCH=y
	END
	mkdir -p "$out"
	KCONFIG_ALLCONFIG=$GRAFT_DIR/all.config kmake allnoconfig && kmake drivers/boardpack/
}

# made(files...) - for each driver, in what the kernel collects of its folder, and no warning
made() {
	grep -q 'leds-identify' "$out/drivers/boardpack/drivers/leds/$1" &&
		grep -q 'rtc-seed' "$out/drivers/boardpack/drivers/rtc/$1" &&
		grep -q 'usb-modeswitch' "$out/drivers/boardpack/drivers/usb/$1" &&
		! grep 'warning:' "$said"
}

rm -rf "$out/drivers/boardpack"
built_in && made built-in.a
result $? "built in"
# seed(NVMEM) - what rtc-seed that is built in is then, with nvmem as it was before it could be no module
seed() {
	cat >"$GRAFT_DIR/Kconfig" <<-END
	config MODULES
		def_bool y
		modules
	config RTC_CLASS
		def_bool y
	config NVMEM
		tristate "nvmem"
	source "$top/drivers/rtc/Kconfig"
	END
	printf 'CONFIG_NVMEM=%s\nCONFIG_RTC_SEED=y\n' "$1" >"$GRAFT_DIR/seed.config"
	(cd "$GRAFT_DIR" && KCONFIG_CONFIG=seed.config "$out/scripts/kconfig/conf" --olddefconfig Kconfig) \
		>"$said" 2>&1 && sed -n 's/^CONFIG_RTC_SEED=//p' "$GRAFT_DIR/seed.config"
}

[ "$(seed m) $(seed y) $(seed n)" = "m y y" ]
result $? "where nvmem is a module, rtc-seed is one"
# A kernel that was configured before it had the drivers.
ours='BOARDPACK\|LEDS_IDENTIFY\|RTC_SEED\|USB_MODESWITCH'
sed -i "/$ours/d" "$out/.config"
rm -rf "$out/drivers/boardpack"
graft "$tree" O="$out" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- >"$said" 2>&1 && made modules.order &&
	[ "$(grep -c ": compiled in $out/drivers/boardpack; make modules links" "$said")" = 3 ]
result $? "graft builds them where the kernel is configured, as modules"
# Make calls the source .. there.
below=$tree/build
mkdir -p "$below"
sed "/$ours/d" "$out/.config" >"$below/.config"
rm -rf "$below/drivers/boardpack"
graft "$tree" O="$below" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- >"$said" 2>&1 &&
	[ -s "$below/drivers/boardpack/drivers/leds/modules.order" ]
result $? "and where that is a folder of the source's"
sed -i "/$ours/d; \$a # CONFIG_BOARDPACK is not set" "$out/.config"
rm -rf "$out/drivers/boardpack"
graft "$tree" O="$out" >"$said" 2>&1 && grep -q 'has CONFIG_BOARDPACK off' "$said" &&
	[ ! -e "$out/drivers/boardpack" ]
result $? "and not where its configuration has them off"

# out_of_tree() - a module, against that kernel, of which neither folder is a whole one; it has
# exported nothing yet, so that modpost only warns of symbols
out_of_tree() {
	kmake modules_prepare &&
		make -s -C "$GRAFT_DIR/pack" KDIR="$tree" O="$out" ARCH=arm64 \
			CROSS_COMPILE=aarch64-linux-gnu- KBUILD_MODPOST_WARN=1 CONFIG_RTC_SEED=n \
			CONFIG_USB_MODESWITCH=n >"$said" 2>&1
}

rm -rf "$GRAFT_DIR/pack"
mkdir -p "$GRAFT_DIR/pack/scripts"
cp -R "$top/Kbuild" "$top/Makefile" "$top/drivers" "$GRAFT_DIR/pack/"
cp "$top/scripts/check-kdir" "$GRAFT_DIR/pack/scripts/"
find "$GRAFT_DIR/pack" -name '*.ko' -delete
touch "$GRAFT_DIR/before"
out_of_tree && [ -e "$GRAFT_DIR/pack/drivers/leds/leds-identify.ko" ] &&
	! find "$tree" -newer "$GRAFT_DIR/before" -type f | grep .
result $? "out of tree, against a source with its O= elsewhere, in which nothing is written"
# in_place(name, release) - the kernel where its source is, as headers are published, and no newer than it was
in_place() {
	rm -rf "${GRAFT_DIR:?}/$1"
	mkdir -p "$GRAFT_DIR/$1/arch"
	(cd "$tree" && cp -al Makefile Kbuild Kconfig scripts include "$GRAFT_DIR/$1/" &&
		cp -al arch/arm64 "$GRAFT_DIR/$1/arch/") && (cd "$out" &&
		cp -Rp --remove-destination .config include scripts arch "$GRAFT_DIR/$1/")
	uts=include/generated/utsrelease.h
	rm "$GRAFT_DIR/$1/$uts"
	echo "#define UTS_RELEASE \"$2\"" >"$GRAFT_DIR/$1/$uts"
	touch -r "$out/$uts" "$GRAFT_DIR/$1/$uts"
}

# built_for(name, release) - the pack's module is of that kernel
built_for() {
	make -s -C "$GRAFT_DIR/pack" KDIR="$GRAFT_DIR/$1" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
		KBUILD_MODPOST_WARN=1 CONFIG_RTC_SEED=n CONFIG_USB_MODESWITCH=n >>"$said" 2>&1 &&
		grep -aq "vermagic=$2 " "$GRAFT_DIR/pack/drivers/leds/leds-identify.ko"
}

: >"$said"
in_place one 6.12.0-one && in_place two 6.12.0-two && built_for one 6.12.0-one && built_for two 6.12.0-two
result $? "for another kernel that looks the same to make the modules are built anew"
touch "$GRAFT_DIR/before"
built_for two 6.12.0-two && ! find "$GRAFT_DIR/pack" -name '*.o' -newer "$GRAFT_DIR/before" | grep . >>"$said"
result $? "and for the same one they stay"
rm -rf "$GRAFT_DIR/one" "$GRAFT_DIR/two"
cp "$top/scripts/graft" "$GRAFT_DIR/pack/scripts/"
make -s -C "$GRAFT_DIR/pack" graft KERNEL="$tree" >"$said" 2>&1 &&
	! find "$tree/drivers/boardpack" -type f \( -name '*.mod.c' -o ! -name '*.[ch]' ! -name 'K*' \
		! -name 'sysfs-*' \) | grep . >"$said"
result $? "of a checkout in which make has built, the sources are copied"
exit $failed
