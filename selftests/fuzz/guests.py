# SPDX-License-Identifier: GPL-2.0-only
"""Hostile USB devices and RTCs: the guest that meets them, for a given time.

It runs rounds of selftests/hostile, each made of a seed and its number.
"""

import re
import time

import guest
import ktap
from boots import BOOTS
from kernel import KERNELS

TARGETS = ('usb', 'rtc')
ENDLESS = 1 << 30       # rounds
LEAK = 50       # rounds in which kmemleak has looked twice
BOOTED = 300            # seconds that a guest may take until its first round, or after its last
WRONG = re.compile(r'HOSTILE_SEED=\d+ HOSTILE_ROUND=\d+: .*')


def rounds_in(target, seed, console):
    """Return the numbers of the rounds that have begun."""
    return re.findall(rf'hostile: {target} {seed}:(\d+)\n', console)


def boot(target, settings, seconds):
    """Run rounds, so many seconds from the first on; return what came of it, and whether it
    was ended by the time.
    """
    row = next(row for row in BOOTS if row.folders() == ['hostile'])
    kernel = KERNELS[row.kernel].ensure()
    files, append = row.files()
    words = ' '.join(f'HOSTILE_{name}={value}' for name, value in settings.items())
    files['boardpack/run'] = f'cd /opt/boardpack/hostile && {words} ./{target} 2>&1\n'.encode()
    began, ended = [], []

    def enough(folder):
        console = folder / 'console.log'
        if not began and console.exists() and rounds_in(
                target, settings['SEED'], console.read_text(errors='replace').replace('\r', '')):
            began.append(time.monotonic())
        if began and time.monotonic() > began[0] + seconds:
            ended.append(True)
        return ended

    return guest.boot(kernel, guest.MACHINES[row.machine], files, seconds + 2 * BOOTED,
                      tag=f'fuzz-{target}', append=append, enough=enough), bool(ended)


def judge(target, seed, outcome, ended):
    """Return the rounds that were begun, and what is wrong with the last of them."""
    rounds = rounds_in(target, seed, outcome.console)
    report, wrong = guest.REPORTS.search(outcome.console), WRONG.search(outcome.verdict)
    if report:
        rounds = rounds_in(target, seed, outcome.console[:report.start()])
        at = outcome.console.rindex('\n', 0, report.start()) + 1
        return rounds, '\n'.join(outcome.console[at:].splitlines()[:40])
    if wrong:
        return rounds, wrong[0]
    if ended and rounds:
        return rounds, ''
    return rounds, '\n'.join(result.why for result in outcome.results if result.state == 'failed')


def hunt(target, seconds, seed):
    """What make fuzz does, in the time that it has; return whether there was a finding."""
    began = time.monotonic()
    outcome, ended = boot(target, {'SEED': seed, 'ROUNDS': ENDLESS}, seconds)
    rounds, said = judge(target, seed, outcome, ended)
    print(f'{target:6} {len(rounds):10} rounds of seed {seed}, {time.monotonic() - began:.0f} s '
          f'with the boot, {1 if said else 0} findings', flush=True)
    if said and rounds:
        first = f'{max(1, int(rounds[-1]) - LEAK)}-' if 'kmemleak' in said else ''
        print(f'  {said.splitlines()[0]}: scripts/toolroot selftests/fuzz/fuzz.py '
              f'--replay {target} {seed}:{first}{rounds[-1]}')
    elif said:
        print(said[-3000:])
    return bool(said)


def replay(target, which):
    """Run SEED:ROUND, or SEED:FIRST-LAST; return what is wrong with it."""
    words = re.fullmatch(r'(\d+):(\d+)(?:-(\d+))?', which)
    if not words:
        raise SystemExit(f'{which} is not SEED:ROUND')
    seed, first, last = words.groups()
    settings = {'SEED': seed, 'ROUND': first, 'ROUNDS': int(last or first) - int(first) + 1}
    return judge(target, seed, *boot(target, settings, 2 * BOOTED))[1]


def told(tap):
    """A finding is told from a guest that was ended by the time; no guest is booted."""
    def made_up(console, verdict='', ended=True):
        results = [ktap.Result('the guest comes to its end', 'failed', 'it stopped before')]
        return judge('usb', 5, guest.Outcome(results, console, verdict, None, 0), ended)

    one, two = 'hostile: usb 5:1\n', 'hostile: usb 5:2\n'
    tap.result(made_up(one + two) == (['1', '2'], ''), 'a guest at the end of its time')
    tap.result(made_up(one + two, ended=False)[1], 'a guest that ends before')
    tap.result(made_up('')[1], 'a guest without a round')
    rounds, said = made_up(one + 'BUG: KASAN: use-after-free\n' + two)
    tap.result(rounds == ['1'] and said.startswith('BUG: KASAN'), 'a report of the kernel', said)
    rounds, said = made_up(one + two, "Expected '' == 'HOSTILE_SEED=5 HOSTILE_ROUND=2: late'.\n")
    tap.result(rounds == ['1', '2'] and 'late' in said, 'a round that goes wrong', said)
