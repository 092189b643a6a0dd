#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dtb-swap leads back to the last tree that is known to run, and says which runs."""

import sys

from bench import perform
from install import DEVICES, EXTLINUX, GUARD, device, digest, model, new_tree, shipped
from pending import BOOT_ID, booted, told

ROWS = {row[0]: row for row in DEVICES}
KINDS = ('imx8mm-var-som', 'jetson-xavier')     # the supervisor may select any tree; it may not


def trees(folder, kind, *words):
    """Other trees for a board."""
    return [new_tree(folder, shipped(*ROWS[kind][1:3]), word) for word in words]


def running(folder, kind):
    """A device that runs on the tree zero, which was installed in an earlier start."""
    made = device(folder / 'root', *ROWS[kind])
    made.put(BOOT_ID, 'first\n')
    told(made, 'install', *trees(folder, kind, 'zero'))
    booted(made, kind)
    return made


def back(made, kind, *words):
    """Which tree is selected after a command, its status, and what it says."""
    status, said, _ = told(made, *words)
    return model(made, kind), status, said


def never_started(tap, folder):
    """Two trees are installed in one start: the first of them has never run."""
    for kind in KINDS:
        one, two = trees(folder, kind, 'one', 'two')
        for name, steps, end in (
                ('rollback', (('install', two),), ('rollback',)),
                ('guard', (('try', '--pending', two), ('START',)), ('guard', '--limit', '1')),
                ('rollback, the first once more in between',
                 (('install', two), ('install', one)), ('rollback',))):
            made = running(folder, kind)
            said = [told(made, 'install', one)]
            for step in steps:
                if step == ('START',):
                    booted(made, kind, 'third\n')
                else:
                    said.append(told(made, *step))
            there = list(made.root.rglob('swap-zero-*'))
            after, status, words = back(made, kind, *end)
            tap.result((after, status, bool(there)) == ('zero', 0, True),
                       f'{kind}: two trees in one start, {name}: to the one that has run',
                       f'{after} {status} {there} {said} {words}')
        made = running(folder, kind)
        told(made, 'install', one)
        booted(made, kind, 'third\n')
        told(made, 'install', two)
        tap.result(back(made, kind, 'rollback')[:2] == ('one', 0),
                   f'{kind}: one that has had its start is led back to')
        told(made, 'install', two)
        told(made, 'rollback')
        told(made, 'install', two)
        tap.result(back(made, kind, 'rollback')[:2] == ('one', 0),
                   f'{kind}: also where rollback has just selected it')


def not_taken(tap, folder):
    """A tree that the next start was not on has not run, either."""
    for kind in KINDS:
        made = running(folder, kind)
        zero, one, two = trees(folder, kind, 'zero', 'one', 'two')
        told(made, 'install', one)
        made.put(BOOT_ID, 'third\n')
        again, said = told(made, 'install', one), told(made, 'install', two)
        after = back(made, kind, 'rollback')
        tap.result('has not yet run here' in again[1] and not said[0] and after[:2] == ('zero', 0),
                   f'{kind}: the bootloader has not taken it: rollback leads past it',
                   f'{again} {said} {after}')
        made = running(folder, kind)
        made.put(BOOT_ID, 'third\n')
        made.put('proc/cmdline', 'quiet dtb_swap.try=x.dtb\n')
        made.put('sys/firmware/fdt', zero.read_bytes())
        told(made, 'install', one)
        tap.result(back(made, kind, 'rollback')[:2] == ('zero', 0),
                   f'{kind}: but for a trial, which is on another tree')


def twin(tap, folder):
    """The same tree under another name is the same tree."""
    for kind in KINDS:
        made = running(folder, kind)
        one, = trees(folder, kind, 'one')
        again = folder / 'one-v2.dtb'
        again.write_bytes(one.read_bytes())
        told(made, 'install', one)
        booted(made, kind, 'third\n')
        status, said, _ = told(made, 'install', again)
        after = back(made, kind, 'rollback')
        tap.result(status == 0 and 'it was before' in said and after[:2] == ('zero', 0),
                   f'{kind}: the same tree, and another name: rollback is on the one before',
                   f'{said} {after}')


def in_trial(tap, folder):
    """A tree is installed in a trial by kexec that nobody has committed."""
    kind = 'imx8mm-var-som'
    made = running(folder, kind)
    two, three = trees(folder, kind, 'two', 'three')
    told(made, 'install', two)
    told(made, 'rollback')
    kept = next(made.root.rglob('swap-two-*'))
    made.put('proc/cmdline', f'quiet dtb_swap.try={kept.name}\n')
    made.put('sys/firmware/fdt', kept.read_bytes())
    made.put(BOOT_ID, 'third\n')
    refused = back(made, kind, 'rollback')
    status, said, _ = told(made, 'install', three)
    tap.result(status == 0 and f'nobody has committed {kept.name}' in said and
               'mend: dtb-swap rollback' in said,
               'install in a trial says that guard restarts the system', said)
    after = back(made, kind, 'rollback')
    again = back(made, kind, 'rollback')
    tap.result(refused[:2] == ('zero', 12) and after[:2] == ('zero', 0) and again[1] == 12,
               'rollback in a trial undoes what was installed in it, and nothing else',
               f'{refused} {after} {again}')
    told(made, 'install', three)
    commit = back(made, kind, 'commit')
    after = back(made, kind, 'rollback')
    tap.result(commit[:2] == ('two', 0) and after[:2] == ('zero', 0),
               'commit in a trial: the tree before is none that was only installed',
               f'{commit} {after}')


def by_hand(name, text):
    """Somebody changes a file of the bootloader."""
    return lambda made: made.put(name, text + (made.root / name).read_text(encoding='ascii'))


ORIN = 'mnt/sysroot/active/boot/extlinux/extlinux.conf'
# Why the bootloader has not taken what is selected, and what status says.
UNTAKEN = (
    ('imx8mm-var-som', by_hand('mnt/boot/extra_uEnv.txt', 'fdt_file=imx8mm-var-som-symphony.dtb\n'),
     'fdt_file'),
    ('raspberrypi4-64', by_hand('mnt/boot/config.txt', 'os_prefix=old/\n'), 'os_prefix'),
    ('jetson-agx-orin-devkit', lambda made: made.put(ORIN, EXTLINUX.replace('default', '/a.dtb')),
     'has FDT /a.dtb'),
    ('jetson-agx-orin-devkit', lambda made: None, 'the bootloader did not take it\n'))


def looks(tap, folder):
    """status says whether the selected tree runs, and why not."""
    for kind, change, words in UNTAKEN:
        made = device(folder / 'root', *ROWS[kind])
        made.put(BOOT_ID, 'first\n')
        told(made, 'install', *trees(folder, kind, 'one'))
        early = told(made, 'status')[:2]
        made.put(BOOT_ID, 'second\n')
        change(made)
        late = told(made, 'status')[:2]
        tap.result(not early[0] and 'not yet' in early[1] and 'another tree runs' not in early[1],
                   f'{kind}: status, the selected tree is not yet started', early)
        tap.result(not late[0] and 'another tree runs than swap-one' in late[1] and
                   'warning: ' in late[1] and words in late[1],
                   f'{kind}: status, the bootloader has not taken it', late)
        made.put('sys/firmware/fdt', next(made.root.rglob('swap-one-*')).read_bytes())
        runs = told(made, 'status')[1]
        tap.result('another tree' not in runs and any(line.split() == ['runs', 'yes'] for line in
                                                      runs.splitlines()),
                   f'{kind}: status, it runs', runs)


def commits(tap, folder):
    """What is pending has to be committed, and is told so."""
    made = running(folder, KINDS[0])
    one, = trees(folder, KINDS[0], 'one')
    pending, plain = told(made, 'try', '--pending', one), told(made, 'install', one)
    tap.result('say dtb-swap commit then' in pending[1] and 'dtb-swap commit' not in plain[1],
               'try --pending says that a commit is needed', pending)


def carried(tap, folder):
    """An OS that would be updated without the tree, which its bootloader stops for."""
    hook = 'etc/hostapp-update-hooks.d/05-dtb-swap'
    unit = 'usr/lib/systemd/system/shutdown.target.wants/dtb-swap-carry.service'
    for kind, files, warned in (('imx8mm-var-som', (), False),
                                ('imx8mm-var-som', ('usr/bin/hostapp-update',), True),
                                ('imx8mm-var-som', ('usr/bin/hostapp-update', hook), False),
                                ('imx8mm-var-som', ('usr/bin/hostapp-update', unit), False),
                                ('jetson-xavier', ('usr/bin/hostapp-update',), False),
                                ('raspberrypi4-64', ('usr/bin/hostapp-update',), False)):
        made = device(folder / 'root', *ROWS[kind])
        for path in files:
            made.put(path, '')
        said = told(made, 'install', *trees(folder, kind, 'one'))
        tap.result(not said[0] and ('nothing takes the tree along' in said[1] and
                                    'mend: dtb-swap carry --last' in said[1]) == warned,
                   f'{kind} with {" ".join(files) or "no updates"}: '
                   f'{"a warning" if warned else "none"}', said)


def untried(tap, folder):
    """A tree that has never run here is refused where it could be tried first."""
    for kind in ('imx8mm-var-som', 'raspberrypi4-64', 'jetson-nano'):
        one, two = trees(folder, kind, 'one', 'two')
        made = running(folder, kind)
        made.put('sys/kernel/kexec_loaded', '0\n')
        before = digest(made.root)
        foreseen, refused = told(made, 'check', one), told(made, 'install', one)
        tap.result('root: /' not in foreseen[1],
                   f'{kind}: what bootloader and tool have put into the root is not missed', foreseen)
        tap.result(foreseen[0] == 0 and 'dtb-swap try comes before install' in foreseen[1] and
                   refused[0] == 14 and 'has not yet run here' in refused[1] and
                   'mend: dtb-swap try it' in refused[1] and digest(made.root) == before,
                   f'{kind}: install asks for a trial, and changes nothing', (foreseen, refused))
        pending = told(made, 'try', '--pending', one), told(made, 'install', one)
        tap.result([status for status, *_ in pending] == [0, 14],
                   f'{kind}: also of one that is pending', pending)
        steps = [told(made, 'install', '--untried', one), told(made, 'install', one)]
        booted(made, kind, 'third\n')
        zero, = trees(folder, kind, 'zero')
        foreseen = told(made, 'check', zero.rename(folder / 'another-name'))
        tap.result(not foreseen[0] and 'comes before install' not in foreseen[1],
                   f'{kind}: check knows the one before under another file name', foreseen)
        steps += [told(made, 'install', one), told(made, 'install', '--untried', two),
                  told(made, 'install', one)]
        tap.result(not any(status for status, *_ in steps) and [
                       'has not yet run here' in text for _, text, _ in steps] == [
                           True, True, False, True, False],
                   f'{kind}: what has run is installed at once, the rest with a warning', steps)


def unkept(tap, folder):
    """A tree that runs, and that no folder has: it was tried where the bootloader cannot be told."""
    kind = 'imx8mm-var-som'
    one, two = trees(folder, kind, 'one', 'two')
    made = running(folder, kind)
    told(made, 'install', one)
    kept = next(made.root.rglob('swap-one-*'))
    made.put('sys/firmware/fdt', kept.read_bytes())
    told(made, 'rollback')
    kept.unlink()
    made.put('proc/cmdline', f'quiet dtb_swap.try={kept.name}\n')
    made.put('sys/kernel/kexec_loaded', '0\n')
    foreseen, other = told(made, 'check', one), told(made, 'install', two)
    said = told(made, 'install', one)
    tap.result(other[0] == 14 and not said[0] and 'has not yet run' not in said[1] + foreseen[1],
               'install of the tree that runs needs no trial, also where it is not kept',
               (foreseen, other, said))


def without_kexec(tap, folder):
    """Where a tree cannot be tried by kexec install says that nothing goes back."""
    kind = 'imx8mm-var-som'
    one, = trees(folder, kind, 'one')
    for off, guard, mend in ((False, True, 'dtb-swap try --pending'),
                             (True, True, 'dtb-swap try --pending'),
                             (False, False, 'be where the device is')):
        made = running(folder, kind)
        if off:
            made.put('sys/kernel/kexec_loaded', '0\n')
            made.put('proc/sys/kernel/kexec_load_disabled', '1\n')
        if not guard:
            (made.root / GUARD).unlink()
        said = told(made, 'install', one)
        tap.result(not said[0] and 'has not yet run here' in said[1] and mend in said[1],
                   f'kexec is {"off" if off else "not there"}, {"a" if guard else "no"} guard: '
                   'a warning', said)


def main():
    """Run all."""
    return perform(never_started, not_taken, twin, in_trial, looks, commits, carried, untried, unkept,
                   without_kexec)


if __name__ == '__main__':
    sys.exit(main())
