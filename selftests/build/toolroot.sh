#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the tool root are the files that somebody names, wherever they are: what
# scripts/toolroot tells bwrap, which is one of the test's own here.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/qemu/tap.sh
. "$top/selftests/qemu/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/bin" "$work/home" "$work/board"
touch "$work/board/my.dts"
cat >"$work/bin/bwrap" <<'END'
#!/bin/sh
[ "$4" = true ] || printf '%s DTS=%s\n' "$*" "${DTS:-}"
END
cat >"$work/bin/mmdebstrap" <<'END'
#!/bin/sh
for word; do
	case $word in *.new) mkdir -p "$word/etc" "$word/usr/bin" "$word/usr/src/linux" ;; esac
done
END
printf '#!/bin/sh\nROOT=1 exec "$@"\n' >"$work/bin/sudo"
cat >"$work/bin/umount" <<'END'
#!/usr/bin/env python3
import ctypes, sys
sys.exit(ctypes.CDLL(None).umount2(sys.argv[-1].encode(), 2))
END
chmod +x "$work"/bin/*
home=$work/home

# told(word...) - what bwrap is told, on one line
told() {
	PATH="$work/bin:$PATH" XDG_CACHE_HOME="$home" BOARDPACK_MIRROR=file:///none \
		"$top/scripts/toolroot" "$@" 2>/dev/null
}

# has(text, word...)
has() {
	_text=$1
	shift
	told "$@" | grep -qF -e "$_text"
}

# lacks(text, word...) - bwrap is told something, and not that
lacks() {
	_text=$1
	shift
	told "$@" >"$work/said"
	grep -q -e --ro-bind "$work/said" && ! grep -qF -e "$_text" "$work/said"
}

# user(word...) - the same by somebody who is not root, and cannot remove what is root's
user() {
	printf '#!/bin/sh\necho 1000\n' >"$work/bin/id"
	cat >"$work/bin/rm" <<-END
		#!/bin/sh
		for last; do :; done
		[ -n "\${ROOT:-}" ] || [ ! -e "\$last" ] || exit 1
		exec $(command -v rm) "\$@"
	END
	chmod +x "$work/bin/id" "$work/bin/rm"
	told "$@"
	_status=$?
	rm "$work/bin/id" "$work/bin/rm"
	return $_status
}

# mounted(source, folder, type, flags) - mount needs a package that the tool root has not
mounted() {
	python3 -c 'import ctypes, sys
*words, flags = sys.argv[1:]
sys.exit(ctypes.CDLL(None).mount(*map(str.encode, words), int(flags), None))' "$@"
}

# ended() - a first run that was ended has left mounts of the machine's own folders
ended() {
	mkdir -p "$new/sys" "$new/dev/pts"
	touch "$work/board/kept"
	for folder in sys dev dev/pts; do
		mkdir -p "$new/$folder"
		mounted "$work/board" "$new/$folder" none 4096 || return
	done
	told true >/dev/null
	[ -d "${new%.new}" ] && [ ! -e "$new" ] && [ -e "$work/board/kept" ]
}

# system() - the checkout and a source are where the tool root has folders of its own
system() {
	mounted none /usr/src tmpfs 0 || return
	mkdir -p /usr/src/pack/scripts /usr/src/board
	cp "$top"/scripts/toolroot* /usr/src/pack/scripts/
	touch /usr/src/board/my.dts /usr/src/beside.dtsi
	echo '#include "../beside.dtsi"' >/usr/src/board/my.dts
	top=/usr/src/pack
	root=$home/boardpack/$(basename "$new" .new)
	has "--tmpfs /usr --ro-bind $root/usr/bin /usr/bin --dir /usr/src --ro-bind $root/usr/src/linux" true &&
		lacks "--ro-bind $root/usr/src /usr/src" true && has "--bind $top $top" true &&
		has "--ro-bind /usr/src/board /usr/src/board" cat /usr/src/board/my.dts &&
		has "--ro-bind /usr/src/beside.dtsi /usr/src/beside.dtsi" cat /usr/src/board/my.dts
}

# mirror(file, text) - the mirror of a machine whose apt sources say only that
mirror() {
	rm -rf "${work:?}/etc"
	mkdir -p "$work/etc/apt/sources.list.d" "$work/etc/apt/mirrors"
	echo VERSION_CODENAME=bookworm >"$work/etc/os-release"
	printf '# several\n\nhttps://mirror.example/debian\tpriority:1\nhttps://other.example/debian\n' \
		>"$work/etc/apt/mirrors/debian.list"
	printf '%s\n' "$2" >"$work/etc/apt/$1"
	(
		sed -n '/^mirror() {/,/^}/p' "$top/scripts/toolroot" | sed "s,/etc/,$work/etc/,g" >"$work/mirror"
		unset BOARDPACK_MIRROR
		# shellcheck source=/dev/null
		. "$work/mirror"
		mirror
	)
}

# names(mirror, file, text)
names() {
	_mirror=$1
	shift
	[ "$(mirror "$@")" = "$_mirror" ]
}

# alone(what, function) - where what it mounts is this test's own
alone() {
	if unshare -rm true 2>/dev/null; then
		unshare -rm "$0" "$2" "$home" "$new"
		result $? "$1"
	else
		result 0 "$1 # SKIP nobody may mount here"
	fi
}

if [ $# -gt 0 ]; then
	home=$2 new=$3
	case $1 in
	ended) ended ;;
	system) system ;;
	esac
	exit
fi

plan 32
LC_ALL=C CDPATH=/ TMPDIR=/none MAKEFLAGS=s has "--setenv LC_ALL C.UTF-8 --unsetenv TMPDIR --unsetenv CDPATH --unsetenv MAKEFLAGS" true
result $? "language, folder for what is temporary, and options of make are its own"
has "cat $top/README.md" cat "$top/README.md"
result $? "the command is run"
has "--ro-bind $work/board $work/board" cat "$work/board/my.dts"
result $? "the folder of a file is there"
cache=$work/home/boardpack
has "$work/board --bind $cache $cache --bind $top $top" cat "$work/board/my.dts"
result $? "and checkout and cache, writable, also where they are below it"
lacks "$work/none $work/none" cat "$work/none/my.dts"
result $? "a file that does not exist changes nothing"
lacks "--ro-bind $top" cat "$top/README.md"
result $? "nor does one of the checkout"
lacks "--ro-bind /usr/bin" cat /usr/bin/env
result $? "nor one of the system"
mkdir "$work/my boards"
touch "$work/my boards/my.dts"
DTS="$work/my boards/my.dts" has "--ro-bind $work/my boards $work/my boards" \
	cat "$work/my" boards/my.dts
result $? "a file with a blank in its path is there, which make takes for two"
outside=$(realpath --relative-to "$top" "$work/board")
has "--ro-bind $work/board $work/board" cat "$outside/my.dts"
result $? "one outside of the checkout by a relative path is"
lacks "--ro-bind $work/none" cat "$outside/../none/my.dts"
result $? "where it exists"
mkdir -p "$work/board/a/b"
printf '#include "%s"\n' x.dtsi ../y.dtsi ../../z.dtsi >"$work/board/a/b/up.dts"
has "--ro-bind $work/board $work/board" cat "$work/board/a/b/up.dts"
result $? "so is the folder above that a source includes from"
echo '#include "../../../../../../../../z.dtsi"' >"$work/board/a/b/up.dts"
has "--ro-bind $work/board/a/b $work/board/a/b" cat "$work/board/a/b/up.dts"
result $? "but never all of the machine"
mkdir "$work/board/common"
printf '%s\n' '#include "e.dtsi"' '#include "b.dts"' >"$work/board/a/b/b.dts"
printf '\t# include "../../common/f.dtsi"\n' >"$work/board/a/b/e.dtsi"
printf '/include/ "%s"\n' "$work/far/g.dtsi" >"$work/board/common/f.dtsi"
mkdir "$work/far"
touch "$work/far/g.dtsi"
has "--ro-bind $work/board $work/board" cat "$work/board/a/b/b.dts"
result $? "and that above what it includes, by \"# include\""
has "--ro-bind $work/far $work/far" cat "$work/board/a/b/b.dts"
result $? "and what that includes by /include/ and a whole path"

mkdir "$work/links"
ln -s ../board/my.dts "$work/links/my.dts"
ln -s ../board/a "$work/links/a"
has "cat $work/board/my.dts" cat "$work/links/my.dts"
result $? "a symlink is what it leads to"
has "--ro-bind $work/far $work/far" cat "$work/links/a/b/b.dts"
result $? "with what that includes, also below a folder that is one"
DTS="$work/board/my.dts $work/links/a/b/b.dts" has "DTS=$work/board/my.dts $work/board/a/b/b.dts" true
result $? "and in DTS"
ln -s "$work/far/g.dtsi" "$work/board/l.dtsi"
echo '#include "l.dtsi"' >"$work/board/l.dts"
has "--ro-bind $work/far $work/far" cat "$work/board/l.dts"
result $? "one that is included is followed, too"
BASE=$work/board/my.dts has "--ro-bind $work/board $work/board" true
result $? "BASE is there"

one=$(mktemp --suffix .dts)
two=$(mktemp --suffix .dtsi)
printf '#include "%s"\n' "${two##*/}" >"$one"
touch "$home/boardpack/tmp/${two##*/}" "$home/boardpack/tmp/gone.dtsi"
has "--ro-bind $two $two" cat "$one"
result $? "what a file in /tmp includes from beside it is there"
ls "$home/boardpack/tmp/${two##*/}" >/dev/null && ! ls "$home/boardpack/tmp/gone.dtsi" 2>/dev/null
result $? "and what is gone from there is not"
rm "$one" "$two"

mkdir "$work/mine" "$work/relative"
ours=$home home=relative/cache
(cd "$work/relative" && HOME=$work/mine has "--bind $work/mine/.cache/boardpack" true)
result $? "a cache by a relative path is ignored, as the XDG specification says"
home=$ours

names http://one.example/debian sources.list 'deb [arch=amd64 trusted=yes] http://one.example/debian bookworm main'
result $? "the mirror is the one of the apt sources"
names https://two.example/debian sources.list.d/debian.sources 'Types: deb
URIs: https://two.example/debian
Suites: bookworm bookworm-updates'
result $? "also in the newer form"
names https://mirror.example/debian sources.list.d/debian.sources "Types: deb deb-src
URIs: mirror+file://$work/etc/apt/mirrors/debian.list
Suites: bookworm"
result $? "or the first of a list of mirrors, which images of clouds have"
names https://mirror.example/debian sources.list "deb mirror+file:$work/etc/apt/mirrors/debian.list bookworm main"
result $? "also in the older form"
names "" sources.list "deb mirror+file:$work/etc/apt/mirrors/none.list bookworm main
deb cdrom:[Debian] bookworm main"
result $? "and none where there is none"

ln -s "$top" "$work/board/pack"
(top=$work/board/pack && has "$work/board --bind $cache $cache --bind $(realpath "$top") $(realpath "$top")" \
	cat "$work/board/my.dts" "$work/board/pack/none")
result $? "a checkout by a symlink is where that leads"
(top=$work/board/pack && has "$(realpath "$top")/out/new" cat "$work/board/pack/out/new")
result $? "and so are words below it"

new=$(echo "$home"/boardpack/toolroot-????????????)
home=$work/ended
new=$home/boardpack/${new##*/}.new
mkdir -p "$new"
user true >/dev/null && [ -d "${new%.new}" ] && [ ! -e "$new" ]
result $? "what a first run that failed has left as root's is removed by root"
rm -rf "$home"
alone "and what one that was ended has mounted is not" ended
alone "a checkout and a source below /usr are there, with what else is there" system
exit $failed
