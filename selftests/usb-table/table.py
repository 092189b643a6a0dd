#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The driver's table is what usb-modeswitch-data says, and what the generator makes of it."""

import collections
import importlib.machinery
import importlib.util
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(TOP / "scripts/modeswitch"), str(TOP / "selftests/qemu")]

# pylint: disable=wrong-import-position
import data         # noqa: E402
import scripts      # noqa: E402
from ktap import Tap        # noqa: E402

LOADER = importlib.machinery.SourceFileLoader("generate", str(TOP / "scripts/modeswitch/generate"))
SPEC = importlib.util.spec_from_loader("generate", LOADER)
generate = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(generate)

VERSION = "20251207"
# Devices of that version by method, counted in the data itself and not by the generator.
COUNTED = {
    "StandardEject=1": 182, "HuaweiNewMode=1": 62, "OptionMode=1": 61, "HuaweiMode=1": 7,
    "SierraMode=1": 5, "QuantaMode=1": 3, "SonyMode=1": 2, "Configuration=0": 33,
}


def wire(device, pool):
    """The steps of a device."""
    script = pool.scripts[device.script]
    return pool.steps[script.first:script.first + script.count]


def loading(text, devices):
    """The devices for which modprobe finds the module, by an ID or a vendor of the table."""
    text = text[text.index("struct usb_device_id "):]
    ids = {(int(v, 16), int(p, 16)) for v, p in re.findall(
        r"{ USB_DEVICE\w*\(0x(\w+), 0x(\w+)", text)}
    vendors = {int(v, 16) for v in re.findall(r"\.idVendor = 0x(\w+), \.bInterfaceClass = 0x08", text)}
    return ((d.vid, d.pid) for d in devices if (d.vid, d.pid) in ids or d.vid in vendors)


def checks(folder, version, text, devices, pool):
    """Each check: what it shows, and whether it holds."""
    yield f"generating it again gives the same bytes ({version})", \
        generate.TABLE.read_text(encoding="utf-8") == text
    names = [path.name for path in folder.iterdir()]
    own = [d for d in devices if data_name(d) in names]
    yield f"{len(names)} devices of the data are in it, each once", \
        sorted(map(data_name, own)) == sorted(names)
    yield "it is sorted", [(d.vid, d.pid) for d in devices] == sorted((d.vid, d.pid) for d in devices)
    for device in own:
        content = device.settings.get("MessageContent")
        if content and bytes.fromhex(content) not in [
                pool.messages[arg] for kind, arg in wire(device, pool)
                if kind.startswith(("CBW", "RAW"))]:
            yield f"{data_name(device)}: its message is sent as it is", False
    yield "each message of the data is sent as it is", True
    missed = {(d.vid, d.pid) for d in devices} - set(loading(text, devices))
    yield f"each device loads the module ({len(missed)} do not)", not missed
    strings = collections.Counter(bool(d.string) for d in devices if (d.vid, d.pid) == (0x05c6, 0x1000))
    yield "the 12 variants of 05c6:1000 are told apart by strings", strings == {True: 12}
    both = {t for d in devices for t in d.targets} & {(d.vid, d.pid) for d in devices}
    yield f"the {len(both)} IDs that are start and target are marked", \
        len(both) >= 11 and all("REUSED" in d.flags for d in devices if (d.vid, d.pid) in both)
    same = [d for d in own if "TargetClass" in d.settings and not d.targets]
    yield f"the {len(same)} devices that keep their ID are marked", \
        all("REUSED" in d.flags and d.target_class for d in same)
    if version == VERSION:
        yield "513 devices", len(names) == 513
        for setting, count in COUNTED.items():
            key, _, value = setting.partition("=")
            yield f"{count} devices have {setting}", \
                sum(d.settings.get(key) == value for d in own) == count


def data_name(device):
    """As in usb-modeswitch-data."""
    return f"{device.vid:04x}:{device.pid:04x}" + (f":{device.match}" if device.match else "")


def main():
    """Print TAP."""
    folder, version = data.fetch()
    if f"usb-modeswitch-data {version}\n" not in generate.TABLE.read_text(encoding="utf-8"):
        print(f"TAP version 13\n1..1\nok 1 the table # SKIP Debian has data of {version}, "
              "newer than the table: run scripts/modeswitch/generate")
        return 0
    pool = scripts.Pool()
    devices = data.devices(folder, TOP / "scripts/modeswitch/extra.tsv", pool)
    text = generate.table(folder, version)[0]
    tap = Tap()
    for what, okay in checks(folder, version, text, devices, pool):
        tap.result(okay, what)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
