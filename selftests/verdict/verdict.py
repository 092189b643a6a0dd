#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The bench itself: what must not pass does not pass.

Each guest here does something that a lying or broken test run would do; the
verdict of selftests/qemu has to call it a failure, for the right reason. Runs
in the tool root with PYTHONPATH=selftests/qemu.
"""

import pathlib
import subprocess
import sys
import tempfile
import time
from unittest import mock

import guest
import hosttests
import ktap
from kernel import KERNELS, OUT

PASSING = "echo TAP version 13; echo 1..1; echo ok 1 fine\n"


def run(script, limit=60, tag="x", **options):
    """Boot a guest that runs a script, with no module loaded."""
    kernel, machine = KERNELS["6.12"].ensure(), guest.MACHINES["virt"]
    stage = guest.stage_modules(kernel, [], [], OUT / "stage" / "verdict")
    return guest.boot(kernel, machine, {
        "lib": stage / "lib", "boardpack/modules": b"", "boardpack/run": script.encode()},
        limit, tag=f"verdict-{tag}", **options)


def failures(outcome):
    """What a boot was blamed for."""
    return [f"{r.name}\n{r.why}" for r in outcome.results if r.state == "failed"]


def panic():
    """A kernel that dies after its tests passed fails, and the oops is shown."""
    found = failures(run(PASSING + "echo c >/proc/sysrq-trigger\n", tag="panic"))
    return any("comes to its end" in f for f in found) and \
        any("no kernel report" in f and "sysrq" in f for f in found)


def hang():
    """A guest that hangs fails within its limit, with the end of its console."""
    for limit in (30, 120):      # a slow machine has not yet begun after the first
        outcome = run(PASSING + "echo last words >/dev/console; sleep 1000\n", limit, "hang", icount="")
        found = failures(outcome)
        if outcome.seconds < limit + 15 and any("time limit" in f and "last words" in f for f in found):
            return True
    return False


def report_without_panic():
    """A lockdep or KASAN report in an otherwise passing run fails it."""
    return all(guest.REPORTS.search(text) for text in (
        "WARNING: CPU: 0 PID: 1 at drivers/x.c:1 f+0x1/0x2",
        "BUG: KASAN: slab-use-after-free in f", "unreferenced object 0xffff (size 64):",
        "WARNING: possible circular locking dependency detected",
        "Call trace:", "Call Trace:", "------------[ cut here ]------------",
        "BUG kmalloc-64 (Not tainted): Poison overwritten", "irq 45: nobody cared (try booting",
        "sysfs: cannot create duplicate filename '/class/leds/identify'",
        "list_add corruption. next->prev should be prev", "watchdog: Watchdog detected hard LOCKUP",
        "BUG x (Not tainted): Objects remaining in x on __kmem_cache_shutdown()",
        "INFO: task init:1 blocked for more than 10 seconds.",
        "OF: ERROR: Bad of_node_put() on /rtc-seed", "OF: ERROR: memory leak, expected refcount 1 instead of 2",
        "rtc rtc0: Runtime PM usage count underflow!", "leds-gpio leds: Unbalanced pm_runtime_enable!",
        "debugfs: Directory 'rtc-fake' with parent '/' already present!"))


def endless():
    """A script on this machine that does not end fails within its limit, with what it said."""
    start = time.monotonic()
    found = hosttests.run_ktap(["sh", "-c", "echo ok 1 words; sleep 60 & wait"], limit=1)
    return time.monotonic() - start < 30 and [r.state for r in found] == ["passed", "failed"] and \
        "time limit of 1 s" in found[1].why and "words" in found[1].why


def outlived():
    """A script on this machine ends with the check that started it."""
    with tempfile.TemporaryDirectory() as folder:
        name = pathlib.Path(folder) / "pid"
        code = f"import hosttests; hosttests.run_ktap(['sh', '-c', 'echo $$ >{name}.new; mv {name}.new {name}; sleep 99'])"
        with subprocess.Popen([sys.executable, "-c", code]) as check:
            while not name.exists():
                time.sleep(0.1)
            check.kill()
        script = pathlib.Path("/proc") / name.read_text().strip()
        end = time.monotonic() + 20
        while script.exists() and time.monotonic() < end:
            time.sleep(0.1)
        return not script.exists()


def blamed(*lines, end=0):
    """What a guest would be blamed for that says this, and comes to its end."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = pathlib.Path(folder) / "verdict.log"
        verdict.write_text("\n".join(("boardpack: begin", *lines, f"boardpack: end {end}", "boardpack: done\n")))
        return failures(guest.judge(pathlib.Path(folder), "", 0))


def silence():
    """A guest that ran no test at all fails."""
    return any("no test" in f for f in blamed())


def fewer():
    """A guest that ran less than it announced fails, whichever of its runs, and one with a run too many."""
    one, two = ("TAP version 13", "1..1", "ok 1 a", "# ok 2 b"), ("TAP version 13", "1..2", "ok 1 c")
    return all(any("it announced" in f for f in blamed(*said)) for said in (
        two, (*one, *two), (*two, *one), (*one, "ok 2 d"), ("ok 1 a", "1..3")))


def as_many():
    """One that ran what it announced passes, before or after, and in its last start."""
    one, late = ("TAP version 13", "1..1", "ok 1 a"), ("ok 1 a", "not ok 2 b # SKIP c", "1..2")
    return not any(blamed(*said) for said in (
        one, late, (*one, *one), ("ok 1 no plan",), ("TAP version 13", *late),
        ("TAP version 13", "1..2", "boardpack: begin", *one)))


def killed():
    """A guest whose script was killed, or is no script, fails; one with status 1 is judged by its results."""
    said = ("1..1", "ok 1 a")
    return all(any(str(end) in f for f in blamed(*said, end=end)) for end in (126, 127, 137)) and \
        not blamed(*said, end=1)


def lost():
    """A test that its script announced and never ran shows as a failure of the script."""
    text = ("TAP version 13\n1..1\n# TAP version 13\n# 1..2\n# ok 1 a\n"
            "not ok 1 selftests: leds: a.sh # exit=1\n")
    return [r.state for r in ktap.parse(text)] == ["passed", "failed"]


def short():
    """A script on this machine that announces more than it runs fails, and one that gives up."""
    for text in ("1..5; echo ok 1 a", "ok 1 a", "1..2; echo ok 1 a; echo Bail out! no LED"):
        found = hosttests.run_ktap(["sh", "-c", f"echo {text}"])
        if [r.state for r in found] != ["passed", "failed"]:
            return False
    return [r.state for r in hosttests.run_ktap(["sh", "-c", "echo 1..1; echo ok 1 a"])] == ["passed"]


def locked():
    """A script that nobody may execute fails, and one that names nothing to execute it; others are left alone."""
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        (top / "selftests/x").mkdir(parents=True)
        (top / "selftests/x/a.sh").write_text("#!/bin/sh\necho 1..1; echo ok 1 a\n")
        (top / "selftests/x/b.py").write_text("A = 1\n")
        (top / "selftests/x/c.py").write_text("print('1..1'); print('ok 1 a')\n")
        (top / "selftests/x/c.py").chmod(0o755)
        with mock.patch.object(hosttests, "TOP", top):
            return [(r.state, r.name) for r in hosttests.run("x")()] == [
                ("failed", "x: a.sh: it runs"), ("failed", "x: c.py: it runs")]


def nested():
    """Leaves are counted once, whatever the depth, skips with their reason."""
    text = ("TAP version 13\n1..1\n#     ok 1 deep\n#     not ok 2 broken\n"
            "# not ok 1 suite\n# ok 2 odd # SKIP no such LED\nnot ok 1 selftests: leds: a.sh\n")
    found = ktap.parse(text)
    return [(r.state, r.name) for r in found] == [
        ("passed", "leds: a.sh: suite: deep"), ("failed", "leds: a.sh: suite: broken"),
        ("skipped", "leds: a.sh: odd")] and found[2].why == "no such LED"


def whole():
    """A program that skips all its tests is one skip, with its reason."""
    text = "TAP version 13\n1..1\n# 1..0 # SKIP no LED at all\nok 1 selftests: leds: a # SKIP\n"
    return [(r.state, r.why) for r in ktap.parse(text)] == [("skipped", "no LED at all")]


def main():
    """Run them all as KTAP."""
    tests = (panic, hang, endless, outlived, silence, fewer, as_many, killed, report_without_panic, lost,
             short, locked, nested, whole)
    tap = ktap.Tap()
    for test in tests:
        tap.result(test(), test.__doc__)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
