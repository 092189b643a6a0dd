# SPDX-License-Identifier: GPL-2.0-only
"""The tool root as a system to change: what is written to it goes into a folder.

Packages are installed there and their scripts run as on a Debian machine, which nothing
of it reaches.
"""

import os
import shutil
import subprocess

import userland
from debian import CACHE, keep, say
from kernel import APT, HERE, OUT
from tap import run

WRITTEN = ("usr", "etc", "var")


def folder(name):
    """An empty one for what will be written."""
    made = OUT / "scratch" / name
    shutil.rmtree(made, ignore_errors=True)
    for part in WRITTEN:
        (made / "upper" / part).mkdir(parents=True)
        (made / "work" / part).mkdir(parents=True)
    return made


def added(name):
    """A Debian program and all that it needs and the tool root has not, unpacked."""
    def fetch(new):
        listed = subprocess.run(["dpkg-query", "-Wf", "${Package}\n"], text=True, capture_output=True,
                                check=True).stdout.split()
        names = [n for n in userland.closure("amd64", [name]) if n not in listed]
        say(f"{name}: fetching it ({len(names)} packages)")
        APT.unpack_all(userland.SUITE, "amd64", names, new / "root")
        (new / "root/etc").mkdir(exist_ok=True)
        (new / "root/var").mkdir(exist_ok=True)
    return keep(CACHE / "added" / name, fetch) / "root"


def available():
    """Whether this machine lets it mount overlays."""
    return run(*command(folder("probe"), "true")).returncode == 0


def command(where, *script, program=None):
    """The command that runs a script there, with a program in addition."""
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    return [*unshare, HERE / "scratch", where, f"{program}/" if program else "/", *script]
