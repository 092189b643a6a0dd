#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""DKMS builds and installs the pack as on a Debian machine: see steps.

dkms of two releases of Debian, kernel headers and hooks in the tool root, whose changes
go into a folder. Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import os
import pathlib
import re
import shutil
import sys

import ktap
import scratch
from debian import CACHE, keep, say
from kernel import APT, CROSS, KERNELS, OUT, TOP, Kernel
from tap import Tap, run

HERE = pathlib.Path(__file__).resolve().parent
SUITES = ("trixie", "bookworm")         # dkms 3.2 and 3.0


class Headers(Kernel):
    """A kernel of which there are headers alone; DKMS looks at no more."""

    @staticmethod
    def _unpack_image(new):
        pass


# One that comes later.
NEWER = Headers("6.12-amd64", "amd64", "trixie", r"linux-headers-6\.12\.[0-9]+\+deb13-amd64")


def packages(suite):
    """Debian's dkms; what else it depends on is in the tool root, or not used by it."""
    def fetch(new):
        say(f"# dkms: fetching that of {suite}")
        APT.download(suite, "amd64", ["dkms"], new)
    return keep(CACHE / f"dkms-{suite}", fetch)


def last_line(done):
    """What a target has made: it prints its place."""
    if done.returncode or not done.stdout.strip():
        raise SystemExit(done.stdout)
    return TOP / done.stdout.splitlines()[-1]


def life(suite, env):
    """All of steps with one dkms; returns its version, and the results."""
    where, debs = scratch.folder(f"dkms-{suite}"), packages(suite)
    # Nobody starts dkms from a make, whose words 3.0 would take for a compiler's name.
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = run(*scratch.command(where, HERE / "steps"), env={**outside, **{
        k: str(v) for k, v in {**env, "WHERE": where, "DEBS": debs}.items()}})
    results = ktap.parse(done.stdout)
    if f"1..{len(results)}" not in done.stdout.splitlines():
        results.append(ktap.Result("all steps", "failed", done.stdout[-3000:]))
    return next(debs.glob("*.deb")).name.split("_")[1], results


def elsewhere(tap, where):
    """A folder is taken from where the program is started, and the checkout is left alone."""
    where.mkdir()
    done = run(TOP / "scripts/dkms/tree", "made", cwd=where)
    made = where / done.stdout.strip()
    tap.result(done.returncode == 0 and (made / "dkms.conf").is_file() and
               (made / "drivers/leds/leds-identify.h").is_file() and not (TOP / "made").exists(),
               "the source tree, made into a folder beside which one stands", done.stdout)
    conf = (made / "dkms.conf").read_text(encoding="utf-8")
    needs = re.search(r'^BUILD_EXCLUSIVE_CONFIG="(.*)"$', conf, re.M)[1]
    tap.result(needs == "CONFIG_LEDS_CLASS CONFIG_LEDS_TRIGGERS CONFIG_RTC_CLASS CONFIG_USB",
               "which names the options that a kernel is to have", needs)


def main():
    """Make the package and the source tree, then leave it to the script."""
    tap = Tap()
    if not scratch.available():
        tap.skip("dkms", "this machine lets nobody mount an overlay")
        return tap.end()
    native, newer, arm64 = (k.ensure() for k in (KERNELS["6.1-amd64"], NEWER, KERNELS["6.12"]))
    env = {"TREE": last_line(run("make", "-s", "dkms")), "DEB": last_line(run("make", "-s", "deb")),
           "TOP": TOP, "OLD": native.release, "OLD_MODULES": native.modules,
           "OLD_BUILD": native.build, "NEW": newer.release, "NEW_BUILD": newer.build,
           "CROSS": CROSS["arm64"], "ARM64": arm64.release, "ARM64_BUILD": arm64.build,
           "DEBIAN_KERNEL_USE_CCACHE": "y", "OBJECTS": OUT / "dkms-objects"}
    elsewhere(tap, scratch.folder("dkms-tree") / "here")
    shutil.rmtree(env["OBJECTS"], ignore_errors=True)
    env["OBJECTS"].mkdir(parents=True)
    for suite in SUITES:
        version, results = life(suite, env)
        for result in results:
            tap.result(result.state == "passed", f"dkms {version}: {result.name}", result.why)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
