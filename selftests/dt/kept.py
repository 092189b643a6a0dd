#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is kept in the cache is whole, and of now."""

import pathlib
import sys
import tempfile

import libfdt

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import overlays     # noqa: E402
import trees        # noqa: E402
from ktap import Tap            # noqa: E402
from tap import run             # noqa: E402
from tools import Wrong, cpp    # noqa: E402


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


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        once(tap, pathlib.Path(work))
    depends(tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
