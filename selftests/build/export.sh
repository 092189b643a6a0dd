#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make export-patch writes a series that applies to a mainline tree, LINUX_SRC, that
# its checkpatch has nothing to say against, and whose drivers the newest kernel,
# NEWEST_KDIR, compiles without drivers/compat.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/log
export GIT_AUTHOR_NAME='A Tester' GIT_AUTHOR_EMAIL=tester@example.com \
	GIT_COMMITTER_NAME='A Tester' GIT_COMMITTER_EMAIL=tester@example.com \
	GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z

# applies() - to the files of the tree that it changes
applies() {
	git init -q "$work/tree" && cd "$work/tree" || return 1
	sed -n 's:^--- a/::p' "$work"/patches/*.patch | sort -u | while read -r file; do
		mkdir -p "$(dirname "$file")"
		cp "$LINUX_SRC/$file" "$file"
	done
	git add . && git commit -qm base && git am -q "$work"/patches/*.patch
}

# compiles(folder, option) - by the lines that the series adds to its Makefile
compiles() {
	(cd "$work/tree" && git diff HEAD~6 "$1/Makefile") | sed -n 's/^+\([^+].*\)/\1/p' >"$work/Makefile"
	grep -q "$2" "$work/Makefile" && cp "$work/Makefile" "$work/tree/$1/Makefile" &&
		make -C "$NEWEST_KDIR" M="$work/tree/$1" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
			CC=aarch64-linux-gnu-gcc "CONFIG_$2=m" W=1 'KCFLAGS=-Werror -Wno-error=attributes' modules
}

# built() - a checkout of which make has built a driver, to export to a tree whose checkpatch is content
built() {
	mkdir -p "$work/pack/scripts" "$work/pack/dts"
	cp -R "$top/Kbuild" "$top/Makefile" "$top/drivers" "$work/pack/"
	cp -R "$top/dts/bindings" "$work/pack/dts/"
	cp "$top/scripts/export-patch" "$top/scripts/check-kdir" "$work/pack/scripts/"
	make -C "$work/pack" KDIR="$BUILD_KDIR" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
		CONFIG_RTC_SEED=n CONFIG_USB_MODESWITCH=n
}

# custom() - a git configuration that makes another series of it, and a hook that lets nothing pass
custom() {
	mkdir -p "$work/home/hooks" "$work/home/.config/git"
	printf '#!/bin/sh\nexit 1\n' >"$work/home/hooks/pre-commit"
	chmod +x "$work/home/hooks/pre-commit"
	echo '*.yaml' >"$work/home/ignored"
	echo '*.yaml binary' >"$work/home/.config/git/attributes"
	cat >"$work/home/.gitconfig" <<-END
	[format]
		coverLetter = true
	[diff]
		noprefix = true
	[commit]
		gpgsign = true
	[core]
		hooksPath = $work/home/hooks
		excludesFile = $work/home/ignored
	END
}

plan 16
"$top/scripts/export-patch" "$LINUX_SRC" "$work/patches" >"$said" 2>&1 &&
	[ "$(find "$work/patches" -name '*.patch' | wc -l)" = 6 ]
result $? "three drivers, two bindings, our prefix; checkpatch has no error and no warning"
# A tree whose checkpatch finds fault with the series.
mkdir -p "$work/strict/scripts"
for name in "$LINUX_SRC"/*; do
	[ "${name##*/}" = scripts ] || ln -s "$name" "$work/strict/"
done
cat >"$work/strict/scripts/checkpatch.pl" <<'END'
print "WARNING: no $_\n" for grep /patch$/, @ARGV;
exit 1;
END
! "$top/scripts/export-patch" "$work/strict" "$work/judged" >"$said" 2>&1 &&
	[ "$(grep -c '^WARNING: no .*\.patch$' "$said")" = 6 ] && grep -q 'is not content' "$said"
result $? "the tree's own checkpatch looks at all of it, and what it says is a failure"
echo 'exit 0;' >"$work/strict/scripts/checkpatch.pl"
built >"$said" 2>&1 && ls "$work/pack"/drivers/leds/*.mod.c >>"$said" 2>&1 &&
	"$work/pack/scripts/export-patch" "$work/strict" "$work/judged" >"$said" 2>&1 &&
	diff -r "$work/patches" "$work/judged" >"$said" 2>&1
result $? "it is the same where make has built the modules"
cp -R "$work/strict" "$work/judged/notes"
! "$top/scripts/export-patch" "$work/strict" "$work/judged" >"$said" 2>&1 && [ -e "$work/judged/notes/MAINTAINERS" ] &&
	grep -q 'judged has notes in it, which is no patch: ' "$said"
result $? "a folder that has more in it is left"
! "$top/scripts/export-patch" "$work/judged/notes" "$work/judged/notes" >"$said" 2>&1 &&
	[ -e "$work/judged/notes/MAINTAINERS" ] && grep -q 'which is no patch: name another folder' "$said"
result $? "and so is the tree itself"
rm -rf "$work/judged/notes"
custom
HOME=$work/home "$top/scripts/export-patch" "$work/strict" "$work/judged" >"$said" 2>&1 &&
	diff -r "$work/patches" "$work/judged" >"$said" 2>&1
result $? "and whatever the user has told git"
applies >"$said" 2>&1
result $? "the series applies"
! grep -rl compat_ "$work/tree/drivers" >"$said"
result $? "nothing of drivers/compat is in it"
! sed -n '/^diff .*Kconfig/,/^-- $/s/^+\(.*NVMEM\)/\1/p' "$work"/patches/*.patch | grep . >"$said"
result $? "nor what only an old kernel's options need"
compiles drivers/leds LEDS_IDENTIFY >"$said" 2>&1
result $? "leds-identify compiles without it"
compiles drivers/rtc RTC_SEED >"$said" 2>&1
result $? "rtc-seed compiles without it"
compiles drivers/usb/misc USB_MODESWITCH >"$said" 2>&1
result $? "usb-modeswitch compiles without it"
"$top/scripts/export-patch" "$work" "$work/none" 2>&1 | grep -q 'is not a kernel source tree'
result $? "a folder that is no kernel tree is refused"
! "$top/scripts/export-patch" "$work/tree" "$work/none" >"$said" 2>&1 && [ ! -e "$work/none" ] &&
	grep -q 'tree has the drivers already: drivers/leds/Kconfig has LEDS_IDENTIFY: ' "$said"
result $? "a tree that has them is refused"
mkdir "$work/aged"
ln -s "$LINUX_SRC/MAINTAINERS" "$LINUX_SRC/drivers" "$work/aged/"
! "$top/scripts/export-patch" "$work/aged" "$work/none" >"$said" 2>&1 && [ "$(wc -l <"$said")" = 1 ] &&
	grep -q 'aged is too old: it has no .*/vendor-prefixes.yaml: ' "$said"
result $? "one from before a file that the series changes is, too"
make -s -C "$top" export-patch 2>&1 | grep -q 'give KERNEL=/path'
result $? "where none is named, one is asked for"
exit $failed
