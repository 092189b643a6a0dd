#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Each static check is quiet about a good tree and finds its bad inputs.
# Two runs do for all: one without and one with every bad input in place.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=selftests/qemu/tap.sh
. "$here/../qemu/tap.sh"
check=$here/../../scripts/check/run
table=$here/inputs.tsv
tab=$(printf '\t')
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree" "$tree".*' EXIT
said=$tree.said

# rows() - the table without its comments
rows() {
	grep -v '^#' "$table"
}

# block(check) - what a failed check said, nothing if it passed
block() {
	sed -n "/^not ok [0-9]* $1\$/,/^\(not \)*ok /s/^# //p" "$tree.bad"
}

names=$("$check" --list)
plan $(($(rows | wc -l) + $(echo "$names" | wc -l) + 6))

cp -r "$here/good/." "$tree"
"$check" --root "$tree" >"$said" 2>&1
result $? "a good tree passes"

! grep -q SKIP "$said"
result $? "no check skips the good tree"

rows >"$tree.rows"
while IFS=$tab read -r input where name words; do
	mkdir -p "$(dirname "$tree/$where")"
	# The suffix of some inputs only keeps tools off them.
	cp "$here/$input" "$tree/$where"
done <"$tree.rows"
"$check" --root "$tree" >"$tree.bad" 2>&1

while IFS=$tab read -r input where name words; do
	block "$name" >"$said"
	grep -F -e "$where" "$said" | grep -qF -e "$words"
	result $? "$input"
done <"$tree.rows"

for name in $names; do
	cut -f 3 "$tree.rows" >"$said"
	grep -qx -e "$name" "$said"
	result $? "$name has a bad input"
done

(
	unset LINUX_SRC
	"$check" --root "$tree" spelling >"$said" 2>&1
)
[ $? -eq 1 ] && grep -q 'LINUX_SRC is not set' "$said"
result $? "a check without its kernel source fails"

python=$(command -v python3)
PATH='' "$python" "$check" --root "$tree" yamllint >"$said" 2>&1
[ $? -eq 1 ] && grep -q 'yamllint is not installed' "$said"
result $? "a check without its tool fails"

mkdir -p "$tree.linux/scripts"
printf '#!/bin/sh\nkill -KILL $$\n' >"$tree.linux/scripts/checkpatch.pl"
chmod +x "$tree.linux/scripts/checkpatch.pl"
LINUX_SRC=$tree.linux "$check" --root "$tree" checkpatch >"$said" 2>&1
[ $? -eq 1 ] && grep -q 'checkpatch.pl failed with status -9' "$said"
result $? "a tool that is killed has not passed"

"$check" no-such-check >"$said" 2>&1
[ $? -eq 2 ]
result $? "an unknown check is wrong set-up"

exit "$failed"
