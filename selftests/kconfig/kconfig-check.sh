#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Our fragments are granted by a real kernel, and kconfig-check finds each
# bad one: the "expect:" line in it is what has to be said about it.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=selftests/qemu/tap.sh
. "$here/../qemu/tap.sh"
cd "$here/../.." || exit 1
out=${BOARDPACK_CACHE:-${TMPDIR:-/tmp}}/kconfig-check
said=$(mktemp) || exit 1
trap 'rm -f "$said" "$said".*' EXIT

# expect(status, words, args...) - kconfig-check ends and speaks like this
expect() {
	want=$1
	words=$2
	shift 2
	scripts/kconfig-check "$@" >"$said" 2>&1
	[ $? -eq "$want" ] && grep -qF -e "$words" "$said"
}

# bad(fragment) - it fails for the reason that is in its name
bad() {
	expect 1 "$(sed -n 's/^# expect: //p' "$1")" \
		--config "$here/kernel.config" "$1"
	result $? "$(basename "$1" .config)"
}

set -- "$here"/bad-*.config
plan $(($# + 11))

# The answers must not depend on the kernel: these have one of their own.
linux=$LINUX_SRC
export LINUX_SRC="$here/linux"
for fragment; do
	bad "$fragment"
done

expect 0 '1 lines of 1 fragments' --config "$here/kernel.config" - <<-EOF
	CONFIG_NET=y
EOF
result $? "stdin is a fragment"

printf 'CONFIG_DUMMY=m\n' | expect 0 'as asked' --config "$here/kernel.config" -
result $? "built in is good enough for a module"

gzip -c "$here/kernel.config" >"$said.gz"
printf 'CONFIG_NET=y\n' | expect 0 'as asked' --config "$said.gz" -
result $? "a compressed configuration is read"

head -c 40 "$said.gz" >"$said.cut.gz"
printf 'CONFIG_NET=y\n' | expect 2 'cut.gz is damaged' --config "$said.cut.gz" -
result $? "one that is cut off is wrong set-up, not a difference"

printf '# Gr\374\337e\nCONFIG_NET=y\n' | expect 2 'kconfig-check: - is not in UTF-8' --config "$here/kernel.config" -
result $? "a fragment that is no UTF-8 is one, too"

unset LINUX_SRC
expect 2 'LINUX_SRC is not set' "$here/bad-choice.config"
result $? "no kernel source is wrong set-up, not a difference"

export LINUX_SRC="$linux"
(
	export CROSS_COMPILE=no-such-
	expect 2 'no compiler no-such-gcc' "$here/bad-choice.config"
)
result $? "no compiler is wrong set-up, not a difference"

expect 2 'none: no such file' --base "$said.none" "$here/bad-choice.config" && [ ! -e "$said.none" ]
result $? "no base is wrong set-up, and none is made"

expect 0 'as asked' --out "$out" kconfig/*.config
result $? "every line of kconfig/*.config is granted"

expect 0 'as asked' --config "$out/.config" selftests/*/config
result $? "that kernel has what every selftests/*/config asks for"

echo 'CONFIG_LEDS_PWM=m' >"$said.config"
cp "$out/.config" "$said.base"
expect 1 'LEDS_PWM: wanted m, got n (unmet: PWM=n)' \
	--out "$out" --base "$said.base" "$said.config"
result $? "an unmet dependency is found after a merge"

exit "$failed"
