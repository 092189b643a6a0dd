#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make sign: one signature by the key that is named, and none with what does not fit.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import lzma
import os
import pathlib
import shutil
import subprocess
import sys

from kernel import KERNELS, OUT
from tap import Tap, run, struck

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


def locked_away(tap, kernel, module, ours):
    """A key that is encrypted is opened by KBUILD_SIGN_PIN, by nothing else where nobody can be asked."""
    key = module.parent / "encrypted.pem"
    made = run("openssl", "pkey", "-in", ours[0], "-aes256", "-passout", "pass:right", "-out", key)
    for pin, status, says in (("right", 0, "Field key"), ("wrong", 2, "KBUILD_SIGN_PIN does not open"),
                              ("", 2, "is encrypted, and nobody is here to ask")):
        copy = shutil.copyfile(module, module.parent / "locked.ko")
        done = run("make", "-s", "sign", f"KDIR={kernel.build}", f"KEY={key}", f"CERT={ours[1]}",
                   f"MODULES={copy}", env={**os.environ, "KBUILD_SIGN_PIN": pin}, stdin=subprocess.DEVNULL)
        tap.result(done.returncode == status and says in done.stdout + signer(copy) and
                   bool(signer(copy)) != bool(status), f"an encrypted key, \"{pin}\": {says}",
                   made.stdout + done.stdout)


def packed(tap, kernel, module, ours):
    """A compressed module is not signed behind its end."""
    copy = module.parent / "packed.ko.xz"
    copy.write_bytes(lzma.compress(module.read_bytes()))
    before = copy.read_bytes()
    done = run("make", "-s", "sign", f"KDIR={kernel.build}", f"KEY={ours[0]}", f"CERT={ours[1]}",
               f"MODULES={copy}")
    tap.result(done.returncode and "is no module: unpack" in done.stdout and copy.read_bytes() == before,
               "refused: a compressed module", done.stdout)


def tool(folder, text):
    """A KDIR whose sign-file is a program of ours."""
    (folder / "include/config").mkdir(parents=True)
    (folder / "include/config/auto.conf").touch()
    (folder / "scripts").mkdir()
    (folder / "scripts/sign-file").write_bytes(text)
    (folder / "scripts/sign-file").chmod(0o755)
    return folder


def stays(tap, kernel, module, ours):
    """Where signing fails the module keeps the signature that it has, and nothing lies beside it."""
    folder = module.parent / "stays"
    folder.mkdir()
    foreign = tool(module.parent / "foreign", b"\x7fELF\2\1\1" + bytes(11) + b"\xf3\0" + bytes(44))
    full = tool(module.parent / "full", b"#!/bin/sh\nhead -c 1000 \"$4\" >\"${5:-$4}\"\n")
    for what, kdir, key, damage in (
            ("a key that no token has", kernel.build, "pkcs11:token=nothing", None),
            ("a sign-file that does not run here", foreign, ours[0], None),
            ("a sign-file that stops half-way, and does not tell", full, ours[0], None),
            ("a signature that is said to be longer than the file", kernel.build, ours[0], (-32, 0xff)),
            ("a signature that is said to be longer than it is", kernel.build, ours[0], (-30, 0xff))):
        copy = pathlib.Path(shutil.copyfile(module, folder / "module.ko"))
        before = bytearray(copy.read_bytes())
        if damage:
            before[damage[0]] = damage[1]
            copy.write_bytes(before)
        done = run("make", "-s", "sign", f"KDIR={kdir}", f"KEY={key}", f"CERT={ours[1]}", f"MODULES={copy}")
        tap.result(done.returncode and copy.read_bytes() == before and list(folder.iterdir()) == [copy] and
                   "module.ko" in done.stdout and (not damage or "signature is damaged: " in done.stdout),
                   f"stays: {what}", done.stdout)


def ended(tap, kernel, module, ours):
    """A signal ends it, and nothing of it lies anywhere."""
    folder = module.parent / "ended"
    folder.mkdir()
    copy = pathlib.Path(shutil.copyfile(module, folder / "module.ko"))
    found = struck(module.parent, "chmod", "scripts/sign", kernel.build, *ours, copy)
    tap.result(found == (130, []) and list(folder.iterdir()) == [copy], "a signal leaves nothing temporary",
               f"{found} {list(folder.iterdir())}")


def place(tap, module, sign):
    """A link stays one, and the file that it leads to keeps its mode."""
    copy = pathlib.Path(shutil.copyfile(module, module.parent / "place.ko"))
    copy.chmod(0o640)
    link = module.parent / "link.ko"
    link.symlink_to(copy.name)
    done = sign(link)
    tap.result(done.returncode == 0 and link.is_symlink() and signer(copy) == "Field key" and
               copy.stat().st_mode & 0o777 == 0o640, "what a link leads to is signed, with its mode",
               done.stdout + oct(copy.stat().st_mode))


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
    locked_away(tap, kernel, plain, ours)
    packed(tap, kernel, plain, ours)
    stays(tap, kernel, once, ours)
    ended(tap, kernel, once, ours)
    place(tap, plain, lambda module: run("make", "-s", "sign", f"KDIR={kernel.build}", f"KEY={ours[0]}",
                                         f"CERT={ours[1]}", f"MODULES={module}"))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
