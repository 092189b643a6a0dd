# SPDX-License-Identifier: GPL-2.0-only
"""Debian's usb_modeswitch for a guest, and the devices of its data as rows of text."""

import sys

from debian import CACHE, keep, say
from kernel import APT, TOP
import userland

SUITE = "sid"
LIBRARIES = ("libusb-1.0-0", "libudev1", "libc6", "libcap2", "libjim0.84", "libssl3t64",
             "libgcc-s1", "zlib1g", "libzstd1")

sys.path.insert(0, str(TOP / "scripts/modeswitch"))
# pylint: disable=wrong-import-position
import data         # noqa: E402
import scripts      # noqa: E402


def program(arch):
    """The folder of the unpacked program with its libraries."""
    def fetch(new):
        say("usb-modeswitch: fetching Debian's program")
        known = APT.packages(SUITE, arch)
        APT.unpack_all(SUITE, arch, ["usb-modeswitch", *(n for n in LIBRARIES if n in known)], new)
    return keep(CACHE / "usb-modeswitch" / arch, fetch)


def name(device):
    """As in usb-modeswitch-data."""
    return f"{device.vid:04x}:{device.pid:04x}" + (f":{device.match}" if device.match else "")


def row(device, pool):
    """What the emulator has to know of a device, in a line."""
    script = pool.scripts[device.script]
    kind, _, text = device.match.partition("=")
    return "\t".join((name(device), f"{device.vid:04x}", f"{device.pid:04x}", kind or "-",
                      text or "-", script.gate, script.name or "message", str(device.arg),
                      device.settings.get("MessageEndpoint", "0x00"), str(device.script)))


def guest_files(arch):
    """What to put into an initramfs: name in the archive -> file or bytes."""
    root = program(arch)
    pool = scripts.Pool()
    folder, _ = data.fetch()
    devices = data.devices(folder, TOP / "scripts/modeswitch/extra.tsv", pool)
    table = "".join(f"{row(d, pool)}\n" for d in devices)
    files = {"opt/modeswitch/table": table.encode(), "opt/modeswitch/pack": folder}
    triplet = "aarch64-linux-gnu"
    for path in (root / "usr/lib" / triplet).glob("*.so*"):
        files[f"usr/lib/{triplet}/{path.name}"] = path
    loader = next((root / "usr/lib" / triplet).glob("ld-linux*"))
    files[f"lib/{loader.name}"] = loader.resolve()
    files["etc/ld.so.conf"] = f"/usr/lib/{triplet}\n".encode()
    files["usr/sbin/usb_modeswitch"] = root / "usr/sbin/usb_modeswitch"
    return {**udevd(arch, triplet), **files}


def udevd(arch, triplet):
    """The daemon and its libraries, without any rule."""
    root = userland.unpacked(arch, "udev")
    lib = root / "usr/lib"
    files = {f"usr/lib/{path.relative_to(lib)}": path
             for path in (*lib.glob(f"{triplet}/*.so*"), *lib.glob(f"{triplet}/systemd/*.so"))}
    files["usr/lib/systemd/systemd-udevd"] = (root / "usr/bin/udevadm").resolve()
    return files
