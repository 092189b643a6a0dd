#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""preflight agrees with the kernel: what it foretells is what insmod then meets.

In guests with busybox and kmod, on Debian's kernels: as they are, with signatures
enforced, and locked down. Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import functools
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
PLAIN = ("5.10", "6.1", "6.12", "7.2")
WHOLE = "6.12"
SOME = ("none-good", "symbol-missing", "crc-layout", "vermagic-word")
SECURITYFS = b"mount -t securityfs securityfs /sys/kernel/security\n"


def module(kernel, name):
    """A module of the pack for that kernel, as it is installed: without debug information."""
    work, _ = kernel.ensure().build_pack()
    stripped = OUT / "variants" / f"{kernel.name}-{name}.ko"
    stripped.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([f"{CROSS[kernel.arch]}strip", "--strip-debug", "-o", stripped,
                    next(work.glob(f"drivers/*/{name}.ko"))], check=True)
    return stripped


def boot(name, files, tag, append="", before=b""):
    """Boot with modules to try; what preflight and the kernel said, as results."""
    kernel, machine = KERNELS[name], guest.MACHINES["virt-rtc"]
    stage = guest.stage_modules(kernel, ["usbcore", "ledtrig-timer"], [],
                                OUT / "stage" / f"preflight-{name}")
    folder = OUT / "preflight" / f"{name}-{tag}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for title, path in files.items():
        shutil.copyfile(path, folder / f"{title}.ko")
    tree = {**userland.files("arm64", "kmod"), "lib/modules": stage / "lib/modules",
            "boardpack/modules": b"", "boardpack/run": b"exec sh /boardpack/agree.sh\n",
            "boardpack/variants": folder, "boardpack/agree.sh": HERE / "agree.sh",
            **{f"boardpack/{p.name}": p for p in (TOP / "scripts").glob("preflight*")}}
    if before:
        tree["boardpack/before"] = before
    return guest.boot(kernel, machine, tree, 400, tag=f"preflight-{tag}", append=append)


def plain(name):
    """Each cause that needs no setting of the kernel."""
    kernel = KERNELS[name]
    files = variants.make(module(kernel, "leds-identify"), "arm64", OUT / "variants" / name)
    if name != WHOLE:       # what the words of the kernel differ in
        files = {title: path for title, path in files.items() if title in SOME}
    return boot(name, {**files, "symbol-unloaded": module(kernel, "usb-modeswitch")}, "plain")


def enforced(tag, **options):
    """A module without signature, and one whose key nobody knows."""
    kernel = KERNELS["6.12"]
    good = module(kernel, "leds-identify")
    folder = OUT / "variants" / tag
    pair = variants.key(folder, "Nobody knows me")
    copy = folder / "good.ko"
    shutil.copyfile(good, copy)
    return boot("6.12", {"signature-none": good, "signature-unknown":
                         variants.signed(kernel, pair, copy, "signed")}, tag, **options)


BOOTS = {
    **{f"{name}, as it is": functools.partial(plain, name) for name in PLAIN},
    "6.12, signatures enforced": lambda: enforced("sig", append="module.sig_enforce=1"),
    "6.12, locked down": lambda: enforced("lock", append="lockdown=integrity", before=SECURITYFS),
    "6.12, locked down, no securityfs": lambda: enforced("lock2", append="lockdown=confidentiality"),
    "6.12, no more modules": lambda: boot(
        "6.12", {"state-disabled": module(KERNELS["6.12"], "leds-identify")}, "disabled",
        before=b"echo 1 >/proc/sys/kernel/modules_disabled\n"),
    "6.12, blacklisted": lambda: boot(
        "6.12", {"state-blacklist": module(KERNELS["6.12"], "leds-identify")}, "black",
        append="module_blacklist=ttm,leds_identify"),
}


def main():
    """Boot after boot, or those whose titles begin with an argument."""
    tap = Tap()
    for title, start in BOOTS.items():
        if not title.startswith(tuple(sys.argv[1:]) or ""):
            continue
        for result in start().results:
            tap.result(result.state == "passed", f"{title}: {result.name}", result.why)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
