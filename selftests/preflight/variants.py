# SPDX-License-Identifier: GPL-2.0-only
"""Modules that a kernel refuses: copies of good ones with one thing wrong."""

import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

from kernel import CROSS
from tap import run

COMMON = "kfree"                # the kernel's own modules tell its CRC
SYMBOL = "led_trigger_set"      # leds-identify uses it; a kernel without LEDS_TRIGGERS lacks it


def _other_word(data):
    """Built with another setting of MODULE_UNLOAD."""
    return re.sub(rb"(vermagic=[^\0]*)mod_unload", rb"\1mod_xxload", data)


def _other_crc(data, symbol):
    """Built against another declaration of the symbol: its CRC is not the kernel's."""
    word = 8 if data[4] == 2 else 4
    at = data.index(symbol.encode().ljust(64 - word, b"\0")) - word
    return data[:at] + bytes((data[at] ^ 0x55,)) + data[at + 1:]


def _renamed(data, symbol):
    """It wants a symbol that no kernel has."""
    return data.replace(b"\0" + symbol.encode() + b"\0", b"\0" + symbol[:-3].encode() + b"zzz\0")


def _other_machine(data):
    """For another architecture, as its ELF header says: s390."""
    return data[:18] + struct.pack("<H", 22) + data[20:]


def _without_crcs(data, cross):
    """Built where no Module.symvers was."""
    with tempfile.NamedTemporaryFile(suffix=".ko") as file:
        file.write(data)
        file.flush()
        subprocess.run([f"{cross}objcopy", "--rename-section=__versions=__nothing", file.name], check=True)
        return pathlib.Path(file.name).read_bytes()


def make(good, arch, folder):
    """The good module and its variants below a folder: {kind-what: file}."""
    data = good.read_bytes()
    made = {
        "none-good": data,
        "vermagic-word": _other_word(data),
        "symbol-missing": _renamed(data, SYMBOL),
        "arch-other": _other_machine(data),
        "arch-cut": data[:40],
    }
    if b"module_layout" in data:        # a kernel with MODVERSIONS
        made |= {"crc-symbol": _other_crc(data, COMMON),
                 "crc-layout": _other_crc(data, "module_layout"),
                 "none-without-crcs": _without_crcs(data, CROSS[arch])}
    if len({*made.values()}) != len(made):
        raise SystemExit("two variants are the same")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (folder / f"{name}.ko").write_bytes(content)
    return {name: folder / f"{name}.ko" for name in made}


def key(folder, name):
    """A key pair and its certificate in DER: (key, certificate)."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = folder / f"{name}.pem", folder / f"{name}.der"
    made = run("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days",
               "3650", "-batch", "-subj", f"/CN={name}", "-addext", "extendedKeyUsage=codeSigning",
               "-outform", "DER", "-keyout", pair[0], "-out", pair[1])
    if made.returncode:
        raise SystemExit(made.stdout)
    return pair


def signed(kernel, pair, module, name):
    """A signed copy of a module, by make sign."""
    copy = module.parent / f"{name}.ko"
    shutil.copyfile(module, copy)
    made = run("make", "-s", "sign", f"KDIR={kernel.build}", f"KEY={pair[0]}", f"CERT={pair[1]}",
               f"MODULES={copy}")
    if made.returncode:
        raise SystemExit(made.stdout)
    return copy
