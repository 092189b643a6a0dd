# SPDX-License-Identifier: GPL-2.0-only
"""Node.js for a guest, the blinking package that the balena supervisor uses, and packages of npm."""

import subprocess

import userland
from debian import CACHE, keep, say
from kernel import APT

# The supervisor asks for 1.0.2, which was tagged, with the same source, and never published.
PACKAGE = "blinking@1.0.1"


def install(folder, *packages):
    """Install packages of the npm registry."""
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
         "--prefix", folder, *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"npm install {' '.join(packages)}: {done.stderr or done.stdout}")


def _fetch(arch, new):
    say("node: fetching Node.js")
    APT.unpack_all(userland.SUITE, arch, userland.closure(arch, ["nodejs"]), new / "root")


def guest_files(arch):
    """What to put into an initramfs: name in the archive -> file or folder."""
    folder = keep(CACHE / "node" / arch, lambda new: _fetch(arch, new))
    package = keep(CACHE / "node" / PACKAGE, lambda new: install(new, PACKAGE))
    triplet = userland.TRIPLET[arch]
    libraries = folder / "root/usr/lib" / triplet
    files = {f"usr/lib/{triplet}/{f.name}": f for f in libraries.glob("*.so*")}
    loader = next(libraries.glob("ld-linux*"))
    return {"usr/bin/node": next((folder / "root/usr/bin").glob("node*")),
            f"lib/{loader.name}": loader.resolve(),
            "etc/ld.so.conf": f"/usr/lib/{triplet}\n".encode(),
            "usr/share/nodejs": folder / "root/usr/share/nodejs",   # built-ins of Debian's node
            "opt/node/node_modules": package / "node_modules", **files}
