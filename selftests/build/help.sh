#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make help names every target, and every variable that the Makefile and Kbuild take, or that
# README.md has on a line with make; and the targets that take it.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
help=$(mktemp)
said=$(mktemp)
trap 'rm -f "$help" "$said"' EXIT

# told(before, after) - whether help has all words that come in, in this form
told() {
	while read -r word; do
		grep -qE -- "$1$word$2" "$help" || echo "help lacks $word"
	done >"$said"
	[ ! -s "$said" ]
}

# targets() - "make" alone means all and modules; the rest is for other programs
targets() {
	sed -n '/^\.PHONY:/,/[^\\]$/p' "$top/Makefile" | tr -d '\134' | tr -s ' \t' '\n' |
		grep -vxE '|\.PHONY:|all|modules|check-kdir|help'
}

# variables() - those in capitals, save what make has itself
variables() {
	{ grep -oE '\$\(([a-z-]+ (all,\$\()?)?[A-Z][A-Z0-9_]*' "$top/Makefile"
	  sed -n '/foreach v,/,/,\$/p' "$top/Makefile" | sed 's/.*foreach v,//; s/,\$.*//' | tr -s ' \t\134' '\n'
	  grep -ohE '\$\(or \$\([A-Z][A-Z0-9_]*|^CONFIG_[A-Z_]* \?=' "$top"/drivers/*/Kbuild | sed 's/ ?=//'
	  grep -E '(^|[ `])make ' "$top/README.md" | grep -oE '\b[A-Z][A-Z0-9_]*=' | sed 's/=//'
	} | sed 's/.*[( ]//' | grep -E '^[A-Z]' | grep -vxE 'CURDIR|MAKE|VERSION|.*_KUNIT_TEST' | sort -u
}

# users() - targets and the variables that they take, save those that are as for the kernel
users() {
	awk '/^[a-z-]+:/ { target = $1; sub(/:.*/, "", target) }
		/^\t/ {
			for (text = $0; match(text, /\$\([A-Z][A-Z_]*\)/); text = substr(text, RSTART + RLENGTH))
				print target, substr(text, RSTART + 2, RLENGTH - 3)
		}' "$top/Makefile" |
		grep -vE '^(help|version|check-kdir) | (KDIR|O|ARCH|CC|CROSS_COMPILE|LLVM|MAKE)$' | sort -u
}

# taken() - whether a line of help has each target beside its variable
taken() {
	while read -r target name; do
		grep -E "(^|[^A-Z_])$name=" "$help" | grep -qE "(^|[^a-z-])$target([^a-z-]|\$)" ||
			echo "help does not say that $target takes $name"
	done >"$said"
	[ ! -s "$said" ]
}

plan 4
make -s -C "$top" help >"$help" 2>&1
result $? "make help says what there is"
targets | told '^  make ' ' '
result $? "every target"
variables | told '(^|[^A-Z_])' '='
result $? "every variable"
users | taken
result $? "and who takes it"
exit $failed
