#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The workflows are what the hosted CI's schema allows, by action-validator from npm.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import pathlib
import sys
import tempfile

import node
from debian import CACHE, keep, say
from kernel import TOP
from tap import Tap, run

PACKAGES = ("@action-validator/cli@^0.6.0", "@action-validator/core@^0.6.0")
# What the schema does not allow: text of the workflow, and what it becomes.
DEFECTS = (("runs-on:", "runs_on:"), ("timeout-minutes: 180", "timeout-minutes: long"),
           ("\n        if: failure()", "\n        when: failure()"))


def validator():
    """The program."""
    def fetch(new):
        say("ci: fetching action-validator")
        node.install(new, *PACKAGES)
    return keep(CACHE / "added" / "action-validator", fetch) / "node_modules/.bin/action-validator"


def main():
    """The workflows, and some that are broken."""
    tap = Tap()
    program = validator()
    for path in sorted((TOP / ".github/workflows").iterdir()):
        text = path.read_text(encoding="utf-8")
        done = run(program, path)
        tap.result(done.returncode == 0, f"{path.name}: as the schema has it", done.stdout)
        for old, new in DEFECTS:
            with tempfile.TemporaryDirectory() as work:
                broken = pathlib.Path(work) / path.name
                broken.write_text(text.replace(old, new), encoding="utf-8")
                done = run(program, broken)
            tap.result(old in text and done.returncode == 1 and '"errors"' in done.stdout,
                       f"found: {new.strip()}", done.stdout)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
