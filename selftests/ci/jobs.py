#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The jobs of the workflow together run what make check runs, and none runs nothing.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import re
import sys

import yaml

from boots import BOOTS
from kernel import HERE, KERNELS, TOP, names
from tap import Tap, program

check = program(HERE / "check")


def workflow():
    """What each job does, and the jobs."""
    text = (TOP / ".github/workflows/check.yml").read_text(encoding="utf-8")
    job = yaml.safe_load(text)["jobs"]["check"]
    return job, job["strategy"]["matrix"]["include"]


def jobs(job, rows):
    """Kernels and tests of each job, as make check is told them."""
    said = [step["run"] for step in job["steps"] if "make check" in step.get("run", "")]
    if said != ["make check KERNELS='${{ matrix.kernels }}' TESTS='${{ matrix.tests }}'"]:
        raise SystemExit(f"the workflow runs something else: {said}")
    return {row["name"]: (names(row["kernels"]), names(row["tests"]))
            for row in rows}


def keys(job, rows):
    """The key of each job's cache, which actions/cache takes without a comma only, and its names."""
    key = next(step["with"]["key"] for step in job["steps"] if "cache@" in step.get("uses", ""))
    return {row["name"]: re.sub(r"\${{ matrix\.(\w+) }}", lambda found: row[found[1]], key)
            for row in rows}


def files(key):
    """What hashFiles finds of the files that it is told."""
    told = re.search(r"hashFiles\((.*?)\)", key)[1]
    return {name: list(TOP.glob(name)) for name in re.findall(r"'(.*?)'", told)}


def boots(kernels, tests):
    """Single tests of boots: (kernel, machine, folder)."""
    return {(row.kernel, row.machine, folder)
            for row in BOOTS if not kernels or row.kernel in kernels
            for folder in row.folders(tests)}


def others(kernels, tests):
    """Titles of steps that are no boots."""
    return {step.title for step in check.plan(kernels, tests) if not step.title.startswith("boot ")}


def main():
    """Compare."""
    tap = Tap()
    job, rows = workflow()
    known = jobs(job, rows)
    made = keys(job, rows)
    told = files(next(iter(made.values())))
    tap.result(all(told.values()), "the cache's key is of files that are there", told)
    made = {name: re.sub(r"\${{ hashFiles\(.*?\) }}", "hash", key) for name, key in made.items()}
    bad = [key for key in made.values() if re.search(r"[,${]", key) or len(key) > 512]
    tap.result(not bad and len(set(made.values())) == len(rows), "each job has a cache of its own", bad)
    for name, (kernels, tests) in known.items():
        unknown = tests - set(check.topics())
        tap.result(not unknown and not kernels - set(KERNELS), f"{name}: its names are there", unknown)
        idle = [test for test in tests if not check.plan(kernels, {test})]
        tap.result(not idle, f"{name}: each of its tests runs something", idle)
    left = boots((), ()) - set().union(*(boots(*job) for job in known.values()))
    tap.result(not left, "all boots are in a job", left)
    left = others((), set()) - set().union(*(others(*job) for job in known.values()))
    tap.result(not left, "all else is in a job", left)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
