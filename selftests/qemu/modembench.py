# SPDX-License-Identifier: GPL-2.0-only
"""How soon a stick is a modem: usb-modeswitch, and usb_modeswitch in the same guest.

The guest's clock counts instructions, 250 million a second (QEMU's icount): what either
side executes and how long it sleeps is what counts, and the machine has no part in it.
"""

import dataclasses
import json
import re
import statistics
import subprocess

import plot
import spread
import userland
from guest import MACHINES, boot, stage_modules
from kernel import CROSS, HERE, OUT

GUEST = HERE.parent / "bench"
LIB = HERE.parent / "lib"
ROUNDS = 30
LIMIT = 3600
MODULES = ["vhci-hcd", "usb-storage", "uas", "option", "huawei-cdc-ncm", "sr_mod", "sd_mod"]
PACKAGES = ("usb-modeswitch", "tar", "gzip", "grep", "sed")
# What Debian's packages put on the disk, in files.
FILES = ("usr/sbin/usb_modeswitch*", "usr/lib/udev/usb_modeswitch", "etc/usb_modeswitch.conf",
         "usr/lib/udev/rules.d/40-usb_modeswitch.rules", "usr/lib/systemd/system/usb_modeswitch@*",
         "usr/share/usb_modeswitch/*", "usr/lib/*/libjim.so.*", "usr/lib/*/libusb-1.0.so.*")
WAYS = {"module-first": "usb-modeswitch", "module-second": "it behind usb-storage",
        "module-cold": "it, cold", "program-warm": "usb_modeswitch", "program-cold": "it, cold too"}
SIDES = {"module": "usb-modeswitch", "program": "usb_modeswitch, udev, systemd"}
COLOURS = (plot.BLACK, plot.BLUE, plot.SKY, plot.RED, plot.ORANGE)


@dataclasses.dataclass
class Round:
    """What one plug gave, in ms since it."""

    way: str
    configured: float
    command: float
    bound: float
    processes: int


def program():
    """The program that is the stick."""
    binary = OUT / "bench/modem"
    binary.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([f"{CROSS['arm64']}gcc", "-static", "-O2", "-Wall", "-o", binary,
                    GUEST / "modem.c", *sorted(LIB.glob("usb-emu*.c"))], check=True)
    return binary


def guest(kernel):
    """Boot a guest with systemd, udev and usb_modeswitch; returns what it printed."""
    work, _ = kernel.build_pack()
    stage = stage_modules(kernel, MODULES, sorted(work.glob("drivers/**/*.ko")),
                          OUT / "stage" / f"{kernel.name}-bench-modem")
    outcome = boot(kernel, MACHINES["virt-systemd"], {
        **userland.system("arm64", *PACKAGES), "usr/bin/modem": program(),
        "lib/modules": stage / "lib/modules", "boardpack/modules": b"",
        "boardpack/script": GUEST / "modem.sh",
        "boardpack/run": b"exec sh /boardpack/script %d\n" % ROUNDS},
        LIMIT, quiet=LIMIT, tag="bench-modem", append=userland.APPEND)
    return outcome.verdict


def read(text):
    """The rounds that a guest told of."""
    return [Round(way, *(int(us) / 1000 for us in times), int(processes))
            for way, *times, processes in re.findall(
                r"^modem (\S+) configured (\S+) command (\S+) .* bound (\S+) processes (\d+)",
                text, re.M)]


def disk(kernel):
    """What either is on the disk, in bytes."""
    root = userland.unpacked("arm64", *userland.BASE, *PACKAGES)
    files = {p.resolve() for pattern in FILES for p in root.glob(pattern)}
    module = OUT / "bench/usb-modeswitch.ko"
    subprocess.run([f"{CROSS['arm64']}strip", "--strip-debug", "-o", module,
                    OUT / "build" / kernel.dir.name / "drivers/usb/usb-modeswitch.ko"], check=True)
    return {"module": module.stat().st_size, "program": sum(p.stat().st_size for p in files)}


def series(rounds, figure):
    """The times of each way."""
    return [spread.Times(title, [figure(r) for r in rounds if r.way == way and r.bound > 0])
            for way, title in WAYS.items()]


def costs(text, rounds, kernel):
    """What else it takes, for each way."""
    started = {way: statistics.median(r.processes for r in rounds if r.way == way)
               for way in ("module-first", "program-warm", "neither")}
    size, rss = (int(re.search(pattern, text)[1]) for pattern in
                 (r"module size (\d+)", r"program rss (\d+)"))
    return {"processes": {side: started[way] - started["neither"] for side, way in
                          (("module", "module-first"), ("program", "program-warm"))},
            "memory_kib": {"module": size // 1024, "program": rss}, "disk_bytes": disk(kernel)}


def report(kernel, folder):
    """Measure, write the files, return the text to show."""
    text = guest(kernel)
    rounds = read(text)
    figures = {"SET_CONFIGURATION to command": series(rounds, lambda r: r.command - r.configured),
               "plug to command": series(rounds, lambda r: r.command),
               "plug to bound drivers": series(rounds, lambda r: r.bound)}
    if min(len(one.values) for found in figures.values() for one in found) < ROUNDS:
        raise SystemExit(f"too few rounds: look into out/run/{kernel.name}-virt-systemd-bench-modem")
    rows = [["what", "median ms", "lowest", "highest", "rounds"]]
    rows += [row for what, found in figures.items() for row in spread.rows(what, found)]
    cost = costs(text, rounds, kernel)
    other = [["", *SIDES.values()]] + [
        [name, *(f"{cost[key][side]:.0f}" for side in SIDES)] for name, key in (
            ("processes started, beside udev's own", "processes"), ("memory, KiB", "memory_kib"),
            ("on the disk, bytes", "disk_bytes"))]
    data = {"kernel": kernel.release, **cost, "ms": {
        what: {t.way: {**t.summary(), "ms": t.values} for t in found}
        for what, found in figures.items()}}
    (folder / f"{kernel.name}-modem.json").write_text(json.dumps(data) + "\n")
    spread.draw(figures["SET_CONFIGURATION to command"], COLOURS,
                "From SET_CONFIGURATION to the switch command", folder / f"{kernel.name}-modem.svg")
    return rows, other, verdict(figures["SET_CONFIGURATION to command"])


def verdict(found):
    """Whether the aim is reached."""
    ours, second, _, theirs, _ = (statistics.median(one.values) for one in found)
    good = ours <= 5 and theirs >= 100 * ours
    return spread.aim(good, "within 5 ms and 100 times sooner at the median: "
                      f"{ours:.1f} ms, {theirs / ours:.0f} times; where usb-storage was loaded first "
                      f"{second:.1f} ms, {theirs / second:.0f} times.\n")
