# SPDX-License-Identifier: GPL-2.0-only
"""Times of several ways to do the same: figures, rows of a table, a picture; and the aim."""

import dataclasses
import statistics

import plot


@dataclasses.dataclass
class Times:
    """What one way took, in ms."""

    way: str
    values: list

    def summary(self):
        """Median, lowest and highest."""
        return {"median_ms": round(statistics.median(self.values), 3),
                "lowest_ms": round(min(self.values), 3),
                "highest_ms": round(max(self.values), 3), "rounds": len(self.values)}


def rows(what, found):
    """A row of a table for each way."""
    return [[f"{what}: {one.way}", *(f"{v:.1f}" for v in (
        statistics.median(one.values), min(one.values), max(one.values))), str(len(one.values))]
        for one in found]


def aim(good, words):
    """The sentence that tells whether an aim is reached."""
    return f"Aim {'reached' if good else 'MISSED'}: {words}"


def missed(said):
    """Whether what is said of a measurement holds an aim that is missed."""
    return "Aim MISSED:" in said


def draw(found, colours, title, path, decades=range(5)):
    """How the times are distributed, between two powers of ten."""
    step = max(240, 50 + 7 * max(len(one.way) for one in found))
    width = max(760, 90 + step * len(found))
    picture = plot.Picture(width, 330, title)
    picture.text(20, 22, title, 17)
    across = plot.Axis(10.0 ** decades[0], 10.0 ** decades[-1], 70, width - 40, log=True)
    share = plot.Axis(0, 100, 260, 50)
    picture.x_axis(across, 260, 50, [(10.0 ** e, f"{10.0 ** e:g}") for e in decades], "ms")
    picture.y_axis(share, 70, width - 40, [(p, str(p)) for p in range(0, 101, 25)],
                   "rounds that had it by then (%)")
    for number, (one, colour) in enumerate(zip(found, colours)):
        ranked = sorted(one.values)
        points = [(across.at(v), share.at(100 * (i + part) / len(ranked)))
                  for i, v in enumerate(ranked) for part in (0, 1)]
        picture.line(points, colour, 2)
        picture.line([(80 + step * number, 310), (110 + step * number, 310)], colour, 2)
        picture.text(116 + step * number, 310, one.way)
    picture.write(path)
