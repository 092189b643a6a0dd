# SPDX-License-Identifier: GPL-2.0-only
"""Kernel headers in the forms in which balena publishes them, made of Debian's.

Once: one folder kernel_modules_headers with configuration, exported symbols, what
modules_prepare needs of the source, and programs for the device, not for this machine.
Now: RELEASE/build, as OE's recipe kernel-devsrc installs it, with what the kernel's build
generated and without any program; nothing in it makes the release's suffix again.
"""

import fnmatch
import os
import pathlib
import shutil
import subprocess

from debian import CACHE, keep, say
from kernel import APT, ARCH, CROSS, digest, linux_source
from tap import run

ONCE = (
    "Makefile", "Kbuild", "*Kconfig*", "scripts/*", "include/*", "arch/*/Kbuild", "arch/arm64/Makefile",
    "arch/arm64/include/*", "arch/arm64/kernel/*", "arch/arm64/tools/*", "arch/arm64/lib/*",
    "arch/arm64/boot/Makefile", "kernel/bounds.c", "kernel/time/timeconst.bc", "lib/vdso/*",
    "tools/include/*", "tools/scripts/*", "tools/build/*", "tools/lib/*",
    "tools/bpf/resolve_btfids/*", "security/selinux/include/*")
# Of tools/ makefiles, and two headers: no source of a program.
NOW = (
    "Makefile*", "*/Makefile*", "Kconfig*", "*/Kconfig*", "Kbuild", "*/Build", "*/Build.include",
    "scripts/*", "include/*", "arch/arm64/include/*", "arch/arm/include/asm/xen/*",
    "arch/arm/include/asm/opcodes.h", "arch/arm64/kernel/asm-offsets.c", "arch/arm64/kernel/vdso/*.S",
    "arch/arm64/kernel/vdso/*gettimeofday.*", "arch/arm64/kernel/vdso/*.sh",
    "arch/arm64/kernel/vdso/vgetrandom.c", "arch/arm64/kernel/module.lds", "arch/arm64/tools/*",
    "arch/x86/*/syscall_32.tbl", "arch/arm/*.tbl", "lib/vdso/*", "kernel/time/timeconst.bc",
    "kernel/bounds.c", "tools/include/tools/?e_byteshift.h", "security/selinux/include/*")


def _copy(top, below, tree):
    """One file, as it is."""
    target = tree / below
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(top / below, target, follow_symlinks=False)


def _source(tree, wanted):
    """What of the kernel's source goes into it."""
    source = linux_source()
    for folder, _, names in os.walk(source):
        below = os.path.relpath(folder, source)
        for name in names:
            path = os.path.normpath(os.path.join(below, name))
            if any(fnmatch.fnmatch(path, pattern) for pattern in wanted):
                _copy(source, path, tree)


def _suffix(kernel):
    """What Debian's release has behind the source's version."""
    version = linux_source().name.removeprefix("linux-source-").split("-")[0]
    return kernel.release.removeprefix(version)


def config(kernel):
    """Debian's configuration of a kernel."""
    return next((kernel.dir / "boot").glob("config-*"))


def _once(kernel, new):
    """The form of before; returns a folder and what of it is packed."""
    tree = new / "kernel_modules_headers"
    _source(tree, ONCE)
    shutil.copyfile(config(kernel), tree / ".config")
    shutil.copyfile(kernel.build / "Module.symvers", tree / "Module.symvers")
    (tree / "localversion").write_text(_suffix(kernel) + "\n")
    programs = next(n for n in APT.depends(kernel.suite, kernel.arch, f"linux-headers-{kernel.release}")
                    if n.startswith("linux-kbuild"))
    APT.unpack(kernel.suite, kernel.arch, programs, new / "programs")
    kbuild = next((new / "programs/usr/lib").glob("linux-kbuild-*"))
    for name in ("scripts/basic/fixdep", "scripts/mod/modpost"):
        shutil.copy(kbuild / name, tree / name)
    return new, tree.name


def _built(kernel, out):
    """A build folder of the kernel, as far as headers need it; the suffix is make's alone."""
    out.mkdir()
    shutil.copyfile(config(kernel), out / ".config")
    # What is made for BTF are programs, and the archive has none.
    for options in (("olddefconfig",), ("CONFIG_DEBUG_INFO_BTF=", "modules_prepare")):
        done = run("make", "-s", f"-j{os.cpu_count()}", "-C", linux_source(), f"O={out}",
                   f"ARCH={ARCH[kernel.arch]}", f"CROSS_COMPILE={CROSS[kernel.arch]}",
                   f"LOCALVERSION={_suffix(kernel)}", *options)
        if done.returncode:
            raise SystemExit(done.stdout[-2000:])
    return out


def _now(kernel, new):
    """The form of today, in the same way."""
    out = _built(kernel, new / "out")
    tree = new / "modules" / kernel.release / "build"
    _source(tree, NOW)
    for path in (pathlib.Path(".config"), pathlib.Path("scripts/module.lds"),
                 *(path.relative_to(out) for path in out.glob("include/**/*") if path.is_file())):
        _copy(out, path, tree)
    shutil.copyfile(kernel.build / "Module.symvers", tree / "Module.symvers")
    (tree.parent / "source").symlink_to("build")
    # No older than .config, or make asks for the configuration again.
    for path in (tree / "include/generated/autoconf.h", *tree.glob("include/config/auto.conf*")):
        os.utime(path, (tree / ".config").stat()[7:9])
    return new / "modules", "."


def archive(kernel, form="now"):
    """The archive for Debian's kernel, whose source linux_source() is; form: once or now."""
    fill, wanted = {"once": (_once, ONCE), "now": (_now, NOW)}[form]

    def make(new):
        say(f"container: making headers as balena publishes them {form}")
        packed = new / "kernel_modules_headers.tar.gz"
        folder, name = fill(kernel, new)
        subprocess.run(["tar", "-C", folder, "-czf", packed, name], check=True)
        for path in new.iterdir():
            if path != packed:
                shutil.rmtree(path)
    key = digest(form, kernel.release, linux_source().name, *wanted)
    return keep(CACHE / "container" / key, make) / "kernel_modules_headers.tar.gz"
