#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Signed modules load on Debian's own kernel where it insists on that, others do not.

Under UEFI with Secure Boot, whose db brings our key to the kernel and locks it down, and
with module.sig_enforce, where no key of ours is known. Runs in the tool root with
PYTHONPATH=selftests/qemu.
"""

import dataclasses
import pathlib
import re
import shutil
import sys

import guest
import uefi
import userland
from debian import CACHE, keep
from kernel import APT, KERNELS, OUT, TOP
from tap import Tap, run

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "preflight"))
# pylint: disable=wrong-import-position
import variants         # noqa: E402

KERNEL = KERNELS["6.12"]
FOLDER = OUT / "signed/locked"


def firmware():
    """UEFI of arm64 as Debian builds it, with a store of variables of our own: options."""
    def fetch(new):
        APT.unpack("trixie", "amd64", "qemu-efi-aarch64", new / "all")
        for name in ("CODE.secboot", "VARS"):
            shutil.copyfile(new / f"all/usr/share/AAVMF/AAVMF_{name}.fd", new / f"{name}.fd")
        shutil.rmtree(new / "all")
    files = keep(CACHE / "firmware" / "arm64", fetch)
    shutil.copyfile(files / "VARS.fd", FOLDER / "vars.fd")
    flash = "-drive if=pflash,format=raw,file="
    return f"{flash}{files}/CODE.secboot.fd,readonly=on {flash}{FOLDER}/vars.fd"


def machine(secure):
    """The plain board, or one with a firmware."""
    plain = guest.MACHINES["virt-rtc"]
    if not secure:
        return plain
    options = plain.options.replace("-M virt", "-M virt,acpi=off").replace("512M", "1G")
    return dataclasses.replace(plain, name="virt-uefi", tree="-", options=f"{options} {firmware()}")


def image_signers():
    """The certificates that a signed kernel carries in its PE header (DER)."""
    data = KERNEL.image.read_bytes()
    header = int.from_bytes(data[60:64], "little")
    at, size = (int.from_bytes(data[header + n:header + n + 4], "little") for n in (168, 172))
    done = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=data[at + 8:at + size],
               text=False, errors=None)
    pem = re.findall(rb"-----BEGIN.*?-----END [A-Z]+-----\n", done.stdout, re.S)
    if not pem:
        raise SystemExit(f"{KERNEL.image} is not signed: {done.stdout}")
    return [run("openssl", "x509", "-outform", "DER", input=one, text=False, errors=None).stdout
            for one in pem]


def modules(ours):
    """What is tried: the pack's modules signed, and in three wrong ways."""
    work, _ = KERNEL.ensure().build_pack()
    tried = FOLDER / "modules.d"
    tried.mkdir()
    for name in ("leds-identify", "rtc-seed"):
        plain = tried / "unsigned.ko"
        shutil.copyfile(next(work.glob(f"drivers/*/{name}.ko")), plain)
        variants.signed(KERNEL, ours, plain, f"signed-{name}")
    variants.signed(KERNEL, variants.key(FOLDER, "Stranger"), plain, "stranger")
    data = bytearray((tried / "signed-leds-identify.ko").read_bytes())
    data[len(data) // 3] ^= 1
    (tried / "changed.ko").write_bytes(data)
    return tried


def enrolment(ours):
    """The firmware's keys as files of efivarfs; the key of the kernel's maker in db, too."""
    owner = uefi.signature_list(ours[1].read_bytes())
    trusted = uefi.signature_list(ours[1].read_bytes(), *image_signers())
    return dict((uefi.variable("db", trusted), uefi.variable("KEK", owner),
                 uefi.variable("PK", owner, ours)))


def boot(tried, ours, secure):
    """Enrol and begin again, where there is a firmware; then load."""
    stage = guest.stage_modules(KERNEL, ["efivarfs", "ledtrig-timer"], [], OUT / "stage/signed")
    keys = enrolment(ours) if secure else {}
    return guest.boot(KERNEL, machine(secure), {
        **userland.files("arm64", "kmod"), "lib/modules": stage / "lib/modules",
        **{f"boardpack/uefi/{name}": data for name, data in keys.items()},
        **{f"boardpack/{p.name}": p for p in (TOP / "scripts").glob("preflight*")},
        "boardpack/modules.d": tried, "boardpack/modules": b"", "boardpack/locked": HERE / "locked",
        "boardpack/run": b"exec sh /boardpack/locked\n"}, 300, reboots=secure, tag="signed",
        append="" if secure else "module.sig_enforce=1")


def main():
    """Both ways."""
    tap = Tap()
    shutil.rmtree(FOLDER, ignore_errors=True)
    ours = variants.key(FOLDER, "Field key")
    tried = modules(ours)
    for way, secure in (("signatures enforced", False), ("Secure Boot", True)):
        for result in boot(tried, ours, secure).results:
            tap.result(result.state == "passed", f"{way}: {result.name}", result.why)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
