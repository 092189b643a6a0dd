#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap try --pending and commit, as far as it goes without a kernel; guard.py has the rest."""

import fcntl
import json
import re
import shutil
import subprocess
import sys
import time

from bench import Tree, perform, program, run, swap
from install import DEVICES, GUARD, device, digest, model, new_tree, shipped
from selector import chosen

BOOT_ID = 'proc/sys/kernel/random/boot_id'
ROW = {row[0]: row for row in DEVICES}['imx8mm-var-som']


def fresh(folder, number=None):
    """A device with a pending tree; which start it was installed in."""
    made = device(folder / 'root', *ROW)
    if number:
        made.put(BOOT_ID, number)
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    said = swap('try', '--pending', one, '--root', made.root)
    return made, said


def booted(made, kind=ROW[0], number='second\n'):
    """Another start of a device, by its bootloader, which changes the tree as they do."""
    path = chosen(kind, made.root / 'mnt/boot', made.root / 'mnt/sysroot/active')
    made.put(BOOT_ID, number)
    tree = Tree(path or made.root / 'sys/firmware/fdt')
    for node in ('/chosen', '/memory@40000000'):
        if node[1:] not in tree.children('/'):
            tree.add('/', node[1:])
    tree.text('/', 'serial-number', '0123').text('/chosen', 'bootargs', 'quiet')
    tree.cell('/chosen', 'linux,initrd-start', 0x48000000).cell('/memory@40000000', 'reg', 1, 2)
    tree.add('/', 'firmware').text('/', 'model', 'as the bootloader has it')
    tree.write(made.root / 'sys/firmware/fdt')


def timed(*words):
    """Run the tool; return how long it took, too."""
    start = time.monotonic()
    return swap(*words), time.monotonic() - start


def guarded(made, seconds):
    """A start with guard, and the power fails."""
    with subprocess.Popen([*program(), 'guard', '--limit', '60', '--root', str(made.root)]) as guard:
        time.sleep(seconds)
        guard.kill()


def overlay_on_it(tap, folder):
    """An overlay does not make a pending tree one for good."""
    overlay = folder / 'x.dtbo'
    run('dtc', '-q', '-o', overlay, '-', input='/dts-v1/; /plugin/; &{/} { x { }; };')
    for name, words, status, waits in (
            ('installed', ('install', '--overlay'), 12, True),
            ('installed on another', ('install', '--base', shipped(*ROW[1:3]), '--overlay'), 0, False),
            ('tried', ('try', '--pending', '--overlay'), 0, True)):
        made, _ = fresh(folder, 'first\n')
        before = digest(made.root)
        done = swap(*words, overlay, '--root', made.root)
        status_now = swap('status', '--root', made.root)
        tap.result(done.returncode == status and ('pending' in status_now.stdout) == waits and
                   (not status or digest(made.root) == before and
                    'mend: dtb-swap commit, or try --pending --overlay' in done.stdout),
                   f'an overlay on a pending tree is {name}', done.stdout + status_now.stdout)


def pending(tap, folder):
    """Without kexec."""
    made, said = fresh(folder)
    root = ('--root', made.root)
    tap.result(said.returncode == 0 and model(made, ROW[0]) == 'one', 'a pending tree is selected',
               said.stdout)
    said = swap('status', *root)
    tap.result('not committed' in said.stdout, 'status says that it is not committed', said.stdout)
    done, seconds = timed('guard', '--limit', '2', *root)
    tap.result(model(made, ROW[0]) is None and seconds > 1.5 and 'nobody has committed' in
               done.stdout, 'nobody commits: the tree before, after the limit', done.stdout)
    made, _ = fresh(folder)
    root = ('--root', made.root)
    guarded(made, 2)
    good = model(made, ROW[0]) == 'one'
    done, seconds = timed('guard', '--limit', '60', *root)
    tap.result(good and model(made, ROW[0]) is None and seconds < 30,
               'the second start without a commit: the tree before, at once', done.stdout)


def told(made, *words):
    """Run the tool on a device; return its status, what it said and the tree that is selected."""
    done = swap(*words, '--root', made.root)
    return done.returncode, done.stdout, model(made, ROW[0])


def stays(made):
    """Whether guard leaves a device as it is, at once."""
    start, (status, said, tree) = time.monotonic(), told(made, 'guard', '--limit', '60')
    return not status and tree == 'one' and 'starts again' not in said and \
        time.monotonic() - start < 5


def commits(tap, folder):
    """A pending tree is committed in the start that is on it, and not before."""
    for name, number, begin in (
            ('guard has seen', '', lambda made: guarded(made, 2)),
            ('another number of', 'first\n', lambda _: None)):
        made = device(folder / 'root', *ROW)
        if number:
            made.put(BOOT_ID, number)
        one = new_tree(folder, shipped(*ROW[1:3]), 'one')
        told(made, 'try', '--pending', one)
        before = digest(made.root)
        status, said, _ = told(made, 'commit')
        tap.result(status == 12 and 'has not yet started with swap-one' in said and 'mend:' in said
                   and digest(made.root) == before, 'commit before the start: refused, no change',
                   f'{status}\n{said}')
        booted(made)
        begin(made)
        status, said, _ = told(made, 'commit')
        good = 'not committed' not in told(made, 'status')[1]
        tap.result(status == 0 and good and stays(made) and 'unless BALENA_HOST' in said,
                   f'commit, and {name} the start: it stays, the guard is done at once', said)


def another(folder, word):
    """Let a kept tree run that is another one."""
    def run_it(made):
        other = device(folder / 'other', *ROW)
        told(other, 'install', new_tree(folder, shipped(*ROW[1:3]), word))
        made.put('sys/firmware/fdt', next(other.root.rglob('swap-*.dtb')).read_bytes())
    return run_it


def renamed(made, kept):
    """A kept tree has become another one: it gets the name of that wherever it is named."""
    number = 2166136261
    for byte in kept.read_bytes():
        number = (number ^ byte) * 16777619 & 0xffffffff
    name = f'swap-{kept.name.split("-")[1]}-{number:08x}.dtb'
    for path in (made.root / 'mnt/boot').glob('*t*'):
        if path.suffix in ('.txt', '.state'):
            text = re.sub('^(checked|sum)=.*\n', '', path.read_text(encoding='ascii'), flags=re.M)
            path.write_text(text.replace(kept.name, name), encoding='ascii')
    kept.rename(kept.with_name(name))


def unstamped(made):
    """What an older version has kept; the tree before runs."""
    kept = next(made.root.rglob('swap-one-*'))
    Tree(kept).drop('/', 'boardpack,tree').write(kept)
    renamed(made, kept)


def runs(tap, folder):
    """A commit keeps nothing that has not run, as after a start by kexec."""
    for name, begin, good in (
            ('the tree before runs', lambda made: None, False),
            ('another one that was kept runs', another(folder, 'two'), False),
            ('it runs', booted, True), ('the same one runs', another(folder, 'one'), True),
            ('an older version has kept it', unstamped, True)):
        made, _ = fresh(folder, 'first\n')
        made.put(BOOT_ID, 'second\n')
        begin(made)
        before, (status, said, _) = digest(made.root), told(made, 'commit')
        tap.result(status == 0 if good else status == 12 and 'another tree runs' in said and
                   'mend:' in said and digest(made.root) == before,
                   f'commit, and {name}: {"done" if good else "refused"}', said)
        kept = next(made.root.rglob('swap-one-*'))
        status, said, tree = told(made, 'install', kept)
        tap.result((status, tree) == (0, 'one') and stays(made),
                   f'{name}: to install that file keeps it all the same', said)
    made, _ = fresh(folder, 'first\n')
    booted(made)
    next(made.root.rglob('swap-one-*')).unlink()
    done, seen = (swap(verb, '--root', made.root).stdout for verb in ('commit', 'status'))
    tap.result('is not there, or broken' in done and 'pending' in seen,
               'commit of a tree that is gone: refused', done + seen)


def starts(tap, folder):
    """Guard in the start that the tree was installed in, in the next one, again, and in a third."""
    made = device(folder / 'root', *ROW)
    made.put(BOOT_ID, 'first\n')
    told(made, 'try', '--pending', new_tree(folder, shipped(*ROW[1:3]), 'one'))
    status, said, tree = told(made, 'guard', '--limit', '60')
    commit, words, _ = told(made, 'commit')
    tap.result((status, tree, commit) == (0, 'one', 12) and 'not yet started' in words and
               'starts again' not in said and 'pending' in told(made, 'status')[1],
               'guard leaves a tree alone that has not started', said + words)
    made.put(BOOT_ID, 'second\n')
    guarded(made, 2)
    start = time.monotonic()
    (status, said, tree), late = told(made, 'guard', '--limit', '3'), time.monotonic() - start
    tap.result((status, tree) == (0, None) and late > 2.5,
               'guard is run again in one start: it waits as the first time', f'{late} {said}')
    made, _ = fresh(folder)
    made.put(BOOT_ID, 'second\n')
    guarded(made, 2)
    made.put(BOOT_ID, 'third\n')
    start = time.monotonic()
    (status, said, tree), late = told(made, 'guard', '--limit', '60'), time.monotonic() - start
    tap.result((status, tree) == (0, None) and late < 30, 'in the next one it goes back at once', said)


def follows(tap, folder):
    """Another tree is to be tried while nobody has committed the one that runs."""
    made, _ = fresh(folder)
    made.put(BOOT_ID, 'second\n')
    with subprocess.Popen([*program(), 'guard', '--limit', '4', '--root', str(made.root)],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guard:
        time.sleep(1.5)
        told(made, 'try', '--pending', new_tree(folder, shipped(*ROW[1:3]), 'two'))
        said = guard.communicate()[0]
    tap.result(model(made, ROW[0]) == 'two' and 'nobody has committed' in said and
               'swap-two' in said and not guard.returncode,
               'a second tree is to be tried: guard starts the system with that', said)
    made.put(BOOT_ID, 'third\n')
    status, said, tree = told(made, 'guard', '--limit', '1')
    tap.result((status, tree) == (0, None) and 'nobody has committed' in said,
               'nobody commits that: back to what was before both', said)


def at_the_end(tap, folder):
    """Another tree is to be tried right after the commit: guard does not restart for that."""
    made, _ = fresh(folder, 'first\n')
    booted(made)
    with subprocess.Popen([*program(), 'guard', '--limit', '3', '--root', str(made.root)],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guard:
        time.sleep(0.2)     # before it looks again
        commit = told(made, 'commit')
        told(made, 'try', '--pending', new_tree(folder, shipped(*ROW[1:3]), 'two'))
        said = guard.communicate()[0]
    tap.result(commit[0] == 0 and not said and model(made, ROW[0]) == 'two' and
               'pending' in told(made, 'status')[1],
               'a commit, and another tree to be tried: guard is done', f'{commit} {said}')
    made = device(folder / 'root', *ROW)
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    told(made, 'install', one)
    status, said, _ = told(made, 'try', '--pending', one)
    tap.result(status == 0 and 'is selected for good: nothing will give it up' in said,
               'what is selected cannot be tried, which is said', said)


def for_good(tap, folder):
    """What is selected for good, and has to be written again, would not be pending."""
    pi = {row[0]: row for row in DEVICES}['raspberrypi4-64']
    for name, row, spoil in (
            ('a line under a filter is behind it', pi, lambda made, kept: made.put(
                'mnt/boot/config.txt', f'device_tree={kept.name}\n[pi4]\ndevice_tree=x.dtb\n')),
            ('it is damaged', ROW, lambda made, kept: Tree(kept).text('/', 'model', 'x').write(kept)),
            ('it is no tree', ROW, lambda made, kept: kept.write_bytes(b'x'))):
        made = device(folder / 'root', *row)
        one = new_tree(folder, shipped(*row[1:3]), 'one')
        told(made, 'install', one)
        spoil(made, next(made.root.rglob('swap-one-*')))
        before, done = digest(made.root), swap('try', '--pending', one, '--root', made.root)
        tap.result(done.returncode == 12 and 'is selected for good: nothing would' in done.stdout and
                   'mend: dtb-swap rollback --own' in done.stdout and digest(made.root) == before,
                   f'{row[0]}: what is selected is tried, and {name}: refused', done.stdout)
        own, done = (swap(*words, '--root', made.root)
                     for words in (('rollback', '--own'), ('try', '--pending', one)))
        tap.result(not done.returncode and 'pending' in swap('status', '--root', made.root).stdout,
                   f'{row[0]}, {name}: and after that it can be', own.stdout + done.stdout)
    made, _ = fresh(folder, 'first\n')
    early = told(made, 'try', '--pending', one := new_tree(folder, shipped(*ROW[1:3]), 'one'))
    made.put(BOOT_ID, 'second\n')
    guarded(made, 2)
    late = told(made, 'try', '--pending', one)
    tap.result(early[0] == late[0] == 0 and 'gives it up' not in early[1] and
               'the next start gives it up' in late[1] and 'mend: dtb-swap commit' in late[1],
               'what is tried is tried again in its start: it gets no other', f'{early} {late}')


def remembered(tap, folder):
    """What the user has said of the bootloader is known to guard, status, commit and rollback."""
    for name, row, options in (
            ('the family', {row[0]: row for row in DEVICES}['raspberrypi4-64'],
             ('--family', 'raspberrypi')),
            ('the family of a board that has another', ROW,
             ('--family', 'raspberrypi', '--unproven')),
            ('the variable', ROW, ('--family', 'u-boot', '--variable', 'fdt_file', '--unproven'))):
        made = device(folder / 'root', *row)
        if 'another' not in name:
            made.put('mnt/boot/config.json', '{}')
        one = new_tree(folder, shipped(*row[1:3]), 'one')
        root = ('--root', made.root)
        tried, seen = swap('try', '--pending', one, *options, *root), swap('status', *root)
        text = ''.join(path.read_text() for path in made.root.glob('mnt/boot/*.txt'))
        back = swap('guard', '--limit', '1', *root)
        after = ''.join(path.read_text() for path in made.root.glob('mnt/boot/*.txt'))
        tap.result(tried.returncode == 0 and seen.returncode == 0 and 'pending' in seen.stdout and
                   'swap-one' in text and 'swap-one' not in after and
                   'nobody has committed' in back.stdout,
                   f'{name} that was given is remembered: guard goes back',
                   tried.stdout + seen.stdout + back.stdout)
        name_now = re.search('swap-one-[0-9a-f]*.dtb', text)[0]
        made.put('proc/cmdline', f'quiet dtb_swap.try={name_now}\n')
        made.put('sys/firmware/fdt', next(made.root.rglob(name_now)).read_bytes())
        early = swap('guard', '--limit', '1', *root)
        commit = swap('commit', *options, *root)
        late = swap('guard', '--limit', '1', *root)
        tap.result(commit.returncode == 0 and 'nobody has' in early.stdout and not late.stdout,
                   f'{name}, given to commit: guard knows that it is committed',
                   early.stdout + commit.stdout + late.stdout)


def misled(tap, folder):
    """What somebody has said wrongly does not hide what a known device has selected."""
    one, two = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two'))
    made = device(folder / 'root', *ROW)
    told(made, 'try', '--pending', one)
    before = digest(made.root)
    for words in (('check', two), ('install', two), ('try', '--pending', two), ('rollback', '--own')):
        early = told(made, *words, '--family', 'raspberrypi')
        status, said, _ = told(made, *words, '--family', 'raspberrypi', '--unproven')
        tap.result(early[0] == 2 and 'whose family is imx8m' in early[1] and status == 9 and 'is selected by extra_uEnv.txt:custom_fdt_file' in said and
                   'mend: leave out --family' in said and digest(made.root) == before,
                   f'{words[0]} with the wrong --family is refused', said)
    seen, guard = told(made, 'status')[1], told(made, 'guard', '--limit', '1')
    tap.result('swap-one' in seen and 'pending' in seen and guard[::2] == (0, None),
               'and guard goes back', f'{seen} {guard}')
    wrong = told(made, 'install', two, '--family', 'raspberrypi', '--unproven')
    own = told(made, 'rollback', '--own', '--family', 'raspberrypi', '--unproven')
    right = told(made, 'install', one)
    tap.result(wrong[0] == 0 and own[0] == 0 and right[0] == 0 and right[2] == 'one' and
               'swap-one' in told(made, 'status')[1],
               'a wrong --family is unsaid by rollback --own', f'{wrong} {own} {right}')


def unreadable(tap, folder):
    """Without the file of what is remembered nothing is guessed; guard waits for the disk."""
    made, _ = fresh(folder)
    state, aside = (made.root / 'mnt/boot' / name for name in ('dtb-swap.state', 'aside'))
    state.rename(aside)
    state.mkdir()
    two = new_tree(folder, shipped(*ROW[1:3]), 'two')
    said = [told(made, *words) for words in
            (('commit',), ('status',), ('install', two), ('guard', '--limit', '1'))]
    tap.result(all(status == 1 and 'dtb-swap.state: Is a directory' in text and 'mend:' in text and
                   tree == 'one' for status, text, tree in said),
               'a state file that cannot be read: refused, by guard, too', said)
    with subprocess.Popen([*program(), 'guard', '--limit', '4', '--root', str(made.root)]) as guard:
        time.sleep(2.5)     # it looks each second
        state.rmdir()
        aside.rename(state)
        guard.wait()
    tap.result(model(made, ROW[0]) is None, 'one that can be read a little later: guard goes back')


def at_once(tap, folder):
    """A commit while guard goes back counts, and a trial of a pending tree is watched."""
    made, _ = fresh(folder)
    with open(made.root / 'run/dtb-swap.lock', 'w', encoding='ascii') as lock, \
            subprocess.Popen([*program(), 'guard', '--limit', '3', '--root', str(made.root)],
                             text=True, stderr=subprocess.PIPE) as guard:
        time.sleep(1)
        fcntl.flock(lock, fcntl.LOCK_EX)
        time.sleep(3.5)
        state = made.root / 'mnt/boot/dtb-swap.state'
        text = re.sub('^(pending|start|seen|checked|sum)=.*\n', '', state.read_text(), flags=re.M)
        state.write_text(text)
        fcntl.flock(lock, fcntl.LOCK_UN)
        said = guard.communicate()[1]
    tap.result(model(made, ROW[0]) == 'one' and 'nobody has' not in said and not guard.returncode,
               'a commit while guard waits for the lock counts', f'{guard.returncode} {said}')
    made, _ = fresh(folder)
    name = next(made.root.rglob('swap-one-*')).name
    made.put('proc/cmdline', f'quiet dtb_swap.try={name}\n')
    (status, said, _), seen = told(made, 'guard', '--limit', '1'), told(made, 'status')[1]
    tap.result(status == 0 and 'nobody has committed' in said and f'{name}, not committed' in seen,
               'a trial by kexec of the tree that is pending has a guard', said + seen)


def cut_short(tap, folder):
    """The selector cannot be written: what was known before is known still."""
    one, two, three = (new_tree(folder, shipped(*ROW[1:3]), word)
                       for word in ('one', 'two', 'three'))
    for name, steps, words, after in (
            ('the way back', (('install', one), ('install', two)), ('install', three),
             (('rollback', 0, 'one'),)),
            ('that a tree is pending', (('try', '--pending', one),), ('install', two),
             (('guard', 0, None),)),
            ('that none is', (('install', two),), ('try', '--pending', one),
             (('commit', 12, 'two'), ('guard', 0, 'two'))),
            ('what rollback left', (('install', one), ('install', two)), ('rollback',),
             (('rollback', 0, 'one'),))):
        made = device(folder / 'root', *ROW)
        for step in steps:
            told(made, *step)
        stop = made.put('mnt/boot/.extra_uEnv.txt.new/x', '')
        status, said, _ = told(made, *words)
        shutil.rmtree(stop.parent)
        ends = [(verb, *told(made, verb, *(('--limit', '1') if verb == 'guard' else ()))[::2])
                for verb, *_ in after]
        tap.result(status == 13 and tuple(ends) == after,
                   f'{" ".join(map(str, words[:1]))} fails at the selector, and {name} is known',
                   f'{status} {said} {ends}')


def installs(tap, folder):
    """What is installed for good is pending no more, and a pending tree is no way back."""
    made, _ = fresh(folder)
    one, two, three = (new_tree(folder, shipped(*ROW[1:3]), word)
                       for word in ('one', 'two', 'three'))
    status, said, _ = told(made, 'install', one)
    good = 'not committed' not in told(made, 'status')[1]
    tap.result(status == 0 and good and stays(made), 'a pending tree is installed: it stays', said)
    made, _ = fresh(folder)
    next(made.root.rglob('swap-one-*')).write_bytes(b'')
    status, said, _ = told(made, 'install', one)
    good = 'not committed' not in told(made, 'status')[1]
    tap.result(status == 0 and good and stays(made), 'so is one that was damaged', said)
    told(made, 'try', '--pending', two)
    status, said, tree = told(made, 'try', '--pending', three)
    tap.result(status == 0 and tree == 'three' and told(made, 'rollback')[::2] == (0, 'one'),
               'back from the second pending tree: the one that was installed', said)
    told(made, 'install', one)
    told(made, 'try', '--pending', two)
    status, said, tree = told(made, 'install', one)
    again, words, left = told(made, 'rollback')
    tap.result((status, tree, again, left) == (0, 'one', 12, 'one') and 'be undone' in words,
               'the tree before is installed once more: nothing to go back to', said + words)
    told(made, 'try', '--pending', two)
    status, said, tree = told(made, 'try', '--pending', one)
    tap.result((status, tree) == (0, 'one') and stays(made),
               'the tree before is tried once more: it stays', said)


SYSTEM, UNIT = 'usr/lib/systemd/system', 'dtb-swap-guard.service'
WANTS = f'etc/systemd/system/sysinit.target.wants/{UNIT}'
SCRIPT, LINK = 'etc/init.d/dtb-swap-guard', '../init.d/dtb-swap-guard'
ENABLED = {f'{SYSTEM}/{UNIT}': 'x', WANTS: f'/{SYSTEM}/{UNIT}'}
# What there is, with its text or where it leads; whether a pending tree is refused.
STARTS = (
    ('nothing starts the guard', {}, True),
    ('the unit is there, not enabled', {f'{SYSTEM}/{UNIT}': 'x'}, True),
    ('the unit is enabled', ENABLED, False),
    ('the image wants the unit', {f'{SYSTEM}/{UNIT}': 'x', f'{SYSTEM}/x.target.wants/{UNIT}': f'../{UNIT}'},
     False),
    ('the unit is masked', {**ENABLED, f'etc/systemd/system/{UNIT}': '/dev/null'}, True),
    ('the unit is masked until the next start', {**ENABLED, f'run/systemd/system/{UNIT}': '/dev/null'}, True),
    ('the unit is masked by an empty file', {**ENABLED, f'etc/systemd/system/{UNIT}': ''}, True),
    ('the unit is another one of the administrator', {**ENABLED, f'etc/systemd/system/{UNIT}': 'y'}, False),
    ('nobody is to want the unit', {**ENABLED, WANTS: '/dev/null'}, True),
    ('the unit is wanted, and gone', {WANTS: f'/{SYSTEM}/{UNIT}'}, True),
    ('the script is there, nothing leads to it', {SCRIPT: 'x'}, True),
    ('a link leads to the script', {SCRIPT: 'x', f'etc/rcS.d/S40{SCRIPT[11:]}': LINK}, False),
    ('a link of a run level leads to the script', {SCRIPT: 'x', f'etc/rc5.d/S40{SCRIPT[11:]}': LINK}, False),
    ('a link of the end leads to the script', {SCRIPT: 'x', f'etc/rc6.d/S40{SCRIPT[11:]}': LINK}, True),
    ('a link leads nowhere', {f'etc/rcS.d/S40{SCRIPT[11:]}': LINK}, True),
    ('there is systemd, which does not read rcS.d',
     {SCRIPT: 'x', f'etc/rcS.d/S40{SCRIPT[11:]}': LINK, 'run/systemd/system/keep': 'x'}, True),
    ('the script is one of Buildroot\'s', {'etc/init.d/S40dtb-swap-guard': 'x'}, False))


def unguarded(tap, folder):
    """A pending tree that nothing would give up."""
    for name, files, refused in STARTS:
        made = device(folder / 'root', *ROW)
        (made.root / GUARD).unlink()
        for path, what in files.items():
            if what and what[0] in '/.':
                (made.root / path).parent.mkdir(parents=True, exist_ok=True)
                (made.root / path).symlink_to(what)
            else:
                made.put(path, what).chmod(0o755)
        one, before = new_tree(folder, shipped(*ROW[1:3]), 'one'), digest(made.root)
        status, said, tree = told(made, 'try', '--pending', one)
        tap.result((status, tree) == ((12, None) if refused else (0, 'one')) and
                   ('nothing is known to start the guard' in said) == refused and
                   (digest(made.root) == before) == refused,
                   f'try --pending, and {name}: {"refused" if refused else "done"}', said)
    made = device(folder / 'root', *ROW)
    (made.root / GUARD).unlink()
    made.put(BOOT_ID, 'first\n')
    told(made, 'guard', '--limit', '1')
    seen = told(made, 'try', '--pending', one)
    told(made, 'rollback')
    made.put(BOOT_ID, 'second\n')
    unseen = told(made, 'try', '--pending', one)
    tap.result((seen[0], unseen[0]) == (0, 12), 'try --pending: what has started guard does so again, '
               'and only in this start is it known', f'{seen}{unseen}')


def main():
    """Run all."""
    return perform(pending, commits, runs, installs, starts, follows, at_the_end, remembered,
                   for_good, misled, unreadable, at_once, cut_short, unguarded, overlay_on_it)


if __name__ == '__main__':
    sys.exit(main())
