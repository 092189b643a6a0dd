#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap guard with a pending tree: what is in its way, whom it asks, and how it ends."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time

from bench import SOURCE, TOP, perform, program, run, swap
from install import DEVICES, device, digest, model, new_tree, shipped
from pending import BOOT_ID, ROW, booted, fresh, guarded, stays, told


def with_systemd(folder):
    """A device with a pending tree and systemd; what it is asked for is in the file that is given."""
    made, _ = fresh(folder)
    made.put('run/systemd/system/keep', '')
    asked, systemctl = folder / 'asked', folder / 'bin/systemctl'
    asked.unlink(missing_ok=True)
    systemctl.parent.mkdir(exist_ok=True)
    systemctl.write_text(f'#!/bin/sh\necho "$1" >>{asked}\n')
    systemctl.chmod(0o755)
    return made, asked, {**os.environ, 'PATH': f'{folder}/bin:{os.environ["PATH"]}'}


def told_first(tap, folder):
    """What guard has done is said before the system goes down."""
    made, asked, env = with_systemd(folder)
    done = subprocess.run([*program(), 'guard', '--json', '--limit', '1', '--root', made.root],
                          env=env, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout or '{}')
    tap.result('own tree' in json.dumps(said.get('selected', '')) and not done.returncode and
               'BALENA_HOST_EXTLINUX_fdt' in done.stdout and
               asked.read_text() == 'reboot\n',
               'guard tells what it has done, and restarts', done.stdout + done.stderr)


def loud(tap, folder):
    """guard restarts the system, though nobody listens."""
    made, asked, env = with_systemd(folder)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*program(), 'guard', '--limit', '1', '--root', made.root], env=env,
                          stdout=write, stderr=write, check=False)
    os.close(write)
    tap.result(model(made, ROW[0]) is None and asked.read_text() == 'reboot\n',
               'guard restarts though nobody listens', done.returncode)


def stranded(tap, folder):
    """There is no way back: no start ends in another one, and it is said what to do."""
    for name, status, words, spoil in (
            ('the tree before is gone', 12, 'is no more',
             lambda made: next(made.root.rglob('swap-zero-*')).unlink()),
            ('the boot partition cannot be written to', 13, 'was not written',
             lambda made: (made.root / 'mnt/boot/.extra_uEnv.txt.new/x').mkdir(parents=True))):
        made = device(folder / 'root', *ROW)
        root = ('--root', made.root)
        zero, one = (new_tree(folder, shipped(*ROW[1:3]), word) for word in ('zero', 'one'))
        swap('install', zero, *root)
        swap('try', '--pending', one, *root)
        spoil(made)
        said = [swap('guard', '--limit', '1', *root) for _ in range(3)]
        tap.result(all(one.returncode == status and words in one.stdout and 'stays up' in one.stdout
                       and 'mend:' in one.stdout and 'starts again' not in one.stdout
                       for one in said) and model(made, ROW[0]) == 'one',
                   f'nobody commits, {name}: the system stays up, at each start',
                   '\n'.join(f'{one.returncode}\n{one.stdout}' for one in said))


def no_fatrw(made):
    """A write of fatrw that was cut short, and no fatrw that could end it."""
    return made.put('mnt/boot/.extra_uEnv.txt.ab.cd.md5sum', 'x').unlink


def no_run(made):
    """There is no place for the lock."""
    aside = (made.root / 'run').rename(made.root / 'aside')
    return lambda: aside.rename(made.root / 'run')


def no_write(made):
    """The selector cannot be written."""
    path = made.put('mnt/boot/.extra_uEnv.txt.new/x', '').parent
    return lambda: shutil.rmtree(path)


def given_up(tap, folder):
    """A tree that guard could not give up: who keeps it, or chooses another, is not restarted later."""
    for words in (('commit',), ('install', 'two'), ('try', '--pending', 'two'), ('rollback',),
                  ('rollback', '--own')):
        made, asked, env = with_systemd(folder)
        booted(made)
        mend, root = no_write(made), ('--root', made.root)
        stuck = swap('guard', '--limit', '1', *root)
        mend()
        two = new_tree(folder, shipped(*ROW[1:3]), 'two')
        said = swap(*(two if word == 'two' else word for word in words), *root)
        done = run(*program(), 'guard', '--limit', '0', *root, env=env)
        tap.result(stuck.returncode == 13 and not said.returncode and not done.returncode and
                   not asked.exists() and not done.stdout,
                   f'guard cannot go back, then {" ".join(words)}: no restart',
                   stuck.stdout + said.stdout + done.stdout)


def no_way_back(tap, folder):
    """The tree before is not there when one is tried: guard could not go back to it."""
    rows = {row[0]: row for row in DEVICES}
    for kind, data, back in (('imx8mm-var-som', None, 12), ('imx8mm-var-som', b'x', 12),
                             ('jetson-nano', None, 0), ('jetson-nano', b'x', 12),
                             ('iot-gate-imx8plus', None, 0)):
        made = device(folder / 'root', *rows[kind])
        made.put('mnt/boot/extra_uEnv.txt', 'custom_fdt_file=gone.dtb\n')
        if data:
            made.put('mnt/sysroot/active/boot/gone.dtb', data)
        one, before = new_tree(folder, shipped(*rows[kind][1:3]), 'one'), digest(made.root)
        done, guard = (swap(*words, '--root', made.root)
                       for words in (('try', '--pending', one), ('guard', '--limit', '1')))
        text = (made.root / 'mnt/boot/extra_uEnv.txt').read_text(encoding='ascii')
        if back:
            good = done.returncode == back and 'mend:' in done.stdout and \
                'gone.dtb, is not there, or broken' in done.stdout and digest(made.root) == before
        else:
            good = not done.returncode and not guard.returncode and not text
        tap.result(good, f'{kind}: the tree before is {"broken" if data else "gone"}: '
                   f'{"refused" if back else "back to the own one"}', done.stdout + guard.stdout)
        swap('rollback', '--own', '--root', made.root)
        made.put('mnt/boot/extra_uEnv.txt', '')
        done = swap('try', '--pending', one, '--root', made.root)
        tap.result(not done.returncode, f'{kind}: and then it can be tried', done.stdout)
    made = device(folder / 'root', *rows['jetson-nano'])
    swap('install', one := new_tree(folder, shipped(*rows['jetson-nano'][1:3]), 'one'), '--root',
         made.root)
    next(made.root.rglob('swap-one-*')).unlink()
    done = swap('try', '--pending', one, '--root', made.root)
    tap.result(done.returncode == 12 and 'is selected for good, and not there' in done.stdout and
               'mend:' in done.stdout and not list(made.root.rglob('swap-one-*')),
               'what is selected, and gone, cannot be tried', done.stdout)


def obstacles(tap, folder):
    """What keeps guard from going back may pass; if it does not, guard fails, to be run again."""
    for name, spoil, status in (('fatrw', no_fatrw, 9), ('no lock', no_run, 1),
                                ('no write', no_write, 13)):
        for start in ('first', 'second'):
            made, _ = fresh(folder)
            made.put(BOOT_ID, 'second\n')
            if start == 'second':
                guarded(made, 1)
                made.put(BOOT_ID, 'third\n')
            mend = spoil(made)
            failed = told(made, 'guard', '--limit', '1')
            with subprocess.Popen([*program(), 'guard', '--limit', '5', '--root', str(made.root)],
                                  text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT) as guard:
                time.sleep(2.5)
                mend()
                said = guard.communicate()[0]
            tap.result(failed[0] == status and failed[2] == 'one' and 'mend:' in failed[1] and
                       not guard.returncode and model(made, ROW[0]) is None and
                       'nobody has committed' in said and 'stays up' not in said,
                       f'{start} start, {name} for a while: guard waits, and goes back',
                       f'{failed} {guard.returncode} {said}')
    for kind in ('imx8mm-var-som', 'iot-gate-imx8plus', 'jetson-nano'):
        for text in ('', '{}', '{"deviceType": "imx'):
            row = {row[0]: row for row in DEVICES}[kind]
            made = device(folder / 'root', *row)
            zero, one = (new_tree(folder, shipped(*row[1:3]), word) for word in ('zero', 'one'))
            for words in (('install', zero), ('try', '--pending', one)):
                swap(*words, '--root', made.root)
            made.put('mnt/boot/config.json', text)
            done = swap('guard', '--limit', '1', '--root', made.root)
            tap.result(not done.returncode and model(made, kind) == 'zero',
                       f'{kind}: config.json has become "{text}": guard goes back', done.stdout)
    made = device(folder / 'root', *ROW)
    told(made, 'install', new_tree(folder, shipped(*ROW[1:3]), 'one'))
    no_run(made)
    tap.result(stays(made), 'nothing is pending: guard needs no lock')


def unlocked(tap, folder):
    """While guard waits it only looks: others may be at work, and it has no lock."""
    made, asked, env = with_systemd(folder)
    fatrw = folder / 'bin/fatrw'
    fatrw.write_text(f'#!/bin/sh\necho "$1" >>{asked}\n', encoding='ascii')
    fatrw.chmod(0o755)
    no_fatrw(made)
    done = subprocess.run([*program(), 'guard', '--limit', '3', '--root', made.root], env=env,
                          capture_output=True, text=True, check=False)
    asked = asked.read_text(encoding='ascii').split()
    tap.result(not done.returncode and asked == ['read', 'read', 'reboot'],
               'guard asks fatrw under the lock, when it begins and when it goes back', asked)


def settled(calls, count):
    """How many lines a file has when it has had that many, and time for one more."""
    end = time.monotonic() + 20
    while time.monotonic() < end and not (calls.exists() and
                                          calls.read_text().count('\n') >= count):
        time.sleep(0.1)
    time.sleep(1)
    return calls.read_text().count('\n') if calls.exists() else 0


def run_again(tap, folder):
    """The script starts a guard again that has failed or was killed, as the unit does."""
    calls, tool = folder / 'calls', folder / 'bin/dtb-swap'
    tool.parent.mkdir(exist_ok=True)
    (folder / 'dtb-swap.state').touch()
    text = (SOURCE / 'guard.init').read_text(encoding='ascii').replace('/mnt/boot', str(folder))
    text = text.replace('/dev/console', str(folder / 'console')).replace('sleep 3', 'sleep 0.1')
    for ends, count in (('9 1', 3), ('137', 2), ('2', 1), ('', 1)):
        tool.write_text(f'#!/bin/sh\necho >>{calls}\nset -- {ends}\n'
                        f'shift $(($(wc -l <{calls}) - 1)) 2>/dev/null\nexit ${{1:-0}}\n')
        tool.chmod(0o755)
        calls.unlink(missing_ok=True)
        subprocess.run(['sh', '-c', text], check=False,
                       env={**os.environ, 'PATH': f'{tool.parent}:{os.environ["PATH"]}'})
        found = settled(calls, count)
        tap.result(found == count, f'the script runs guard until it is done: it ends with "{ends}"',
                   found)
    unit = (TOP / 'scripts/yocto/files/dtb-swap-guard.service').read_text(encoding='ascii')
    tap.result('\nRestart=on-failure\n' in unit and
               '\nStartLimitIntervalSec=0\n' in unit.partition('[Service]')[0],
               'the unit, too, however often', unit)


def no_console(tap, folder):
    """The tree that is tried has lost the console: guard runs, and says what it says elsewhere."""
    tool = folder / 'bin/dtb-swap'
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f'#!/bin/sh\necho ran >>{folder}/ran\necho said\n', encoding='ascii')
    tool.chmod(0o755)
    (folder / 'dtb-swap.state').touch()
    text = (SOURCE / 'guard.init').read_text(encoding='ascii').replace('/mnt/boot', str(folder))
    for title, good in (('the console is there', ('console', 'kmsg')), ('no console', ('kmsg',)),
                        ('neither console nor kernel log', ())):
        (folder / 'ran').unlink(missing_ok=True)
        script = text
        for name in ('console', 'kmsg'):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).unlink(missing_ok=True)
            if name not in good:
                (folder / name).mkdir()     # cannot be opened to be written, not by root either
            script = script.replace(f'/dev/{name}', str(folder / name))
        for shell in ('dash', 'bash', 'busybox sh'):
            done = run(*shell.split(), '-c', script,
                       env={**os.environ, 'PATH': f'{tool.parent}:{os.environ["PATH"]}'})
            found = settled(folder / 'ran', 1) if not done.returncode else 0
            said = [name for name in good if (folder / name).exists() and
                    (folder / name).read_text(encoding='ascii')]
            tap.result(found == 1 and not done.stdout and said == list(good[:1]),
                       f'{shell}, {title}: the script runs guard', f'{found} {said} {done.stdout}')
            (folder / 'ran').unlink(missing_ok=True)


def busy(tap, folder):
    """Another dtb-swap is at work, maybe the commit: the guard waits for it."""
    made, _ = fresh(folder)
    root = ('--root', made.root)
    with open(made.root / 'run/dtb-swap.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen([*program(), 'guard', '--limit', '3', *map(str, root)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guard:
            time.sleep(4.5)
            waits = guard.poll() is None and model(made, ROW[0]) == 'one'
            fcntl.flock(lock, fcntl.LOCK_UN)
            said = guard.communicate()[0]
    tap.result(waits and not guard.returncode and model(made, ROW[0]) is None,
               'the guard waits for another dtb-swap, then goes back', said)
    made, asked, env = with_systemd(folder)
    with subprocess.Popen([*program(), 'guard', '--limit', '2', '--root', str(made.root)], env=env,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guard, \
            open(made.root / 'run/dtb-swap.lock', 'w', encoding='ascii') as lock:
        time.sleep(1)
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = guard.communicate()[0]
        stays = model(made, ROW[0]) == 'one' and asked.read_text() == 'reboot\n'
    late = told(made, 'guard', '--limit', '60')
    tap.result(stays and not guard.returncode and 'nobody has' in said and late[::2] == (0, None),
               'it does not wait for ever: the next start goes back', f'{said} {late}')


def main():
    """Run all."""
    return perform(told_first, loud, stranded, given_up, no_way_back, obstacles, unlocked, run_again,
                   no_console, busy)


if __name__ == '__main__':
    sys.exit(main())
