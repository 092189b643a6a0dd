#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Grafted into a kernel tree the drivers are configured and built with it. A
# tree of links to LINUX_SRC stands in for the kernel; GRAFT_DIR keeps what the
# kernel's own preparation made from run to run.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
tree=$GRAFT_DIR/tree
out=$GRAFT_DIR/out
log=$GRAFT_DIR/log
failed=0

result() {
	if [ "$1" = 0 ]; then
		echo "ok $2"
	else
		tail -n 30 "$log" | sed 's/^/# /'
		echo "not ok $2"
		failed=1
	fi
}

kmake() {
	make -s -C "$tree" O="$out" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- -j"$(nproc)" "$@" \
		>>"$log" 2>&1
}

mkdir -p "$GRAFT_DIR"
: >"$log"
if [ ! -d "$tree" ]; then
	cp -al "$LINUX_SRC" "$tree.new"
	rm "$tree.new/drivers/Kconfig" "$tree.new/drivers/Makefile"
	cp "$LINUX_SRC/drivers/Kconfig" "$LINUX_SRC/drivers/Makefile" "$tree.new/drivers/"
	mv "$tree.new" "$tree"
fi

echo "TAP version 13"
echo "1..5"
"$top/scripts/graft" "$tree" >"$log" 2>&1 && "$top/scripts/graft" "$tree" >>"$log" 2>&1
result $? "1 graft, twice"
[ "$(grep -c boardpack "$tree/drivers/Kconfig" "$tree/drivers/Makefile" | cut -d: -f2 | tr -d '\n')" = 11 ]
result $? "2 hooks are there once"
"$top/scripts/graft" "$GRAFT_DIR/none" 2>&1 | grep -q 'is not a kernel source tree'
result $? "3 a folder that is no kernel tree is refused"

# with(value) - build the drivers as y or m on a small kernel
with() {
	cat >"$GRAFT_DIR/all.config" <<-END
	CONFIG_64BIT=y
	CONFIG_MODULES=y
	CONFIG_OF=y
	CONFIG_NEW_LEDS=y
	CONFIG_LEDS_CLASS=y
	CONFIG_LEDS_TRIGGERS=y
	CONFIG_RTC_CLASS=y
	CONFIG_BOARDPACK=y
	CONFIG_LEDS_IDENTIFY=$1
	CONFIG_RTC_SEED=$1
	END
	mkdir -p "$out"
	KCONFIG_ALLCONFIG=$GRAFT_DIR/all.config kmake allnoconfig && kmake drivers/boardpack/
}

rm -rf "$out/drivers/boardpack"
with y && grep -q leds-identify-core.o "$out/drivers/boardpack/drivers/leds/built-in.a" &&
	grep -q rtc-seed-core.o "$out/drivers/boardpack/drivers/rtc/built-in.a"
result $? "4 built in"
with m && grep -q leds-identify.o "$out/drivers/boardpack/drivers/leds/modules.order" &&
	grep -q rtc-seed.o "$out/drivers/boardpack/drivers/rtc/modules.order"
result $? "5 built as a module"
exit $failed
