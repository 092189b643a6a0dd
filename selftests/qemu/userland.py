# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own programs for a guest: packages and all that they depend on, unpacked."""

import shutil

import cpio
from debian import CACHE, keep, say
from kernel import APT, HERE, TOP, digest

SUITE = "trixie"        # that of the tool root
TRIPLET = {"arm64": "aarch64-linux-gnu", "armhf": "arm-linux-gnueabihf",
           "amd64": "x86_64-linux-gnu"}
BASE = ("systemd", "udev", "kmod", "dash", "coreutils")
USELESS = ("doc", "info", "lintian", "locale", "man", "zoneinfo", "bash-completion")

APPEND = "systemd.condition_needs_update=0 systemd.show_status=0"     # to the command line
# What an installer would have written.
SYSTEM = {
    "init": b"#!/bin/sh\nexec /usr/lib/systemd/systemd\n",
    "etc/machine-id": b"0123456789abcdef0123456789abcdef\n",
    "etc/passwd": b"root:x:0:0::/:/bin/sh\n_chrony:x:100:100::/:/bin/false\n",
    "etc/group": b"root:x:0:\ntty:x:5:\n_chrony:x:100:\n",
    "etc/systemd/system/default.target": b"[Unit]\nRequires=boardpack.service\n",
    "etc/systemd/system/boardpack.service":
        b"[Unit]\nRequires=basic.target\nAfter=basic.target\n[Service]\nType=oneshot\n"
        b"ExecStart=/bin/busybox sh /boardpack/init\n",
}

# Where an image has what the pack brings.
IMAGE = {
    "usr/lib/udev/rules.d/70-rtc-seed.rules": "70-rtc-seed.rules",
    "usr/lib/systemd/system/timeinit-rtc.service.d/rtc-seed.conf": "timeinit-rtc.conf",
}


def closure(arch, names):
    """Packages and all that they depend on."""
    known = APT.packages(SUITE, arch)
    todo, done = list(names), set()
    while todo:
        name = todo.pop()
        if name not in done and name in known:
            done.add(name)
            todo += APT.depends(SUITE, arch, name)
    return sorted(done)


def unpacked(arch, *names):
    """A folder with the packages; nothing of them has been configured."""
    def fetch(new):
        packages = closure(arch, names)
        say(f"userland: fetching {' '.join(names)} for {arch} ({len(packages)} packages)")
        APT.unpack_all(SUITE, arch, packages, new)
        for name in USELESS:
            shutil.rmtree(new / "usr/share" / name, ignore_errors=True)
    return keep(CACHE / "userland" / f"{names[0]}-{arch}-{digest(SUITE, *names)}", fetch)


def files(arch, *names):
    """What to put into an initramfs: name in the archive -> file or folder."""
    folder = unpacked(arch, *names)
    loader = next((folder / "usr/lib" / TRIPLET[arch]).glob("ld-linux*"))
    return {"usr": folder / "usr", "etc": folder / "etc", f"lib/{loader.name}": loader.resolve()}


def system(arch, *names):
    """The same with systemd as PID 1, which runs the bench's init as its only service."""
    folder = unpacked(arch, *BASE, *names)
    files = {name: TOP / "scripts/yocto/files" / file for name, file in IMAGE.items()}
    return {**{name: cpio.Link(f"usr/{name}") for name in ("bin", "sbin", "lib")},
            **{name: folder / name for name in ("usr", "etc", "var")},
            "boardpack/init": HERE / "init", **SYSTEM, **files}
