#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make matrix: what it reports of Debian's kernels and of one for clang, and what it refuses.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from debian import CACHE, keep, say
from kernel import ARCH, CROSS, KERNELS, digest, linux_source
from tap import Tap, run

# One for each architecture, and more for one of them.
WHOLE = {"6.12": "arm64", "6.12-armhf": "armhf", "6.1-amd64": "x86-64"}
OTHERS = {"5.10": "arm64", "6.1": "arm64", "7.2": "arm64"}
OPTIONS = ("64BIT", "MODULES", "OF", "NEW_LEDS", "LEDS_CLASS", "LEDS_TRIGGERS", "RTC_CLASS",
           "USB_SUPPORT", "USB")
ALL = ["leds-identify", "rtc-seed", "usb-modeswitch"]
# Enough where it is about the report alone: preflight's tests build all of the pack for each of
# these kernels, where a warning is an error.
ONE = "CONFIG_RTC_SEED=n CONFIG_USB_MODESWITCH=n"


def matrix(out, *kdirs, flags=ONE, **env):
    """Run make matrix's program; its status, what it said and its rows."""
    done = run("scripts/matrix", "--out", out, *kdirs, env={**os.environ, "MAKEFLAGS": flags, **env})
    report = out / "matrix.json"
    rows = json.loads(report.read_text()) if report.exists() else []
    report.unlink(missing_ok=True)
    return done.returncode, done.stdout, rows


def ours(row):
    """Warnings of the pack; the headers of 7.2 have attributes that are too new for gcc 14."""
    return [line for line in row["warnings"] if "/include/linux/" not in line]


def for_clang():
    """A small kernel that is configured for clang, prepared."""
    def prepare(new):
        say("matrix: preparing a kernel for clang")
        config = new / "all.config"
        config.write_text("".join(f"CONFIG_{name}=y\n" for name in OPTIONS))
        for target in ("allnoconfig", "modules_prepare"):
            done = run("make", "-s", "-C", linux_source(), f"O={new / 'out'}", f"ARCH={ARCH['arm64']}",
                       f"CROSS_COMPILE={CROSS['arm64']}", "CC=clang", target,
                       env={**os.environ, "KCONFIG_ALLCONFIG": str(config)})
            if done.returncode:
                raise SystemExit(done.stdout[-2000:])
    return keep(CACHE / "matrix" / digest(linux_source().name, *OPTIONS), prepare) / "out"


def reports(tap, out, kernels, modules, flags):
    """A row for each of some kernels, with what was found."""
    builds = [KERNELS[name].ensure() for name in kernels]
    status, said, rows = matrix(out, *(k.build for k in builds), flags=flags)
    seen = [row["kernel"] for row in rows]
    tap.result(status == 0 and seen == [k.release for k in builds],
               f"a row for each of {', '.join(kernels)}", said)
    good = [row for row in rows if row["result"] == "compiles" and not ours(row)
            and list(row["modules"]) == modules]
    tap.result(len(good) == len(rows) == len(kernels),
               f"all compile {', '.join(modules)}, and the pack has no warning", said)
    tap.result([row["arch"] for row in rows] == [*kernels.values()], "each for its architecture", said)
    report = (out / "matrix.md").read_text()
    size = subprocess.run(["size", *sorted((out / "build").glob("drivers/*/*.ko"))], text=True,
                          capture_output=True, check=True).stdout.splitlines()
    cells = "".join(f" {line.split()[3]} |" for line in size[1:])
    lines = [f"| {name} | {arch} | gcc " for name, arch in zip(seen, kernels.values())]
    tap.result(all(line in report for line in lines) and f" |{cells}\n" in report,
               "and so says the table, with size's figures", report)


def by_clang(tap, out):
    """All of the pack for a kernel that clang has made, without a warning."""
    status, said, rows = matrix(out, for_clang(), flags="")
    row = rows[0] if rows else {}
    tap.result(status == 0 and row["compiler"].startswith("clang ") and not ours(row) and
               row["result"] == "compiles, symbols not looked up" and list(row["modules"]) == ALL,
               f"{len(ALL)} modules by clang for a kernel that clang has made", said)


def finds(tap, out):
    """Warnings and errors are told as what they are."""
    kdir = KERNELS["6.12"].ensure().build
    status, said, rows = matrix(out, kdir, flags=f"{ONE} KCFLAGS=-Wframe-larger-than=1")
    tap.result(status == 0 and rows[0]["warnings"] and "\nWarnings\n" in said and
               "leds-identify" in rows[0]["warnings"][0], "warnings are listed and are no failure", said)
    # What a make that runs jobs tells its children, and these that they do not get at its jobs.
    status, said, rows = matrix(out, kdir, flags=f"-j2 --jobserver-auth=3,4 -- {ONE}")
    tap.result(status == 0 and rows[0]["warnings"] == [], "make's own warnings are not of the pack", said)
    status, said, rows = matrix(out, kdir, flags=f"{ONE} KCFLAGS=-DLED_FULL=#")
    tap.result(status == 1 and "error: " in rows[0]["result"] and not rows[0]["modules"],
               "an error is a failure, and is told", said)
    status, said, rows = matrix(out, kdir, flags=f"{ONE} KCFLAGS=-Wa,-march=none")
    tap.result(status == 1 and "Error: " in rows[0]["result"], "and one of the assembler", said)
    status, said, rows = matrix(out, kdir, flags=f"{ONE} CONFIG_LEDS_IDENTIFY=n")
    tap.result(status == 1 and rows[0]["result"] == "no module was made",
               "nothing compiled is a failure", said)


def refuses(tap, work):
    """A kernel that cannot be used is named before anything is compiled."""
    good = KERNELS["6.12"].build
    for name in ("RISCV", "ARM64"):
        other = work / name.lower() / "include/config"
        other.mkdir(parents=True)
        (other / "auto.conf").write_text(f"CONFIG_{name}=y\n")
    for kdir, words, env in ((work / "none", "is not a configured kernel", {}),
                             (work / "riscv", "is for another architecture than arm64", {}),
                             (work / "arm64", "is not prepared: no include/generated/utsrelease.h", {}),
                             (good, "none-gcc, which", {"CROSS_COMPILE": "none-"})):
        status, said, _ = matrix(work / "refused", good, kdir, **env)
        tap.result(status == 1 and words in said and not (work / "refused").exists(), words, said)


def main():
    """All of it."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        reports(tap, work / "out", WHOLE, ALL, "")
        reports(tap, work / "out", OTHERS, ALL[:1], ONE)
        by_clang(tap, work / "out")
        finds(tap, work / "out")
        refuses(tap, work)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
