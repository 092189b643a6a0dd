# SPDX-License-Identifier: GPL-2.0-only
"""TAP for tests that run on this machine, and programs whose output a test judges."""

import subprocess

from kernel import TOP


class Tap:
    """Results, printed as they come."""

    def __init__(self):
        self.count = self.failed = 0
        print("TAP version 13", flush=True)

    def result(self, good, name, said=""):
        """Print one, and what explains it where it failed."""
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} {name}")
        for line in ("" if good else str(said)).splitlines():
            print(f"# {line}")
        print(end="", flush=True)

    def end(self):
        """Print the plan; return the exit status."""
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def run(*command, **options):
    """Run a program; what it says on both channels is in stdout."""
    return subprocess.run(list(map(str, command)), **{
        "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": TOP,
        "errors": "replace", "check": False, **options})
