#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The jobs of make lava run by LAVA's own dispatcher: what it records is what the guests said.

lava-run as Debian's unstable has it, whose dependencies are those of the tool root's suite,
and QEMU. Every board that is emulated runs a job; with the argument "all" none is shortened.
Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import collections
import dataclasses
import importlib.machinery
import importlib.util
import os
import re
import shutil
import sys

import yaml

import ktap
import scratch
import userland
from debian import CACHE, keep, say
from kernel import APT, HERE, OUT, rows
from tap import Tap, run

LOADER = importlib.machinery.SourceFileLoader("lava", str(HERE / "lava"))
SPEC = importlib.util.spec_from_loader("lava", LOADER)
lava = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(lava)

# A job that has this folder is cut down to the second line, save with "all".
LONG = "leds"
SHORT = f"modules,{LONG}:identify"
OURS = ("lava-dispatcher", "lava-common")
# By the validators of LAVA's server; arguments: job, device, pairs of them.
SCHEMA = """import sys, yaml, lava_common.schemas, lava_common.schemas.device
for path in sys.argv[1:]:
    job, device = yaml.safe_load(open(path))
    lava_common.schemas.validate(job)
    lava_common.schemas.device.validate(device)
"""
# What a guest says in place of its tests, and what LAVA has to make of it.
SAID = """echo 'TAP version 13
# selftests: a: b
# ok 1 - good
# not ok 2 bad one
# ok 3 left out # SKIP no such thing
not ok 1 selftests: a: b # exit=1
# selftests: a: says nothing
ok 2 selftests: a: says nothing
# selftests: a: lacks something
ok 3 selftests: a: lacks something # SKIP
# selftests: a: dies
# ok 1 before
not ok 4 selftests: a: dies # TIMEOUT 45 seconds'
echo '<4>WARNING: not a real one' >/dev/kmsg
"""
KEPT = [("a_b_good", "pass"), ("a_b_bad_one", "fail"), ("a_b_left_out", "skip"),
        ("a_says_nothing", "pass"), ("a_lacks_something", "skip"), ("a_dies_before", "pass"),
        ("a_dies", "fail"), ("no_kernel_report", "fail")]
DIES = "echo 'ok 1 selftests: a: b'\necho c >/proc/sysrq-trigger\nsleep 60\n"


def root():
    """LAVA's dispatcher, and what it needs that the tool root has not."""
    def fetch(new):
        listed = run("dpkg-query", "-Wf", "${Package}\n").stdout.split()
        needed = {n for name in OURS for n in APT.depends("sid", "amd64", name)}
        needed -= {*OURS, "systemd-sysv"}
        names = [n for n in userland.closure("amd64", needed) if n not in listed]
        say(f"# lava: fetching it ({len(names) + len(OURS)} packages)")
        APT.unpack_all(userland.SUITE, "amd64", names, new / "root")
        APT.unpack_all("sid", "amd64", OURS, new / "root")
    return keep(CACHE / "added" / "lava", fetch) / "root"


def beside(where, *command):
    """Run a program where LAVA is."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return run(*scratch.command(where, *command, program=root()), env=env)


def valid(tap, where):
    """Each job and device is what LAVA's server takes, also those that are not run here."""
    paths = []
    for row in lava.chosen((), ()):
        machine = lava.guest.MACHINES[row.machine]
        names = ["kernel", "ramdisk", "dtb", *lava.options(machine)[1]]
        images = dict.fromkeys(names, "http://files/file")
        paths.append(where / f"{row.kernel}-{row.machine}.yaml")
        paths[-1].write_text(yaml.safe_dump([lava.job(row, images), lava.device(machine)]))
    done = beside(where, "python3", "-c", SCHEMA, *paths)
    tap.result(done.returncode == 0, f"the definitions of {len(paths)} jobs, by LAVA's schemas",
               done.stdout)


def run_job(where, folder):
    """Let LAVA run a job; returns its verdict, its results and what came from the guest."""
    config, out = where / "dispatcher.yaml", where / f"{folder.name}-result"
    config.write_text("dispatcher_ip: 127.0.0.1\n")
    kind = yaml.safe_load((folder / "job.yaml").read_text())["device_type"]
    done = beside(where, "lava-run", "--job-id", folder.name, "--dispatcher", config,
                  "--device", lava.FOLDER / "devices" / f"{kind}.yaml",
                  "--output-dir", out, folder / "job.yaml")
    if not (out / "result.yaml").exists():
        raise SystemExit(done.stdout[-3000:])
    log = [yaml.safe_load(line[2:]) for line in (out / "logs.yaml").read_text().splitlines()]
    results = [(entry["msg"]["case"], entry["msg"]["result"]) for entry in log
               if entry["lvl"] == "results" and entry["msg"]["definition"] == "boardpack"]
    target = "\n".join(entry["msg"] for entry in log if entry["lvl"] == "target")
    return yaml.safe_load((out / "result.yaml").read_text()), results, target


def case(name):
    """What LAVA makes of a name."""
    return re.sub(r"\W+", "_", name.strip().lower())


def board(machine):
    """What QEMU emulates, and for which architecture."""
    return machine.arch, re.search(r"-M (\S+)", machine.options)[1]


def left_out(tap):
    """What starts again by itself is no job; an image that has to unpack itself is one."""
    jobs = lava.chosen((), ())
    tap.result(jobs and not [row for row in jobs if "reboots" in row.how.split(",")],
               "boots that reset themselves are no jobs", [(row.kernel, row.machine) for row in jobs])
    packed = [row for row in jobs if "packed" in row.how.split(",")]
    wrong = [row.machine for row in packed if (lava.write(row) / "kernel").read_bytes() !=
             lava.KERNELS[row.kernel].packed.read_bytes()]
    tap.result(packed and not wrong, "an image that unpacks itself is what a job has where the boot has it", wrong)


def boards(tap, whole):
    """The first job of each board."""
    found = {}
    for row in lava.chosen((), ()):
        found.setdefault(board(lava.guest.MACHINES[row.machine]), row)
    there = {board(machine) for machine in lava.guest.MACHINES.values()}
    tap.result(there == set(found), f"{len(there)} boards are emulated, and each has a job", there ^ set(found))
    return [dataclasses.replace(row, tests=SHORT, how="")
            if LONG in row.folders() and not whole else row for row in found.values()]


def boots(tap, where, jobs):
    """Each board: LAVA has every result of the KTAP that came over the wire, and no other."""
    states = {"passed": "pass", "failed": "fail", "skipped": "skip"}
    for row in jobs:
        title = f"{row.kernel} on {row.machine}"
        verdict, results, target = run_job(where, lava.write(row))
        told = collections.Counter((case(r.name), states[r.state]) for r in ktap.parse(target))
        told[("no_kernel_report", "pass")] += 1
        count = collections.Counter(state for _, state in results)
        tap.result(verdict["result"] == "pass", f"{title}: the job is complete",
                   f"{verdict}\n{target[-3000:]}")
        tap.result(collections.Counter(results) == told and len(results) > 1,
                   f"{title}: LAVA has the guest's results",
                   f"{count}\nnot LAVA's: {told - collections.Counter(results)}\n"
                   f"not the guest's: {collections.Counter(results) - told}")
        tap.result(count["pass"] and not count["fail"], f"{title}: none of them is a failure",
                   [result for result in results if result[1] == "fail"])


def made_up(where, script):
    """A guest that says what the script does."""
    row = next(iter(lava.chosen({"6.12"}, {"virt-usb"})))
    return run_job(where, lava.write(row, planned=lambda _: (
        {"boardpack/modules": b"", "boardpack/run": script.encode()}, "")))


def main(arguments):
    """Definitions, boards, and two guests that fail."""
    tap = Tap()
    if not scratch.available():
        tap.skip("lava", "this machine lets nobody mount an overlay")
        return tap.end()
    where = scratch.folder("lava")
    shutil.rmtree(OUT / "lava", ignore_errors=True)
    (OUT / "lava").mkdir()
    valid(tap, where)
    verdict, results, target = made_up(where, SAID)
    tap.result(verdict["result"] == "pass" and results == KEPT,
               "passed, failed, skipped, programs that say nothing or die, a kernel's warning",
               f"{verdict}\n{results}\n{target}")
    verdict, results, target = made_up(where, DIES)
    tap.result(verdict["result"] == "fail" and "Kernel panic" in target,
               "a guest that panics: the job has failed, and the panic is in its log",
               f"{verdict}\n{target}")
    left_out(tap)
    boots(tap, where, boards(tap, "all" in arguments))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
