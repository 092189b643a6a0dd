# SPDX-License-Identifier: GPL-2.0-only
"""For tests that run on this machine: the writer of results, and programs that a test judges."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys

from kernel import TOP
from ktap import Tap      # noqa: F401


def run(*command, **options):
    """Run a program; what it says on both channels is in stdout."""
    return subprocess.run(list(map(str, command)), **{
        "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": TOP,
        "errors": "replace", "check": False, **options})


def struck(folder, name, *command, **options):
    """Run a script that gets a HUP from a program that it calls; what it leaves of what is temporary."""
    bins, left = folder / f"struck-{name}/bin", folder / f"struck-{name}/tmp"
    bins.mkdir(parents=True)
    left.mkdir()
    (bins / name).write_text("#!/bin/sh\nkill -s HUP $PPID\n")
    (bins / name).chmod(0o755)
    done = run(*command, **options, env={**os.environ, "PATH": f"{bins}:{os.environ['PATH']}",
                                         "TMPDIR": str(left)})
    return done.returncode, [path.name for path in left.iterdir()]


def program(path):
    """A program without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    sys.modules[path.name] = module
    loader.exec_module(module)
    return module
