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
[ "$4" = true ] || printf '%s\n' "$*"
END
cat >"$work/bin/mmdebstrap" <<'END'
#!/bin/sh
for word; do
	case $word in *.new) mkdir -p "$word/etc" ;; esac
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

lacks() {
	! has "$@"
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

# ended() - a first run that was ended has left mounts of the machine's own folders
ended() {
	mkdir -p "$new/sys" "$new/dev/pts"
	touch "$work/board/kept"
	for folder in sys dev dev/pts; do
		mkdir -p "$new/$folder"
		python3 -c 'import ctypes, sys
sys.exit(ctypes.CDLL(None).mount(*map(str.encode, sys.argv[1:]), None, 4096, None))' \
			"$work/board" "$new/$folder" || return
	done
	told true >/dev/null
	[ -d "${new%.new}" ] && [ ! -e "$new" ] && [ -e "$work/board/kept" ]
}

# Once more below, where mounts are this test's own.
if [ "${1:-}" = ended ]; then
	home=$2 new=$3
	ended
	exit
fi

plan 13
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

new=$(echo "$home"/boardpack/toolroot-????????????)
home=$work/ended
new=$home/boardpack/${new##*/}.new
mkdir -p "$new"
user true >/dev/null && [ -d "${new%.new}" ] && [ ! -e "$new" ]
result $? "what a first run that failed has left as root's is removed by root"
rm -rf "$home"
if unshare -rm true 2>/dev/null; then
	unshare -rm "$0" ended "$home" "$new"
	result $? "and what one that was ended has mounted is not removed"
else
	result 0 "and what one that was ended has mounted # SKIP nobody may mount here"
fi
exit $failed
