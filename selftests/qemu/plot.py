# SPDX-License-Identifier: GPL-2.0-only
"""Plots as SVG: lines and steps in panels with linear or logarithmic axes."""

import dataclasses
import math
from xml.sax.saxutils import escape

# The palette of Okabe and Ito, which the colour-blind can tell apart; every use
# of it here comes with a dash or a label too.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7")
GREY, SHADE = "#767676", "#e8f0f8"


@dataclasses.dataclass
class Axis:
    """Where values of one direction are in the picture."""

    low: float
    high: float
    start: float        # of 'low', in pixels
    end: float          # of 'high'
    log: bool = False

    def at(self, value):
        """The pixel of a value; what is outside is at the edge."""
        value = min(max(value, self.low), self.high)
        part = (math.log(value / self.low) / math.log(self.high / self.low) if self.log
                else (value - self.low) / (self.high - self.low))
        return round(self.start + part * (self.end - self.start), 1)


class Picture:
    """An SVG in the making."""

    def __init__(self, width, height, title):
        self.size = width, height
        self.parts = [f"<title>{escape(title)}</title>",
                      f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def box(self, x, y, width, height, fill):
        """A filled rectangle."""
        self.parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" '
                          f'fill="{fill}"/>')

    def line(self, points, colour=BLACK, width=1.0, dash=""):
        """A line through points."""
        path = " ".join(f"{x},{y}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                          f'stroke-width="{width}" stroke-dasharray="{dash}"/>')

    def dot(self, x, y, colour, radius=1.2):
        """A point."""
        self.parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}"/>')

    def text(self, x, y, words, size=12, anchor="start", colour=BLACK, turn=0):
        """A line of text; its place is the middle of its height."""
        place = f' transform="rotate({turn} {x} {y})"' if turn else ""
        self.parts.append(f'<text x="{x}" y="{y}" dy="0.35em" font-size="{size}" '
                          f'text-anchor="{anchor}" fill="{colour}"{place}>{escape(words)}</text>')

    def x_axis(self, axis, y, top, ticks, name):
        """An axis at the bottom of a panel, with lines up to its top."""
        for value, label in ticks:
            x = axis.at(value)
            self.line([(x, top), (x, y + 4)], GREY, 0.3)
            self.text(x, y + 14, label, 11, "middle")
        self.line([(axis.start, y), (axis.end, y)])
        self.text((axis.start + axis.end) / 2, y + 32, name, 12, "middle")

    def y_axis(self, axis, x, right, ticks, name):
        """An axis at the left of a panel, with lines to its right."""
        for value, label in ticks:
            y = axis.at(value)
            self.line([(x - 4, y), (right, y)], GREY, 0.3)
            self.text(x - 8, y, label, 11, "end")
        self.line([(x, axis.start), (x, axis.end)])
        self.text(x - 52, (axis.start + axis.end) / 2, name, 12, "middle", turn=-90)

    def write(self, path):
        """Put the picture into a file."""
        width, height = self.size
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif">\n' +
            "\n".join(self.parts) + "\n</svg>\n")


def step_points(edges, level, start, end):
    """The corners of a two-valued signal from start to end: (time, level)."""
    points = [(start, level)]
    for time, value in edges:
        if start <= time <= end:
            points += [(time, points[-1][1]), (time, value)]
    return points + [(end, points[-1][1])]


def strip(edges, level, start, end, columns):
    """The same as text: one character a column, lit where it is so most of the time."""
    points = step_points(edges, level, start, end)
    step, text = (end - start) / columns, ""
    for column in range(columns):
        left, right = start + column * step, start + (column + 1) * step
        lit = sum(max(0.0, min(b, right) - max(a, left))
                  for (a, value), (b, _) in zip(points, points[1:]) if value)
        text += "█" if lit > step / 2 else "▁"
    return text
