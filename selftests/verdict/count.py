#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The count of make check: what is asked for is run, and what did not pass is seen at its end.

No guest is booted. Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import contextlib
import io
import os
import pathlib
import signal
import sys
import tempfile
import time
from unittest import mock

import boots
import guest
import hosttests
import kernel
from kernel import HERE, KERNELS, TOP, tree_digest
from ktap import Result
from tap import Tap, program

check = program(HERE / "check")
PASSED, FAILED = Result("a", "passed"), Result("b", "failed", "a reason")
SKIPPED, UNEXPLAINED = Result("c", "skipped", "no such LED"), Result("d", "skipped", " ")


def count(*results):
    """The exit status and the lines of a run whose only step has these results."""
    step = check.Step("step", lambda: list(results), "6.12")
    report = check.Report()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        report.add(step.title, *step.results(False))
        status = report.summary()
    return status, said.getvalue().splitlines()


def verdicts(tap):
    """The exit status, and the last line, which counts all of them."""
    for what, results, status, last in (
            ("a pass is no failure", [PASSED], 0, "1 passed, 0 failed, 0 skipped"),
            ("a failure among passes fails", [PASSED, FAILED, PASSED], 1, "2 passed, 1 failed, 0 skipped"),
            ("a skip with its reason is no failure", [PASSED, SKIPPED], 0, "1 passed, 0 failed, 1 skipped"),
            ("a skip without a reason is one", [PASSED, UNEXPLAINED], 1, "1 passed, 1 failed, 0 skipped"),
            ("skips alone are one", [SKIPPED], 1, "0 passed, 0 failed, 1 skipped"),
            ("a step without a result is one", [], 1, "0 passed, 1 failed, 0 skipped")):
        got = count(*results)
        tap.result(got[0] == status and got[1][-1] == last, what, got)
    said = count(PASSED, SKIPPED, SKIPPED)[1]
    tap.result("skipped 2: no such LED (c, ...)" in said, "the reason of skips is told", said)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = check.Report().summary()
    tap.result(status == 1 and "no test ran: a failure" in said.getvalue(),
               "zero steps are a failure, too, and it is told", said.getvalue())


def whole(*steps, fresh=False):
    """The same of steps that are run as make check does."""
    report = check.Report()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        check.run_all(steps, report, fresh)
        status = report.summary()
    return status, said.getvalue().splitlines()


@contextlib.contextmanager
def keeping(*results):
    """A cache of its own, and a step whose results it keeps."""
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(check, "CACHE", pathlib.Path(folder)):
        yield check.Step("step", mock.Mock(side_effect=lambda: list(results)), "6.12", ("COPYING",))


def kept(tap):
    """What passed is had from the cache; what the cache has not whole is run."""
    with keeping(PASSED) as step:
        twice = [whole(step), whole(step)]
        tap.result([got[0] for got in twice] == [0, 0] and "as before" in twice[1][1][0] and
                   step.run.call_count == 1 and len(list(step.known().parent.iterdir())) == 1,
                   "what passed is as before", twice)
    for guest_has, times in ((False, 2), (True, 1)):
        with keeping(PASSED, SKIPPED) as step:
            step.guest = guest_has
            twice = [whole(step), whole(step)]
            tap.result(step.run.call_count == times and [got[0] for got in twice] == [0, 0],
                       f"what was skipped {'in a guest' if guest_has else 'here'} is run {times} times of 2", twice)
    for what, text in (("cut off", b'[["a", "passed", "'), ("empty", b""), ("of no results", b"[]"),
                       ("of another form", b'{"a": 1}'), ("of other fields", b'[["a"]]'),
                       ("of a failure", b'[["a", "failed", "b"]]'), ("no text", b"\xff")):
        with keeping(FAILED) as step:
            step.known().parent.mkdir()
            step.known().write_bytes(text)
            got = whole(step)
            tap.result(got[0] == 1 and got[1][-1] == "0 passed, 1 failed, 0 skipped",
                       f"a kept result that is {what} hides no failure", got)
    with keeping(PASSED) as step, mock.patch.object(pathlib.Path, "write_text", side_effect=OSError(28, "full")):
        got = whole(step)
        tap.result(got[0] == 0 and got[1][-1] == "1 passed, 0 failed, 0 skipped",
                   "a disk that is full keeps nothing, and hides nothing", got)
    sources = ["before"]
    with keeping(PASSED) as step, mock.patch.object(check, "tree_digest", lambda _: sources[-1]):
        step.run.side_effect = lambda: sources.append("since") or [PASSED]
        step.results(False)
        sources.append("before")
        tap.result(step.results(False)[1] != "as before", "sources that change meanwhile have not passed", sources)
    with keeping(PASSED) as step, mock.patch.object(check, "tree_digest", side_effect=OSError(2, "gone")):
        got = whole(step, check.Step("other", lambda: [PASSED], "6.12"))
        tap.result(got[0] == 1 and got[1][-1] == "1 passed, 1 failed, 0 skipped" and
                   any("gone" in line for line in got[1]),
                   "a step that breaks before it begins has failed", got)


def decides(tap):
    """What a kept result depends on."""
    modes = []
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(kernel, "TOP", pathlib.Path(folder)):
        script = pathlib.Path(folder) / "script"
        script.write_text("#!/bin/sh\n")
        for mode in (0o644, 0o755):
            script.chmod(mode)
            modes.append(tree_digest([script.parent]))
    tap.result(modes[0] != modes[1], "whether a file may be executed decides", modes)
    differ = [row.inputs() for row in boots.BOOTS if "modeswitch" in row.how]
    tap.result(differ and all("scripts/modeswitch" in inputs for inputs in differ),
               "what a guest's programs are made with decides", differ)
    tap.result("selftests/rtc/module" in set.intersection(*(set(row.inputs()) for row in boots.BOOTS if row.inputs())),
               "the modules of tests that all guests have decide", boots.FAKES)
    # These hold what others use, or what is no test.
    folders = {path.name for path in (TOP / "selftests").iterdir() if path.is_dir()} - {"lib", "bench", "__pycache__"}
    tap.result(not folders - set(check.topics()), "all folders of tests are run", folders - set(check.topics()))
    gone = [(step.title, name) for step in check.plan(set(), set()) for name in step.inputs
            if not (TOP / name).exists()]
    tap.result(not gone, "all that is said to decide is there", gone)
    steps = check.plan(set(), {"dtb-swap"})
    with mock.patch.object(check, "KERNELS", {**KERNELS, hosttests.NEWEST_KERNEL: KERNELS["6.12"]}):
        other = [step.known() for step in steps]
    tap.result(len(steps) == 1 and steps[0].known() != other[0] and
               check.kernels_of(steps) == {"6.12", hosttests.NEWEST_KERNEL},
               "the newest kernel decides where it is used, too", other)


def former(tap):
    """What was compiled of sources that are gone is in no guest."""
    with tempfile.TemporaryDirectory() as folder:
        src, dst = pathlib.Path(folder) / "src", pathlib.Path(folder) / "dst"
        for name in ("src/a.c", "src/x/Kbuild", *(f"dst/{n}" for n in (
                "a.c", "a.o", "a.mod.c", "a.ko", "b.c", "b.o", "b.mod.c", "b.ko", "x/b.h", "x/Kbuild", ".a.o.cmd"))):
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        (dst / "modules.order").write_text(f"{dst}/a.o\n")
        kernel.sync(src, dst)
        kernel.drop_former(dst, dst / "modules.order")
        left = {str(path.relative_to(dst)) for path in dst.rglob("*") if path.is_file()}
    tap.result(left == {"a.c", "a.o", "a.mod.c", "a.ko", "b.o", "b.mod.c", "x/Kbuild", ".a.o.cmd", "modules.order"},
               "sources that are gone, and modules of theirs, are not kept", sorted(left))


def heard(tap):
    """Each name in a row of boots.tsv has a result, or has failed."""
    row = boots.Boot("6.12", "virt", "1", "kept", "leds:identify,rtc")
    results = [Result("leds: identify # exit=1: a", "failed"), Result("modules: load.sh: b", "passed"),
               Result("rtc-sleep: idle: c", "passed"), Result("no kernel report", "passed")]
    for what, more, lost in (("of one nothing is heard", [], ["rtc"]),
                             ("one is left out whole", [Result("rtc: a", "skipped", "b")], ["rtc"]),
                             ("one is left out in part, with its reason",
                              [Result("rtc: a", "skipped", "b"), Result("rtc: c", "passed")], []),
                             ("one is there by part of its name",
                              [Result("rtc: tree: c", "passed")], [])):
        got = row.missing(results + more)
        tap.result([r.name for r in got] == lost and all(r.state == "failed" for r in got),
                   f"a guest's tests: {what}", got)
    got = row.missing([Result("leds: identify.sh: a", "passed"), *results[1:]])
    tap.result([r.name for r in got] == ["leds:identify", "rtc"],
               "a guest's tests: one with a longer name is another", got)


def asked(tap):
    """Names that are not there, or that run nothing, are refused before anything runs."""
    for kernels, tests, words in (
            ("6.12", "leds statik", "no test statik: there are build demo verdict "),
            ("6.12 6.13", "leds", "no kernel 6.13: there are " + " ".join(KERNELS)),
            ("6.12", "leds rtc-chip-first", "TESTS='rtc-chip-first'")):
        said = "it runs"
        with mock.patch.object(sys, "argv", ["check", "--kernels", kernels, "--tests", tests]), \
                mock.patch.object(check, "prepare", side_effect=RuntimeError):
            try:
                check.main()
            except (SystemExit, RuntimeError) as error:
                said = str(error)
        tap.result(words in said, f"KERNELS='{kernels}' TESTS='{tests}' is refused", said)
    known = check.topics()
    tap.result({"build", "demo", "static", "leds"} <= set(known) and len(set(known)) == len(known),
               "all kinds of tests have a name", known)


def alone(tap):
    """A second one in the same checkout is refused, and the first may begin again."""
    said = []
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(check, "OUT", pathlib.Path(folder)):
        with check.alone():
            try:
                with check.alone():
                    said.append("it runs")
            except SystemExit as error:
                said.append(str(error))
        with check.alone():
            said.append("it runs")
    tap.result("another make check" in said[0] and said[1:] == ["it runs"],
               "two at once in a folder: the second is refused", said)


def signals(tap):
    """A script hears signals, however make check was started."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "script"
        script.write_text('#!/bin/sh\nfor s in HUP INT QUIT TERM; do trap "echo ok $((n = n + 1)) - $s" $s; kill -s $s $$; '
                          'done\necho "1..$n"\n')
        script.chmod(0o755)
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)}
        results = hosttests.run_ktap([script])
        for number, handler in before.items():
            signal.signal(number, handler)
    tap.result([r.name for r in results if r.state == "passed"] == ["HUP", "INT", "QUIT", "TERM"] == [
        r.name for r in results], "a script hears signals, also under nohup and in the background", results)


def probe(tap):
    """Whether KVM works is known soon, be it there, not there or something that hangs."""
    for what, script, works in (("runs the code", "exit 33", True), ("fails", "exit 1", False),
                                ("hangs", "exec sleep 120", False)):
        with tempfile.TemporaryDirectory() as folder:
            qemu = pathlib.Path(folder) / "qemu-system-x86_64"
            qemu.write_text(f"#!/bin/sh\n{script}\n")
            qemu.chmod(0o755)
            start = time.monotonic()
            with mock.patch.dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}"), \
                    mock.patch("os.access", return_value=True), \
                    mock.patch("os.uname", return_value=mock.Mock(machine="x86_64")), \
                    contextlib.redirect_stdout(io.StringIO()) as said:
                found = guest.kvm_works.__wrapped__()
            took = time.monotonic() - start
        words = "KVM works" if works else "KVM does not work here"
        tap.result(found == works and words in said.getvalue() and took < 60,
                   f"a KVM that {what}: {words}", f"{took:.0f} s: {said.getvalue()}")


def main():
    """Run them all as KTAP."""
    tap = Tap()
    verdicts(tap)
    kept(tap)
    decides(tap)
    former(tap)
    heard(tap)
    asked(tap)
    alone(tap)
    signals(tap)
    probe(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
