#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The build step of make check fails for what it is to find: a module for each.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import pathlib
import shutil
import sys
import tempfile

import hosttests
import kernel
from tap import Tap, program

HERE = pathlib.Path(__file__).resolve().parent
check = program(kernel.HERE / "check")
GOOD = """// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

MODULE_DESCRIPTION("What nothing is wrong with");
MODULE_LICENSE("GPL");
"""
HEADER = "  CHECK   drivers/leds/a.c\n/usr/include/linux/a.h:1:2: {}: x\n"
# Each case, its module, what of the step fails and the words that it is blamed for.
CASES = (
    ("nothing is found in a good module", GOOD, None, ""),
    ("an error of sparse's fails", HERE / "bad-sparse-rcu.c", "sparse is content", "error: incompatible types"),
    ("a warning of sparse's fails", HERE / "bad-sparse-endian.c", "sparse is content",
     "warning: incorrect type in initializer"),
    ("a warning of W=1 fails", HERE / "bad-extra-unused.c", "without a warning (W=1)",
     "[-Werror=unused-but-set-variable]"))


def pack(folder, text):
    """A pack of one module, built as ours is, and the driver's folder is where its file is."""
    for name in kernel.SOURCES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name == "drivers":
            target.mkdir()
        elif name != "Kbuild":
            shutil.copy(kernel.TOP / name, target)
    (folder / "Kbuild").write_text("obj-m += drivers/one.o\n")
    (folder / "drivers/one.c").write_text(text)


def step(target, source):
    """What the step says of a pack with one module."""
    top, out = kernel.TOP, kernel.OUT
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        pack(folder / "pack", source if isinstance(source, str) else source.read_text())
        kernel.TOP, kernel.OUT = folder / "pack", folder / "out"
        try:
            return check.build(target)()
        finally:
            kernel.TOP, kernel.OUT = top, out


def main():
    """Run the step on each."""
    tap = Tap()
    target = kernel.KERNELS[hosttests.HOST_KERNEL].ensure()
    for name, source, part, words in CASES:
        results = step(target, source)
        bad = [result for result in results if result.state == "failed"]
        tap.result(len(bad) == 1 and bad[0].name.endswith(part) and words in bad[0].why
                   if part else len(results) == 2 and not bad, name, results)
    for kind, count in (("error", 2), ("warning", 0)):
        found = check.noise(HEADER.format(kind))
        tap.result(len(found) == count and (not count or found[-1] == "sparse did not finish"),
                   f"{'an' if count else 'no'} {kind} in a header of the kernel's counts", found)
    tap.result(check.noise("") == ["sparse did not run"], "sparse that did not run fails")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
