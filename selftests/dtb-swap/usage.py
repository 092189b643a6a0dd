#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is told about the tool is true: manual, bash completion, --help."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from bench import SOURCE, Device, Tap, Tree, program, run, shipped, swap

ASK = '''. {file}
COMP_WORDS=({words}) COMP_CWORD={last}
_dtb_swap
printf '%s\\n' "${{COMPREPLY[@]}}"
'''


def complete(folder, *words):
    """Return what bash offers for the last word."""
    script = ASK.format(file=SOURCE / 'dtb-swap.bash', last=len(words) - 1,
                        words=' '.join(f"'{word}'" for word in words))
    done = run('bash', '-c', f'cd {folder}\n{script}')
    return sorted(done.stdout.split())


def told():
    """Return the verbs and the options of --help."""
    text = swap('--help').stdout
    verbs, _, options = text.partition('\nOptions\n')
    return (sorted(set(re.findall(r'^  (\w+) ', verbs, re.M))),
            sorted(set(re.findall(r'(--[a-z-]+)', options))))


def completion(tap, verbs, options):
    """Words, and files where they are wanted."""
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for name in ('a.dtb', 'b.dtbo', 'notes.txt', 'fold/c.dtb'):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
        for words, wanted in ((['dtb-swap', ''], verbs), (['dtb-swap', 'ch'], ['check']),
                              (['dtb-swap', 'install', '-'], options),
                              (['dtb-swap', 'try', '--wa'], ['--watchdog']),
                              (['dtb-swap', 'check', ''], ['a.dtb', 'b.dtbo', 'fold']),
                              (['dtb-swap', 'merge', 'a.dtb', 'b'], ['b.dtbo']),
                              (['dtb-swap', 'try', '--kernel', 'n'], ['notes.txt']),
                              (['dtb-swap', 'try', '--initrd', ''],
                               ['a.dtb', 'b.dtbo', 'fold', 'notes.txt']),
                              (['dtb-swap', '--he'], ['--help']),
                              (['dtb-swap', 'guard', '--limit', ''], []),
                              (['dtb-swap', 'nonsense', 'x'], [])):
            found = complete(folder, *words)
            tap.result(found == wanted, f'bash completes "{" ".join(words)}"', f'{found}\n{wanted}')


def numbers(tap):
    """A limit that is no number would be taken for none at all."""
    for word in ('abc', '', '5m', '-1', ' 5', '604801', '99999999999999999999'):
        done = swap('guard', '--limit', word, '--root', '/nowhere')
        tap.result(done.returncode == 2 and 'no number of seconds' in done.stdout and
                   'mend:' in done.stdout, f'--limit "{word}" is refused',
                   f'{done.returncode}\n{done.stdout}')
    done = swap('carry', '--limit', '604800', '--root', '/nowhere')
    tap.result(done.returncode != 2, '--limit 604800, a week, is not', done.stdout)


# Words, an option that does not fit, and a verb that it fits.
MISFITS = (
    ('install --watchdog /dev/watchdog0 x.dtb', '--watchdog', 'try'),
    ('install --limit 5 x.dtb', '--limit', 'guard'),
    ('install --pending x.dtb', '--pending', 'try'),
    ('install --own x.dtb', '--own', 'rollback'),
    ('rollback --pending', '--pending', 'try'),
    ('check --overlay x.dtbo', '--overlay', 'install'),
    ('status -a', '--all', 'list'),
    ('try --pending --watchdog /dev/watchdog0 x.dtb', '--watchdog', 'no use beside --pending'),
    ('try x.dtb --load -q --pending', '--load', 'no use beside --pending'),
    ('install --base /nope/other.dtb x.dtb', '--base', 'no use without --overlay'),
    ('install --labels /nope/map x.dtb', '--labels', 'no use without --overlay'),
    ('try -q -b /nope/other.dtb -j x.dtb', '--base', 'no use without --overlay'),
    ('try x.dtb --pending -l /nope/map', '--labels', 'no use without --overlay'),
    ('carry --back --last --forget', '--back', 'no use beside --forget'),
    ('carry --last --limit 1 --back', '--last', 'no use beside --back'),
    ('carry --last --forget', '--last', 'no use beside --forget'),
    *((f'carry {option} x.dtb', 'x.dtb', f'no use beside {option}')
      for option in ('--back', '--last', '--forget')),
    ('try --limit 600 x.dtb', '--limit', 'no use without --watchdog'),
    ('check --structure --modules /lib x.dtb', '--modules', 'no use beside --structure'),
    ('check --accept a x.dtb -s', '--accept', 'no use beside --structure'),
    ('check --modules /lib --accept-board a,b x.dtb', '--accept-board', 'no use beside --modules'),
    ('check --modules /lib --unproven x.dtb', '--unproven', 'no use beside --modules'),
    ('list --all --family imx8m', '--family', 'no use beside --all'),
    ('check --modules /lib/modules/a --modules /lib/modules/b x.dtb', '--modules', 'is given twice'),
    ('install --overlay -b x.dtb --base=y.dtb z.dtbo', '--base', 'is given twice'),
    ('diff --family imx8m x.dtb', '--family', 'no option of diff, but of check install'),
    ('merge -o y.dtb --variable a x.dtb x.dtbo', '--variable', 'but of check install'),
)


def misfits(tap):
    """An option that the verb has no use for is wrong use, for it may have been for safety."""
    for words, option, verb in MISFITS:
        done = swap(*words.split(), '--root', '/nowhere')
        answer = json.loads(run('sh', '-c', 'exec 2>/dev/null "$@"', 'sh', *program(),
                                *words.split(), '--json').stdout)
        tap.result(done.returncode == 2 and f'dtb-swap: {option} ' in done.stdout and
                   verb in done.stdout and answer['kind'] == 'usage' and
                   option in json.dumps(answer), f'{words}: refused', done.stdout)


def root(tap):
    """The root / is the device itself, where disks are flushed, not one of tests."""
    said = [swap('status', *words).stdout for words in ((), ('--root', '/'), ('--root', '//'))]
    tap.result(len(set(said)) == 1 and said[0], '--root / is the device itself', said)


def manual(tap, verbs, options):
    """It can be read, and leaves out nothing that is new."""
    page = SOURCE / 'dtb-swap.8'
    done = run('mandoc', '-Tlint', '-Wwarning', page)
    tap.result(not done.returncode and not done.stdout, 'mandoc finds nothing wrong', done.stdout)
    text = re.sub('.\b', '', run('mandoc', '-Tutf8', page).stdout)
    headings = text[text.index('\nVERBS\n'):text.index('\nOPTIONS\n')]
    missing = [word for word in verbs
               if not re.search(rf'^ {{5,7}}(?:\S+, )?{word}\b', headings, re.M)]
    tap.result(not missing, 'each verb has its place in the manual', missing)
    missing = [word for word in options if not re.search(rf'{re.escape(word)}(?![\w-])', text)]
    tap.result(not missing, 'each option, too', missing)
    numbers = re.findall(r'\b(\d+) ', text[text.index('EXIT STATUS'):text.index('FILES')])
    tap.result(sorted(map(int, numbers)) == list(range(15)), 'and each exit status', numbers)


def members(pairs):
    """Make an object of JSON whose names are all different."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f'a name twice: {[name for name, _ in pairs]}')
    return dict(pairs)


# Words, the exit status, a member and what it has, or a list of how many.
DOCUMENTS = (
    (('check', 'GOOD', 'GOOD'), 0, 'check', 2),
    (('check', 'GOOD', '/nothing'), 1, 'check', 1),
    (('diff', 'GOOD'), 0, 'difference', 0),
    (('diff', 'GOOD', 'OTHER'), 0, 'difference', 2),
    (('merge', 'GOOD', 'GOOD'), 2, 'kind', 'usage'),
    (('install', 'GOOD'), 0, 'status', 0),
    (('status',), 0, 'family', 'imx8m'),
    (('list',), 0, 'tree', 3),
    (('list', '--all'), 0, 'family', 12),
    (('rollback',), 0, 'selected', "the bootloader's own tree, from the next boot on"),
    (('rollback',), 12, 'kind', 'nothing'),
    (('try', 'OTHER'), 4, 'kind', 'board'),
    (('commit',), 12, 'kind', 'nothing'),
    (('nonsense',), 2, 'verb', 'nonsense'),
    (('check',), 2, 'kind', 'usage'),
    (('--nonsense', 'check'), 2, 'kind', 'usage'),
    ((), 2, 'kind', 'usage'),
    (('--limit', 'soon', 'guard'), 2, 'kind', 'usage'),
    (('install', 'GOOD'), 0, 'overlay', 0),
    (('install', '--overlay', '--base', 'GOOD', 'x', 'y'), 0, 'overlay', 2),
    (('try', '--pending', '--overlay', 'x'), 0, 'overlay', 1),
)
# Other ways to ask for JSON, where the use is wrong.
ASKED = (('check', '-qj'), ('check', '-jq'), ('check', '--js'), ('--js', '--nonsense', 'check'),
         ('-qj',), ('nonsense', '-aj'), ('check', '--json', '--out'))
# Words that look like it and are none: what an option is given, and what comes behind --.
UNASKED = (('--root', '--json'), ('check', '--out', '-j'), ('nonsense', '--', '--json'))


def documents(tap, folder):
    """With --json the answer is one document, whose names are there once."""
    good = shipped('6.12', 'imx8mm-var-som-symphony')
    other = Tree(good).text('/', 'compatible', ['acme,box', 'acme,soc']).write(folder / 'other.dtb')
    made = Device(folder / 'root', good)
    made.put('etc/rcS.d/S40dtb-swap-guard', '').chmod(0o755)
    made.put('mnt/boot/config.json', '{"deviceType": "imx8mm-var-som"}')
    for name in ('a.dtb', 'b.dtb', 'c.dtbo'):
        made.put(f'mnt/sysroot/active/boot/{name}', pathlib.Path(good).read_bytes())
    made.put('run/keep', '')
    for name in ('x', 'y'):
        run('dtc', '-q', '-@', '-o', made.put(f'boot/devicetree/{name}.dtbo', ''), '-',
            input=f'/dts-v1/; /plugin/; &{{/}} {{ {name} {{ }}; }};')
    for words, status, name, wanted in DOCUMENTS:
        words = [{'GOOD': good, 'OTHER': other}.get(word, word) for word in words]
        # Not swap(): what is said on the other channel is no part of the document.
        done = run('sh', '-c', 'exec 2>/dev/null "$@"', 'sh', *program(), *words, '--json',
                   '--root', made.root)
        try:
            answer = json.loads(done.stdout, object_pairs_hook=members)
            found = answer[name]
            good_answer = answer['status'] == status and \
                (found == wanted if not isinstance(found, list) else len(found) == wanted)
        except (ValueError, KeyError) as error:
            good_answer, found = False, repr(error)
        tap.result(good_answer and done.returncode == status,
                   f'a document of JSON: {" ".join(map(str, words[:1])) or "no verb"} {name}',
                   f'{words} {done.returncode} {found}\n{done.stdout}')


def hushed(tap):
    """With --quiet a document has no notes, either."""
    for words, wanted in (((), True), (('-q',), False)):
        done = run('sh', '-c', 'exec 2>/dev/null "$@"', 'sh', *program(), 'install', 'x.dtb', '--json',
                   '--root', '/nowhere', *words)
        levels = [one['level'] for one in json.loads(done.stdout)['findings']]
        tap.result('refused' in levels and ('note' in levels) == wanted,
                   f'{"notes" if wanted else "no note"} in a document {" ".join(words)}', done.stdout)


# What prints something, and the exit status where that cannot be written. Of guard and carry, which
# the system starts, nobody reads it, and what comes next depends on how they end.
UNWRITTEN = (
    *((words, 13) for words in ('status', 'status --json', 'list', 'list --all', 'check GOOD',
                                'diff GOOD OTHER', 'diff GOOD OTHER --json', '--help', '--version',
                                'install GOOD', 'rollback')),
    ('rollback --json', 12), ('check GOOD OTHER', 4), ('nonsense --json', 2),
    ('diff GOOD GOOD', 0), ('carry', 0), ('carry --json', 13),
)


def unwritten(tap, folder):
    """Where nothing can be printed no script is told that all is well; what is done stays done."""
    good = shipped('6.12', 'imx8mm-var-som-symphony')
    other = Tree(good).text('/', 'compatible', ['acme,box', 'acme,soc']).write(folder / 'other.dtb')
    made = Device(folder / 'root', good)
    made.put('mnt/boot/config.json', '{"deviceType": "imx8mm-var-som"}')
    for name in ('run/keep', 'mnt/sysroot/active/boot/a.dtb', 'mnt/sysroot/inactive/boot/a.dtb'):
        made.put(name, pathlib.Path(good).read_bytes())
    made.put('proc/sys/kernel/random/boot_id', 'this\n')
    for words, status in UNWRITTEN:
        command = [*program(), *({'GOOD': good, 'OTHER': other}.get(word, word)
                                 for word in words.split()), '--root', made.root]
        full = run('sh', '-c', 'exec "$@" >/dev/full', 'sh', *command)
        said = 'error: standard output: No space left on device' in full.stdout
        tap.result(full.returncode == status and said == (words != 'diff GOOD GOOD'),
                   f'{words} >/dev/full', f'{full.returncode}\n{full.stdout}')
    for where, status in (('>&-', 13), ('| exec sleep 0', 0)):
        done = run('bash', '-c', f'"$@" {where}; exit ${{PIPESTATUS[0]}}', 'bash', *program(), 'list',
                   '--root', made.root)
        tap.result(done.returncode == status and bool(done.stdout) == bool(status),
                   f'list {where}', f'{done.returncode}\n{done.stdout}')


# Bytes of a name, and what a document has of them.
NAMES = ((b'b\xc3\xa4um', 'b\u00e4um'), (b'\xe2\x82\xac \xf0\x9f\x8c\xb3', '\u20ac \U0001f333'),
         (b'b\xe4um', 'b\ufffdum'), (b'a\xc3', 'a\ufffd'), (b'\xc0\xafx', '\ufffd\ufffdx'),
         (b'\xed\xa0\x80', '\ufffd' * 3), (b'\xf4\x90\x80\x80', '\ufffd' * 4), (b'\xe0\x80\xaf', '\ufffd' * 3),
         (b'a"\\\x01\x1f\x7f', 'a"\\\x01\x1f\x7f'))


def unicode(tap, folder):
    """A document is UTF-8 as it was; what is none is said to be none."""
    for name, wanted in NAMES:
        path = os.fsencode(folder) + b'/' + name
        done = subprocess.run([*program(), 'check', '--json', path], capture_output=True, check=False)
        answer = json.loads(done.stdout.decode('utf-8'))
        tap.result(f'{folder}/{wanted}' in answer['findings'][0]['cause'] and
                   not [byte for byte in done.stdout if byte < 32 and byte != 10],
                   f'a name {name!r} in a document', done.stdout)


def several(tap, folder):
    """Of several files each finding says of which it is, for people and for programs."""
    good = shipped('6.12', 'imx8mm-var-som-symphony')
    made = Device(folder / 'root', good)
    made.network('eth0', 'up', '/soc@0/bus@30800000/ethernet@30be0000')
    bad = Tree(good).drop('/soc@0/bus@30800000/ethernet@30be0000').write(folder / 'bad.dtb')
    words = ('--root', made.root)
    done, one = swap('check', good, bad, *words), swap('check', bad, *words)
    answer = json.loads(run('sh', '-c', 'exec 2>/dev/null "$@"', 'sh', *program(), 'check', '--json', good, bad,
                            *words).stdout)
    refused = [finding for finding in answer['findings'] if finding['level'] == 'refused']
    tap.result(done.returncode == 5 and refused and all(finding['file'] == str(bad) for finding in refused) and
               {finding['file'] for finding in answer['findings']} == {str(good), str(bad)} and
               re.search(f'^refused: network.*\n  file: {bad}\n  mend: ', done.stdout, re.M) and
               'file:' not in one.stdout, 'check of several files names the file', f'{done.stdout}{answer}')
    causes = [word for finding in refused for word in ('--accept', finding['cause'])]
    done = swap('check', good, bad, *causes, *words)
    tap.result(not done.returncode, 'and its words are those for --accept', done.stdout)


def carried(tap, folder):
    """What goes along with an update is a list, also where it is one or none."""
    good = shipped('6.12', 'imx8mm-var-som-symphony')
    made = Device(folder / 'root', good)
    made.put('mnt/boot/config.json', '{"deviceType": "imx8mm-var-som"}')
    for name in ('run/keep', 'mnt/sysroot/active/boot/keep', 'mnt/sysroot/inactive/boot/keep'):
        made.put(name, '')
    for count in range(3):
        done = swap('carry', '--json', '--root', made.root)
        answer = json.loads(done.stdout, object_pairs_hook=members)
        tap.result(len(answer['carried']) == count, f'{count} trees went along', done.stdout)
        made.put(f'mnt/sysroot/active/boot/swap-x{count}.dtb', pathlib.Path(good).read_bytes())
        (made.root / 'mnt/sysroot/inactive/boot/swap-x0.dtb').unlink(missing_ok=True)


def asked(tap):
    """Wrong use is a document, too, however that was asked for, and is none if it was not."""
    for words, wanted in [*((words, True) for words in ASKED),
                          *((words, False) for words in UNASKED)]:
        done = run('sh', '-c', 'exec 2>/dev/null "$@"', 'sh', *program(), *words)
        try:
            good = json.loads(done.stdout)['kind'] == 'usage' and wanted
        except (ValueError, KeyError):
            good = not wanted and not done.stdout
        tap.result(good and done.returncode == 2, f'wrong use, {"a" if wanted else "no"} document: '
                   f'{" ".join(words)}', f'{done.returncode}\n{done.stdout}')


def main():
    """Run all."""
    tap = Tap()
    verbs, options = told()
    tap.result(len(verbs) == 11 and len(options) > 15, '--help tells verbs and options',
               f'{verbs} {options}')
    completion(tap, verbs, options)
    numbers(tap)
    misfits(tap)
    root(tap)
    manual(tap, verbs, options)
    asked(tap)
    hushed(tap)
    with tempfile.TemporaryDirectory() as work:
        documents(tap, pathlib.Path(work))
        unwritten(tap, pathlib.Path(work))
        unicode(tap, pathlib.Path(work))
        several(tap, pathlib.Path(work))
        carried(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
