# SPDX-License-Identifier: GPL-2.0-only
"""Tests that run on this machine, without a guest or with guests of their own."""

import os
import pathlib
import signal
import subprocess

import ktap
from debian import CACHE
from kernel import HERE, KERNELS, OUT, SOURCES, TOP, linux_source

GUESTS = (*SOURCES, "scripts", "selftests", "dts", "overlays")      # all that is in one
# What writes trees on emulated disks.
DISKS = ("scripts/dtb-swap", "scripts/boards.tsv", "scripts/dt", "selftests/dtb-swap-power", "selftests/qemu",
         *(f"selftests/dtb-swap/{name}.py" for name in ("bench", "install", "selector")))
# Folders whose tests run on this machine, without a guest or with their own, and
# the kernel that those use. Where files are named, these and the kernel decide the
# result, and it is taken again for as long as they are what they were.
HOST_TESTS = {"verdict": (*GUESTS, "kconfig"), "pin": GUESTS, "qemu": (),
              "newcomer": (*GUESTS, "README.md", "Makefile"),
              "build": (*SOURCES, "dts/bindings", "scripts", "selftests", "README.md"),
              "static": ("scripts", "selftests", "drivers", "dts", ".yamllint", ".shellcheckrc"),
              "kconfig": ("scripts", "selftests", "kconfig"),
              "dt": ("scripts", "README.md", "Makefile", "selftests/dt", "selftests/qemu", "dts",
                     "overlays", "drivers/leds/Kconfig", "drivers/rtc/Kconfig"),
              "dtb-swap": ("scripts", "selftests/dtb-swap", "selftests/qemu", "Makefile", "dts", "overlays"),
              "dtb-swap-power": (*DISKS, "scripts/yocto/files", "selftests/dtb-swap"),
              "dtb-swap-try": (*DISKS, "selftests/dtb-swap-try"),
              "dtb-swap-field": (*DISKS, *SOURCES, "scripts", "dts", "overlays", "selftests/dtb-swap-field"),
              "fuzz": ("scripts/dtb-swap", "scripts/boards.tsv", "scripts/dt", "selftests/fuzz",
                       "selftests/dtb-swap/bench.py", "selftests/qemu"),
              "yocto": ("scripts", "selftests/yocto", "selftests/qemu", "kconfig", "dts", "overlays",
                        "Makefile", "drivers", "COPYING", "Kbuild", "README.md", "CHANGELOG.md"),
              "dkms": (*SOURCES, "scripts", "CHANGELOG.md", "selftests/dkms", "selftests/qemu"),
              "signed": (*SOURCES, "scripts", "selftests/signed", "selftests/preflight", "selftests/qemu"),
              "preflight": (*SOURCES, "scripts", "selftests/preflight", "selftests/qemu"),
              "matrix": (*SOURCES, "scripts/matrix", "selftests/matrix", "selftests/qemu"),
              "container": (*SOURCES, "scripts", "selftests/container", "selftests/qemu", ".dockerignore"),
              "lava": (*SOURCES, "scripts", "selftests", "dts", "overlays"),
              "ci": (".github", "README.md", "selftests/ci", "selftests/qemu"),
              "usb-table": ("scripts/modeswitch", "selftests/usb-table", "selftests/qemu",
                            "drivers/usb")}
HOST_KERNEL, NEWEST_KERNEL = "6.12", "7.2"
# Guests with the time of the host, since in one of their own a disk of the host's is too slow,
# and programs that wait.
WAITING = ("tests of verdict", "tests of pin", "tests of newcomer", "tests of dtb-swap",
           "tests of dtb-swap-power", "tests of dtb-swap-try", "tests of dtb-swap-field", "demo")
# It does not outlive us; and nohup, or a shell's &, have signals ignored, which all that they start inherits.
HEARS = ("setpriv", "--pdeathsig", "KILL", "env", "--default-signal=HUP,INT,QUIT,TERM")
LIMIT = 3600    # seconds that a script may take; the slowest needs some 500 alone


def run_ktap(command, limit=LIMIT, **env):
    """Run a script on this machine whose output is KTAP; it is ended after limit seconds."""
    with subprocess.Popen([*HEARS, *command], cwd=TOP, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **env},
                          start_new_session=True) as child:
        try:
            said, why = child.communicate(timeout=limit)[0], "exit status {}"
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            said, why = child.communicate()[0], f"time limit of {limit} s"
    results = ktap.parse(said)
    name = pathlib.Path(command[0]).name
    lost = ktap.lost(said)
    if not results:
        results = [ktap.Result(name, "failed", f"no result\n{said}")]
    elif child.returncode and all(r.state != "failed" for r in results):
        results.append(ktap.Result(name, "failed", f"{why.format(child.returncode)}\n{said}"))
    elif lost:
        results.append(ktap.Result(name, "failed", f"{lost}\n{said}"))
    return results


def static():
    """The checks that need no kernel but its source."""
    return run_ktap(["scripts/check/run"], LINUX_SRC=str(linux_source()))


def run(topic):
    """Test scripts that run on this machine, of one folder."""
    def scripts():
        env = {"LINUX_SRC": str(linux_source()), "GRAFT_DIR": str(CACHE / "graft"),
               "BUILD_KDIR": str(KERNELS[HOST_KERNEL].ensure().build),
               "NEWEST_KDIR": str(KERNELS[NEWEST_KERNEL].ensure().build),
               "PYTHONPATH": str(HERE)}
        results = []
        OUT.mkdir(exist_ok=True)        # where they work
        for script in sorted((TOP / "selftests" / topic).glob("*.*")):
            can = os.access(script, os.X_OK)
            if script.name.startswith("bad-") or not (can or is_script(script)):
                continue
            found = run_ktap([script], **env) if can and is_script(script) else [ktap.Result(
                "it runs", "failed", "it names nothing that executes it" if can else
                "it is a script that nobody may execute")]
            for result in found:
                result.name = f"{topic}: {script.name}: {result.name}"
                results.append(result)
        return results
    return scripts


def is_script(path):
    """Whether it names what executes it; what others only read does not."""
    return path.is_file() and path.read_bytes()[:2] == b"#!"
