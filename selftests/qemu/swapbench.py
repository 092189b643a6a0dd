# SPDX-License-Identifier: GPL-2.0-only
"""How many trees dtb-swap checks a second, and how long its merge takes beside fdtoverlay.

All ways get the same trees of Debian's, or the same pairs of tree and overlay. In a shell loop
each file is a process of its own, as dtc and fdtoverlay are used.
"""

import json
import pathlib
import statistics
import sys
import tempfile

import plot
import spread
import treebench
from kernel import TOP

sys.path.insert(0, str(TOP / "selftests/dtb-swap"))

# pylint: disable=wrong-import-position
import bases            # noqa: E402
import overlays         # noqa: E402
from bench import tool  # noqa: E402

ROUNDS = 7
KERNELS = "6.12", "6.12-armhf", "7.2"
SHARE = 10              # of the pairs, and of the trees in a loop, one in so many
COLOURS = plot.BLACK, plot.BLUE, plot.RED, plot.SKY, plot.ORANGE
EACH = """while read -r tree; do
	{what} 2>/dev/null >&2 || exit 1
done <{listing}
"""
PAIRS = """while read -r tree overlay; do
	{what} 2>/dev/null >&2 || exit 1
done <{listing}
"""


def claims(blob):
    """Return the boards that an overlay is for."""
    return set(bases.root_compatible(blob))


def pairs(trees, blobs, out):
    """Return the pairs that both can merge: the labels are there, the boards fit, no address is
    taken.
    """
    named = [(blob, claims(blob)) for blob in blobs]
    both = [(base.dtb, blob) for base in trees if bases.labelled(base.dtb)
            for blob, names in named if not names or names & set(base.compatible)][::SHARE]
    return [pair for pair in both if merges(*pair, out)]


def merges(tree, blob, out):
    """Return whether both merge a pair."""
    ways = ([str(tool()), "merge", tree, blob, "-o", out],
            ["fdtoverlay", "-i", tree, "-o", out, blob])
    try:
        for way in ways:
            treebench.timed([str(word) for word in way])
    except SystemExit:
        return False
    return True


def ways(trees, found, work):
    """Return {way: (number of files, what to run)}."""
    files = [str(base.dtb) for base in trees]
    some = files[::SHARE]
    (work / "trees").write_text("".join(f"{name}\n" for name in some))
    (work / "pairs").write_text("".join(f"{tree} {blob}\n" for tree, blob in found))
    out = work / "out.dtb"

    def loop(text, listing, what):
        return ["sh", "-c", text.format(what=what, listing=work / listing)]

    return {
        "dtb-swap check --structure, all at once":
            (len(files), [str(tool()), "check", "--structure", "--quiet", *files]),
        "dtb-swap check --structure, a loop":
            (len(some), loop(EACH, "trees", f'{tool()} check --structure "$tree"')),
        "dtc -I dtb -O dtb, a loop":
            (len(some), loop(EACH, "trees", f'dtc -q -I dtb -O dtb -o {out} "$tree"')),
        "dtb-swap merge, a loop":
            (len(found), loop(PAIRS, "pairs", f'{tool()} merge "$tree" "$overlay" -o {out}')),
        "fdtoverlay, a loop":
            (len(found), loop(PAIRS, "pairs", f'fdtoverlay -i "$tree" -o {out} "$overlay"'))}


def report(folder):
    """Measure, write the figures, return the rows to show and the sentence below them."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        blobs = [path for family in overlays.build(work).values() for path in family]
        trees = [base for kernel in KERNELS for base in bases.shipped(kernel)]
        jobs = ways(trees, pairs(trees, blobs, work / "x.dtb"), work)
        taken = {way: [] for way in jobs}
        for _ in range(ROUNDS):
            for way, (_, command) in jobs.items():
                taken[way].append(treebench.timed(command)[:2])
    return write(folder, {way: count for way, (count, _) in jobs.items()}, taken)


def write(folder, counts, taken):
    """Write the figures; return rows and sentence."""
    each = {way: [1e6 * cpu / counts[way] for _, cpu in values] for way, values in taken.items()}
    middle = {way: statistics.median(values) for way, values in each.items()}
    rows = [["way", "files", "us of CPU a file", "lowest", "highest", "files a second"]]
    rows += [[way, str(counts[way]), *(f"{one(each[way]):.0f}" for one in (
        statistics.median, min, max)), f"{1e6 / middle[way]:.0f}"] for way in taken]
    (folder / "dtb-swap.json").write_text(json.dumps({"files": counts, "rounds": ROUNDS,
                                                      "ways": taken}) + "\n")
    spread.draw([spread.Times(way, [us / 1000 for us in values]) for way, values in each.items()],
                COLOURS, "CPU time that a file takes", folder / "dtb-swap.svg", range(-1, 3))
    _, check, dtc, merge, peer = middle.values()
    return rows, (f"Medians of {ROUNDS} rounds, of the CPU's time. merge takes "
                  f"{merge / peer:.2f} times as long as fdtoverlay, check {check / dtc:.2f} times "
                  "as long as dtc.\n")
