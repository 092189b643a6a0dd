#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap try by kexec, as far as it goes without a kernel: dtb-swap-try has the rest."""

import pathlib
import shutil
import sys
import tempfile

from bench import Tap, Tree, swap
from install import DEVICES, device, digest, model, new_tree, shipped
from pending import BOOT_ID, ROW, booted, timed, told


def in_trial(tap, folder):
    """In a start by kexec: the last tree that was tried, and no way back from what nothing selects."""
    made = device(folder / 'root', *ROW)
    made.put(BOOT_ID, 'first\n')
    names = {}
    for word in ('one', 'two', 'three'):
        told(made, 'install', new_tree(folder, shipped(*ROW[1:3]), word))
        names[word] = next(made.root.rglob(f'swap-{word}-*')).name
    made.put(BOOT_ID, 'second\n')
    made.put('proc/cmdline', f'quiet xdtb_swap.try=no.dtb dtb_swap.try=old.dtb panic=10 '
             f'dtb_swap.try={names["two"]} panic=10\n')
    made.put('sys/firmware/fdt', next(made.root.rglob('swap-three-*')).read_bytes())
    before = digest(made.root)
    status, said, tree = told(made, 'commit')
    tap.result((status, tree) == (12, 'three') and 'another tree runs, not ' in said and
               'mend: ' in said and digest(made.root) == before,
               'a trial by its command line, and another tree runs: commit is refused', said)
    made.put('sys/firmware/fdt', next(made.root.rglob('swap-two-*')).read_bytes())
    before = digest(made.root)
    status, said, tree = told(made, 'rollback')
    tap.result((status, tree) == (12, 'three') and 'is tried, nothing has selected it' in said and
               digest(made.root) == before, 'rollback in a trial is refused', said)
    seen = told(made, 'status')[1]
    tap.result(f'{names["two"]}, not committed' in seen, 'status tells of the trial', seen)
    status, said, tree = told(made, 'commit')
    seen = told(made, 'status')[1]
    tap.result((status, tree) == (0, 'two') and f'{names["two"]}, committed' in seen,
               'a trial from a trial: the last one is committed', said + seen)
    status, said, tree = told(made, 'rollback')
    tap.result((status, tree) == (0, 'three'), 'and then there is a way back', said)


def trial(tap, folder):
    """In a kernel that was started for a trial."""
    made = device(folder / 'root', *ROW)
    root = ('--root', made.root)
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    done = swap('commit', *root)
    tap.result(done.returncode == 12 and 'no tree is being tried' in done.stdout,
               'nothing to commit', done.stdout)
    swap('install', one, *root)
    swap('rollback', *root)
    kept = next((made.root / 'mnt/sysroot/active/boot').glob('swap-*.dtb'))
    name = kept.name
    made.put('sys/firmware/fdt', kept.read_bytes())
    made.put('proc/cmdline', f'quiet dtb_swap.try={name} panic=10\n')
    done, seconds = timed('guard', '--limit', '2', *root)
    tap.result(seconds > 1.5 and 'nobody has committed' in done.stdout and
               model(made, ROW[0]) is None, 'a trial that nobody commits', done.stdout)
    done = swap('commit', *root)
    tap.result(done.returncode == 0 and model(made, ROW[0]) == 'one', 'a trial, committed',
               done.stdout)
    shutil.rmtree(made.root / 'mnt/boot')
    done, _ = timed('guard', '--limit', '1', *root)
    tap.result('nobody has committed' in done.stdout, 'a trial that has lost its storage ends, too',
               done.stdout)


def cold(tap, folder):
    """In the place of a commit, try --pending in a trial: guard watches the first cold start, too."""
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    for title, steps, tree in (('and a commit', (('commit',), ('guard', '--limit', '1')), 'one'),
                               ('and no commit', (('guard', '--limit', '1'),), None)):
        made = device(folder / 'root', *ROW)
        made.put(BOOT_ID, 'first\n')
        told(made, 'install', one)
        told(made, 'rollback')
        kept = next(made.root.rglob('swap-one-*'))
        made.put(BOOT_ID, 'second\n')
        made.put('sys/firmware/fdt', kept.read_bytes())
        made.put('proc/cmdline', f'quiet dtb_swap.try={kept.name}\n')
        said = [told(made, 'try', '--pending', one)]
        made.put('proc/cmdline', 'quiet\n')
        booted(made, number='third\n')
        said += [told(made, *step) for step in steps]
        tap.result(not any(status for status, *_ in said) and said[0][2] == 'one' and
                   said[-1][2] == tree, f'try --pending in a trial, a cold start {title}', said)


def ended(tap, folder):
    """A trial that was committed is over, whatever is selected later in that start."""
    made = device(folder / 'root', *ROW)
    made.put(BOOT_ID, 'first\n')
    one, two = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two'))
    told(made, 'install', one)
    kept = next(made.root.rglob('swap-one-*'))
    name = kept.name
    told(made, 'rollback')
    made.put('proc/cmdline', f'quiet dtb_swap.try={name}\n')
    made.put('sys/firmware/fdt', kept.read_bytes())
    early = told(made, 'guard', '--limit', '1')[1]
    said = [told(made, *words) for words in (('commit',), ('install', two), ('status',))]
    tap.result(f'{name}, committed' in said[2][1] and said[2][2] == 'two',
               'another tree is installed: the trial stays committed', said)
    late = told(made, 'guard', '--limit', '2')[1]
    tap.result('nobody has committed' in early and not late, 'and guard has nothing to do', late)
    back = told(made, 'rollback')
    tap.result(back[::2] == (0, 'one'), 'rollback goes back to the tree that was tried', back)
    told(made, 'try', '--pending', two)
    status, words, tree = told(made, 'commit')
    tap.result((status, tree) == (12, 'two') and 'not yet started' in words,
               'commit does not select what was tried once more', words)
    made.put(BOOT_ID, 'second\n')
    told(made, 'rollback', '--own')
    late = told(made, 'guard', '--limit', '1')[1]
    tap.result('nobody has committed' in late, 'the next start is another trial', late)
    for title, steps in (('was selected before it was tried', (('install', one),)),
                         ('is installed', (('TRIAL',), ('install', one))),
                         ('is committed twice', (('TRIAL',), ('commit',), ('commit',)))):
        made.put('proc/cmdline', 'quiet\n')
        told(made, 'rollback', '--own')
        made.put(BOOT_ID, f'{title}\n')
        said = []
        for step in (*steps, ('TRIAL',), ('install', two), ('status',), ('guard', '--limit', '1')):
            if step == ('TRIAL',):
                made.put('proc/cmdline', f'quiet dtb_swap.try={name}\n')
            else:
                said.append(told(made, *step))
        back = told(made, 'rollback')
        tap.result(f'{name}, committed' in said[-2][1] and not said[-1][1] and
                   back[::2] == (0, 'one') and not any(one[0] for one in said),
                   f'a trial of a tree that {title} is over', f'{said} {back}')


def spared(tap, folder):
    """Files that are not ours, and what is being tried, are not cleaned away."""
    row = {row[0]: row for row in DEVICES}['jetson-xavier']
    made = device(folder / 'root', *row)
    trees = [new_tree(folder, shipped(*row[1:3]), word) for word in ('one', 'two', 'three', 'four')]
    told(made, 'install', trees[0])
    name = next(made.root.rglob('swap-one-*')).name
    told(made, 'rollback', '--own')
    made.put('proc/cmdline', f'quiet dtb_swap.try={name}\n')
    for word in ('my-backup.dtb', 'one-0123456.dtb', 'one-01234567.dtb.orig'):
        made.put(f'{row[3]}/swap-{word}', 'x')
    made.put(f'{row[3]}/swap-old-01234567.dtb', 'x')
    for tree in trees[1:]:
        told(made, 'install', tree)
    left = sorted(path.name for path in (made.root / row[3]).glob('swap-*'))
    tap.result(len(left) == 6 and name in left and 'swap-old-01234567.dtb' not in left and
               not any(word.startswith('swap-two') for word in left),
               'only older trees of ours are removed', left)


def saved(tap, folder):
    """A tree that was saved in a trial would be one in each start."""
    made = device(folder / 'root', *ROW)
    tree = Tree(shipped(*ROW[1:3]))
    tree.text('/chosen', 'bootargs', 'quiet panic=10 dtb_swap.try=x.dtb')
    one = tree.write(folder / 'one.dtb')
    for verb in ('check', 'install'):
        status, said, tree = told(made, verb, one)
        tap.result(status == 3 and 'was saved during a trial' in said and 'mend: ' in said and
                   tree is None, f'{verb} of a tree that was saved during a trial', said)


def untold(tap, folder):
    """Where the bootloader cannot be told a tree can be tried by kexec, and in no other way."""
    for name, spoil, words in (
            ('its type is not known', lambda made: made.put('mnt/boot/config.json', '{}'),
             'is not known'),
            ('its bootloader has no selector',
             lambda made: made.put('mnt/boot/config.json', '{"deviceType": "rockpro64"}'),
             'cannot be told to take another tree'),
            ('it has no boot partition', lambda made: shutil.rmtree(made.root / 'mnt/boot'),
             'there is no boot partition')):
        made = device(folder / 'root', *ROW)
        spoil(made)
        one = new_tree(folder, shipped(*ROW[1:3]), 'one')
        before, root = digest(made.root), ('--root', made.root)
        check, tried = swap('check', one, *root), swap('try', one, *root)
        kept, usage = swap('try', '--pending', one, *root), swap('try', '--family', 'pdp11', one, *root)
        made.put('proc/cmdline', 'quiet dtb_swap.try=swap-one-0.dtb\n')
        commit = swap('commit', *root)
        made.put('proc/cmdline', 'quiet\n')
        said = 'it can be tried, not installed: '
        tap.result(check.returncode == 0 and said in check.stdout and words in check.stdout and
                   tried.returncode == 8 and said in tried.stdout and
                   'the file of the running kernel was not found' in tried.stdout,
                   f'{name}: check says that it can be tried, try gets as far as the kernel',
                   check.stdout + tried.stdout)
        tap.result(kept.returncode == 9 and words in kept.stdout and commit.returncode == 9 and
                   words in commit.stdout and digest(made.root) == before and
                   usage.returncode == (8 if 'no boot' in words else 2),
                   f'{name}: it cannot be kept, nothing has changed',
                   f'{kept.stdout}{commit.stdout}{usage.stdout}')


def for_arm(tap, folder):
    """A kernel that is not started in this way, and the way that there is."""
    made = device(folder / 'root', *ROW)
    made.put('boot/zImage', bytes(36) + b'\x18\x28\x6f\x01' + bytes(60))
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    status, said, tree = told(made, 'try', one)
    tap.result(status == 8 and '32-bit ARM' in said and 'mend: dtb-swap try --pending' in said and
               tree is None, 'try with a zImage: --pending is the way', f'{status}\n{said}')


def kernels(tap, folder):
    """A kernel that is named is not taken for the one that runs."""
    made = device(folder / 'root', *ROW)
    one = new_tree(folder, shipped(*ROW[1:3]), 'one')
    made.put('boot/broken.gz', b'\x1f\x8b broken')
    for name, words in (('/boot/nope', 'No such file'), ('/boot/broken.gz', 'it is broken')):
        done = swap('try', '--kernel', name, one, '--root', made.root)
        tap.result(done.returncode == 8 and f'refused: {name}: ' in done.stdout and
                   words in done.stdout and 'mend: name a file' in done.stdout and
                   'running kernel' not in done.stdout, f'try --kernel {name}', done.stdout)


def several(tap, folder):
    """One tree is tried, and of two neither."""
    for words in (('--pending',), ()):
        made = device(folder / 'root', *ROW)
        trees = [new_tree(folder, shipped(*ROW[1:3]), word) for word in ('one', 'two')]
        before = digest(made.root)
        done = swap('try', *words, *trees, '--root', made.root)
        tap.result(done.returncode == 2 and 'one tree at a time' in done.stdout and
                   'mend: say --overlay' in done.stdout and digest(made.root) == before,
                   f'try {" ".join(words)} with two trees', f'{done.returncode}\n{done.stdout}')


def watchdogs(tap, folder):
    """A watchdog that its driver stops for kexec is none."""
    for name, driver, stops, words in (
            ('its driver stops it', 'bcm2835-wdt', '-1', 'watchdog stops for kexec'),
            ('all are told to stop', 'imx2-wdt', '1', 'watchdog stops for kexec'),
            ('it is not there', None, '-1', 'is no watchdog'),
            ('its driver lets it go on', 'imx2-wdt', '-1', 'file of the running kernel'),
            ('all are told to go on', 'bcm2835-wdt', '0', 'file of the running kernel')):
        made = device(folder / 'root', *ROW)
        made.put('sys/module/watchdog/parameters/stop_on_reboot', f'{stops}\n')
        if driver:
            made.put(f'sys/bus/platform/drivers/{driver}/bind', '')
            made.put('sys/devices/dog/uevent', '')
            made.link('sys/devices/dog/driver', f'sys/bus/platform/drivers/{driver}')
            made.link('sys/class/watchdog/watchdog0/device', 'sys/devices/dog')
        one = new_tree(folder, shipped(*ROW[1:3]), 'one')
        done = swap('try', '--watchdog', '/dev/watchdog', one, '--root', made.root)
        tap.result(done.returncode == 8 and words in done.stdout,
                   f'try --watchdog: {name}', f'{done.returncode}\n{done.stdout}')


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        in_trial(tap, pathlib.Path(work))
        trial(tap, pathlib.Path(work))
        cold(tap, pathlib.Path(work))
        ended(tap, pathlib.Path(work))
        spared(tap, pathlib.Path(work))
        saved(tap, pathlib.Path(work))
        untold(tap, pathlib.Path(work))
        for_arm(tap, pathlib.Path(work))
        kernels(tap, pathlib.Path(work))
        several(tap, pathlib.Path(work))
        watchdogs(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
