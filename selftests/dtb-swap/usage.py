#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is told about the tool is true: manual, bash completion, --help."""

import pathlib
import re
import sys
import tempfile

from bench import SOURCE, Tap, run, swap

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
    done = swap('guard', '--limit', '604800', '--root', '/nowhere')
    tap.result(done.returncode != 2, '--limit 604800, a week, is not', done.stdout)


def manual(tap, verbs, options):
    """It can be read, and leaves out nothing that is new."""
    page = SOURCE / 'dtb-swap.8'
    done = run('mandoc', '-Tlint', '-Wwarning', page)
    tap.result(not done.returncode and not done.stdout, 'mandoc finds nothing wrong', done.stdout)
    text = re.sub('.\b', '', run('mandoc', '-Tutf8', page).stdout)
    missing = [word for word in verbs if not re.search(rf'^ +{word}\b', text, re.M) and
               f', {word}' not in text]
    tap.result(not missing, 'each verb has its place in the manual', missing)
    missing = [word for word in options if word not in text]
    tap.result(not missing, 'each option, too', missing)
    numbers = re.findall(r'\b(\d+) ', text[text.index('EXIT STATUS'):text.index('FILES')])
    tap.result(sorted(map(int, numbers)) == list(range(14)), 'and each exit status', numbers)


def main():
    """Run all."""
    tap = Tap()
    verbs, options = told()
    tap.result(len(verbs) == 10 and len(options) > 15, '--help tells verbs and options',
               f'{verbs} {options}')
    completion(tap, verbs, options)
    numbers(tap)
    manual(tap, verbs, options)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
