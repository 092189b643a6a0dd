#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A build that cannot work says why in one sentence, and what can work is taken where it
# is. Runs on the machine that builds; BUILD_KDIR is a kernel for arm64.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

# says(what, words, make arguments...) - make fails with one sentence of ours
says() {
	what=$1 words=$2
	shift 2
	n=$((n + 1))
	text=$(make -s -C "$top" "$@" modules 2>&1)
	status=$?
	ours=$(echo "$text" | grep '^boardpack: ')
	if [ $status -ne 0 ] && [ "$(echo "$ours" | wc -l)" = 1 ] && echo "$ours" | grep -q "$words"; then
		echo "ok $n $what"
	else
		echo "$text" | sed 's/^/# /'
		echo "not ok $n $what"
		failed=1
	fi
}

# works(what, words, command...) - it does, and says these words
works() {
	what=$1 words=$2
	shift 2
	n=$((n + 1))
	if text=$("$@" 2>&1) && echo "$text" | grep -q "$words"; then
		echo "ok $n $what"
	else
		echo "$text" | tail -n 30 | sed 's/^/# /'
		echo "not ok $n $what"
		failed=1
	fi
}

# compiled(version, patchlevel) - compile one file by the makefiles of BUILD_KDIR, as if it were of that
# version; no other makefile of ours is asked
# shellcheck disable=SC2317 # works() calls them
compiled() {
	rm -rf "$work/pack"
	mkdir "$work/pack"
	cp -R "$top/Kbuild" "$top/drivers" "$work/pack/"
	make -s -C "$BUILD_KDIR" M="$work/pack" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
		VERSION="$1" PATCHLEVEL="$2" drivers/leds/leds-identify-list.o 2>&1
}

# refused(version, patchlevel) - too old, by what is compiled
# shellcheck disable=SC2317 # as above
refused() {
	! text=$(compiled "$1" "$2") && echo "$text"
}

# kernel(dir, release) - what of a configured kernel tree is looked at
kernel() {
	mkdir -p "$1/include/generated" "$1/include/config" "$1/scripts/mod"
	touch "$1/Makefile" "$1/include/generated/autoconf.h" "$1/include/generated/utsrelease.h" \
		"$1/scripts/mod/modpost"
	echo "$2" >"$1/include/config/kernel.release"
}

failed=0
echo "TAP version 13"
echo "1..49"
unset CC LLVM KDIR KERNEL_SRC KERNEL_PATH O
mkdir "$work/empty" "$work/plain"
touch "$work/plain/Makefile"
kernel "$work/old" 4.1.52-vendor
kernel "$work/older" 3.18.140
kernel "$work/good" 4.4.0

says "a missing KDIR is named" "KDIR=$work/none does not exist" KDIR="$work/none"
says "a folder that is no kernel is named" "has no Makefile" KDIR="$work/empty"
says "a kernel that is not configured is told apart" "is not configured" KDIR="$work/plain"
for name in include/generated/utsrelease.h scripts/mod/modpost; do
	rm -rf "$work/half"
	kernel "$work/half" 6.12.0
	rm "$work/half/$name"
	says "and one that lacks ${name##*/}" "half is not prepared: run 'make modules_prepare' there with ARCH=arm64" \
		KDIR="$work/half" ARCH=arm64
done
says "missing headers of a running kernel are asked for" "headers package" \
	KDIR=/lib/modules/0.0.0-none/build
says "a kernel below 4.4 is refused" "4.1.52-vendor is older than 4.4" KDIR="$work/old"
says "a kernel of an older major is refused" "3.18.140 is older than 4.4" KDIR="$work/older"
says "a compiler that is not there is named" "compiler none-gcc not found" \
	KDIR="$work/good" CROSS_COMPILE=none-
says "a CC that is not there is named" "compiler none-cc not found" KDIR="$work/good" CC=none-cc

mkdir "$work/bin"
cat >"$work/bin/uname" <<-END
	#!/bin/sh
	[ "\$*" != -r ] || exec echo 0.0.0-here
	exec $(command -v uname) "\$@"
END
chmod +x "$work/bin/uname"
path=$PATH
PATH=$work/bin:$PATH
says "without KDIR it is the running kernel's" "running kernel 0.0.0-here"
says "or what KERNEL_SRC names" "KDIR=$work/none does not exist" KERNEL_SRC="$work/none"
PATH=$path

says "LLVM=-19 is a suffix of the compiler's" "compiler clang-none not found" \
	KDIR="$work/good" LLVM=-none
says "LLVM=/folder/ is where it is" "compiler $work/none/clang not found" \
	KDIR="$work/good" LLVM="$work/none/"
says "CC on the command line comes before LLVM" "compiler none-cc not found" \
	KDIR="$work/good" LLVM=-none CC=none-cc
kernel "$work/named" 6.12.0
# shellcheck disable=SC2016 # make's variable
echo 'CC = $(CROSS_COMPILE)gcc-none' >"$work/named/Makefile"
says "one that the kernel names with its version is asked for" "compiler x86_64-linux-gnu-gcc-none not found" \
	KDIR="$work/named" CROSS_COMPILE=x86_64-linux-gnu-
for flag in -w --debug=b --trace; do
	says "and is told from what make $flag says" "compiler x86_64-linux-gnu-gcc-none not found" \
		"$flag" KDIR="$work/named" CROSS_COMPILE=x86_64-linux-gnu-
done
says "the command line comes before that, too" "compiler none-cc not found" KDIR="$work/named" CC=none-cc
export CC=true
says "a CC of the environment is not the kernel's" "compiler none-gcc not found" \
	KDIR="$work/good" CROSS_COMPILE=none-
unset CC
mkdir "$work/bin/two"
for name in ccache there-gcc; do
	printf '#!/bin/sh\n' >"$work/bin/two/$name"
	chmod +x "$work/bin/two/$name"
done
# shellcheck disable=SC2016 # make's variables
printf 'CC = $(CROSS_COMPILE)gcc\nmodules:\n\t@echo "by $(CC)"\n' >"$work/good/Makefile"
works "a CROSS_COMPILE of two words is passed on as it is" "by ccache there-gcc" \
	env PATH="$work/bin/two:$PATH" make -s -C "$top" KDIR="$work/good" CROSS_COMPILE="ccache there-" modules
kernel "$work/bare" 4.4.0
says "and looked for by its first" "compiler none-ccache not found" \
	KDIR="$work/bare" CROSS_COMPILE="none-ccache there-"

kernel "$work/arm64" 6.12.0
echo "#define CONFIG_ARM64 1" >"$work/arm64/include/generated/autoconf.h"
# shellcheck disable=SC2016 # make's variables
printf 'SRCARCH = $(ARCH)\nmodules:\n\t@echo "for $(SRCARCH)"\n' >"$work/arm64/Makefile"
says "a kernel of another architecture is told" \
	"is for arm64, and ARCH is x86: give ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-" KDIR="$work/arm64" ARCH=x86
says "a compiler for another, too" "compiler gcc is for x86_64-.*: give CROSS_COMPILE=aarch64-linux-gnu-" \
	KDIR="$work/arm64" ARCH=arm64
for cc in aarch64-linux-gnu-gcc clang; do
	works "and none that is for it: $cc" "for arm64" make -s -C "$top" KDIR="$work/arm64" ARCH=arm64 CC=$cc modules
done
# shellcheck disable=SC2016 # make's variable
echo 'include arch/$(ARCH)/Makefile' >"$work/arm64/Makefile"
says "headers without the folder of ARCH say it, too" "is for arm64, and ARCH is x86: give" \
	KDIR="$work/arm64" ARCH=x86_64

# What the kernel's make is told of an output folder, from its own.
mkdir -p "$work/source"
# shellcheck disable=SC2016 # make's variable
printf 'modules:\n\t@cd "$(O)" && echo "in $$(pwd)"\n' >"$work/source/Makefile"
kernel "$work/output" 6.12.0
rm "$work/output/Makefile"
works "an O= is taken from where make was started" "in $work/output" \
	make -s -C "$top" KDIR="$work/source" O="$(realpath --relative-to="$top" "$work/output")" CC=true modules
# One that makes that folder before it looks at anything else, as the kernel's does.
kernel "$work/src/linux" 6.12.0
# shellcheck disable=SC2016 # make's variable
printf '$(if $(O),$(shell mkdir -p $(O)))\nCC = true\nmodules:\n\t@echo none made\n' >"$work/src/linux/Makefile"
mkdir -p "$work/pack/drivers"
cp -R "$top/Makefile" "$top/scripts" "$work/pack/"

# beside(words...) - make from a folder elsewhere, after which the kernel is as it was
# shellcheck disable=SC2317 # works() calls it
beside() {
	find "$work/src" | sort >"$work/before"
	make -s -C "$work/pack" "$@" modules && find "$work/src" | sort | diff "$work/before" - >&2
}

works "asked for its compiler a kernel is left as it is" "none made" beside KDIR=../src/linux
works "as is one with an O= that is named from here" "none made" beside KDIR="$work/src/linux" O=../output
says "one that is not there is told" "kernel in none is not configured" KDIR="$work/good" O=none

# shellcheck disable=SC2016 # make's variable
printf 'CC = none-gcc\nmodules_install:\n\t@echo "into $(INSTALL_MOD_PATH)"\n' >"$work/plain/Makefile"
kernel "$work/plain" 6.12.0
works "to install modules no compiler is needed" "into $work/root" \
	make -s -C "$top" KDIR="$work/plain" INSTALL_MOD_PATH="$work/root" modules_install

# A kernel that builds one module and its tests, beside what was built before.
mkdir -p "$work/pack/drivers/one" "$work/pack/drivers/two"
# shellcheck disable=SC2016 # make's variable
printf 'CC = true\nmodules:\n\t@printf "%%s\\n" $(M)/drivers/one/one.o kernel/$(M)/drivers/one/one-kunit.ko >$(M)/modules.order\n' \
	>"$work/good/Makefile"
make -s -C "$work/pack" KDIR="$work/good" modules
touch "$work/pack/drivers/one/one.ko" "$work/pack/drivers/one/one-kunit.ko" "$work/pack/drivers/two/two.ko"
for name in preflight sign; do
	printf '#!/bin/sh\necho "of $*;"\n' >"$work/pack/scripts/$name"
done
works "preflight is of what was built, without tests" "of --kdir $work/good drivers/one/one.ko;" \
	make -s -C "$work/pack" KDIR="$work/good" preflight
works "and signed is that with its tests" \
	"of $work/good key cert drivers/one/one.ko drivers/one/one-kunit.ko;" \
	make -s -C "$work/pack" KDIR="$work/good" KEY=key CERT=cert sign

# tests(line) - the KUnit tests that are built for a kernel whose KUnit has that line
# shellcheck disable=SC2016,SC2317 # make's variables; works() calls it
tests() {
	mkdir -p "$work/kunit/include/kunit"
	echo "$1" >"$work/kunit/include/kunit/test.h"
	for driver in leds rtc usb; do
		make -s -f "$top/drivers/$driver/Kbuild" srctree="$work/kunit" KBUILD_EXTMOD=1 CONFIG_KUNIT=m \
			CONFIG_RTC_CLASS=y CONFIG_USB=y --eval='objects: ; @echo $(filter %-kunit.o,$(obj-m))' objects
	done | tr '\n' ' '
}

works "KUnit tests are built where the kernel's KUnit has what they use" \
	"leds-identify-kunit.o rtc-seed-kunit.o usb-modeswitch-kunit.o" tests "#define KUNIT_ASSERT_NOT_NULL"
works "and not for one before 5.19" "^ *$" tests "#define KUNIT_ASSERT_NOT_ERR_OR_NULL"

# left_out(words...) - what a kernel without RTCs and USB is told
# shellcheck disable=SC2317 # works() calls it
left_out() {
	for driver in rtc usb; do
		make -s -f "$top/drivers/$driver/Kbuild" KBUILD_EXTMOD=1 --eval='none: ; @:' none "$@"
	done | grep . || echo nothing
}

works "a module that is left out is named" "boardpack: rtc-seed is left out: the kernel has no CONFIG_RTC_CLASS" \
	left_out
works "as is the other" "boardpack: usb-modeswitch is left out: the kernel has no CONFIG_USB$" left_out
works "and not where that was asked for" "^nothing$" left_out CONFIG_RTC_SEED=n CONFIG_USB_MODESWITCH=n

mkdir "$work/k d" "$work/k:d" "$work/a b"
kernel "$work/k d/linux" 6.12.0
kernel "$work/k:d" 6.12.0
cp -R "$work/pack" "$work/a b/"
ln -s "$work/k d/linux" "$work/link"
says "a kernel in a folder with a blank is refused" "KDIR=$work/k d/linux has a blank or a colon in its path" \
	KDIR="$work/k d/linux" CC=true
says "or with a colon" "k:d has a blank or a colon" KDIR="$work/k:d" CC=true
says "or that a link leads to" "KDIR=$work/k d/linux has a blank" KDIR="$work/link" CC=true
says "and an O= with one" "O=$work/k d/linux has a blank" KDIR="$work/source" O="$work/k d/linux" CC=true
top="$work/a b/pack"
says "and a pack with one" "this folder $work/a b/pack has a blank" KDIR="$work/source" O="$work/output" CC=true
top=$(cd "$(dirname "$0")/../.." && pwd)

works "what is compiled refuses a kernel 4.3" "this kernel is too old" refused 4 3
works "and one of an older major" "this kernel is too old" refused 3 18
works "and takes 4.4" "" compiled 4 4
works "and 5.0" "" compiled 5 0
exit $failed
