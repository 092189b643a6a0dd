#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The sanitizer kernel bites: a module that does wrong is reported, by name, and fails its run.

A guest makes several faults; what its console says from one to the next is judged as a
run of its own is. Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import guest
import ktap
from kernel import HERE, KERNELS, OUT, sync
from verdict import failures

SOURCE = HERE.parent / "verdict/faults"
MARK = "boardpack: fault"
LEAK = "/sys/kernel/debug/kmemleak"
LOAD = """echo "<4>{mark} {fault}" >/dev/kmsg
modprobe faults {option} || bad=not
"""
UNLOAD = "modprobe -r faults || bad=not\n"


def load(fault, unload=UNLOAD):
    """What a guest does for one fault."""
    return LOAD.format(mark=MARK, fault=fault, option="" if fault == "none" else f"fault={fault}") + unload


def module(kernel):
    """The module with the faults; it is in no other guest."""
    work = OUT / "faults" / kernel.dir.name
    work.mkdir(parents=True, exist_ok=True)
    sync(SOURCE, work)
    done = subprocess.run(["make", "-C", kernel.build, *kernel.make_args(), f"M={work}", "W=1",
                           "KCFLAGS=-Werror", "modules"], text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"faults: {done.stdout}{done.stderr}")
    return work / "faults.ko"


def boot(script, tag):
    """Boot the sanitizer kernel with the module."""
    kernel, machine = KERNELS["sanitizer"].ensure(), guest.MACHINES["virt-usb"]
    stage = guest.stage_modules(kernel, [], [module(kernel)], OUT / "stage" / f"verdict-{tag}")
    script = f"bad=\necho TAP version 13; echo 1..1\n{script}echo $bad ok 1 each module loads\n"
    return guest.boot(kernel, machine, {
        "lib/modules": stage / "lib/modules", "boardpack/modules": b"",
        "boardpack/run": script.encode()}, 300, tag=f"verdict-{tag}")


def blamed(outcome, fault):
    """What the run would be blamed for if this fault were all that it did."""
    parts = re.split(rf"{MARK} (\w+)\n", outcome.console.replace("\r", ""))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "verdict.log").write_text(outcome.verdict)
        (folder / "console.log").write_text(dict(zip(parts[1::2], parts[2::2]))[fault])
        return failures(guest.judge(folder, "", 0))


def reported(outcome, fault, *texts):
    """Whether a fault fails the run with a report that holds all of these texts, and with that alone."""
    found = blamed(outcome, fault)
    return len(found) == 1 and found[0].startswith("no kernel report") and \
        all(re.search(text, found[0]) for text in texts)


def main():
    """Run them all as KTAP."""
    tap = ktap.Tap()
    lost = boot(load("none") + load("leak", ""), "lost")
    said = "\n".join(failures(lost))
    tap.result(blamed(lost, "none") == [], "a module without a fault passes", blamed(lost, "none"))
    tap.result(reported(lost, "leak", "unreferenced object", r"fault_leak.*\[faults\]"),
               "kmemleak reports a leak", said)
    rest = boot(load("lock") + load("timer") + load("use") +
                f'echo "<4>{MARK} off" >/dev/kmsg\necho off >{LEAK}\n', "rest")
    said = "\n".join(failures(rest))
    for fault, what, *texts in (
            ("lock", "lockdep reports locks in two orders", "possible circular locking", "fault_lock"),
            ("timer", "DEBUG_OBJECTS reports a timer that is freed", "ODEBUG: free active", "fault_expire"),
            ("use", "KASAN reports a use after free", "KASAN: slab-use-after-free in fault_use"),
            ("off", "kmemleak that switches itself off fails the run, and lockdep that has", "leak detector disabled",
             "kmemleak does not scan", "lockdep is off")):
        tap.result(reported(rest, fault, *texts), what, said)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
