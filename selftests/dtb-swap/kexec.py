#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap try by kexec, as far as the call: what is loaded, said, and left behind on failure."""

import collections
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

from bench import TOP, Tap, Tree, program, run, shipped, swap
from install import DEVICES, GUARD, device, model, new_tree

HERE = pathlib.Path(__file__).resolve().parent
ROW = {row[0]: row for row in DEVICES}['imx8mm-var-som']
IMAGE = struct.pack('<8xQQ32x4s4x', 0, 1 << 20, b'ARM\x64')
BOOT_ID = 'proc/sys/kernel/random/boot_id'
MARK = 'dtb_swap.try='


Answer = collections.namedtuple('Answer', 'returncode stdout stderr')


class Board:
    """A device that has a kernel and memory, and the folder that starter.c writes to."""

    def __init__(self, folder, cmdline='quiet', row=ROW):
        self.made = device(folder / 'root', *row)
        (self.made.root / GUARD).unlink()
        self.calls_in, self.said = folder / 'calls', folder / 'said'
        self.made.put('proc/cmdline', f'{cmdline}\n')
        self.made.put('proc/iomem', '40000000-7fffffff : System RAM\n')
        self.made.put('boot/Image', IMAGE)
        self.tree = new_tree(folder, shipped(*row[1:3]), 'one')
        self.starter = folder / 'starter'
        if not self.starter.exists():
            done = run('gcc', '-O1', '-Wall', '-Werror', '-D_GNU_SOURCE', '-o', self.starter,
                       HERE / 'starter.c')
            if done.returncode:
                raise SystemExit(done.stdout)

    def start(self, *words, fail='none', env=None):
        """Let it try a tree; what it says on standard output is in a file, too."""
        shutil.rmtree(self.calls_in, ignore_errors=True)
        self.calls_in.mkdir()
        command = [self.starter, self.calls_in, fail, *program(), 'try', self.tree, *words,
                   '--root', self.made.root]
        with open(self.said, 'w', encoding='ascii') as out, \
                open(self.calls_in / 'errors', 'w', encoding='ascii') as errors:
            done = subprocess.run(list(map(str, command)), stdout=out, stderr=errors, cwd=TOP,
                                  env=env, check=False)
        return Answer(done.returncode, self.said.read_text(encoding='ascii'),
                      (self.calls_in / 'errors').read_text(encoding='ascii'))

    def calls(self):
        """What was asked of the kernel, in its order."""
        path = self.calls_in / 'calls'
        return path.read_text(encoding='ascii').split() if path.exists() else []

    def bootargs(self):
        """The command line that the kernel is to have."""
        return Tree(self.calls_in / 'segment1').fdt.getprop(
            Tree(self.calls_in / 'segment1').node('/chosen'), 'bootargs').as_str()


# The command line that runs, and what of it the next kernel has.
LINES = (
    ('no trial', 'quiet', 'quiet'),
    ('a trial', f'quiet panic=10 {MARK}a.dtb', 'quiet'),
    ('a trial of an older version', f'quiet panic=10 {MARK}a.dtb panic=10 {MARK}b.dtb', 'quiet'),
    ('a trial, and more behind it', f'quiet panic=10 {MARK}a.dtb splash', 'quiet splash'),
    ('panic= of the user', f'panic=30 quiet panic=10 {MARK}a.dtb', 'panic=30 quiet'),
    ('the same panic= of the user', f'panic=10 quiet panic=10 {MARK}a.dtb', 'panic=10 quiet'),
    ('words that end alike', f'x{MARK}a.dtb oops_panic=10 {MARK}a.dtb',
     f'x{MARK}a.dtb oops_panic=10'),
    ('two blanks in a row', 'a="b  c"', 'a="b  c"'),
)


def lines(tap, folder):
    """The command line names one trial, this one, and it restarts after a panic."""
    for name, old, kept in LINES:
        board = Board(folder, old)
        done = board.start('--load')
        found = board.bootargs() if 'load' in board.calls() else ''
        head, _, tree = found.rpartition(f' panic=10 {MARK}swap-one-')
        tap.result(not done.returncode and head == kept and tree.endswith('.dtb'),
                   f'the command line of a trial that was started with {name}',
                   f'{found}\n{done}')


def long_lines(tap, folder):
    """A kernel cuts its command line off, and with it what tells it that it is a trial."""
    for length, status in ((2000, 0), (2040, 8)):
        board = Board(folder, 'x' * length)
        done = board.start('--load')
        found = len(board.bootargs()) if 'load' in board.calls() else 0
        tap.result(done.returncode == status and ('shorten it' in done.stderr) == bool(status) and
                   (0 < found < 2048) == (not status),
                   f'a command line of {length} characters and those of a trial', f'{found} {done}')


# Not dash, which unblocks all signals.
SYSTEMCTL = """#!/bin/bash
echo "systemctl $*" >>{folder}/calls/calls
cat {folder}/said {folder}/calls/errors >{folder}/calls/said-before
exit {status}
"""
SCRIPT = 'etc/rcS.d/S40dtb-swap-guard'


def with_systemd(board, folder, status):
    """Give the device systemd; return the environment where systemctl is ours."""
    board.made.put('run/systemd/system/keep', '')
    (folder / 'bin').mkdir(exist_ok=True)
    (folder / 'bin/systemctl').write_text(SYSTEMCTL.format(folder=folder, status=status),
                                          encoding='ascii')
    (folder / 'bin/systemctl').chmod(0o755)
    return {**os.environ, 'PATH': f'{folder}/bin:{os.environ["PATH"]}'}


def said_once(done, as_json):
    """Whether it is what a trial has to say, and one document if that was asked for."""
    if not as_json:
        return done.stderr.count('warning: nothing is known to start the guard') == 1
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return False
    return not done.stderr and answer['status'] == 0 and \
        any('nothing is known to start the guard' in one['cause'] for one in answer['findings'])


def told(tap, folder):
    """All is said before the start, once, and on standard output nothing but the document."""
    for words, systemd, calls in (
            ((), False, ['load', 'reboot']), ((), True, ['load', 'systemctl', 'kexec']),
            (('--load',), False, ['load']), (('--load',), True, ['load'])):
        for option in ((), ('--json',)):
            board = Board(folder)
            env = with_systemd(board, folder, 0) if systemd else None
            done = board.start(*words, *option, env=env)
            early = folder / 'calls/said-before'
            tap.result(board.calls() == calls and said_once(done, option) and
                       ('systemctl' not in calls or
                        early.read_text(encoding='ascii') == done.stdout + done.stderr),
                       f'try {" ".join((*words, *option))}, {"" if systemd else "no "}systemd: all '
                       'is said before the start', f'{board.calls()}\n{done}')
    for path, warned in ((SCRIPT, False), ('etc/keep', True)):
        board = Board(folder)
        board.made.put(path, '').chmod(0o755)
        done = board.start('--load')
        tap.result(('nothing is known to start the guard' in done.stderr) == warned and
                   not done.returncode, f'try by kexec, with {path}: {"a" if warned else "no"} '
                   'warning', done)


def with_watchdog(board, folder):
    """Give the device a watchdog that goes on for kexec; return its file."""
    board.made.put('sys/module/watchdog/parameters/stop_on_reboot', '0\n')
    board.made.put('sys/class/watchdog/watchdog0/state', '')
    dog = folder / 'watchdog0'
    dog.write_bytes(b'')
    return dog


# What fails, what systemctl returns (None: no systemd), what the kernel is asked, what the
# watchdog gets, what is said.
FAULTS = (
    ('none', None, ['timeout', 'load', 'reboot'], '\n', ''),
    ('none', 0, ['timeout', 'load', 'systemctl', 'kexec'], '\n', ''),
    ('none', 127, ['timeout', 'load', 'systemctl', 'kexec', 'reboot'], '\n', ''),
    ('none', 1, ['timeout', 'load', 'systemctl', 'kexec', 'unload', 'disable'], '\nV', 'exit status 1'),
    ('reboot', None, ['timeout', 'load', 'reboot', 'unload', 'disable'], '\nV', 'kexec: Device or resource'),
    ('load', None, ['timeout', 'load', 'disable'], '\nV', 'does not take another one'),
    ('load,disable', None, ['timeout', 'load', 'disable'], '\nV', 'is going to restart the system'),
    ('load,old', None, ['timeout', 'load', 'disable'], '\nV', 'does not take another one'),
    ('timeout', None, ['timeout', 'disable'], 'V', 'watchdog0: Device or resource busy'),
    ('long', None, ['timeout', 'disable'], 'V', 'say --limit, with a time that its driver takes'),
    ('tree', None, [], '', 'refused: '),
)


def undone(tap, folder):
    """A trial that does not come to its start leaves no kernel loaded, and no watchdog running."""
    for fail, status, calls, written, words in FAULTS:
        board = Board(folder)
        dog = with_watchdog(board, folder)
        env = None if status is None else with_systemd(board, folder, status)
        if fail == 'tree':
            shutil.rmtree(board.made.root / ROW[3])
            board.made.put(ROW[3], '')
        done = board.start('--watchdog', dog, fail=fail, env=env)
        tap.result(board.calls() == calls and dog.read_text(encoding='ascii') == written and
                   words in done.stderr and
                   ('nowayout' in done.stderr) == ('disable' in fail) and ('refused: ' in done.stderr) == bool(words) and
                   (not words or done.returncode not in (0, 137)),
                   f'{fail} fails, systemctl: {status}: {" ".join(calls) or "nothing is armed"}',
                   f'{board.calls()} {dog.read_bytes()}\n{done}')
    board = Board(folder)
    done = board.start('--load', '--watchdog', with_watchdog(board, folder))
    tap.result(board.calls() == ['timeout', 'load'] and not done.returncode and
               (folder / 'watchdog0').read_text(encoding='ascii') == '\n',
               '--load: the kernel stays loaded, the watchdog runs', done)


def interrupted(tap, folder):
    """Who interrupts a trial, or hangs up, leaves no more behind; systemctl can be interrupted, and
    is not hung up. A system that goes down ends all with SIGTERM: that undoes nothing."""
    undone, kept = ['unload', 'disable'], []
    for name, last, status in (('HUP', undone, 8), ('INT', undone, 8), ('QUIT', undone, 8), ('TERM', kept, 143)):
        board = Board(folder)
        dog, env = with_watchdog(board, folder), with_systemd(board, folder, 1)
        systemctl = folder / 'bin/systemctl'
        systemctl.write_text(systemctl.read_text(encoding='ascii').replace(
            'exit', f'kill -{name} $PPID\ngrep SigBlk /proc/self/status >{folder}/blocked\nexit'),
                             encoding='ascii')
        done = board.start('--watchdog', dog, env=env)
        blocked = (folder / 'blocked').read_text(encoding='ascii').split()
        tap.result(board.calls() == ['timeout', 'load', 'systemctl', 'kexec', *last] and
                   (dog.read_text(encoding='ascii') == '\nV') == bool(last) and done.returncode == status and
                   ('exit status 1' in done.stderr) == bool(last) and
                   (not last or int(blocked[1], 16) & 0x4007 == 1),
                   f'SIG{name} while systemctl is at work: '
                   f'{"no kernel is loaded, the watchdog stops" if last else "the system goes down for it"}',
                   f'{board.calls()} {dog.read_bytes()} {blocked}\n{done}')


def hung_up(tap, folder):
    """A system that goes down may close the terminal before systemctl has its answer."""
    for name, last, status in (('HUP', [], 0), ('INT', ['unload', 'disable'], 8)):
        board = Board(folder)
        dog, env = with_watchdog(board, folder), with_systemd(board, folder, 0)
        systemctl = folder / 'bin/systemctl'
        systemctl.write_text(systemctl.read_text(encoding='ascii').replace(
            'exit', f'kill -{name} $PPID $$\nexit'), encoding='ascii')
        done = board.start('--watchdog', dog, env=env)
        tap.result(board.calls() == ['timeout', 'load', 'systemctl', 'kexec', *last] and
                   done.returncode == status, f'SIG{name} for systemctl, too: '
                   f'{"no kernel is loaded" if last else "it is started all the same"}',
                   f'{board.calls()} {dog.read_bytes()}\n{done}')


def limited(tap, folder):
    """The most that a watchdog can be set to is said where the kernel tells it."""
    board = Board(folder)
    dog = with_watchdog(board, folder)
    board.made.put('sys/class/watchdog/watchdog0/max_timeout', '60\n')
    said = [board.start('--watchdog', dog, *words, fail='long') for words in ((), ('--limit', '70'))]
    tap.result(all(done.returncode == 8 and 'Invalid argument' in done.stderr and
                   f'be set to {seconds} s' in done.stderr and 'its driver takes: 60 at most' in done.stderr
                   for done, seconds in zip(said, (120, 70))), 'a watchdog that takes 60 s', said)


def unwatched(tap, folder):
    """Without a watchdog a trial says that nothing ends a kernel that hangs, and what could."""
    board = Board(folder)
    said = [board.start('--load')]
    board.made.put('sys/class/watchdog/watchdog0/state', '')
    said.append(board.start('--load'))
    dog = with_watchdog(board, folder)
    said += [board.start('--load'), board.start('--load', '--watchdog', dog)]
    mends = ['be where its power', 'watchdog.stop_on_reboot=0, then say --watchdog',
             'mend: --watchdog /dev/watchdog0', None]
    tap.result(all(('nothing is known to end a kernel that hangs' in done.stderr) == bool(mend) and
                   (mend or '') in done.stderr and not done.returncode
                   for done, mend in zip(said, mends)),
               'a trial that no watchdog ends is warned of', said)


def overlaid(tap, folder):
    """Overlays that were tried and committed are known to be in the tree."""
    board = Board(folder)
    board.tree = folder / 'x.dtbo'
    run('dtc', '-q', '-o', board.tree, '-', input='/dts-v1/; /plugin/; '
        '&{/soc@0/bus@30800000/i2c@30a30000} { x@7 { reg = <7>; }; };')
    other = folder / 'y.dtbo'
    run('dtc', '-q', '-o', other, '-', input='/dts-v1/; /plugin/; &{/} { y { }; };')
    done, root = board.start('--overlay', '--load'), ('--root', board.made.root)
    board.made.put('proc/cmdline', f'{board.bootargs()}\n')
    board.made.put('sys/firmware/fdt', next(board.made.root.rglob('swap-x-*')).read_bytes())
    commit = swap('commit', *root)
    swap('install', '--overlay', other, *root)
    again = swap('install', '--overlay', board.tree, *root)
    tap.result(not commit.returncode and 'selected in' in commit.stdout and
               not again.returncode and 'it was before' in again.stdout,
               'overlays that were tried by kexec and committed go on once',
               f'{done}\n{commit.stdout}{again.stdout}')


def bootloaders(tap, folder):
    """A trial has the overlays that the next cold start is going to have."""
    row = {row[0]: row for row in DEVICES}['raspberrypi4-64']
    board = Board(folder, row=row)
    path = board.made.put('mnt/boot/overlays/x.dtbo', '')
    run('dtc', '-q', '-o', path, '-', input='/dts-v1/; /plugin/; &{/} { x { }; };')
    found = []
    warned = []
    for config in ('dtoverlay=x\n', 'dtparam=i2c_arm=on\n', 'dtoverlay=x,speed=1\n', '[pi4]\n',
                   '[all]\n'):
        board.made.put('mnt/boot/config.txt', config)
        done = board.start('--load')
        found.append('load' in board.calls() and 'x' in Tree(board.calls_in / 'segment1').children('/'))
        warned.append(f'config.txt has "{config[:-1]}", which the firmware does' in done.stderr)
    tap.result(found == [True, False, True, False, False] and not done.returncode and
               warned == [False, True, True, True, False],
               'a trial has the overlays of config.txt', f'{found} {warned} {done}')


def reserved(tap, folder):
    """What the firmware keeps for itself is kept from the next kernel, too."""
    def keeps(tree, at=0x56000000, cells=2):
        if 'reserved-memory' not in tree.children('/'):
            tree.add('/', 'reserved-memory', ranges='')
            tree.fdt.setprop(tree.node('/reserved-memory'), 'ranges', b'')
        for name in ('#address-cells', '#size-cells'):
            tree.cell('/reserved-memory', name, cells)
        tree.add('/reserved-memory', f'optee@{at:x}', **{'no-map': ''})
        tree.cell(f'/reserved-memory/optee@{at:x}', 'reg',
                  *([0] * (cells - 1) + [at] + [0] * (cells - 1) + [0x2000000]))

    for name, change in (('has none', lambda tree: None),
                         ('has others', lambda tree: keeps(tree, 0x66000000))):
        board = Board(folder)
        running, new = board.made.root / 'sys/firmware/fdt', pathlib.Path(board.tree)
        for path, step in ((running, keeps), (new, change)):
            tree = Tree(path)
            step(tree)
            tree.write(path)
        done = board.start('--load')
        found = ''
        if 'load' in board.calls():
            tree = Tree(board.calls_in / 'segment1')
            found = tree.children('/reserved-memory') if 'reserved-memory' in tree.children('/') \
                else 'none'
        tap.result('optee@56000000' in found and
                   tree.fdt.getprop(tree.node('/reserved-memory'), '#size-cells').as_uint32() == 2 and
                   tree.fdt.hasprop(tree.node('/reserved-memory/optee@56000000'), 'no-map'),
                   f'reserved memory goes along, and the new tree {name}', f'{found} {done}')
    one = Tree(shipped(*ROW[1:3]))
    keeps(one, 0x66000000, 1)
    one.write(board.tree)
    done = board.start('--load')
    tap.result(done.returncode == 1 and 'FDT_ERR_BADNCELLS' in done.stderr and
               'load' not in board.calls(), 'where it is counted in other cells: refused', done)
    board = Board(folder)
    one = Tree(board.tree).cell('/', '#size-cells', 1)
    for name in [name for name in one.children('/') if name.startswith('memory')]:
        one.drop(f'/{name}')
    one.write(board.tree)
    done = board.start('--load')
    tap.result(done.returncode == 1 and 'FDT_ERR_BADNCELLS' in done.stderr and
               'load' not in board.calls(),
               'the root counts memory in other cells: refused', done)


def guarded(tap, folder):
    """A kernel that was loaded in the trial is not what guard starts."""
    board = Board(folder, f'quiet {MARK}swap-one-01234567.dtb')
    env = with_systemd(board, folder, 0)
    shutil.rmtree(board.calls_in, ignore_errors=True)
    board.calls_in.mkdir()
    done = run(board.starter, board.calls_in, 'none', *program(), 'guard', '--limit', '0', '--root',
               board.made.root, env=env)
    tap.result(not done.returncode and board.calls() == ['unload', 'systemctl', 'reboot'],
               'guard unloads a kernel before it restarts', f'{board.calls()} {done.stdout}')


def ahead(tap, folder):
    """What is started, what a reset is on, and whether that has ever run."""
    for steps, old, warned in (((), "the bootloader's own tree", False), (('two',), 'swap-two-', True),
                               (('two', 'START'), 'swap-two-', False),
                               (('PENDING', 'two'), 'swap-two-', True)):
        board = Board(folder)
        board.made.put(BOOT_ID, 'first\n')
        verb = ('install',)
        for step in steps:
            if step == 'PENDING':
                board.made.put(SCRIPT, '').chmod(0o755)
                verb = ('try', '--pending')
            elif step == 'START':
                board.made.put(BOOT_ID, 'second\n')
                board.made.put('sys/firmware/fdt',
                               next(board.made.root.rglob('swap-two-*')).read_bytes())
            else:
                swap(*verb, new_tree(folder, shipped(*ROW[1:3]), step), '--root', board.made.root)
        for words in ((), ('--load',), ('--load', '--watchdog', with_watchdog(board, folder))):
            done = board.start(*words)
            tap.result('swap-one-' in done.stdout and f'a reset is on {old}' in done.stdout and
                       ('commit in time' in done.stdout) and
                       ('systemctl kexec starts it' in done.stdout) == ('--load' in words) and
                       ('and resets the device' in done.stderr) == ('--watchdog' in words) and
                       ('which has not run' in done.stderr) == warned and done.returncode == (0 if words else 255),
                       f'try {" ".join(map(str, words[:2]))} after {" ".join(steps) or "nothing"}: '
                       'it says what is next', done)


def proven(tap, folder):
    """A commit in a trial: back to what was selected, but only where that has ever run."""
    for starts, wanted in ((False, None), (True, 'two')):
        board = Board(folder)
        made, root = board.made, ('--root', board.made.root)
        made.put(BOOT_ID, 'first\n')
        swap('install', new_tree(folder, shipped(*ROW[1:3]), 'two'), *root)
        if starts:
            made.put('sys/firmware/fdt', next(made.root.rglob('swap-two-*')).read_bytes())
            made.put(BOOT_ID, 'second\n')
        done = board.start('--load')
        made.put('proc/cmdline', f'{board.bootargs()}\n')
        made.put('sys/firmware/fdt', (board.calls_in / 'segment1').read_bytes())
        made.put(BOOT_ID, 'third\n')
        said = [swap(verb, *root) for verb in ('commit', 'rollback')]
        tap.result(not any(one.returncode for one in (done, *said)) and
                   model(made, ROW[0]) == wanted,
                   f'commit in a trial, and what was selected had {"its" if starts else "no"} start: '
                   f'rollback is on {wanted}', f'{model(made, ROW[0])} {done} {said}')


def initramfs(tap, folder):
    """The running kernel had an initramfs, and the next has to be given one."""
    for has, words, warned in ((True, (), True), (False, (), False),
                               (True, ('--initrd', 'boot/initrd'), False)):
        board = Board(folder)
        board.made.put('boot/initrd', 'x')
        if has:
            tree = Tree(board.made.root / 'sys/firmware/fdt')
            tree.cell('/chosen', 'linux,initrd-start', 0x48000000)
            tree.write(board.made.root / 'sys/firmware/fdt')
        done = board.start('--load', *(f'/{word}' if '/' in word else word for word in words))
        tap.result(('warning: the running kernel was started with an initramfs' in done.stderr and
                    'mend: name its initramfs with --initrd' in done.stderr) == warned and
                   not done.returncode, f'{"an" if has else "no"} initramfs, try '
                   f'{" ".join(words)}: {"a" if warned else "no"} warning', done)


def saved(tap, folder):
    """A tree that was saved in an earlier start: where the initramfs was then is not said of this one."""
    board = Board(folder)
    for path, at in ((board.made.root / 'sys/firmware/fdt', 0x48000000), (board.tree, 0x50000000)):
        Tree(path).cell('/chosen', 'linux,initrd-start', at).cell('/chosen', 'linux,initrd-end', at + 1).write(path)
    done = board.start('--load')
    text = run('dtc', '-q', '-I', 'dtb', '-O', 'dts', board.calls_in / 'segment1').stdout
    tap.result(not done.returncode and 'bootargs' in text and 'initrd' not in text,
               'a tree with the place of an initramfs, and none: it is not in what is started', done)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        lines(tap, pathlib.Path(work))
        long_lines(tap, pathlib.Path(work))
        told(tap, pathlib.Path(work))
        undone(tap, pathlib.Path(work))
        interrupted(tap, pathlib.Path(work))
        hung_up(tap, pathlib.Path(work))
        limited(tap, pathlib.Path(work))
        unwatched(tap, pathlib.Path(work))
        overlaid(tap, pathlib.Path(work))
        bootloaders(tap, pathlib.Path(work))
        reserved(tap, pathlib.Path(work))
        ahead(tap, pathlib.Path(work))
        proven(tap, pathlib.Path(work))
        initramfs(tap, pathlib.Path(work))
        saved(tap, pathlib.Path(work))
        guarded(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
