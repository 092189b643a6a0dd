#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the hook of host OS updates does to the new root, and what may be done beside and after it."""

import fcntl
import os
import pathlib
import subprocess
import sys
import time

from bench import SOURCE, TOP, Tree, package, perform, program, run, shipped, swap
from faults import compile_injector
from install import DEVICES, device, new_tree
from places import SMALL
from selector import chosen

HOOK = TOP / 'scripts/yocto/files/05-dtb-swap'
ROWS = {row[0]: row for row in DEVICES}
ROW = ROWS['imx8mm-var-som']
NEW = 'mnt/sysroot/inactive/boot'
FIRST = 'proc/sys/kernel/random/boot_id'
CHECKPOINT, FREEZE, THAW = '4004662b', 'c0045877', 'c0045878'

# A device whose file systems say that they are ext4, or btrfs, and note what they are asked for.
DISK_H = '''
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>
int noted(int fd, unsigned long what, ...);
int as_told(int fd, struct statfs *fs);
int noted_syncfs(int fd);
#define ioctl noted
#define fstatfs as_told
#define syncfs noted_syncfs
'''
DISK_C = '''
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

int noted(int fd, unsigned long what, ...)
{
	FILE *out = fopen("/asked", "a");
	char name[16];
	struct stat at;

	fstat(fd, &at);
	fprintf(out, "%lx %lu\\n", what & 0xffffffff, (unsigned long)at.st_ino);
	fclose(out);
	snprintf(name, sizeof(name), "/%lx", what & 0xffffffff);
	errno = access(name, F_OK) ? 0 : ENOTTY;
	return errno ? -1 : 0;
}

int noted_syncfs(int fd)
{
	return noted(fd, 0xb);
}

int as_told(int fd, struct statfs *fs)
{
	memset(fs, 0, sizeof(*fs));
	fs->f_type = access("/btrfs", F_OK) ? 0xef53 : 0x9123683e;
	return fd < 0;
}
'''


def prepared(folder, row=ROW):
    """A device that has run on three trees, the last selected, and a new root."""
    made = device(folder / 'root', *row)
    made.put(f'{NEW}/keep', '')
    for word in ('one', 'two', 'three'):
        made.put(FIRST, f'{word}\n')
        swap('install', new_tree(folder, shipped(*row[1:3]), word), '--root', made.root)
        kept = next(made.root.rglob(f'swap-{word}-*'))
        made.put('sys/firmware/fdt', kept.read_bytes())
    made.put(FIRST, 'first\n')
    return made


def environment(made, **more):
    """What the hook is started with."""
    return {**os.environ, 'DTB_SWAP': program()[0], 'DTB_SWAP_ROOT': str(made.root),
            'DURING_UPDATE': '1', **more}


def hook(made, **more):
    """Run it."""
    return run('sh', HOOK, env=environment(made, **more))


def journal(tap, folder):
    """The new root's journal is emptied, or that is said and the update is refused."""
    for name, text in (('fake.h', DISK_H), ('fake.c', DISK_C)):
        (folder / name).write_text(text, encoding='ascii')
    run('gcc', '-c', '-o', folder / 'fake.o', folder / 'fake.c')
    done = run('make', '-s', '-C', SOURCE, f'OUT={folder / "ext4"}',
               f'LIBFDT={package("amd64", "libfdt-dev")}', f'CFLAGS=-Os -include {folder / "fake.h"}',
               f'LDFLAGS=-static {folder / "fake.o"}')
    for title, lacks, wanted, status in (
            ('a checkpoint', (), [CHECKPOINT], 0),
            ('no checkpoint: it is frozen', (CHECKPOINT,), [CHECKPOINT, FREEZE, THAW], 0),
            ('neither', (CHECKPOINT, FREEZE), [CHECKPOINT, FREEZE], 13),
            ('btrfs, whose commit is written', ('btrfs',), ['b'], 0),
            ('btrfs, whose commit fails', ('btrfs', 'b'), ['b'], 13)):
        made = prepared(folder)
        for name in lacks:
            made.put(name, '')
        made.put('dtb-swap', (folder / 'ext4/dtb-swap').read_bytes()).chmod(0o755)
        made.put('in', '#!/bin/sh\nexec unshare -r chroot "$BELOW" /dtb-swap "$@"\n').chmod(0o755)
        script = made.put('hook', HOOK.read_text().replace('root=${DTB_SWAP_ROOT:-}', f'root={made.root}')
                          .replace('--root "$root"', '--root /').replace('"$root$tree"', '"$tree"'))
        env = environment(made, DTB_SWAP=str(made.root / 'in'), BELOW=str(made.root))
        del env['DTB_SWAP_NO_JOURNAL']
        done = run('sh', script, env=env)
        asked = [line.split() for line in (made.root / 'asked').read_text().splitlines()] \
            if (made.root / 'asked').exists() else []
        inode = str((made.root / NEW).stat().st_ino)
        seen = [what for what, where in asked if where == inode]
        good = seen[:len(wanted)] == wanted and seen[-1:] == wanted[-1:] and bool(done.returncode) == bool(status)
        tap.result(good and ('mend:' in done.stdout and NEW in done.stdout if status else True),
                   f'the journal of the new root: {title}', f'{done.returncode} {asked}\n{done.stdout}')


def locked(tap, folder):
    """The hook and an install at once: by the boot partition, for its container has a /run of its own."""
    made = prepared(folder)
    fd = os.open(made.root / 'mnt/boot', os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with subprocess.Popen(['sh', str(HOOK)], env=environment(made), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as work:
        time.sleep(2.5)
        waits = work.poll() is None and not list((made.root / NEW).glob('swap-*'))
        fcntl.flock(fd, fcntl.LOCK_UN)
        said = work.communicate(timeout=30)[0]
    tap.result(waits and not work.returncode and len(list((made.root / NEW).glob('swap-*'))) == 3,
               'the hook waits for an install', said)
    fcntl.flock(fd, fcntl.LOCK_EX)
    done = [swap(*words, '--root', made.root) for words in
            (('install', folder / 'one.dtb'), ('rollback',), ('carry', '--limit', '1'))]
    tap.result(all(one.returncode == 11 and 'at work' in one.stdout for one in done),
               'nothing is installed while the hook is at work, and it does not wait for ever',
               '\n'.join(one.stdout for one in done))
    os.close(fd)
    done = swap('carry', 'swap-one-01234567.dtb', '--root', made.root)
    tap.result(done.returncode == 11 and 'update again' in done.stdout,
               'another tree was selected than the one that was held against the new kernel', done.stdout)


def failing(tap, folder):
    """Each call fails, and kills it: the new root has whole trees only, and no update goes on
    without the selected one and that before it.
    """
    injector, made = compile_injector(folder), prepared(folder)
    command = (*program(), 'carry', '--limit', '0', '--root', made.root)
    old = {path.name: path.read_bytes() for path in (made.root / ROW[3]).glob('swap-*')}
    total = int(run(injector, 0, 0, *command).stdout.splitlines()[-1])
    for title, number in (('is killed', 0), ('EIO', 5)):
        wrong = []
        for call in range(1, total + 1):
            for path in (made.root / NEW).iterdir():
                path.unlink()
            done = run(injector, call, number, *command)
            new = {path.name: path.read_bytes() for path in (made.root / NEW).glob('swap-*')}
            if any(old[name] != data for name, data in new.items()) or \
                    not done.returncode and (
                        {'two', 'three'} - {name.split('-')[1] for name in new} or
                        new != old and 'warning: ' not in done.stdout):
                wrong.append(f'call {call}: {done.returncode} {sorted(new)}')
        tap.result(not wrong and total > 50, f'carry: {title} at each of {total} calls', wrong[:5])


def restart(made, kind=ROW[0]):
    """The model of the tree that the new OS is started with; it may stop without one."""
    path = chosen(kind, made.root / 'mnt/boot', made.root / 'mnt/sysroot/inactive')
    return path and Tree(path).fdt.getprop(0, 'model').as_str()


def guarded(made, folder):
    """A pending tree, the update, and the guard of another start before it."""
    swap('try', '--pending', folder / 'one.dtb', '--root', made.root)
    made.put(FIRST, 'second\n')
    made.put('sys/firmware/fdt', next(made.root.rglob('swap-one-*')).read_bytes())
    hook(made)
    return swap('guard', '--limit', '1', '--root', made.root)


# What is done after the hook, the exit status, and the tree that the new OS gets.
AFTER = (
    (('install', 'NEW'), 9, 'three'), (('try', '--pending', 'NEW'), 9, 'three'),
    (('try', '--load', 'NEW'), 9, 'three'), (('try', '--load', 'ONE'), 9, 'three'),
    (('check', 'NEW'), 9, 'three'), (('install', 'THREE'), 0, 'three'),
    (('install', 'ONE'), 0, 'one'), (('try', '--pending', 'ONE'), 0, 'one'),
    (('rollback',), 0, 'two'), (('rollback', '--own'), 0, None), (('commit',), 12, 'three'))


def waiting(tap, folder):
    """Until the start that an update waits for, no tree is selected that the new root has not."""
    made, new = prepared(folder), new_tree(folder, shipped(*ROW[1:3]), 'new')
    words = {'NEW': new, **{word.upper(): folder / f'{word}.dtb' for word in ('one', 'two', 'three')}}
    for what, status, model in AFTER:
        made = prepared(folder)
        before, first = hook(made), (made.root / 'mnt/boot/extra_uEnv.txt').read_bytes()
        done = swap(*(words.get(word, word) for word in what), '--root', made.root)
        told = 'start the device again first' in done.stdout and 'carry --forget' in done.stdout
        kept = first == (made.root / 'mnt/boot/extra_uEnv.txt').read_bytes()
        tap.result(not before.returncode and done.returncode == status and restart(made) == model and
                   told == (status == 9) and (kept or not status),
                   f'after the hook: {" ".join(what)}', f'{done.returncode} {done.stdout}')
    made = prepared(folder)
    done = guarded(made, folder)
    tap.result(not done.returncode and restart(made) == 'three', 'after the hook: guard goes back',
               done.stdout)


def unproven(tap, folder):
    """What this device has not started with goes into no new OS."""
    for kind in (ROW[0], 'raspberrypi4-64'):
        row = ROWS[kind]
        for words in (('install',), ('try', '--pending')):
            made = prepared(folder, row)
            new = new_tree(folder, shipped(*row[1:3]), 'new')
            swap(*words, new, '--root', made.root)
            done = [hook(made)]
            if words[0] == 'try':       # a start that was on another
                made.put(FIRST, 'second\n')
                done.append(hook(made))
            tap.result(all(one.returncode == 1 and 'has not yet started with it' in one.stdout and
                           'mend: start the device with it once, or dtb-swap rollback' in one.stdout
                           for one in done) and not list((made.root / NEW).glob('swap-*')),
                       f'{kind}: {" ".join(words)}, and an update: refused', '\n'.join(one.stdout for one in done))
            if words[0] == 'install':
                swap('rollback', '--root', made.root)
            else:
                made.put('sys/firmware/fdt', next(made.root.rglob('swap-new-*')).read_bytes())
            done = hook(made)
            tap.result(not done.returncode and bool(list((made.root / NEW).glob('swap-*'))) == (kind == ROW[0]),
                       f'{kind}: {" ".join(words)}, mended, and an update', done.stdout)


def warm(tap, folder):
    """Nor does one that may have run by kexec alone, in this trial or in one before."""
    for tried in ('three', 'other'):
        made = prepared(folder)
        kept = next(made.root.rglob('swap-three-*')).name.replace('three', tried)
        made.put('proc/cmdline', f'quiet dtb_swap.try={kept}\n')
        early = hook(made)
        made.put('proc/cmdline', 'quiet\n')
        late = hook(made)
        tap.result(early.returncode == 1 and 'proves no cold start of swap-three' in early.stdout and
                   'mend: start the device again' in early.stdout and not late.returncode,
                   f'three is selected, {tried} is tried by kexec, and an update: refused',
                   early.stdout + late.stdout)


def ends(tap, folder):
    """Another start, and an update that fails, and the hook of one that comes again."""
    new = new_tree(folder, shipped(*ROW[1:3]), 'new')
    for title, way, status in (
            ('nothing', lambda made: None, 9),
            ('another start', lambda made: made.put(FIRST, 'second\n'), 0),
            ('the update fails, the hooks of the old OS are run',
             lambda made: hook(made, DURING_UPDATE='0'), 0),
            ('carry --forget', lambda made: swap('carry', '--forget', '--root', made.root), 0)):
        made = prepared(folder)
        hook(made)
        seen = swap('status', '--root', made.root)
        way(made)
        later = swap('status', '--root', made.root)
        done = swap('install', new, '--root', made.root)
        tap.result(done.returncode == status and 'went into the new OS' in seen.stdout and
                   ('went into the new OS' in later.stdout) == bool(status),
                   f'after the hook, and {title}: install', f'{done.returncode} {done.stdout}')
    again = [hook(made, DURING_UPDATE='0'), hook(made, DURING_UPDATE='0')]
    tap.result(not any(done.returncode for done in again), 'that an update has failed twice is no error',
               again[1].stdout)
    made = device(folder / 'root', *ROW)
    made.put(f'{NEW}/keep', '')
    made.put(FIRST, 'first\n')
    done = [hook(made), swap('install', new, '--root', made.root), swap('status', '--root', made.root)]
    tap.result([one.returncode for one in done] == [0, 9, 0], 'the first install of a device waits, too',
               '\n'.join(one.stdout for one in done))
    for title, kind in (('is not known', 'acme-box'), ('cannot be told', 'intel-nuc')):
        made.put('mnt/boot/config.json', f'{{"deviceType": "{kind}"}}')
        done = hook(made)
        tap.result(not done.returncode and not done.stdout, f'a device that {title}: a hook that says nothing',
                   done.stdout)


def crowded(tap, folder):
    """A new root with room for all, for the selected tree alone, to the last block, and for none."""
    size = -(-next(prepared(folder).root.rglob('swap-three-*')).stat().st_size // 4096) * 4
    for room, status, names in ((3 * size + 8, 0, ['one', 'three', 'two']),
                                (size + 12, 0, ['three']), (size - 8, 7, [])):
        made = prepared(folder)
        kept = next(made.root.rglob('swap-three-*')).name
        done = run('unshare', '-rm', 'sh', '-c', SMALL.format(made.root / NEW, room, folder / f'kept-{room}')
                   .replace('exec ', '') + ' '.join([*program(), 'carry', kept, '--root', str(made.root)]) +
                   f'; status=$?; ls {made.root / NEW}; exit $status')
        found = sorted(line.split('-')[1] for line in done.stdout.splitlines()
                       if line.startswith('swap-'))
        said = 'mend: dtb-swap rollback --own, then update; or an OS image that leaves more room' in done.stdout
        mark = (made.root / 'mnt/boot/dtb-swap.update')
        marked = sorted(line.split('-')[1] for line in mark.read_text().splitlines() if '-' in line) \
            if mark.exists() else []
        tap.result(done.returncode == status and found == names == marked and said == (len(names) < 3) and
                   'dtb-swap list shows' not in done.stdout, f'a new root with room for {names}',
                   f'{done.returncode} {marked} {done.stdout}')


def alone(tap, folder):
    """carry by hand, where there is no new root and nothing is selected, says nothing of an update."""
    made = device(folder / 'root', *ROW)
    made.put(FIRST, 'first\n')
    done = [swap('carry', '--root', made.root),
            swap('install', new_tree(folder, shipped(*ROW[1:3]), 'one'), '--root', made.root)]
    tap.result(done[0].returncode == 1 and not done[1].returncode and
               not (made.root / 'mnt/boot/dtb-swap.update').exists(),
               'carry by hand without a new root: install is possible',
               ''.join(one.stdout for one in done))


def elsewhere(tap, folder):
    """Trees on the boot partition are there for both."""
    for kind in ('raspberrypi4-64', 'iot-gate-imx8plus'):
        row = ROWS[kind]
        made, new = prepared(folder, row), new_tree(folder, shipped(*row[1:3]), 'new')
        before = hook(made)
        done = swap('install', new, '--root', made.root)
        tap.result(not before.returncode and not done.returncode, f'{kind}: after the hook: install',
                   before.stdout + done.stdout)
    made = prepared(folder, row)
    hook(made)
    made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=vendor.dtb\n')
    made.put('mnt/sysroot/active/boot/vendor.dtb', pathlib.Path(shipped(*row[1:3])).read_bytes())
    swap('install', folder / 'one.dtb', '--root', made.root)
    done = swap('rollback', '--root', made.root)
    tap.result(done.returncode == 9 and 'vendor.dtb is not among them' in done.stdout,
               f'{kind}: back to a tree of the root that did not go along', done.stdout)


def main():
    """Run all."""
    return perform(journal, locked, failing, waiting, unproven, warm, ends, crowded, alone,
                   elsewhere)


if __name__ == '__main__':
    sys.exit(main())
