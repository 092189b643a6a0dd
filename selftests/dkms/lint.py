#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Debian package: lintian has nothing to say, and the same source gives the same bytes.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import os
import pathlib
import shutil
import sys

import scratch
from kernel import TOP
from tap import Tap, run

# It is no upload to Debian.
IGNORED = "initial-upload-closes-no-bugs"


def lintian(where, deb):
    """What lintian says."""
    done = run(*scratch.command(where, "lintian", "--allow-root", "--info", "--pedantic", "--suppress-tags",
                                IGNORED, deb, program=scratch.added("lintian")))
    return done.returncode, done.stdout.strip()


def package(where, name, **env):
    """A package, made into a folder of its own."""
    done = run("scripts/dkms/package", where / name, env={**os.environ, **env})
    if done.returncode:
        raise SystemExit(done.stdout)
    return pathlib.Path(done.stdout.strip())


def damaged(where, deb):
    """The same with something that lintian has to find: a wrong mode and no copyright."""
    run("dpkg-deb", "-R", deb, where / "raw")
    shutil.rmtree(where / "raw/usr/share/doc")
    done = run("dpkg-deb", "--root-owner-group", "-b", where / "raw", where / "bad_0.1.0_all.deb")
    if done.returncode:
        raise SystemExit(done.stdout)
    return where / "bad_0.1.0_all.deb"


def main():
    """Make it, look at it, make it again."""
    tap = Tap()
    where = scratch.folder("lint")
    deb = package(where, "one", DEBFULLNAME="A Tester", DEBEMAIL="tester@balena.io")
    again = package(where, "two", DEBFULLNAME="A Tester", DEBEMAIL="tester@balena.io", TZ="Asia/Tokyo",
                    LC_ALL="C")
    os.umask(0o077)
    third = package(where, "three", DEBFULLNAME="A Tester", DEBEMAIL="tester@balena.io")
    tap.result(deb.read_bytes() == again.read_bytes() == third.read_bytes(), "the same bytes again")
    later = package(where, "four", DEBFULLNAME="A Tester", DEBEMAIL="tester@balena.io",
                    SOURCE_DATE_EPOCH="1900000000")
    tap.result(later.read_bytes() != deb.read_bytes(), "SOURCE_DATE_EPOCH is in it")
    listed = run("dpkg-deb", "-f", deb, "Version", "Package").stdout
    version = run("make", "-s", "version").stdout.strip()
    tap.result(f"Version: {version}" in listed and "Package: boardpack-dkms" in listed, "name and version", listed)
    if not scratch.available():
        print("ok # SKIP lintian: this machine lets nobody mount an overlay")
        return tap.end()
    status, said = lintian(where, deb)
    tap.result(status == 0 and not said, "lintian has nothing to say", said)
    status, said = lintian(where, damaged(where, deb))
    tap.result("no-copyright-file" in said, "lintian does look", said)
    tap.result(not (TOP / "debian").exists(), "nothing is left in the sources")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
