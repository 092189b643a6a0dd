#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""preflight agrees with the kernel: what it foretells is what insmod then meets.

A guest for each of Debian's kernels, where each cause is made for real; signatures are
selftests/signed's. Runs in the tool root with PYTHONPATH=selftests/qemu; arguments: kernels.
"""

import pathlib
import shutil
import subprocess
import sys

import guest
import userland
import variants
from kernel import CROSS, KERNELS, OUT, TOP
from tap import Tap

HERE = pathlib.Path(__file__).resolve().parent
TRIED = ("5.10", "6.12", "7.2")
LIMIT = 900


def stripped(kernel, name, folder):
    """A module of the pack for that kernel, as it is installed: without debug information."""
    work, _ = kernel.ensure().build_pack()
    folder.mkdir(parents=True)
    subprocess.run([f"{CROSS[kernel.arch]}strip", "--strip-debug", "-o", folder / f"{name}.ko",
                    next(work.glob(f"drivers/*/{name}.ko"))], check=True)
    return folder / f"{name}.ko"


def tried(kernel, folder):
    """What a guest tries, and what it may know of its kernel."""
    shutil.rmtree(folder, ignore_errors=True)
    good = stripped(kernel, "leds-identify", folder / "good")
    variants.make(good, kernel.arch, folder / "variants")
    variants.running(good, folder / "running")
    variants.exported(good, kernel.build / "Module.symvers", folder / "running")
    shutil.copyfile(stripped(kernel, "rtc-seed", folder / "seed"), folder / "variants/none-seed.ko")
    stripped(kernel, "usb-modeswitch", folder / "needs")
    (folder / "known").mkdir()
    shutil.copyfile(kernel.build / "Module.symvers", folder / "known/Module.symvers")
    shutil.copyfile(next(path for path in (kernel.dir / f"boot/config-{kernel.release}",
                                           kernel.modules / "config") if path.exists()),
                    folder / "known/config")
    return folder


def boot(kernel):
    """Boot it with them."""
    stage = guest.stage_modules(kernel, ["usbcore", "ledtrig-timer"], [],
                                OUT / "stage" / f"preflight-{kernel.name}")
    return guest.boot(kernel, guest.MACHINES["virt-rtc"], {
        **userland.files(kernel.arch, "kmod"), "lib/modules": stage / "lib/modules",
        **{f"boardpack/{path.name}": path for path in (TOP / "scripts").glob("preflight*")},
        "boardpack/modules.d": tried(kernel, OUT / "preflight" / kernel.name),
        "boardpack/modules": b"", "boardpack/agree": HERE / "agree",
        "boardpack/run": b"exec sh /boardpack/agree\n"}, LIMIT, tag="preflight",
        append=f"module_blacklist=ttm,{variants.BLOCKED}")


def main():
    """Kernel after kernel."""
    tap = Tap()
    for name in sys.argv[1:] or TRIED:
        for result in boot(KERNELS[name].ensure()).results:
            tap.result(result.state == "passed", f"{name}: {result.name}", result.why)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
