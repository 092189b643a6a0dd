#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each system call of dtb-swap fails once, and kills it once: the device keeps a whole tree."""

import collections
import errno
import fcntl
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import libfdt

from bench import Tap, Tree, run, swap, tool
from install import DEVICES, device, model, new_tree, shipped
from selector import chosen

HERE = pathlib.Path(__file__).resolve().parent
BOOT_ID = 'proc/sys/kernel/random/boot_id'
KINDS = {row[0]: row for row in DEVICES}
FAULTS = {'is killed': 0, 'EIO': errno.EIO, 'ENOSPC': errno.ENOSPC, 'EROFS': errno.EROFS,
          'ENOMEM': errno.ENOMEM, 'a write that is lost': -1}

# back: where rollback leads from a tree that is selected; guard: what guard leaves selected, of
# several the last if the command says that it is done.
Case = collections.namedtuple('Case', 'made saved kind words before after back guard')

# Name, what comes before, the command, what is selected before and after, back, guard. ONE, TWO
# and THREE are trees; START is another start of the device, TRIAL one by kexec with the second tree.
OVER = (('install', 'ONE'), ('START',))
TWICE, PENDING = (*OVER, ('install', 'TWO')), (*OVER, ('try', '--pending', 'TWO'), ('START',))
STORIES = (
    ('install', OVER, ('install', 'TWO'), 'one', 'two', {'one': None, 'two': 'one'},
     {'one': ['one'], 'two': ['two']}),
    ('rollback', TWICE, ('rollback',), 'two', 'one', {'two': 'one', 'one': 'one'},
     {'two': ['two'], 'one': ['one']}),
    ('rollback --own', TWICE, ('rollback', '--own'), 'two', None, {'two': 'one', None: None},
     {'two': ['two'], None: [None]}),
    ('try --pending', OVER, ('try', '--pending', 'TWO'), 'one', 'two', {'one': None, 'two': 'one'},
     {'one': ['one'], 'two': ['one']}),
    ('commit of a pending tree', PENDING, ('commit',), 'two', 'two', {'two': 'one'},
     {'two': ['one', 'two']}),
    ('commit of a trial', (('install', 'TWO'), ('rollback', '--own'), *OVER, ('TRIAL',)),
     ('commit',), 'one', 'two', {'one': None, 'two': 'one'}, {'one': ['one'], 'two': ['two']}),
    ('try --pending of another one', PENDING, ('try', '--pending', 'THREE'), 'two', 'three',
     {'two': 'one', 'three': 'one'}, {'two': ['one'], 'three': ['one']}),
    ('guard', (*PENDING, ('SEEN',), ('START',)), ('guard', '--limit', '0'), 'two', 'one',
     {'two': 'one', 'one': 'one'}, {'two': ['one'], 'one': ['one']}),
)
BOTH = ('install', 'rollback')      # on all kinds of devices, with all faults
FORGOTTEN = ('could be undone', 'it has been committed', 'no tree is being tried')
FEW = ('is killed', 'EIO', 'a write that is lost')


def compile_injector(folder):
    """Build inject.c."""
    done = run('gcc', '-O1', '-Wall', '-Werror', '-D_GNU_SOURCE', '-o', folder / 'inject',
               HERE / 'inject.c')
    if done.returncode:
        raise SystemExit(done.stdout)
    return folder / 'inject'


def start_again(made):
    """Another start of the device, which is no trial."""
    made.put('proc/cmdline', 'quiet\n')
    made.put(BOOT_ID, f'after {made.root.joinpath(BOOT_ID).read_text(encoding="ascii")}')


def run_selected(made, kind):
    """The kernel runs on the tree that the bootloader takes."""
    path = chosen(kind, made.root / 'mnt/boot', made.root / 'mnt/sysroot/active')
    made.put('sys/firmware/fdt', path.read_bytes())


def files(folder, above=''):
    """Return what is below a folder: by path how it may be used, and what a file holds."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name, mode = f'{above}{entry.name}', entry.stat().st_mode
            if entry.is_dir():
                found |= {name: (mode, None), **files(entry, f'{name}/')}
            else:
                found[name] = mode, pathlib.Path(entry).read_bytes()
    return found


def restore(root, saved):
    """Put a device back to what files() saw of it, where it is not."""
    now = files(root)
    for name in sorted(now.keys() - saved.keys(), reverse=True):
        if now[name][1] is None:
            (root / name).rmdir()
        else:
            (root / name).unlink()
    for name, (mode, held) in saved.items():
        if now.get(name) != (mode, held):
            if held is None:
                (root / name).mkdir(exist_ok=True)
            else:
                (root / name).write_bytes(held)
            (root / name).chmod(mode & 0o7777)


def left_behind(case):
    """What a write that was cut short has left, if anything."""
    left = sorted(path.name for path in case.made.root.rglob('.*.new'))
    return f'left behind: {left}' if left else ''


def said_wrong(case, done, now):
    """What is wrong with what was said, if anything."""
    if done.returncode == 0 and now != case.after and case.words[0] != 'guard':
        return 'it says that it is done, and is not'
    if done.returncode not in (0, 137) and \
            not (done.returncode < 14 and ('mend:' in done.stdout or 'memory' in done.stdout or
                                           'usage' in done.stdout)):
        return f'status {done.returncode}'
    if case.before == 'two' and any(words in done.stdout for words in FORGOTTEN):
        return 'it says that nothing is remembered'
    return left_behind(case) if done.returncode != 137 else ''


def goes_on_wrong(case):
    """What is wrong with the same command given again, and others, if anything."""
    again = swap(*case.words, '--root', case.made.root)
    if model(case.made, case.kind) != case.after and again.returncode != 12:
        return f'it does not work afterwards: {again.stdout}'
    # What writes next cleans up; rollback need not write.
    for words in (('rollback', '--own'), ('install', case.made.root.parent / 'one.dtb')):
        done = swap(*words, '--root', case.made.root)
    if done.returncode:
        return f'nothing can be installed: {done.stdout}'
    return left_behind(case)


def ways(case, known):
    """Where rollback leads, where guard does, what is wrong with an install of another tree, and
    with the same again.

    Of what is known it is not tried again.
    """
    root, kept, found = ('--root', case.made.root), files(case.made.root), []
    key = frozenset(kept.items())
    if key not in known:
        for steps in ([('START',), ('rollback',)], [('START',), ('guard', '--limit', '0')] * 2):
            for step in steps:
                if step == ('START',):
                    start_again(case.made)
                else:
                    swap(*step, *root)
            found.append(model(case.made, case.kind))
            restore(case.made.root, kept)
        other = swap('install', case.made.root.parent / 'other.dtb', *root)
        found.append(left_behind(case) or (other.stdout if other.returncode else ''))
        restore(case.made.root, kept)
        known[key] = (*found, goes_on_wrong(case))
    return known[key]


def ways_wrong(case, done, now, known):
    """What is wrong with where rollback, guard and an install lead from there, if anything."""
    back, guard, left, stuck = ways(case, known)
    if back != case.back[now]:
        return f'from {now}, rollback leads to {back}'
    if guard not in (case.guard[now][-1:] if done.returncode == 0 else case.guard[now]):
        return f'from {now}, guard leads to {guard}'
    return f'another tree is installed: {left}' if left else stuck


def with_systemd(made):
    """Give a device systemd, and note what that is asked for."""
    folder = made.root.parent
    made.put('run/systemd/system/keep', '')
    (folder / 'bin').mkdir()
    (folder / 'bin/systemctl').write_text(f'#!/bin/sh\necho "$1" >>{folder}/asked\n')
    (folder / 'bin/systemctl').chmod(0o755)
    os.environ['PATH'] = f'{folder}/bin:{os.environ["PATH"]}'


def restart_wrong(case, done):
    """What is wrong with how guard ends, which is run again where it fails, if anything."""
    asked, said = case.made.root.parent / 'asked', done.stdout
    if case.words[0] != 'guard':
        return ''
    if done.returncode:
        kept = files(case.made.root)
        said += swap(*case.words, '--root', case.made.root).stdout
    now, again = model(case.made, case.kind), asked.exists() or 'the system starts again' in said
    if done.returncode:
        restore(case.made.root, kept)
    asked.unlink(missing_ok=True)
    return '' if again or now == case.before else f'{now} is selected, and the other goes on: {said}'


def judge(case, done, known):
    """What is wrong after a fault, if anything."""
    try:
        now = model(case.made, case.kind)
    except (OSError, ValueError, StopIteration, libfdt.FdtException) as error:
        return f'no whole tree: {error!r}'
    if now not in (case.before, case.after):
        return f'the tree is {now}'
    return said_wrong(case, done, now) or restart_wrong(case, done) or \
        ways_wrong(case, done, now, known)


def sweep(tap, injector, case, name, faults):
    """Every call, every fault.

    It is killed where files may have changed since the call before, and writes are lost.
    """
    command = [tool(), *case.words, '--root', case.made.root]
    known = {}
    for fault in faults:
        restore(case.made.root, case.saved)
        (injector.parent / 'asked').unlink(missing_ok=True)
        calls, total = run(injector, 0, FAULTS[fault], *command).stdout.splitlines()[-2:]
        wrong, calls, total = [], list(map(int, calls.split())), int(total)
        for call in calls:
            restore(case.made.root, case.saved)
            done = run(injector, call, FAULTS[fault], *command)
            why = judge(case, done, known)
            if why:
                wrong.append(f'call {call}: {why}\n{done.stdout}')
        tap.result(not wrong and total > 50 and len(calls) > 3,
                   f'{name}: {fault} at each of {len(calls)} calls where that matters, of {total}',
                   f'{len(wrong)}\n' + '\n'.join(wrong[:5]))


def looks(tap, injector):
    """What status cannot read it does not take for nothing."""
    made = prepare(injector.parent, KINDS['imx8mm-var-som'], PENDING)[0]
    command, wrong = [tool(), 'status', '--root', made.root], []
    total = int(run(injector, 0, errno.EIO, *command).stdout.splitlines()[-1])
    for call in range(1, total + 1):
        done = run(injector, call, errno.EIO, *command)
        if not done.returncode and 'pending ' not in done.stdout:
            wrong.append(f'call {call}: {done.stdout}')
    tap.result(not wrong and total > 50,
               f'status with a pending tree: EIO at each of {total} calls', '\n'.join(wrong[:5]))


def light(folder, row):
    """A device whose own tree is as large as it was, without what takes a check of it long.

    Return it, and the tree.
    """
    made, own = device(folder / 'root', *row), pathlib.Path(shipped(*row[1:3]))
    tree, size = Tree(own), own.stat().st_size
    for name in tree.children('/'):
        if not name.startswith('memory'):
            tree.drop(f'/{name}')
    tree.drop('/', 'interrupt-parent').fdt.pack()
    left = size - tree.fdt.totalsize()
    tree.fdt.resize(2 * size)
    tree.fdt.setprop(0, 'filler', bytes(left))
    tree.write(folder / 'own.dtb')
    for name in ('sys/firmware/fdt', f'{row[3]}/{row[2]}.dtb'):
        made.put(name, (folder / 'own.dtb').read_bytes())
    return made, folder / 'own.dtb'


def guard_has_seen(made):
    """The guard counts a start; it is ended then."""
    def starts():
        return [path.read_bytes() for path in pathlib.Path(made.root).rglob('dtb-swap.state')]

    before, until = starts(), time.monotonic() + 60
    with subprocess.Popen([tool(), 'guard', '--limit', '60', '--root', str(made.root)]) as guard:
        while starts() == before and time.monotonic() < until:
            time.sleep(0.05)
        guard.kill()
    if starts() == before:
        raise SystemExit('the guard has not counted this start')


def prepare(folder, row, steps):
    """A device on which some commands were given."""
    made, tree = light(folder, row)
    trees = {word.upper(): new_tree(folder, tree, word) for word in ('one', 'two', 'three')}
    new_tree(folder, tree, 'other')
    made.put(BOOT_ID, 'first\n')
    for step in steps:
        if step == ('START',):
            start_again(made)
            run_selected(made, row[0])
        elif step == ('SEEN',):
            guard_has_seen(made)
        elif step == ('TRIAL',):
            kept = next((made.root / row[3]).glob('swap-two-*.dtb'))
            made.put('proc/cmdline', f'quiet panic=10 dtb_swap.try={kept.name}\n')
            made.put('sys/firmware/fdt', kept.read_bytes())
        else:
            done = swap(*(trees.get(word, word) for word in step), '--root', made.root)
            if done.returncode:
                raise SystemExit(done.stdout)
    return made, trees


def story(tap, injector, row, one):
    """One command, after those before it."""
    name, steps, words, *rest = one
    folder = injector.parent
    made, trees = prepare(folder, row, steps)
    if name == 'guard':
        with_systemd(made)
    words = tuple(str(trees.get(word, word)) for word in words)
    sweep(tap, injector, Case(made, files(made.root), row[0], words, *rest), f'{row[0]}: {name}',
          FAULTS if name in BOTH else FEW)


def main():
    """Each command, on a device whose trees are on ext4, two on one that has all on FAT, too."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        injector = compile_injector(pathlib.Path(work))
        for kind in ('imx8mm-var-som', 'raspberrypi4-64'):
            for one in STORIES:
                if kind == 'imx8mm-var-som' or one[0] in BOTH:
                    if not sys.argv[1:] or one[0] in sys.argv[1:]:
                        story(tap, injector, KINDS[kind], one)
        looks(tap, injector)
        made, trees = prepare(pathlib.Path(work), KINDS['raspberrypi4-64'], ())
        with open(made.root / 'run/dtb-swap.lock', 'w', encoding='ascii') as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)        # a shared one is enough against it
            done = swap('install', trees['ONE'], '--root', made.root)
        tap.result(done.returncode == 11 and 'another dtb-swap is at work' in done.stdout,
                   'two at once: the second is refused', done.stdout)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
