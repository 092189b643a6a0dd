# SPDX-License-Identifier: GPL-2.0-only
"""Initramfs archives: the newc form of Documentation/driver-api/early-userspace."""

import dataclasses
import os
import stat


@dataclasses.dataclass
class Link:
    """A symbolic link."""

    target: str


def _entry(out, name, mode, data=b"", rdev=(0, 0)):
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
    out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))


def write(path, tree, nodes=()):
    """Pack folders into one archive.

    tree maps a name in the archive to a file or folder on disk, to bytes or a Link;
    nodes are (name, major, minor) of character devices.
    """
    made = set()
    with open(path, "wb") as out:
        def parents(name):
            parts = name.split("/")[:-1]
            for i in range(1, len(parts) + 1):
                folder = "/".join(parts[:i])
                if folder not in made:
                    made.add(folder)
                    _entry(out, folder, stat.S_IFDIR | 0o755)

        def add(name, what):
            parents(name)
            if isinstance(what, bytes):
                _entry(out, name, stat.S_IFREG | 0o755, what)
            elif isinstance(what, Link):
                _entry(out, name, stat.S_IFLNK | 0o777, what.target.encode())
            elif what.is_symlink():
                add(name, Link(os.readlink(what)))
            elif what.is_dir():
                for child in sorted(what.iterdir()):
                    add(f"{name}/{child.name}", child)
            else:
                _entry(out, name, stat.S_IFREG | (what.stat().st_mode & 0o777),
                       what.read_bytes())

        for name, what in tree.items():
            add(name, what)
        for name, major, minor in nodes:
            parents(name)
            _entry(out, name, stat.S_IFCHR | 0o600, rdev=(major, minor))
        _entry(out, "TRAILER!!!", 0)
