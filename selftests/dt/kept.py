#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is kept in the cache is whole, and of now."""

import os
import pathlib
import sys
import tempfile
import time

import libfdt

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bases        # noqa: E402
import overlays     # noqa: E402
import trees        # noqa: E402
from ktap import Tap            # noqa: E402
from tap import run             # noqa: E402
from tools import Wrong, cpp, dt_apply, sources    # noqa: E402

NAME = 'imx8mm-evk'
# No room for a file of so many bytes.
FULL = '''import pathlib, resource, sys
sys.path.insert(0, 'scripts/dt')
import bases
bases.kernels()[{kernel!r}].ensure()
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
bases.CACHE = pathlib.Path({cache!r})
print(len({what}))
'''


def once(tap, work):
    """What was compiled is taken from the cache until anything that it is made of changes."""
    source, out, compiled = work / 'once.dtso', work / 'once.dtbo', []

    def make(*args, **how):
        compiled.append(args)
        return overlays.compile_source(*args, **how)

    def again(text, *options, kernel=overlays.KERNEL):
        source.write_text(f'/dts-v1/;\n/ {{ {text} }};\n', encoding='utf-8')
        out.unlink(missing_ok=True)
        before = len(compiled)
        overlays.once(source, out, options, kernel, make)
        return len(compiled) - before, libfdt.Fdt(out.read_bytes()).getprop(0, 'a').as_str()

    cache, overlays.CACHE = overlays.CACHE, work / 'cache'
    for name, words, count in (
            ('is compiled', ['a = B;', '-DB="b"'], 1),
            ('is not compiled a second time', ['a = B;', '-DB="b"'], 0),
            ('with another option is', ['a = B;', '-DB="c"'], 1),
            ('with another text is', ['b; a = B;', '-DB="b"'], 1)):
        found = again(*words)
        tap.result(found == (count, words[1][-2]), f'a source {name}', found)
    tap.result(again('a = B;', '-DB="b"', kernel='7.2')[0] == 1, 'a source for another kernel is')
    for _ in range(2):
        try:
            found = again('a = "b"; reg = <1>; c@1 { };')
        except Wrong:
            found = 'a complaint'
    tap.result(found == 'a complaint', 'what had a warning is not taken from the cache', found)
    overlays.CACHE = cache


def depends(tap):
    """A file that any source includes is one of those that the cache looks at."""
    known = set(overlays.included())
    for source in [*overlays.sources(), *sorted((TOP / 'dts').rglob('*.dts'))]:
        top = overlays.kernel_sources(trees.kernels_of(source)[0])
        options = overlays.defines(None, dict.fromkeys([*overlays.NEEDS, *overlays.MODEM], 'x'))
        said = run(*cpp(top, TOP / 'dts', TOP / 'overlays'), '-M', *options, source).stdout
        used = {pathlib.Path(word).resolve() for word in said.split() if word.startswith('/')}
        ours_used = {path for path in used if TOP in path.parents} - {source}
        tap.result(source in used and ours_used <= known, f'{source.stem}: what it includes',
                   ours_used - known)


def child(function, wait):
    """Begin a function in a process of its own, after some seconds."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            time.sleep(wait)
            function()
            status = 0
        finally:
            os._exit(status)        # pylint: disable=protected-access
    return pid


def at_once(tap, work):
    """Two or more that compile a tree at once have a whole one, and its map."""
    top = sources('6.12')
    source = next((top / 'arch/arm64/boot/dts').rglob(f'{NAME}.dts'))
    tree, program, wrong = work / f'{NAME}.dtb', dt_apply(), []
    for count, wait in ((4, 0), (2, 0.005), (2, 0.02), (3, 0.01)):
        for path in work.glob(f'{NAME}*'):
            path.unlink()
        pids = [child(lambda: bases.compile_tree(source, top, tree), wait * i) for i in range(count)]
        states = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        there = sorted(path.name for path in work.glob(f'{NAME}*'))
        labels = tree.with_suffix('.labels')
        if any(states) or there != [tree.name, labels.name] or \
                labels.read_text() != run(program, 'labels', tree).stdout:
            wrong.append(f'{count} with {wait} s between: {states} {there}')
    tap.result(not wrong, 'trees that are compiled at once', '\n'.join(wrong))


def full(tap, work):
    """What had no room is told, and is made again."""
    cache = work / 'full'
    (cache / 'dt').mkdir(parents=True)
    for what, text in (('the list of trees', "bases.shipped('6.12')"),
                       ('a compiled tree', f"bases.compiled([bases.Base('6.12', '{NAME}', '', ())])")):
        said = []
        for room in (4096, 1 << 30):
            done = run(sys.executable, '-c', FULL.format(kernel='6.12', room=room, cache=str(cache),
                                                         what=text))
            said.append((done.returncode, done.stdout.splitlines()[-1:], [
                path.name for path in cache.rglob('*') if path.is_file() and path.name[-1].isdigit()]))
        tap.result(said[0][0] == 1 and 'File too large' in said[0][1][0] and
                   said[1][0] == 0 and not said[0][2], f'no room for {what}, then some', said)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        once(tap, pathlib.Path(work))
        at_once(tap, pathlib.Path(work))
        full(tap, pathlib.Path(work))
    depends(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
