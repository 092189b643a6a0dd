# SPDX-License-Identifier: GPL-2.0-only
"""Node.js for a guest, and the blinking package that the balena supervisor uses."""

import pathlib
import shutil
import subprocess

from debian import CACHE, say
from kernel import APT

# 1.0.2 is what the supervisor pins; its source is that of 1.0.1, which every
# registry has.
PACKAGE = "blinking@^1.0.1"
LIBRARIES = {"arm64": "aarch64-linux-gnu", "armhf": "arm-linux-gnueabihf",
             "amd64": "x86_64-linux-gnu"}


def _closure(arch, names):
    """Packages and all that they depend on, in the suite of the tool root."""
    known = APT.packages("trixie", arch)
    todo, done = list(names), set()
    while todo:
        name = todo.pop()
        if name not in done and name in known:
            done.add(name)
            todo += APT.depends("trixie", arch, name)
    return done


def guest_files(arch):
    """What to put into an initramfs: name in the archive -> file or folder."""
    folder = CACHE / "node" / arch
    if not folder.exists():
        say("node: fetching Node.js and the blinking package")
        new = pathlib.Path(f"{folder}.new")
        shutil.rmtree(new, ignore_errors=True)
        for name in sorted(_closure(arch, ["nodejs"])):
            APT.unpack("trixie", arch, name, new / "root")
        done = subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
             "--prefix", new / "npm", PACKAGE], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"npm install {PACKAGE}: {done.stderr or done.stdout}")
        new.rename(folder)
    triplet = LIBRARIES[arch]
    libraries = folder / "root/usr/lib" / triplet
    files = {f"usr/lib/{triplet}/{f.name}": f for f in libraries.glob("*.so*")}
    loader = next(libraries.glob("ld-linux*"))
    return {"usr/bin/node": next((folder / "root/usr/bin").glob("node*")),
            f"lib/{loader.name}": loader.resolve(),
            "etc/ld.so.conf": f"/usr/lib/{triplet}\n".encode(),
            "usr/share/nodejs": folder / "root/usr/share/nodejs",   # built-ins of Debian's node
            "opt/node/node_modules": folder / "npm/node_modules", **files}
