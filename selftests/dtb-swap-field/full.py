#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Disks that are full, or cannot be written to: it is said which, and nothing has changed.

A guest has real FAT and ext4 on a disk; only there files systems fill up as they do.
"""

import json
import os
import pathlib
import sys
import tempfile

import guest
from kernel import KERNELS, OUT, TOP

sys.path[:0] = [str(TOP / 'selftests/dtb-swap'), str(TOP / 'selftests/dtb-swap-power')]

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402
from power import MODULES, mkfs         # noqa: E402

SCRIPT = r'''
boot=/mnt/boot
root=/mnt/sysroot/active
mount -t vfat /dev/vda1 $boot
mount -t ext4 /dev/vda2 $root
mkdir -p /etc/rcS.d
ln -s /bin/dtb-swap /etc/rcS.d/S40dtb-swap-guard
n=0
kind() { echo "{\"deviceType\": \"$1\"}" >$boot/config.json; }
sums() { sync; find $boot $root -type f ! -name 'fill*' -exec md5sum {} + | sort; }
ready() { # how the file systems are mounted now
	grep -e " $boot " -e " $root " /proc/mounts
}
# refused(name, status, words, tree...) - it is, with these words, and nothing is changed
refused() {
	what=$1
	wanted=$2
	words=$3
	shift 3
	before=$(sums; ready)
	said=$(dtb-swap "$@" 2>&1)
	got=$?
	n=$((n + 1))
	if [ $got = "$wanted" ] && [ "$before" = "$(sums; ready)" ] && echo "$said" | grep -q mend: &&
		echo "$said" | grep -q "$words"; then
		echo "ok $n $what"
	else
		printf '%s\n' "status $got" "$said" "$before" "$(sums; ready)" | sed 's/^/# /'
		echo "not ok $n $what"
	fi
}
works() {
	what=$1
	shift
	before=$(ready)
	said=$(dtb-swap "$@" 2>&1)
	got=$?
	n=$((n + 1))
	if [ $got = 0 ] && [ "$before" = "$(ready)" ]; then
		echo "ok $n $what"
	else
		printf '%s\n' "status $got" "$said" "$(ready)" | sed 's/^/# /'
		echo "not ok $n $what"
	fi
}
# another_start() - as far as the tool can tell, until that is unmounted
another_start() {
	echo another >/start
	mount --bind /start /proc/sys/kernel/random/boot_id
	cat $boot/swap-three-*.dtb >/running
	mount --bind /running /sys/firmware/fdt
}
# fill(folder, kbytes) - leave no more than that
fill() {
	dd if=/dev/zero of="$1/filled" bs=1k count="${2:-0}" 2>/dev/null
	dd if=/dev/zero of="$1/fill" bs=64k 2>/dev/null
	rm "$1/filled"
	sync
	echo "# left: $(df -k "$1" | tail -n 1)"
}
echo TAP version 13
kind raspberrypi4-64
works 'FAT: room for it' install --untried /trees/one.dtb
fill $boot
refused 'FAT: no room left' 7 'bytes left' install --untried /trees/two.dtb
rm $boot/fill
works 'FAT: room again' install --untried /trees/two.dtb
works 'and back' rollback
works 'a pending tree' try --pending /trees/two.dtb
fill $boot 44
refused 'FAT: 44 KiB left are not enough to install' 7 'bytes left' install --untried /trees/three.dtb
works 'but to go back, with a cluster to spare' rollback
rm $boot/fill
works 'a tree before' install --untried /trees/two.dtb
fill $boot 1
works 'FAT: a cluster left, back' rollback
rm $boot/fill
works 'a tree before' install --untried /trees/two.dtb
works 'a pending tree' try --pending /trees/three.dtb
another_start
dtb-swap guard --limit 60 >/dev/null &
sleep 3
fill $boot 1
works 'FAT: a cluster left, commit' commit
wait
works 'FAT: a cluster left, the tree that is committed stays' install --untried /trees/three.dtb
rm $boot/fill
works 'a tree of before' install --untried /trees/one.dtb
fill $boot
refused 'FAT: nothing left, not even back' 7 'No space left' rollback
rm $boot/fill
works 'and back' rollback
works 'the bootloader takes its own' rollback --own
umount /proc/sys/kernel/random/boot_id /sys/firmware/fdt
kind imx8mm-var-som
works 'ext4: room for it' install --untried /trees/one.dtb
fill $root
refused 'ext4: no room left' 7 'bytes left' install --untried /trees/two.dtb
rm $root/fill
mkdir $root/many
i=0
while true >"$root/many/fill$i" 2>/dev/null; do
	i=$((i + 1))
done
refused 'ext4: no inode left' 7 'No space left' install --untried /trees/two.dtb
rm -r $root/many
fill $boot 76
works 'room for the selector, not for a tree' install --untried /trees/two.dtb
rm $boot/fill
fill $root
works 'ext4: no room, the tree is there: check' check /trees/one.dtb
works 'ext4: no room, the tree is there: install' install --untried /trees/one.dtb
rm $root/fill
fill $boot
refused 'no room for the selector' 7 'bytes left' install --untried /trees/three.dtb
rm $boot/fill
mount -o remount,ro $root
mount -o remount,ro $boot
works 'mounted read-only: written all the same, and left read-only' install --untried /trees/three.dtb
blockdev --setro /dev/vda
refused 'the disk is read-only' 10 'read only' install --untried /trees/one.dtb
refused 'rollback, too' 10 'read only' rollback
blockdev --setrw /dev/vda
works 'and back' rollback
umount $boot
refused 'no boot partition' 9 'where no bootloader looks' install --untried /trees/one.dtb
echo 1..$n
'''


def run(kernel, folder):
    """Boot the guest; return its results."""
    machine = guest.MACHINES['virt-dead']
    mkfs(folder, ('-F', '16'))
    own = guest.own_tree(machine, folder)
    trees = {f'trees/{word}.dtb': Tree(own).text('/', 'model', word).write(folder / f'{word}.dtb')
             for word in ('one', 'two', 'three')}
    modules = ['virtio_blk', *MODULES]
    stage = guest.stage_modules(kernel, modules, [], OUT / 'stage/full')
    disk = {'driver': 'file', 'node-name': 'disk', 'filename': str(folder / 'disk.img')}
    return guest.boot(kernel, machine, {
        'lib': stage / 'lib', 'bin/dtb-swap': tool('arm64', musl=True), **trees,
        'mnt/boot/keep': b'', 'mnt/sysroot/active/keep': b'',
        'boardpack/modules': '\n'.join([*modules, '']).encode(),
        'boardpack/run': SCRIPT.encode()}, 400, tag='full', icount='',
        extra=['-blockdev', json.dumps(disk), '-device', 'virtio-blk-pci,drive=disk'])


def main():
    """One guest."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('FIELD_KERNEL', '6.12')].ensure()
    with tempfile.TemporaryDirectory(dir=OUT) as work:
        outcome = run(kernel, pathlib.Path(work))
    for result in outcome.results:
        tap.result(result.state == 'passed', result.name, result.why)
    tap.result(len(outcome.results) > 25, 'the guest has done all', outcome.verdict)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
