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
INNER = "schedule_tail"         # a function of every kernel that none exports
BUILT_IN = "8250"               # is in Debian's kernels, and has parameters
BLOCKED = "leds_blocked"        # for module_blacklist=


def _other_word(data):
    """Built with another setting of MODULE_UNLOAD."""
    return re.sub(rb"(vermagic=[^\0]*)mod_unload", rb"\1mod_xxload", data)


def _other_release(data):
    """Built for another release."""
    return re.sub(rb"vermagic=\d", b"vermagic=9", data)


def _other_crc(data, symbol):
    """Built against another declaration of the symbol: its CRC is not the kernel's."""
    word = 8 if data[4] == 2 else 4
    at = data.index(symbol.encode().ljust(64 - word, b"\0")) - word
    return data[:at] + bytes((data[at] ^ 0x55,)) + data[at + 1:]


def _renamed(data, symbol, other=""):
    """It wants another symbol, or one that no kernel has."""
    other = other.ljust(len(symbol), "\0") if other else f"{symbol[:-3]}zzz"
    return data.replace(b"\0" + symbol.encode() + b"\0", b"\0" + other.encode() + b"\0")


def _unlicensed(data):
    """Under a license that is not compatible with the GPL."""
    return data.replace(b"\0license=GPL\0", b"\0license=BSD\0")


def _licensed_twice(data):
    """With two licenses, of which the first counts; the other takes the place of its description."""
    old = re.search(rb"\0description=[^\0]*\0", data)
    other = b"license=BSD"
    if old.start() > data.index(b"\0license=GPL\0"):
        data, other = _unlicensed(data), b"license=GPL"
    return data.replace(old[0], b"\0" + other.ljust(len(old[0]) - 2, b"\0") + b"\0")


def spaced(symvers):
    """(symbol, CRC, name space) of the first that has one and a name of SYMBOL's length at most."""
    rows = (line.split("\t") for line in symvers.read_text().splitlines())
    return next(((row[1], int(row[0], 16), row[4]) for row in rows if len(row) > 4 and row[4] and
                 row[2] == "vmlinux" and len(row[1]) <= len(SYMBOL) and ":" not in row[4]), None)


def _foreign(data, symbol, crc):
    """It uses a symbol of a name space, whose CRC it has."""
    word = 8 if data[4] == 2 else 4
    entry = SYMBOL.encode().ljust(64 - word, b"\0")
    if entry in data:
        at = data.index(entry) - word
        data = data[:at] + struct.pack("<I", crc) + data[at + 4:]
    return _renamed(data, SYMBOL, symbol)


def importing(data, space):
    """It imports that name space: in place of its description."""
    old = re.search(rb"\0description=[^\0]*\0", data)[0]
    return data.replace(old, b"\0" + f"import_ns={space}".encode().ljust(len(old) - 2, b"\0") + b"\0")


def _named(data, name):
    """Its name is another: in struct module, and in what modinfo prints."""
    old = re.search(rb"\0name=(\w+)\0", data)[1]
    if len(name) > len(old):
        raise SystemExit(f"{name} is longer than {old.decode()}")
    new = name.encode().ljust(len(old), b"\0")
    data = data.replace(b"\0name=" + old + b"\0", b"\0name=" + new + b"\0")
    # The array of struct module is the one place that ends in so many zeros.
    return re.sub(old + rb"(?=\0{24})", new, data)


def _other_machine(data):
    """For another architecture, as its ELF header says: s390."""
    return data[:18] + struct.pack("<H", 22) + data[20:]


def _objcopied(data, cross, option):
    with tempfile.NamedTemporaryFile(suffix=".ko") as file:
        file.write(data)
        file.flush()
        subprocess.run([f"{cross}objcopy", option, file.name], check=True)
        return pathlib.Path(file.name).read_bytes()


def _without_crcs(data, cross):
    """Built where no Module.symvers was."""
    return _objcopied(data, cross, "--rename-section=__versions=__nothing")


def _weak(data, cross):
    """It does without a symbol that no kernel has."""
    return _objcopied(_renamed(data, SYMBOL), cross, f"--weaken-symbol={SYMBOL[:-3]}zzz")


def make(good, arch, folder):
    """The good module and its variants below a folder: {kind-what: file}."""
    data = good.read_bytes()
    made = {
        "none-good": data,
        "vermagic-word": _other_word(data),
        "vermagic-first": _renamed(_other_word(data), SYMBOL),
        "symbol-missing": _renamed(data, SYMBOL),
        "none-weak": _weak(data, CROSS[arch]),
        "arch-other": _other_machine(data),
        "arch-cut": data[:40],
    }
    if b"module_layout" in data:        # a kernel with MODVERSIONS
        made |= {"crc-symbol": _other_crc(data, COMMON),
                 "crc-layout": _other_crc(data, "module_layout"),
                 "crc-first": _other_crc(_other_word(data), "module_layout"),
                 "crc-missing": _renamed(_other_crc(data, COMMON), SYMBOL),
                 "none-release": _other_release(data),
                 "none-without-crcs": _without_crcs(data, CROSS[arch]),
                 "vermagic-without-crcs": _other_release(_without_crcs(data, CROSS[arch]))}
    else:
        made["vermagic-release"] = _other_release(data)
    return _written(made, folder)


def exported(good, symvers, folder):
    """Variants that preflight needs to know all exports for."""
    data = good.read_bytes()
    made = {"license-other": _unlicensed(data), "license-first": _licensed_twice(data)}
    found = spaced(symvers)
    if found:       # vmlinux of 5.10 has none
        symbol, crc, space = found
        foreign = _foreign(data, symbol, crc)
        made |= {"namespace-foreign": foreign, "none-imported": importing(foreign, space)}
    return _written(made, folder)


def running(good, folder):
    """Variants that only a kernel that runs, or one whose exports are known, refuses."""
    data = good.read_bytes()
    return _written({"symbol-inner": _renamed(data, SYMBOL, INNER),
                     "state-builtin": _named(data, BUILT_IN),
                     "state-blacklist": _named(data, BLOCKED)}, folder)


def _written(made, folder):
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
