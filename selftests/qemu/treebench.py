# SPDX-License-Identifier: GPL-2.0-only
"""How long it takes to prove overlays against trees: dt-apply, and a shell loop of dtc's tools.

All get the same pairs: trees that have labels, since fdtoverlay can do nothing with the
others, and the overlays that claim them. dt-apply looks for devices at one address and on
one GPIO, too; of the loops the second one has dtc look at each result.
"""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import plot
import spread
from kernel import TOP

sys.path.insert(0, str(TOP / "scripts/dt"))

# pylint: disable=wrong-import-position
import bases            # noqa: E402
import libfdt           # noqa: E402
import overlays         # noqa: E402
from tools import dt_apply      # noqa: E402

ROUNDS = 5
SHARE = 40              # of the trees, one in so many
COLOURS = plot.BLACK, plot.BLUE, plot.ORANGE, plot.RED
LOOP = """while read -r tree overlay; do
	fdtoverlay -i "$tree" -o {out} "$overlay" 2>/dev/null || exit 1{more}
done <{pairs}
"""
DTC = """
	dtc -q -I dtb -O dtb -o /dev/null {out} || exit 1"""


def labelled():
    """Return the families' trees with labels, as the kernel's source gives them."""
    boards = {name for row in overlays.families().values() for name in row.compatible.split()}
    found = [base for base in bases.claimed(boards)
             if (base.kernel, base.name) not in overlays.lacking()]
    return sorted(set(map(str, bases.compiled(found).values())))


def claims(blob):
    """Return the boards that an overlay is for."""
    return set(bases.root_compatible(pathlib.Path(blob)))


def pairs(trees, blobs):
    """Return the pairs that fdtoverlay can apply: the label is there, the boards fit."""
    wanted = {blob: (claims(blob), labels(blob)) for blob in blobs}
    found = []
    for path in trees:
        tree = libfdt.Fdt(pathlib.Path(path).read_bytes())
        boards = set(bases.root_compatible(pathlib.Path(path)))
        found += [(path, blob) for blob, (names, needs) in wanted.items()
                  if (not names or names & boards) and needs <= symbols(tree)]
    return found


def names(tree, path):
    """Return the names of a node's properties."""
    node = tree.path_offset(path, quiet=(libfdt.NOTFOUND,))
    found = set()
    prop = tree.first_property_offset(node, quiet=(libfdt.NOTFOUND,)) if node >= 0 else -1
    while prop >= 0:
        found.add(tree.get_property_by_offset(prop).name)
        prop = tree.next_property_offset(prop, quiet=(libfdt.NOTFOUND,))
    return found


def symbols(tree):
    """Return the labels of a tree."""
    return names(tree, "/__symbols__")


def labels(blob):
    """Return the labels that an overlay refers to."""
    return names(libfdt.Fdt(pathlib.Path(blob).read_bytes()), "/__fixups__")


def timed(command, text=None):
    """Run a command; return seconds on the clock and of the CPU, and what it said."""
    used, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    end, now = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[0]}: status {done.returncode}\n{done.stdout[-800:]}"
                         f"{done.stderr[-800:]}")
    return end - start, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, done.stdout


def ways(found, blobs, work):
    """Return {way: what to run}."""
    listing = work / "pairs"
    listing.write_text("".join(f"{tree} {blob}\n" for tree, blob in found))
    lines = "".join(f"{tree}\n" for tree in dict.fromkeys(tree for tree, _ in found))
    out = work / "out.dtb"

    def loop(more=""):
        return ["sh", "-c", LOOP.format(out=out, pairs=listing, more=more)], None

    check = [str(dt_apply()), "check", *map(str, blobs)]
    return {"dt-apply": (check, lines),
            f"dt-apply, {os.cpu_count()} workers":
                ([*check[:2], "-j", str(os.cpu_count()), *check[2:]], lines),
            "fdtoverlay in a shell loop": loop(),
            "fdtoverlay and dtc in a shell loop": loop(DTC.format(out=out))}


def growth(trees, blobs):
    """Return (pairs, seconds of the CPU) for a quarter, a half and all of the trees."""
    found = []
    for part in (4, 2, 1):
        _, cpu, said = timed([str(dt_apply()), "check", *map(str, blobs)],
                             "".join(f"{tree}\n" for tree in trees[::part]))
        found.append((int(said.splitlines()[-1].split()[2]), round(cpu, 3)))
    return found


def report(folder):
    """Measure, write the figures, return the rows to show and the sentence below them."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        built = overlays.build(work)
        blobs = [path for family in built.values() for path in family]
        trees = labelled()
        found = pairs(trees[::SHARE], blobs)
        jobs = ways(found, blobs, work)
        taken = {way: [] for way in jobs}
        for _ in range(ROUNDS):
            for way, job in jobs.items():
                clock, cpu, said = timed(*job)
                if way.startswith("dt-apply") and f" {len(found)} pairs" not in said:
                    raise SystemExit(f"not the same work: {len(found)} pairs, {said}")
                taken[way].append((clock, cpu))
        linear = growth(trees, blobs)
    return write(folder, len(found), taken, linear)


def write(folder, count, taken, linear):
    """Write the figures; return rows and sentence."""
    middle = {way: [statistics.median(column) for column in zip(*values)]
              for way, values in taken.items()}
    first = next(iter(middle.values()))
    rows = [["way", "seconds", "lowest", "highest", "CPU seconds", "us of CPU a pair", "ratio"]]
    for way, (clock, cpu) in middle.items():
        rows.append([way, f"{clock:.2f}", *(f"{one(v[0] for v in taken[way]):.2f}"
                                            for one in (min, max)),
                     f"{cpu:.2f}", f"{1e6 * cpu / count:.0f}", f"{cpu / first[1]:.1f}"])
    data = {"pairs": count, "rounds": ROUNDS, "ways": taken, "growth": linear}
    (folder / "trees.json").write_text(json.dumps(data) + "\n")
    spread.draw([spread.Times(way, [1000 * cpu for _, cpu in values])
                 for way, values in taken.items()], COLOURS,
                f"CPU time to prove {count} pairs of tree and overlay", folder / "trees.svg",
                range(1, 6))
    each = [1e6 * cpu / pairs for pairs, cpu in linear]
    return rows, (
        f"{count} pairs, medians of {ROUNDS} rounds; the ratio is that of the CPU seconds.\n" +
        spread.aim(max(each) < 1.25 * min(each), "linear in pairs: ") +
        ", ".join(f"{pairs} pairs {us:.0f} us each" for (pairs, _), us in zip(linear, each)) +
        f"; all trees with labels in {linear[-1][1]:.1f} CPU seconds.\n")
