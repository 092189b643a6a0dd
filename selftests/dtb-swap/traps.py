#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap where people, other programs and failures have left something in its way."""

import errno
import os
import pathlib
import subprocess
import sys
import time

from bench import SOURCE, package, perform, program, run, shipped, swap
from faults import compile_injector
from install import DEVICES, device, model, new_tree

ROWS = {row[0]: row for row in DEVICES}
ROW = ROWS['imx8mm-var-som']


def returns(tap, folder):
    """An editor has written the selector with line ends of DOS: U-Boot finds no such tree."""
    made = device(folder / 'root', *ROW)
    one, root = new_tree(folder, shipped(*ROW[1:3]), 'one'), ('--root', made.root)
    swap('install', one, *root)
    selector = made.root / 'mnt/boot/extra_uEnv.txt'
    selector.write_bytes(selector.read_bytes().replace(b'\n', b'\r\n'))
    seen = swap('status', *root)
    tap.result(seen.returncode == 3 and 'the device will not boot' in seen.stdout,
               'status: the selected name ends in a carriage return', seen.stdout)
    done = swap('install', one, *root)
    tap.result(done.returncode == 0 and model(made, ROW[0]) == 'one', 'install mends it', done.stdout)


def elsewhere(tap, folder):
    """The tree before is in the other folder that the bootloader looks into."""
    row = ROWS['iot-gate-imx8plus']
    one = new_tree(folder, shipped(*row[1:3]), 'one')
    vendor = new_tree(folder, shipped(*row[1:3]), 'vendor').read_bytes()
    for words, back in ((('install', one), ('rollback',)),
                        (('try', '--pending', one), ('guard', '--limit', '1'))):
        made = device(folder / 'root', *row)
        made.put('mnt/sysroot/active/boot/vendor.dtb', vendor)
        made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=vendor.dtb\n')
        said = [swap(*step, '--root', made.root) for step in (('status',), words, back, ('status',))]
        tap.result(not any(done.returncode for done in said) and model(made, row[0]) == 'vendor',
                   f'{words[0]}, {back[0]}: to a tree in the other folder',
                   ''.join(done.stdout for done in said))


def filtered(tap, folder):
    """Somebody has put a line under a filter behind ours, which counts on some boards."""
    row = ROWS['raspberrypi4-64']
    one, two = (new_tree(folder, shipped(*row[1:3]), word) for word in ('one', 'two'))
    for line, counts in (('[pi4]', True), ('[cm4]', True), ('[none]', False), ('[all]', False)):
        for words, wanted in ((('install', two), 'two'), (('rollback',), 'one')):
            made = device(folder / 'root', *row)
            new_tree(made.root / row[3], shipped(*row[1:3]), 'mine')
            root, file = ('--root', made.root), made.root / 'mnt/boot/config.txt'
            for tree in (one, two):
                swap('install', tree, *root)
            more = 'dtparam=spi=on' if line == '[all]' else 'device_tree=mine.dtb'
            file.write_text(f'{file.read_text()}{line}\n{more}\n', encoding='ascii')
            seen = [swap(*step, *root) for step in (('status',), ('check', two))]
            done = swap(*words, *root)
            back = done if wanted == 'one' else swap('status', *root)
            tap.result(not done.returncode and 'may count more' not in back.stdout and model(made, row[0]) == wanted and
                       f'{more}\n' in file.read_text() and
                       all(('may count more' in step.stdout) == counts for step in seen),
                       f'{more} under {line} behind ours, {words[0]}: ours is the last',
                       f'{model(made, row[0])} {[step.stdout for step in (*seen, done)]}')


def nameless(tap, folder):
    """A board that has lost its config.json: the family tells where trees are, too."""
    made = device(folder / 'root', *ROW)
    made.put('mnt/boot/config.json', '{}')
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    done = swap('install', one, '--family', 'tm3', '--unproven', '--root', made.root)
    tap.result(not done.returncode and list((made.root / 'mnt/boot').glob('swap-one-*')),
               '--family tm3: the tree is where its bootloader looks', done.stdout)


def comes_back(tap, folder):
    """A tree that was kept is installed by its file, under the name that it has."""
    made = device(folder / 'root', *ROW)
    one, two = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two'))
    for tree in (one, two):
        swap('install', tree, '--root', made.root)
    before = sorted((made.root / ROW[3]).iterdir())
    kept = next(path for path in before if path.name.startswith('swap-one'))
    done = swap('install', kept, '--root', made.root)
    tap.result(not done.returncode and model(made, ROW[0]) == 'one' and
               sorted((made.root / ROW[3]).iterdir()) == before,
               'a tree that was kept keeps its name', done.stdout)


def swept(tap, folder):
    """What a failure has left is gone before anything is written: FAT may take it for free."""
    made = device(folder / 'root', *ROW)
    one, root = new_tree(folder, shipped(*ROW[1:3]), 'one'), ('--root', made.root)
    swap('install', one, *root)
    name = next((made.root / ROW[3]).glob('swap-one-*')).name
    swap('rollback', *root)
    (made.root / ROW[3] / name).unlink()
    left = [made.put(path, 'x') for path in (f'{ROW[3]}/.swap-two-01234567.dtb.new',
            'mnt/boot/.extra_uEnv.txt.new', 'mnt/boot/.dtb-swap.state.new')]
    other = made.put('mnt/boot/.config.json.new', 'x')
    (made.root / ROW[3] / f'.{name}.new').mkdir()       # so that the first write fails
    done = swap('install', one, *root)
    tap.result(done.returncode and not any(path.exists() for path in left) and other.exists(),
               'what was cut short goes first, and nothing of others', done.stdout)


# The disk is no tmpfs, as far as the tool is told.
MOUNT = '''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def mount(what, where, kind=None, flags=0):
    words = [word and word.encode() for word in (what, where, kind)]
    if libc.mount(*words, flags, None):
        raise OSError(ctypes.get_errno(), where)
root, trees = sys.argv[1:3]
def tell():
    with open('/proc/self/mountinfo') as mounts, open(root + '/proc/self/mountinfo', 'w') as out:
        out.writelines(line.replace(root, '').replace(' - tmpfs ', ' - ext4 ') for line in mounts)
'''

# In namespaces of its own: a mount that is read only, of a file system that others write to.
MOUNTS = MOUNT + '''
RDONLY, REMOUNT, BIND = 1, 32, 4096
mount('x', root + '/media', 'tmpfs')
os.system(f'cp -r {trees}/. {root}/media')
os.system(f'cp -r {root}/mnt/boot/. {root}/tmp')
mount('x', root + '/mnt/boot', 'tmpfs')
os.system(f'cp -r {root}/tmp/. {root}/mnt/boot')
mount(root + '/media', trees, None, BIND)
mount(None, trees, None, BIND | REMOUNT | RDONLY)
tell()
status = os.system('chroot ' + ' '.join([root, *sys.argv[3:]]))
open(root + '/media/others', 'w').close()
print('others write on')
try:
    open(trees + '/x', 'w')
except OSError:
    print('read only:', *sorted(os.listdir(trees)))
sys.exit(status >> 8)
'''


def bound(tap, folder):
    """Only the mount is made writable, and read only again."""
    made = device(folder / 'root', *ROW)
    for name in ('media/keep', 'tmp/keep', 'one.dtb', 'dtb-swap'):
        made.put(name, '')
    new_tree(made.root, shipped(*ROW[1:3]), 'one')
    (made.root / 'dtb-swap').write_bytes(pathlib.Path(program()[0]).read_bytes())
    (made.root / 'dtb-swap').chmod(0o755)
    done = run('unshare', '-rm', 'python3', '-c', MOUNTS, made.root, made.root / ROW[3],
               '/dtb-swap', 'install', '/one.dtb')
    tap.result(not done.returncode and 'others write on' in done.stdout and
               'read only: ' in done.stdout and ' swap-one-' in done.stdout,
               'a mount that is read only, of a file system that is not', done.stdout)


def unflushed(tap, folder):
    """A tree that somebody has copied there is flushed before it is selected."""
    made = device(folder / 'root', *ROW)
    one, root = new_tree(folder, shipped(*ROW[1:3]), 'one'), ('--root', made.root)
    swap('install', one, *root)
    swap('rollback', *root)
    kept, injector = next((made.root / ROW[3]).glob('swap-one-*')), compile_injector(folder)
    command = (*program(), 'install', kept, *root)
    said = []
    for call in range(1, int(run(injector, 0, 0, *command).stdout.splitlines()[-1]) + 1):
        swap('rollback', '--own', *root)
        done = run(injector, call, errno.EIO, *command)
        if 'is not on the disk' in done.stdout:
            said.append((done.returncode, model(made, ROW[0])))
    tap.result(len(said) > 1 and set(said) == {(13, None)},
               'a tree that is there and cannot be flushed is not selected', said)


# Like MOUNTS, of file systems that are read only themselves, with options of their own.
OPTIONS = MOUNT + '''
RDONLY, NOSUID, SYNC, REMOUNT, DIRSYNC, BIND, REC, LAZY = 1, 2, 16, 32, 128, 4096, 16384, 1 << 25
ALL = NOSUID | SYNC | DIRSYNC | LAZY
for name in (trees, root + '/mnt/boot'):
    os.system(f'rm -rf {root}/tmp; cp -r {name} {root}/tmp')
    mount('x', name, 'tmpfs', ALL)
    os.system(f'cp -r {root}/tmp/. {name}')
    mount(None, name, None, ALL | REMOUNT | RDONLY)
def options():
    return [line for line in open('/proc/self/mountinfo') if root + '/mnt/' in line and ' - tmpfs ' in line]
before = options()
tell()
status = os.system('chroot ' + ' '.join([root, *sys.argv[3:]]))
print('before:', *before, 'after:', *options())
sys.exit(3 if status or before != options() or not all('sync' in one for one in before) else 0)
'''


def options(tap, folder):
    """A file system that is made writable is as it was afterwards."""
    made = device(folder / 'root', *ROW)
    for name in ('tmp/keep', 'one.dtb', 'dtb-swap'):
        made.put(name, '')
    new_tree(made.root, shipped(*ROW[1:3]), 'one')
    (made.root / 'dtb-swap').write_bytes(pathlib.Path(program()[0]).read_bytes())
    (made.root / 'dtb-swap').chmod(0o755)
    done = run('unshare', '-rm', 'python3', '-c', OPTIONS, made.root, made.root / ROW[3],
               '/dtb-swap', 'install', '/one.dtb')
    tap.result(not done.returncode and 'lazytime' in done.stdout and 'installed' in done.stdout,
               'sync, dirsync and lazytime stay', done.stdout)


# In place of two of the C library's: all is ext4, and what is asked of it is noted.
EXT4 = '''
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
int __real_fstatfs64(int fd, struct statfs64 *fs);
int __wrap_fstatfs64(int fd, struct statfs64 *fs)
{
	int ret = __real_fstatfs64(fd, fs);
	fs->f_type = 0xEF53;
	return ret;
}
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	FILE *log = fopen(getenv("IOCTL_LOG"), "a");
	fprintf(log, "%lx\\n", request & 0xffffffff);
	fclose(log);
	errno = atoi(getenv("IOCTL_ERROR"));
	return errno ? -1 : 0;
}
'''
CHECKPOINT, FREEZE = '4004662b', 'c0045877'


def journal(tap, folder):
    """The journal of ext4 is emptied, wherever the root is, and frozen where it cannot be."""
    made, log = device(folder / 'root', *ROW), folder / 'log'
    (folder / 'ext4.c').write_text(EXT4, encoding='ascii')
    done = run('gcc', '-D_GNU_SOURCE', '-c', '-o', folder / 'ext4.o', folder / 'ext4.c')
    done = run('make', '-s', '-C', SOURCE, f'OUT={folder}/ext4',
               f'LIBFDT={package("amd64", "libfdt-dev")}', 'CFLAGS=-Os',
               f'LDFLAGS=-static -Wl,--wrap=fstatfs64,--wrap=ioctl {folder / "ext4.o"}')
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    for name, error, more, status, asked in (
            ('it is emptied', 0, {}, 0, {CHECKPOINT}),
            ('an older kernel', errno.ENOTTY, {}, 13, {CHECKPOINT, FREEZE}),
            ('it has none', errno.ENODEV, {}, 0, {CHECKPOINT}),
            ('tests', 0, {'DTB_SWAP_NO_JOURNAL': '1'}, 0, set())):
        made, env = device(folder / 'root', *ROW), dict(os.environ)
        del env['DTB_SWAP_NO_JOURNAL']
        log.write_text('', encoding='ascii')
        env |= {'IOCTL_LOG': str(log), 'IOCTL_ERROR': str(error), **more}
        done = run(folder / 'ext4/dtb-swap', 'install', one, '--root', made.root, env=env)
        found = log.read_text(encoding='ascii').split()
        tap.result(done.returncode == status and set(found) == asked and
                   (status or not asked or len(found) > 3),
                   f'the journal of ext4: {name}', f'{found} {done.stdout}')


def feed_first(folder, pipe, data):
    """An overlay is read once more when all else is done: another pipe is there then."""
    with open(pipe, 'wb') as into:
        os.mkfifo(folder / 'again')
        (folder / 'again').rename(pipe)
        into.write(data)


def overtaken(tap, folder):
    """Others write the selector while a tree, or an overlay on it, is read: it stays theirs."""
    for kind, where, text, status, after in (
            ('imx8mm-var-som', 'tree', 'extra_os_cmdline=isolcpus=1\n', 0, 'one'),
            ('imx8mm-var-som', 'tree', 'custom_fdt_file=theirs.dtb\n', 11, 'theirs'),
            ('jetson-xavier', 'overlay', 'extra_os_cmdline=isolcpus=1\n', 11, None)):
        row = ROWS[kind]
        made, pipe = device(folder / 'root', *row), folder / 'pipe'
        one, data = new_tree(folder, shipped(*row[1:3]), 'one'), b'x'
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        made.put(f'{row[3]}/theirs.dtb', new_tree(folder, one, 'theirs').read_bytes())
        if where == 'overlay':
            made.put(f'{row[3]}/extlinux/extlinux.conf', 'LABEL a\n\tFDT default\n\tOVERLAYS /boot/x.dtbo\n')
            pipe.rename(made.root / row[3] / 'x.dtbo')
            pipe = made.root / row[3] / 'x.dtbo'
            data = run('dtc', '-q', '-@', '-o', folder / 'x.dtbo', '-',
                       input='/dts-v1/; /plugin/; &{/} { x; };') and \
                (folder / 'x.dtbo').read_bytes()
        else:
            one, data = pipe, one.read_bytes()
        with subprocess.Popen(list(map(str, (*program(), 'install', one, '--root', made.root))),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as install:
            if where == 'overlay':
                feed_first(folder, pipe, data)
            with open(pipe, 'wb') as into:
                made.put('mnt/boot/extra_uEnv.txt', text)
                into.write(data)
            said = install.communicate()[0]
        kept = (made.root / 'mnt/boot/extra_uEnv.txt').read_text(encoding='ascii')
        tap.result(install.returncode == status and text in kept and model(made, kind) == after and
                   (not status or ('written /mnt/boot/extra_uEnv.txt meanwhile' in said and
                                   'mend:' in said)),
                   f'{kind}: others write {text.strip()} while the {where} is read: '
                   f'{"refused" if status else "kept"}', f'{install.returncode} {said} {kept}')


LAST = 60       # system calls, among which are all that write the selector


def late(tap, folder):
    """The selector's write fails when it has its name: nothing is said of it that is not so."""
    made = device(folder / 'root', *ROW)
    one, root = new_tree(folder, shipped(*ROW[1:3]), 'one'), ('--root', made.root)
    injector, wrong, late_ones = compile_injector(folder), [], 0
    command = (*program(), 'install', one, *root)

    def last(count):
        total = int(run(injector, 0, 0, *command).stdout.splitlines()[-1])
        return range(total - count, total + 1)
    for call in last(LAST):
        swap('rollback', '--own', *root)
        done, now = run(injector, call, errno.EIO, *command), model(made, ROW[0])
        failed = now and done.returncode
        late_ones += bool(failed)
        if (failed and 'has changed all the same' not in done.stdout) or \
                (now and 'takes what it took before' in done.stdout) or \
                (not now and 'all the same' in done.stdout):
            wrong.append(f'{call} {now} {done.returncode} {done.stdout}')
    tap.result(not wrong and late_ones > 1, f'install fails late, {late_ones} times: it is told',
               wrong[:3])
    swap('install', one, *root)
    failed = [run(injector, call, errno.EIO, *command).stdout for call in last(LAST // 2)]
    tap.result(any('extra_uEnv.txt is not on the disk' in text for text in failed) and
               any('.dtb is not on the disk' in text for text in failed),
               'what was selected before is flushed before that is said', failed[-3:])


HANG = '''
#include <fcntl.h>
#include <unistd.h>
void hang(void) { sleep(40); }
int noted(int how) { return creat("/restarted", how & 0600) < 0; }
'''


def hung(tap, folder):
    """A disk that does not come back from a flush does not keep guard from the restart."""
    made = device(folder / 'root', *ROW)
    made.put('proc/cmdline', 'quiet dtb_swap.try=swap-one-01234567.dtb\n')
    (folder / 'hang.c').write_text(HANG, encoding='ascii')
    done = run('gcc', '-c', '-o', folder / 'hang.o', folder / 'hang.c')
    done = run('make', '-s', '-C', SOURCE, f'OUT={made.root}', f'LIBFDT={package("amd64", "libfdt-dev")}',
               'CFLAGS=-Os -Dsync=hang -Dreboot=noted', f'LDFLAGS=-static {folder / "hang.o"}')
    start = time.monotonic()
    done = run('sh', '-c', f'unshare -r chroot {made.root} /dtb-swap guard --limit 1 >{folder}/said 2>&1')
    seconds = time.monotonic() - start
    tap.result(not done.returncode and (made.root / 'restarted').exists() and 5 < seconds < 39,
               f'guard restarts though a flush hangs: {seconds:.0f} s', (folder / 'said').read_text())


def main():
    """Run all."""
    return perform(returns, elsewhere, filtered, nameless, comes_back, swept, bound, unflushed,
                   options, journal, overtaken, late, hung)


if __name__ == '__main__':
    sys.exit(main())
