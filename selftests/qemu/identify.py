# SPDX-License-Identifier: GPL-2.0-only
"""The identify LED of an emulated i.MX8M Plus board, with its pin watched from outside.

QEMU writes down, with the time of the host, what the guest writes to the GPIO
controller and to the serial port of the verdict: so the LED and the moment of
the press are in one recording, in which the guest has no say.
"""

import dataclasses
import re
import statistics

import ktap
from guest import MACHINES, boot, stage_modules
from kernel import HERE, OUT

BOARD = "imx8mp-field"
LED, LINE = "green:status", 16          # on gpio3
STEP, LENGTH = 0.2, 5                   # of the pattern, in seconds
EDGES = round(LENGTH / STEP) + 1
LATE = STEP / 2                         # from here on an edge is in the wrong place
# QEMU 10 prints the offset of the transmit register, 0x40, in decimal behind its 0x.
EVENT = re.compile(r"@([\d.]+):(?:imx_gpio_write \S*/gpio3:\[(GDIR|DR)\] <- (\w+)|"
                   r"imx_serial_write serial2:\[0x0?(?:64|40)\] <- (\w+))")


@dataclasses.dataclass
class Recording:
    """What the pin did; times are seconds since the press."""

    edges: list         # (time, level)
    marks: dict         # word: time
    outcome: object     # of the boot

    def level(self, time):
        """What the pin was at a time."""
        return next((level for t, level in reversed(self.edges) if t <= time), 0)

    def blink(self):
        """The times of the pattern's edges: from the first on after the press."""
        first = next((i for i, (t, level) in enumerate(self.edges) if t >= 0 and level), None)
        return [] if first is None else [t for t, _ in self.edges[first:first + EDGES]]


@dataclasses.dataclass
class Shape:
    """What was measured, in seconds; 'late' is how far each edge is from its place."""

    answer: float
    period: float
    duty: float
    late: list


def prepare(kernel, tag):
    """The board on its carrier tree, and what the guest holds."""
    work, _ = kernel.build_pack()
    stage = stage_modules(kernel, ["leds-gpio"], sorted(work.glob("drivers/**/*.ko")),
                          OUT / "stage" / f"{kernel.name}-{tag}")
    return MACHINES[BOARD], {
        "lib/modules": stage / "lib/modules", "boardpack/press": HERE / "press",
        "boardpack/modules": b"leds-gpio\n",
        "boardpack/run": f"exec /boardpack/press {LED}\n".encode()}


def record(kernel, tag="demo"):
    """Boot the board, press identify, record the pin."""
    machine, files = prepare(kernel, tag)
    trace = OUT / "run" / f"{kernel.name}-{tag}.trace"
    outcome = boot(kernel, machine, files, 300, tag=tag, icount="", extra=[
        "-trace", "imx_gpio_write", "-trace", "imx_serial_write", "-D", trace,
        "-msg", "timestamp=on"])
    return read(trace.read_text(), outcome)


def read(text, outcome):
    """A recording from QEMU's trace."""
    registers, level, line = {"DR": 0, "GDIR": 0}, None, ""
    edges, marks = [], {}
    for stamp, register, value, char in EVENT.findall(text):
        if char:
            line = "" if line.endswith("\n") else line
            line += chr(int(char, 16) & 0x7f)
            if line.startswith("# mark") and line.endswith("\n"):
                marks[line.split()[2]] = float(stamp)
            continue
        registers[register] = int(value, 16)
        driven = registers["DR"] & registers["GDIR"]
        if level != (level := driven >> LINE & 1):
            edges.append((float(stamp), level))
    zero = marks.get("press", edges[0][0] if edges else 0)
    return Recording([(t - zero, level) for t, level in edges],
                     {word: t - zero for word, t in marks.items()}, outcome)


def measure(recording):
    """The shape of the blinking, or None where there are too few edges."""
    times = recording.blink()
    if len(times) < EDGES:
        return None
    span = times[-1] - times[1]         # whole periods, from off to off
    lit = sum(off - on for on, off in zip(times[2::2], times[3::2]))
    late = [t - k * STEP for k, t in enumerate(times)]
    return Shape(times[0], span / (EDGES / 2 - 1), lit / span,
                 [t - statistics.median(late) for t in late])


def results(kernel, tag="check"):
    """The same as tests, for make check."""
    return judge(record(kernel, tag))


def judge(recording):
    """Results of the guest, and of the pin."""
    out, shape = list(recording.outcome.results), measure(recording)

    def test(name, good, why):
        out.append(ktap.Result(name, "passed" if good else "failed", "" if good else why))

    times = recording.blink()
    test("the pin shows each edge of the pattern in its place",
         shape and max(map(abs, shape.late)) < LATE,
         "edges at " + ", ".join(f"{t:.3f}" for t in times))
    beats = [t for t, level in recording.edges if level and t > max(times, default=0)]
    test("the pin beats again afterwards", len(beats) > 1, f"lit at {beats} s")
    return out
