#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The power fails in an update of the OS: at each write the old root has its tree, and from the
end of the hook on the new root has it, too, on the disk and not in a journal.
"""

import os
import pathlib
import sys
import tempfile

import libfdt

import guest
from disk import Damaged, Fat
from kernel import KERNELS, OUT, TOP
from power import (BEGIN, BOOT_ID, EXT4_AT, EXT4_SIZE, FAT_AT, MODULES, cuts, mkfs, recorded, view)

sys.path.insert(0, str(TOP / 'selftests/dtb-swap'))

# pylint: disable=wrong-import-position
from bench import Tap, Tree, tool       # noqa: E402

KIND, NEW_AT = 'imx8mm-var-som', EXT4_AT + EXT4_SIZE
MARK, END = 'dtb-swap.update', 'the-hook-has-ended'
COPY = b'''#!/bin/sh
cp /mnt/sysroot/active/boot/swap-* /mnt/sysroot/inactive/boot
sync
'''
SCRIPT = '''
old=/mnt/sysroot/active new=/mnt/sysroot/inactive n=0
mark() {{ echo $1 | dd of=/dev/vda bs=512 seek=8 conv=sync,fsync 2>/dev/null; }}
step() {{
	what=$1 wanted=$2; shift 2; n=$((n + 1))
	said=$("$@" 2>&1 </dev/null); status=$?
	[ $status = $wanted ] && echo "ok $n $what" || {{ echo "$said" | sed 's/^/# /'; echo "not ok $n $what"; }}
}}
mount -t vfat /dev/vda1 /mnt/boot && mount -t ext4 -o ro /dev/vda2 $old && mount -t ext4 /dev/vda3 $new
echo '{{"deviceType": "{kind}"}}' >/mnt/boot/config.json
echo zeroth >/start && mount --bind /start {boot_id}
echo TAP version 13
step 'one tree' 0 dtb-swap install --untried /trees/one.dtb
step 'and another' 0 dtb-swap install --untried /trees/two.dtb
echo first >/start; sync; mark {begin}
step 'the hook' 0 sh /bin/05-dtb-swap
mark {end}; sleep 3
step 'a tree that did not go along' 9 dtb-swap install --untried /trees/three.dtb
umount $old $new && mount -t ext4 -o ro /dev/vda3 $old
echo second >/start
step 'the new OS has what is selected' 0 dtb-swap status
step 'and takes another' 0 dtb-swap install --untried /trees/three.dtb
umount $old /mnt/boot
echo 1..$n
'''


def record(kernel, folder, hook):
    """A guest installs, and runs the hook; return its results and the log."""
    machine = guest.MACHINES['virt-dead']
    mkfs(folder, ('-F', '16'), 2)
    base = (folder / 'disk.img').read_bytes()
    tree = guest.own_tree(machine, folder)
    outcome = guest.boot(kernel, machine, {
        'lib': guest.stage_modules(kernel, MODULES, [], OUT / 'stage/update') / 'lib',
        'bin/dtb-swap': tool('arm64'), 'bin/05-dtb-swap': hook, 'mnt/boot/keep': b'',
        **{f'trees/{word}.dtb': Tree(tree).text('/', 'model', word).write(folder / word)
           for word in ('one', 'two', 'three')},
        'mnt/sysroot/active/keep': b'', 'mnt/sysroot/inactive/keep': b'',
        'boardpack/modules': '\n'.join(MODULES + ['']).encode(),
        'boardpack/run': SCRIPT.format(kind=KIND, boot_id=BOOT_ID, begin=BEGIN, end=END).encode()},
        300, tag='update', icount='', extra=recorded(folder))
    return outcome.results, base, (folder / 'log.img').read_bytes()


def marked(data):
    """Whether the boot partition has the list of what went along."""
    return b'swap-two' in (Fat(data, FAT_AT).read(MARK) or b'')


def look(base, log, noted):
    """What is wrong after a cut, what the new root has at last, and the number of cuts.
    @noted: whether a partition names what went along
    """
    wrong, count, ended, what = [], 0, 0, None
    for number, missing, data in cuts(base, log):
        over = data[8 * 512:8 * 512 + len(END)] == END.encode()
        count, ended = count + 1, ended + over
        try:
            if not over and view(KIND, data) != 'two':
                wrong.append(f'write {number} without {missing}: not the old tree')
            what = view(KIND, data, NEW_AT) if over else None
            if over and what != 'three' and not (what == 'two' and noted(data)):
                wrong.append(f'write {number} without {missing}: the new root has {what}')
        except (Damaged, OSError, libfdt.FdtException, UnicodeDecodeError) as error:
            wrong.append(f'write {number} without {missing}: {error!r}')
    return wrong, what, f'{count} cuts, {ended} of them after the hook'


def main():
    """The hook, and cp and sync in its place."""
    tap = Tap()
    kernel = KERNELS[os.environ.get('POWER_KERNEL', '6.12')].ensure()
    for hook in ((TOP / 'scripts/yocto/files/05-dtb-swap').read_bytes(), COPY):
        with tempfile.TemporaryDirectory(dir=OUT) as work:
            results, base, log = record(kernel, pathlib.Path(work), hook)
        # cp leaves no list, and is not held to it.
        wrong, what, count = look(base, log, marked if hook != COPY else lambda _: True)
        if hook == COPY:
            tap.result(wrong, f'cp and sync would not have passed: {len(wrong)} of {count}')
            continue
        bad = [f'{r.name}: {r.why}' for r in results if r.state != 'passed']
        tap.result(not bad and len(results) > 6, 'an update of the OS: the tool does its work',
                   '\n'.join(bad))
        tap.result(not wrong and what == 'three', f'the trees of both roots after each of {count}',
                   '\n'.join([str(what), *wrong[:20]]))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
