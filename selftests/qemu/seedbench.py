# SPDX-License-Identifier: GPL-2.0-only
"""How soon a late RTC has set the clock: rtc-seed, and user space in the same guest."""

import concurrent.futures
import json
import os
import re
import statistics

import plot
import spread
import userland
from guest import MACHINES, boot, stage_modules
from kernel import HERE, OUT

GUEST = HERE.parent / "bench"
ROUNDS = 25
LIMIT = 600
MODULES = ["i2c-imx", "rtc-snvs", "rtc-ds1307"]
UNITS = "etc/systemd/system"
# Both functions have been there since 5.3; the time of the trace is that since boot.
TRACE = ("trace_clock=mono kprobe_event=p:registered,__devm_rtc_register_device;"
         "p:set,do_settimeofday64 trace_event=sched:sched_process_exec")
EVENT = re.compile(r"(\S+)-\d+ +\[\d+\] +\S+ +([\d.]+): (?:(registered|set):|"
                   r"sched_process_(exec): filename=/usr/sbin/hwclock|"
                   r"tracing_mark_write: round (\S+))")


def guest(kernel, script, tag, extra, **clock):
    """Boot the board with systemd and udev, and the chip; returns the trace."""
    work, _ = kernel.build_pack()
    stage = stage_modules(kernel, MODULES, sorted(work.glob("drivers/**/*.ko")),
                          OUT / "stage" / f"{kernel.name}-{tag}")
    outcome = boot(kernel, MACHINES["imx8mp-rtc"], {
        **userland.system("arm64", "util-linux-extra"), **extra,
        "lib/modules": stage / "lib/modules", "boardpack/modules": b"",
        "boardpack/script": GUEST / script,
        "boardpack/run": b"exec sh /boardpack/script %d\n" % ROUNDS},
        LIMIT, tag=tag, append=f"{userland.APPEND} {TRACE}", **clock)
    return outcome.verdict


def after_registration(kernel):
    """From the registration of an RTC to the clock that it sets."""
    return by_round(guest(kernel, "clock.sh", "bench-clock", {}))


def by_round(trace):
    """The times of each way, from a trace."""
    found, way, since = {}, None, None
    for task, stamp, event, started, name in EVENT.findall(trace):
        if name:
            way, since = name, None
        elif event == "registered":
            since = float(stamp)
        elif way and since and task != "date":      # that prepares the next round
            what = f"{way}, hwclock starts" if started else way
            found.setdefault(what, []).append(1000 * (float(stamp) - since))
            way = way if started else None
    return [spread.Times(way, values) for way, values in found.items()]


def since_boot(kernel):
    """Uptime when the clock is right: a boot a round, rtc-seed and a unit in each.

    By the time of the host: boots in which instructions are counted are all the same.
    """
    extra = {f"{UNITS}/hwclock-late.service": GUEST / "hwclock-late.service",
             f"{UNITS}/sysinit.target.wants/hwclock-late.service":
                 userland.cpio.Link("../hwclock-late.service"),
             "etc/udev/rules.d/85-rtc.rules": b'SUBSYSTEM=="rtc", TAG+="systemd"\n',
             "etc/modules-load.d/rtc-seed.conf": b"rtc-snvs\nrtc-seed\n"}  # the chip is rtc1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        traces = pool.map(lambda n: guest(kernel, "boot.sh", f"bench-boot{n}", extra, icount=""),
                          range(ROUNDS))
        return by_task(traces)


def by_task(traces):
    """When the clock was set after the chip had come, by the task that did it."""
    found = {"rtc-seed": [], "unit": []}
    for trace in traces:
        events = [(task, float(stamp), event) for task, stamp, event, *_ in EVENT.findall(trace)]
        chip = [stamp for _, stamp, event in events if event == "registered"][-1]
        for task, stamp, event in events:
            if event == "set" and stamp > chip:
                found["unit" if task == "hwclock" else "rtc-seed"].append(1000 * stamp)
    return [spread.Times(way, values) for way, values in found.items()]


def report(kernel, folder):
    """Measure, write the files, return the text to show."""
    after, boots = after_registration(kernel), since_boot(kernel)
    rows = [["what", "median ms", "lowest", "highest", "rounds"]]
    data = {"kernel": kernel.release, "after_registration": {}, "since_boot": {}}
    for key, title, found in (("after_registration", "after registration", after),
                              ("since_boot", "uptime", boots)):
        for one in found:
            data[key][one.way] = {**one.summary(), "ms": one.values}
        rows += spread.rows(title, found)
    ours, theirs = (statistics.median(next(t.values for t in after if t.way == way))
                    for way in ("rtc-seed", "udev"))
    spread.draw(after, (plot.BLACK, plot.SKY, plot.RED), "From the registration of an RTC to the "
                "clock that it sets", folder / f"{kernel.name}-clock.svg")
    (folder / f"{kernel.name}-clock.json").write_text(json.dumps(data) + "\n")
    return rows, spread.aim(theirs >= 100 * ours, "100 times sooner after registration: "
                            f"{theirs / ours:.0f} times.\n")
