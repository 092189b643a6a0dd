#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make sign: one signature by the key that is named, and none with what does not fit.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import pathlib
import shutil
import sys

from kernel import KERNELS, OUT
from tap import Tap, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "preflight"))
# pylint: disable=wrong-import-position
import variants         # noqa: E402


def signer(module):
    """Whose signature modinfo finds."""
    return run("modinfo", "-F", "signer", module).stdout.strip()


def hashes(tap, kernel, module, ours):
    """The hash is the one that the kernel is configured for, whichever that is."""
    for name in ("sha256", "sha512"):
        kdir = module.parent / name
        (kdir / "include/config").mkdir(parents=True)
        (kdir / "include/config/auto.conf").write_text(f'CONFIG_MODULE_SIG_HASH="{name}"\n')
        (kdir / "scripts").symlink_to(kernel.build / "scripts")
        done = run("make", "-s", "sign", f"KDIR={kdir}", f"KEY={ours[0]}", f"CERT={ours[1]}",
                   f"MODULES={module}")
        told = run("modinfo", "-F", "sig_hashalgo", module).stdout.strip()
        tap.result(told == name, f"{name} where the kernel has that", done.stdout + told)


def refusals(tap, kernel, module, ours, stranger):
    """What does not fit is named, and the module stays as it is."""
    before = module.read_bytes()
    none = module.parent / "none.pem"
    for what, pair, kdir in (("is not the certificate of", (ours[0], stranger[1]), kernel.build),
                             (f"KEY={none} cannot be read", (none, ours[1]), kernel.build),
                             (f"CERT={none} cannot be read", (ours[0], none), kernel.build),
                             ("give KEY=", ("", ""), kernel.build),
                             ("has no scripts/sign-file", ours, module.parent)):
        done = run("make", "-s", "sign", f"KDIR={kdir}", f"KEY={pair[0]}", f"CERT={pair[1]}",
                   f"MODULES={module}")
        tap.result(done.returncode and what in done.stdout and module.read_bytes() == before,
                   f"refused: {what.replace(str(none), 'none.pem')}", done.stdout)


def main():
    """Sign, sign again, sign with another key."""
    tap = Tap()
    kernel = KERNELS["6.12"].ensure()
    work, _ = kernel.build_pack()
    folder = OUT / "signed/keys"
    shutil.rmtree(folder, ignore_errors=True)
    ours, stranger = variants.key(folder, "Field key"), variants.key(folder, "Stranger")
    plain = folder / "plain.ko"
    shutil.copyfile(next(work.glob("drivers/*/rtc-seed.ko")), plain)
    tap.result(not signer(plain), "a module that is built has no signature")
    once = variants.signed(kernel, ours, plain, "once")
    tap.result(signer(once) == "Field key", "signed by the key")
    tap.result(variants.signed(kernel, ours, once, "twice").read_bytes() == once.read_bytes(),
               "signed twice it has one signature")
    other = variants.signed(kernel, stranger, once, "other")
    tap.result(signer(other) == "Stranger" and other.stat().st_size < once.stat().st_size + 100,
               "another key takes its place")
    hashes(tap, kernel, other, ours)
    refusals(tap, kernel, once, ours, stranger)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
