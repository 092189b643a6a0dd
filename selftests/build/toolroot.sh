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
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work"/bin/*

# told(word...) - what bwrap is told, on one line
told() {
	PATH="$work/bin:$PATH" XDG_CACHE_HOME="$work/home" BOARDPACK_MIRROR=file:///none \
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

plan 11
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
exit $failed
