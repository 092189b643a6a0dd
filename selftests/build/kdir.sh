#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A build that cannot work says why in one sentence, and leaves nothing behind.
# Runs on the machine that builds.

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

# kernel(dir, release) - what of a configured kernel tree is looked at
kernel() {
	mkdir -p "$1/include/generated" "$1/include/config"
	touch "$1/Makefile" "$1/include/generated/autoconf.h"
	echo "$2" >"$1/include/config/kernel.release"
}

failed=0
echo "TAP version 13"
echo "1..8"
mkdir "$work/empty" "$work/plain"
touch "$work/plain/Makefile"
kernel "$work/old" 4.1.52-vendor
kernel "$work/older" 3.18.140
kernel "$work/good" 4.4.0

says "a missing KDIR is named" "KDIR=$work/none does not exist" KDIR="$work/none"
says "a folder that is no kernel is named" "has no Makefile" KDIR="$work/empty"
says "a kernel that is not configured is told apart" "is not configured" KDIR="$work/plain"
says "missing headers of a running kernel are asked for" "headers package" \
	KDIR=/lib/modules/0.0.0-none/build
says "a kernel below 4.4 is refused" "4.1.52-vendor is older than 4.4" KDIR="$work/old"
says "a kernel of an older major is refused" "3.18.140 is older than 4.4" KDIR="$work/older"
says "a compiler that is not there is named" "compiler none-gcc not found" \
	KDIR="$work/good" CROSS_COMPILE=none-
says "a CC that is not there is named" "compiler none-cc not found" KDIR="$work/good" CC=none-cc
exit $failed
