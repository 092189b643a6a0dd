# SPDX-License-Identifier: GPL-2.0-only
"""Kernel headers in the form in which balena publishes them, made of Debian's.

One folder kernel_modules_headers with configuration, exported symbols, what
modules_prepare needs of the source, and programs for the device, not for this machine.
"""

import fnmatch
import os
import shutil
import subprocess

from debian import CACHE, keep, say
from kernel import APT, digest, linux_source

WANTED = (
    "Makefile", "Kbuild", "*Kconfig*", "scripts/*", "include/*", "arch/*/Kbuild", "arch/arm64/Makefile",
    "arch/arm64/include/*", "arch/arm64/kernel/*", "arch/arm64/tools/*", "arch/arm64/lib/*",
    "arch/arm64/boot/Makefile", "kernel/bounds.c", "kernel/time/timeconst.bc", "lib/vdso/*",
    "tools/include/*", "tools/scripts/*", "tools/build/*", "tools/lib/*",
    "tools/bpf/resolve_btfids/*", "security/selinux/include/*")


def _source(tree):
    """What of the kernel's source goes into it."""
    source = linux_source()
    for folder, _, names in os.walk(source):
        below = os.path.relpath(folder, source)
        for name in names:
            path = os.path.normpath(os.path.join(below, name))
            if any(fnmatch.fnmatch(path, pattern) for pattern in WANTED):
                target = tree / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(os.path.join(folder, name), target, follow_symlinks=False)
                shutil.copymode(os.path.join(folder, name), target, follow_symlinks=False)


def archive(kernel):
    """The archive for Debian's kernel, whose source linux_source() is."""
    def make(new):
        say("container: making headers as balena publishes them")
        tree = new / "kernel_modules_headers"
        _source(tree)
        shutil.copyfile(next((kernel.dir / "boot").glob("config-*")), tree / ".config")
        shutil.copyfile(kernel.build / "Module.symvers", tree / "Module.symvers")
        version = linux_source().name.removeprefix("linux-source-").split("-")[0]
        (tree / "localversion").write_text(kernel.release.removeprefix(version) + "\n")
        programs = next(n for n in APT.depends(kernel.suite, kernel.arch,
                                               f"linux-headers-{kernel.release}")
                        if n.startswith("linux-kbuild"))
        APT.unpack(kernel.suite, kernel.arch, programs, new / "programs")
        kbuild = next((new / "programs/usr/lib").glob("linux-kbuild-*"))
        for name in ("scripts/basic/fixdep", "scripts/mod/modpost"):
            shutil.copy(kbuild / name, tree / name)
        subprocess.run(["tar", "-C", new, "-czf", new / "kernel_modules_headers.tar.gz",
                        "kernel_modules_headers"], check=True)
        shutil.rmtree(tree)
        shutil.rmtree(new / "programs")
    key = digest(kernel.release, linux_source().name, *WANTED)
    return keep(CACHE / "container" / key, make) / "kernel_modules_headers.tar.gz"
