#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What make bench makes of numbers that were recorded: files, and an exit status that tells of an
aim that is missed; and what make demo says of its time.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

from tap import Tap

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
# Seconds on the clock and of the CPU; all of a way's rounds are taken to be alike.
TREES = {"dt-apply": (0.6, 0.6), "dt-apply, 2 workers": (0.4, 0.7),
         "fdtoverlay in a shell loop": (3.9, 4.1),
         "fdtoverlay and dtc in a shell loop": (29.0, 31.9)}
SWAP = {"dtb-swap check --structure, all at once": (3.2, 3.1, 3640),
        "dtb-swap check --structure, a loop": (0.7, 0.6, 364),
        "dtc -I dtb -O dtb, a loop": (6.1, 5.9, 364), "dtb-swap merge, a loop": (2.2, 2.1, 544),
        "fdtoverlay, a loop": (2.9, 2.7, 544)}
STRAIGHT, BENT = ([(3356, 2.5), (6695, 4.5), (13389, last)] for last in (8.7, 31.0))


def program(name):
    """A program of the bench, as a module."""
    loader = importlib.machinery.SourceFileLoader(f"program_{name}", str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


BENCH, DEMO = program("bench"), program("demo")


def status(tests, folder):
    """make bench TESTS=, all but the measuring; returns its exit status."""
    BENCH.FIGURES = folder
    sys.argv = ["bench", "--tests", tests]
    with contextlib.redirect_stdout(io.StringIO()):
        return BENCH.main()


def trees(folder, growth=STRAIGHT):
    """What comes of these figures, and of the time that ever more pairs take."""
    BENCH.treebench.report = lambda into: BENCH.treebench.write(
        into, 3356, {way: [times] * 5 for way, times in TREES.items()}, growth)
    BENCH.swapbench.report = lambda into: BENCH.swapbench.write(
        into, {way: count for way, (*_, count) in SWAP.items()},
        {way: [times] * 7 for way, (*times, _) in SWAP.items()})
    return status("dt dtb-swap", folder)


def drawn(path, ways):
    """Whether a picture names all ways and has a line for each, beside that of the legend."""
    if not path.exists():
        return False
    parts = list(xml.etree.ElementTree.parse(path).iter())
    words = {part.text for part in parts}
    lines = [p.get("points") for p in parts if p.tag.endswith("polyline")]
    return set(ways) <= words and sum(len(points.split()) > 4 for points in lines) == len(ways)


def files(tap, folder):
    """What dt and dtb-swap write."""
    tap.result(trees(folder) == 0, "dt: straight growth: exit status 0")
    for name, ways in (("trees", TREES), ("dtb-swap", SWAP)):
        tap.result((folder / f"{name}.json").exists() and (folder / f"{name}.md").exists(),
                   f"{name}: JSON and a table are written", list(folder.iterdir()))
        tap.result(drawn(folder / f"{name}.svg", ways), f"{name}: a picture of all ways is drawn",
                   list(folder.iterdir()))


def missed(tap, folder):
    """What comes of an aim that is missed."""
    tap.result(trees(folder, BENT) == 1, "dt: growth that is bent: exit status 1")
    tap.result(len(list(folder.iterdir())) == 6, "all is measured and written all the same",
               list(folder.iterdir()))


def leds(folder, late=0.014, drift=0.0, supervisor=860.0):
    """What comes of edges that are that late, in ms, and of a drift of all."""
    off = {"identify": late, "supervisor": supervisor, "writer": 2.0}
    edges = [200.0 * n for n in range(300)]
    BENCH.measure = lambda *_: ("", folder)
    BENCH.figures.read = lambda _: [
        BENCH.figures.Figures(way, edges, [off[way.name]] * 300, [off[way.name]] * 299, drift, 5.0)
        for way in BENCH.figures.WAYS if way.name in off]
    return status("leds", folder)


def rtc(folder, ours=3.7):
    """What comes of the time that rtc-seed takes."""
    times = BENCH.spread.Times
    BENCH.seedbench.after_registration = lambda _: [
        times("rtc-seed", [ours] * 3), times("udev, hwclock starts", [53.0] * 3),
        times("udev", [549.0] * 3)]
    BENCH.seedbench.since_boot = lambda _: [times("rtc-seed", [40000.0])]
    return status("rtc", folder)


def usb(folder, ours=1.5, theirs=981.0):
    """What comes of the times that usb-modeswitch and usb_modeswitch take."""
    found = [BENCH.spread.Times(way, [ms]) for way, ms in (
        ("first", ours), ("second", 18.9), ("cold", 407.0), ("theirs", theirs), ("both", 1237.0))]
    BENCH.modembench.report = lambda *_: ([["what"]], [["costs"]], BENCH.modembench.verdict(found))
    return status("usb", folder)


def told(tap, folder):
    """What comes of the other aims: figures that reach them, and one at a time that does not."""
    for topic, *missed_by in ((leds, {"late": 1.2}, {"drift": 2.0}, {"drift": -2.0}, {"supervisor": 0.1}),
                              (rtc, {"ours": 6.0}), (usb, {"ours": 6.0}, {"theirs": 140.0})):
        found = [topic(folder), *(topic(folder, **one) for one in missed_by)]
        tap.result(found == [0] + [1] * len(missed_by),
                   f"{topic.__name__}: exit status 0 and, where a part of the aim is missed, 1", found)


def main():
    """Run all."""
    tap = Tap()
    BENCH.OUT.mkdir(exist_ok=True)
    for test in (files, missed, told):
        with tempfile.TemporaryDirectory(dir=BENCH.OUT) as folder:
            test(tap, pathlib.Path(folder))
    tap.result(DEMO.took(26.6, 0.4) == "took 27 s", "demo: its time", DEMO.took(26.6, 0.4))
    said = DEMO.took(245.2, 131.4)
    tap.result("took 245 s, of which 131 s fetching" in said, "demo: what of it fetching took",
               said)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
