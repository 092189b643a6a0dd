#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lists of packages that are out of date are fetched again, where something is fetched.

The mirror is a folder, with one package, of which there is a newer version later. Runs in the tool
root with PYTHONPATH=selftests/qemu.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from unittest import mock

import debian
from tap import Tap

SUITE, ARCH, PACKAGE = "trixie", "amd64", "one-1"


class Local(debian.Apt):
    """That mirror."""

    suites = {SUITE: ARCH}

    def __init__(self, work):
        super().__init__()
        self.dir, self.mirror = work / "apt", work / "mirror"
        self.conf = self.dir / "apt.conf"

    def _configure(self):
        super()._configure()
        (self.dir / "sources.list").write_text(f"deb [trusted=yes] copy:{self.mirror} {SUITE} main\n")


def publish(work, version):
    """Have that version of the package in the mirror, and no other."""
    mirror, tree = work / "mirror", work / "tree"
    for folder in (mirror, tree):
        shutil.rmtree(folder, ignore_errors=True)
    name = PACKAGE.replace("1", version)
    control = (f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
               "Maintainer: A Tester <tester@example.org>\nDescription: none\n")
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(control)
    (tree / "version").write_text(version)
    lists = mirror / f"dists/{SUITE}/main/binary-{ARCH}"
    lists.mkdir(parents=True)
    deb = mirror / f"{name}.deb"
    subprocess.run(["dpkg-deb", "-b", tree, deb], check=True, stdout=subprocess.DEVNULL)
    data = deb.read_bytes()
    text = f"{control}Filename: {deb.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    (lists / "Packages").write_text(text)
    (mirror / f"dists/{SUITE}/Release").write_text(
        f"Suite: {SUITE}\nCodename: {SUITE}\nArchitectures: {ARCH}\nComponents: main\nDate: "
        f"{time.strftime('%a, %d %b %Y %H:%M:%S UTC', time.gmtime())}\nSHA256:\n "
        f"{hashlib.sha256(text.encode()).hexdigest()} {len(text)} main/binary-{ARCH}/Packages\n")


def fetched(work, name):
    """What somebody gets who wants the newest: its version, or what he is told."""
    apt = Local(work)
    try:
        folder = debian.keep(work / name, lambda new: apt.unpack(
            SUITE, ARCH, apt.newest(SUITE, ARCH, r"one-\d+"), new))
    except SystemExit as error:
        return str(error)
    return (folder / "version").read_text()


def age(work, seconds):
    """Have the lists be so old."""
    then = time.time() - seconds
    os.utime(work / "apt/updated", (then, then))


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work, mock.patch.object(debian, "say"):
        work = pathlib.Path(work)
        publish(work, "1")
        tap.result(fetched(work, "first") == "1", "a package is fetched", fetched(work, "again"))
        publish(work, "2")
        age(work, 600)
        said = fetched(work, "soon")
        tap.result("apt-get" in said and not (work / "soon").exists(),
                   "what is not there, by lists that are new, is an error", said)
        age(work, 86400)
        said = fetched(work, "later")
        tap.result(said == "2", "by old lists: they are fetched again, and it is looked for again", said)
        publish(work, "3")
        age(work, 86400)
        (work / "mirror").rename(work / "away")
        said = fetched(work, "without")
        tap.result("apt-get" in said and (work / "apt/updated").exists() and
                   Local(work).newest(SUITE, ARCH, r"one-\d+") == "one-2",
                   "without the mirror the lists that are there stay", said)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
