# SPDX-License-Identifier: GPL-2.0-only
"""usb-modeswitch-data: a file per device, named VID:PID or VID:PID:STRING."""

import dataclasses
import re
import subprocess

SUITE = "sid"
PACKAGE = "usb-modeswitch-data"
SETTING = re.compile(r'^\s*(\w+)\s*=\s*"?([^"#\s]*)"?\s*$', re.M)
STRINGS = {"uMa": "MANUFACTURER", "uPr": "PRODUCT", "sVe": "SCSI_VENDOR", "sMo": "SCSI_MODEL"}


@dataclasses.dataclass
class Device:
    """One row of the table."""

    vid: int
    pid: int
    name: str
    settings: dict
    match: str = ""
    script: int = 0
    arg: int = 0
    string: int = 0
    target_class: int = 0
    delay: int = 0
    flags: tuple = ()

    @property
    def targets(self):
        """The IDs that it may have afterwards; none: its own."""
        vendor = self.settings.get("TargetVendor")
        products = (self.settings.get("TargetProductList") or
                    self.settings.get("TargetProduct", "").removeprefix("0x"))
        if not vendor:
            return []
        return [(int(vendor, 16), int(p, 16)) for p in products.split(",") if p]


def fetch():
    """Debian's package, unpacked in the cache; returns the folder and its version."""
    from debian import CACHE, Apt, keep     # pylint: disable=import-outside-toplevel
    apt = Apt()
    version = apt.field(SUITE, "amd64", PACKAGE, "Version").split("-")[0]

    def unpack(new):
        apt.unpack(SUITE, "amd64", PACKAGE, new / "deb")
        (new / "pack").mkdir()
        subprocess.run(["tar", "-C", new / "pack", "-xzf",
                        next((new / "deb").rglob("configPack.tar.gz"))], check=True)
    return keep(CACHE / "modeswitch-data" / version, unpack) / "pack", version


def read(name, text):
    """A device of its file."""
    vid, pid, *match = name.split(":")
    comment = re.search(r"^#\s*(.*)$", text, re.M)
    return Device(int(vid, 16), int(pid, 16), comment[1] if comment else "",
                  dict(SETTING.findall(text)), ":".join(match))


def read_all(folder, extra):
    """All devices, in the order in which they are tried."""
    found = [read(path.name, path.read_text(encoding="utf-8")) for path in folder.iterdir()]
    for line in extra.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, settings, comment = line.split("\t")
            found.append(read(name, f"# {comment}\n" + settings.replace(";", "\n")))
    # Of the same ID the one whose name sorts last is tried first: those with strings.
    found.sort(key=lambda d: d.match, reverse=True)
    return sorted(found, key=lambda d: (d.vid, d.pid))


def reused(devices):
    """IDs that a device has, or may have, also after the switch."""
    return {target for d in devices for target in d.targets} | {
        (d.vid, d.pid) for d in devices if not d.targets}


def devices(folder, extra, pool):
    """All rows, and their scripts put into the pool."""
    found = read_all(folder, extra)
    again = reused(found)
    for device in found:
        s = device.settings
        device.script, device.arg = pool.script(s)
        if device.match:
            kind, _, text = device.match.partition("=")
            device.string = pool.string(STRINGS[kind], text)
        device.target_class = int(s.get("TargetClass", "0"), 16)
        device.delay = int(s.get("WaitBefore", "0"))
        if (device.vid, device.pid) in again:
            device.flags += ("REUSED",)
    return found
