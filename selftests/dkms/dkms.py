#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""DKMS builds and installs the pack as on a Debian machine: see steps.

Debian's dkms, kernel headers and hooks in the tool root, whose changes go into a folder.
Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import os
import pathlib
import subprocess
import sys

import scratch
from debian import CACHE, keep, say
from kernel import APT, CROSS, KERNELS, TOP, Kernel
from tap import run

HERE = pathlib.Path(__file__).resolve().parent


class Headers(Kernel):
    """A kernel of which there are headers alone; DKMS looks at no more."""

    @staticmethod
    def _unpack_image(new):
        pass


# One that comes later.
NEWER = Headers("6.12-amd64", "amd64", "trixie", r"linux-headers-6\.12\.[0-9]+\+deb13-amd64")


def packages():
    """Debian's dkms; what else it depends on is in the tool root, or not used by it."""
    def fetch(new):
        say("dkms: fetching it")
        APT.download("trixie", "amd64", ["dkms"], new)
    return keep(CACHE / "dkms", fetch)


def last_line(done):
    """What a target has made: it prints its place."""
    if done.returncode or not done.stdout.strip():
        raise SystemExit(done.stdout)
    return TOP / done.stdout.splitlines()[-1]


def main():
    """Make the package and the source tree, then leave it to the script."""
    if not scratch.available():
        print("1..0 # SKIP this machine lets nobody mount an overlay")
        return 4
    native, newer, arm64 = KERNELS["6.1-amd64"].ensure(), NEWER.ensure(), KERNELS["6.12"].ensure()
    where = scratch.folder("dkms")
    env = {"TREE": last_line(run("make", "-s", "dkms")), "DEB": last_line(run("make", "-s", "deb")),
           "TOP": TOP, "DEBS": packages(), "WHERE": where,
           "OLD": native.release, "OLD_MODULES": native.modules, "OLD_BUILD": native.build,
           "NEW": newer.release, "NEW_BUILD": newer.build, "CROSS": CROSS["arm64"],
           "ARM64": arm64.release, "ARM64_BUILD": arm64.build}
    return subprocess.run([*map(str, scratch.command(where, HERE / "steps"))], check=False,
                          env={**os.environ, **{k: str(v) for k, v in env.items()}}).returncode


if __name__ == "__main__":
    sys.exit(main())
