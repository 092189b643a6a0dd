#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the demo and the bench say about recordings that are made up: one that is
# good, and one with each fault that they must see.

cd "$(dirname "$0")" && exec python3 -B - <<'PYTHON'
import figures
import identify


def trace(missing=(), late=(), beats=3, edges=identify.EDGES):
    """What QEMU writes down of a press and a blinking LED."""
    def gpio(time, register, value):
        return f"7@{time:.6f}:imx_gpio_write /machine/soc/gpio3:[{register}] <- {value:#x}"

    lines = [gpio(9, "GDIR", 1 << identify.LINE)]
    lines += [f"7@10.000000:imx_serial_write serial2:[0x064] <- {ord(c):#010x}"
              for c in "# mark press\n"]
    for k in range(edges):
        if k not in missing:
            time = 10.03 + k * identify.STEP + (0.15 if k in late else 0)
            lines.append(gpio(time, "DR", (1 - k % 2) << identify.LINE))
    for beat in range(beats):
        lines += [gpio(16 + beat, "DR", 1 << identify.LINE), gpio(16.1 + beat, "DR", 0)]
    return "\n".join(lines)


class Boot:
    results = []


def failures(text):
    return [r.name for r in identify.judge(identify.read(text, Boot())) if r.state == "failed"]


def guest(step=200.0, late=0.0):
    """What a guest prints that blinked one LED for a minute."""
    def line(ms, words):
        return f"  x-1 [000] d..1. {ms / 1000:.6f}: {words}"

    times = [2000 + k * step + (late if k == 100 else 0) for k in range(300)]
    return "\n".join([line(900, "tracing_mark_write: pin identify"),
                      line(901, "gpio_value: 512 set 1"), line(902, "gpio_value: 512 set 0"),
                      line(1950, "tracing_mark_write: begin")] +
                     [line(t, f"gpio_value: 512 set {1 - k % 2}") for k, t in enumerate(times)] +
                     [line(61950, "tracing_mark_write: end"),
                      "{ function: [ffff8000] identify_timer [leds_identify]   } hitcount:   300"])


def summary(**fault):
    return figures.read(guest(**fault))[0].summary()


number = 0


def test(name, good):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} {name}")


print("TAP version 13\n1..11")
shape = identify.measure(identify.read(trace(), Boot()))
test("a good recording passes", not failures(trace()))
test("its figures are right", abs(shape.answer - 0.03) + abs(shape.period - 0.4) < 1e-5 and
     abs(shape.duty - 0.5) < 1e-5)
test("a blink that is missing is seen", failures(trace(missing=(10, 11))))
test("an edge in the wrong place is seen", failures(trace(late=(7,))))
test("an LED that stays dark is seen", failures(trace(edges=0, beats=0)))
test("an LED that is not given back is seen", len(failures(trace(beats=0))) == 1)
test("a punctual LED deviates by nothing", summary()["deviation_worst_ms"] == 0)
test("a drift is measured", abs(summary(step=204.0)["drift_ms_per_minute"] - 1200) < 0.01)
test("one late edge is the worst, not the median",
     summary(late=3.0)["deviation_worst_ms"] == 3 and summary(late=3.0)["deviation_p50_ms"] == 0)
test("one late edge is no drift", abs(summary(late=3.0)["drift_ms_per_minute"]) < 1)
test("wakeups are counted per second", summary()["wakeups_per_second"] == 5.0)
PYTHON
