# SPDX-License-Identifier: GPL-2.0-only
"""A Huawei stick at an emulated board, from plug to modem."""

import dataclasses
import re

import modembench
from guest import MACHINES, boot, stage_modules
from kernel import HERE, OUT

EVENTS = {"configured": "set up as 12d1:14fe, a disk; usb-storage has it",
          "command": "the command that makes it a modem is on the wire",
          "away": "it has gone, and comes back",
          "modem": "set up as 12d1:1506, a modem",
          "bound": "its serial port has option, its network card huawei_cdc_ncm"}


@dataclasses.dataclass
class Story:
    """What the guest told: (ms since the plug, event), and lines of the kernel's log."""

    events: list
    log: list
    outcome: object


def record(kernel, tag="demo"):
    """Boot the board and plug the stick in."""
    work, _ = kernel.build_pack()
    stage = stage_modules(kernel, modembench.MODULES, sorted(work.glob("drivers/**/*.ko")),
                          OUT / "stage" / f"{kernel.name}-{tag}-modem")
    return read(boot(kernel, MACHINES["virt-usb"], {
        "lib/modules": stage / "lib/modules", "boardpack/modules": b"",
        "usr/bin/modem": modembench.program(), "boardpack/plug": HERE / "plug",
        "boardpack/run": b"exec /boardpack/plug\n"}, 120, tag=f"{tag}-modem"))


def read(outcome):
    """The story of a guest."""
    found = re.search(r"^modem stick (.*) processes", outcome.verdict, re.M)
    times = re.findall(r"(\w+) (-?\d+)", found[1]) if found else []
    return Story([(int(us) / 1000, EVENTS[name]) for name, us in times],
                 re.findall(r"^# log (.*)$", outcome.verdict, re.M), outcome)


def results(kernel, tag="check"):
    """What make demo shows of the stick, as tests for make check."""
    return record(kernel, tag).outcome.results
