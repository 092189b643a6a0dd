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
from tap import Tap, run, struck

# It is no upload to Debian.
IGNORED = "initial-upload-closes-no-bugs"
TESTER = {"DEBFULLNAME": "A Tester", "DEBEMAIL": "tester@balena.io"}


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


def committer(name, email):
    """The environment in which git says that somebody commits, or with '' nobody."""
    return {"DEBFULLNAME": "", "DEBEMAIL": "", "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": name,
            "GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": email}


def maintained(tap, *packages):
    """Each package has its maintainer, in the control file."""
    for deb, wanted in packages:
        said = run("dpkg-deb", "-f", deb, "Maintainer").stdout.strip()
        tap.result(said == wanted, f"the maintainer is {wanted}", said)


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
    deb = package(where, "one", **TESTER)
    again = package(where, "two", **TESTER, TZ="Asia/Tokyo", LC_ALL="C")
    os.umask(0o077)
    third = package(where, "three", **TESTER)
    tap.result(deb.read_bytes() == again.read_bytes() == third.read_bytes(), "the same bytes again")
    later = package(where, "four", **TESTER, SOURCE_DATE_EPOCH="1900000000")
    tap.result(later.read_bytes() != deb.read_bytes(), "SOURCE_DATE_EPOCH is in it")
    listed = run("dpkg-deb", "-f", deb, "Version", "Package").stdout
    version = run("make", "-s", "version").stdout.strip()
    tap.result(f"Version: {version}" in listed and "Package: boardpack-dkms" in listed, "name and version", listed)
    plain = package(where, "plain", **committer("", ""))
    maintained(tap, (deb, "A Tester <tester@balena.io>"),
               (package(where, "git", **committer("A Committer", "c@balena.io")),
                "A Committer <c@balena.io>"), (plain, "boardpack <boardpack@example.org>"))
    found = struck(where, "dpkg-deb", "scripts/dkms/package", where / "struck")
    tap.result(found == (130, []), "a signal ends it, and nothing temporary stays", found)
    if not scratch.available():
        tap.skip("lintian", "this machine lets nobody mount an overlay")
        return tap.end()
    status, said = lintian(where, plain)
    tap.result(status == 0 and not said, "lintian has nothing to say, where nobody is named", said)
    status, said = lintian(where, damaged(where, deb))
    tap.result("no-copyright-file" in said, "lintian does look", said)
    tap.result(not (TOP / "debian").exists(), "nothing is left in the sources")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
