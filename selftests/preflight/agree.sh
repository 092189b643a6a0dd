#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In a guest: what preflight foretells of each module in /boardpack/variants is what
# the kernel then does. A module's name begins with the kind of its cause, or "none".
# Where /boardpack/before is, it is run first.

set -u

failed=0

# result(number, status, what, log)
result() {
	if [ "$2" = 0 ]; then
		echo "ok $1 $3"
	else
		sed 's/^/# /' "$4"
		echo "not ok $1 $3"
		failed=1
	fi
}

# foretold(kind) - preflight names it first, and nothing else where all is well
foretold() {
	case $1 in
	none) [ $status = 0 ] ;;
	*) [ $status = 1 ] && [ "$(sed -n '2s/^  \([a-z]*\): .*/\1/p' /tmp/said)" = "$1" ] ;;
	esac
}

# as_foretold(kind) - insmod ends as it was said, and the kernel says why in these words
as_foretold() {
	case $1 in
	none) [ $loads = 0 ] ;;
	*)
		words=$(sed -n 's/^    the kernel: //p' /tmp/said | head -n 1)
		[ $loads != 0 ] && [ -n "$words" ] && grep -qiF "$words" /tmp/kernel ;;
	esac
}

# shellcheck source=/dev/null
[ ! -e /boardpack/before ] || . /boardpack/before
set -- /boardpack/variants/*.ko
echo "TAP version 13"
echo "1..$(($# * 2))"
n=0
for file; do
	kind=${file##*/}
	kind=${kind%%-*}
	/boardpack/preflight "$file" >/tmp/said 2>&1
	status=$?
	dmesg -c >/dev/null
	insmod "$file" 2>/tmp/kernel
	loads=$?
	dmesg -c >>/tmp/kernel
	cat /tmp/kernel >>/tmp/said
	foretold "$kind"
	result $((n + 1)) $? "${file##*/}: preflight tells ($kind)" /tmp/said
	as_foretold "$kind"
	result $((n + 2)) $? "${file##*/}: and so does the kernel" /tmp/said
	[ $loads != 0 ] || rmmod "$(sed -n 's/ .*//;1p' /proc/modules)"
	n=$((n + 2))
done
exit $failed
