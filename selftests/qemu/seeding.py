# SPDX-License-Identifier: GPL-2.0-only
"""The clock of an emulated i.MX8M Plus carrier whose RTCs come late."""

import dataclasses
import re

from guest import MACHINES, boot, stage_modules
from kernel import HERE, OUT

MODULES = ["i2c-imx", "rtc-snvs", "rtc-ds1307"]


@dataclasses.dataclass
class Story:
    """What the guest told: (uptime in s, clock, event), and lines of the kernel's log."""

    events: list
    log: list
    outcome: object


def record(kernel, tag="demo"):
    """Boot the board and let its RTCs arrive."""
    work, _ = kernel.build_pack()
    stage = stage_modules(kernel, MODULES, sorted(work.glob("drivers/**/*.ko")),
                          OUT / "stage" / f"{kernel.name}-{tag}-clock")
    return read(boot(kernel, MACHINES["imx8mp-field"], {
        "lib/modules": stage / "lib/modules", "boardpack/modules": b"",
        "boardpack/arrive": HERE / "arrive",
        "boardpack/run": b"exec /boardpack/arrive\n"}, 120, tag=f"{tag}-clock"))


def read(outcome):
    """The story of a guest."""
    events = [(float(up), clock, event) for up, clock, event in
              re.findall(r"^# at (\S+) (\S+) (.*)$", outcome.verdict, re.M)]
    return Story(events, re.findall(r"^# log (?!.*loading)(.*)$", outcome.verdict, re.M), outcome)


def results(kernel, tag="check"):
    """What make demo shows of the clock, as tests for make check."""
    return record(kernel, tag).outcome.results
