# SPDX-License-Identifier: GPL-2.0-only
"""From what a guest of make bench printed to figures, and to a picture of them."""

import dataclasses
import re
import statistics

import plot

STEP = 200.0                            # ms between two edges
TICK = 0.001                            # ms, the resolution of the time stamps


@dataclasses.dataclass
class Way:
    """A way to blink an LED, and which timer callback is its own."""

    name: str           # its LED is bench:<name>
    title: str
    callback: str
    colour: str
    dash: str


WAYS = [
    Way("identify", "identify, this pack", "identify_timer", plot.BLACK, ""),
    Way("supervisor", "supervisor (Node.js, blinking)", "", plot.RED, "7 3"),
    Way("writer", "C program, absolute times", "", plot.ORANGE, "2 2"),
    Way("timer", "trigger timer", "led_timer_function", plot.BLUE, "9 2 2 2"),
    Way("pattern", "trigger pattern", "pattern_trig_timer_function", plot.SKY, "4 4"),
    Way("hr_pattern", "trigger pattern, hr_pattern", "pattern_trig_hrtimer_function",
        plot.GREEN, "1 3"),
]


@dataclasses.dataclass
class Figures:
    """What one way did. Times in ms."""

    way: Way
    edges: list         # since the first
    off: list           # how far each edge is from its place in the ideal schedule
    uneven: list        # how far each interval is from what it should be
    drift: float        # per minute
    wakeups: float      # per second, None where the kernel cannot count

    def summary(self):
        """The figures that go into tables."""
        return {"edges": len(self.edges),
                **{f"deviation_{name}_ms": round(value, 3)
                   for name, value in spread(self.off).items()},
                **{f"interval_{name}_ms": round(value, 3)
                   for name, value in spread(self.uneven).items()},
                "drift_ms_per_minute": round(self.drift, 3),
                "wakeups_per_second": self.wakeups}


def spread(values):
    """Median, 99th percentile and worst of how far off something is."""
    ranked = sorted(abs(v) for v in values)
    return {"p50": ranked[len(ranked) // 2], "p99": ranked[int(len(ranked) * 0.99)],
            "worst": ranked[-1]}


def read(text):
    """Figures of every way that the guest measured."""
    begin, end = (1000 * float(re.search(rf"([\d.]+): tracing_mark_write: {mark}", text)[1])
                  for mark in ("begin", "end"))
    pins = {pin: name for name, pin in re.findall(
        r"tracing_mark_write: pin (\w+)\n.*gpio_value: (\d+) ", text)}
    edges = {}
    for stamp, pin, level in re.findall(r"([\d.]+): gpio_value: (\d+) set (\d)", text):
        changes = edges.setdefault(pins.get(pin), [])
        if begin <= 1000 * float(stamp) <= end and (not changes or changes[-1][1] != level):
            changes.append((1000 * float(stamp), level))
    return [figures(way, [t for t, _ in edges[way.name]],
                    wakeups(way, text, (end - begin) / 1000))
            for way in WAYS if len(edges.get(way.name, [])) > 10]


def figures(way, times, rate):
    """Figures of one way; its ideal schedule goes through its first second."""
    start = statistics.median(t - k * STEP for k, t in enumerate(times[:5]))
    intervals = [b - a for a, b in zip(times, times[1:])]
    drift = statistics.linear_regression(range(len(times)), times).slope - STEP
    return Figures(way, [t - times[0] for t in times],
                   [t - start - k * STEP for k, t in enumerate(times)],
                   [i - STEP for i in intervals], drift / STEP * 60e3, rate)


def wakeups(way, text, seconds):
    """How often a second something runs for it: timer callbacks, and tasks that wake up."""
    counts = re.findall(r"\{ (function|pid): +(?:\[\w+\] )?(\w+).*\} hitcount: +(\d+)", text)
    if not counts:
        return None
    mine = set(re.findall(rf"^task {way.name} (\d+)", text, re.M)) | {way.callback}
    return round(sum(int(count) for _, what, count in counts if what in mine) / seconds, 1)


def loads(text):
    """How long each module took to load, in ms: median, lowest, highest."""
    found = {}
    for name, value in re.findall(r"^load (\w+) (\d+)", text, re.M):
        found.setdefault(name, []).append(int(value) / 1e6)
    return {name: (statistics.median(v), min(v), max(v)) for name, v in found.items()}


def draw(found, subtitle, path):
    """Deviation over time, and how it is distributed."""
    picture = plot.Picture(1020, 470, "How punctually an LED blinks under load")
    picture.text(20, 22, "How far blink edges are from their places", 17)
    picture.text(20, 44, subtitle, 12, colour=plot.GREY)
    decades = [(10.0 ** e, f"{10.0 ** e:g}") for e in range(-3, 5)]
    over = plot.Axis(0, round(max(f.edges[-1] for f in found) / 1000), 80, 480)
    up = plot.Axis(TICK / 2, 1e4, 390, 70, log=True)
    picture.x_axis(over, 390, 70, [(s, str(s)) for s in range(0, over.high + 1, 10)],
                   "time (s)")
    picture.y_axis(up, 80, 480, decades, "deviation from the ideal schedule (ms)")
    across, share = plot.Axis(TICK / 2, 1e4, 560, 980, log=True), plot.Axis(0, 100, 390, 70)
    picture.x_axis(across, 390, 70, decades, "deviation from the ideal schedule (ms)")
    picture.y_axis(share, 560, 980, [(p, str(p)) for p in range(0, 101, 25)],
                   "edges at most that far off (%)")
    for number, one in enumerate(found):
        way, off = one.way, [abs(v) for v in one.off]
        picture.line([(over.at(t / 1000), up.at(v)) for t, v in zip(one.edges, off)],
                     way.colour, 1.3, way.dash)
        picture.line([(across.at(v), share.at(100 * (i + 1) / len(off)))
                      for i, v in enumerate(sorted(off))], way.colour, 2, way.dash)
        x, y = 80 + 320 * (number % 3), 440 + 18 * (number // 3)
        picture.line([(x, y), (x + 36, y)], way.colour, 2, way.dash)
        picture.text(x + 44, y, way.title)
    picture.write(path)
