# SPDX-License-Identifier: GPL-2.0-only
"""The kernels of the bench: Debian's as packages, the sanitizer kernel built here."""

import dataclasses
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from debian import CACHE, Apt, keep, say

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
OUT = TOP / "out"             # what belongs to this checkout; the cache is for all of them
CROSS = {"arm64": "aarch64-linux-gnu-", "armhf": "arm-linux-gnueabihf-", "amd64": ""}
ARCH = {"arm64": "arm64", "armhf": "arm", "amd64": "x86_64"}
IMAGE = {"arm64": "arch/arm64/boot/Image", "armhf": "arch/arm/boot/zImage",
         "amd64": "arch/x86/boot/bzImage"}
# Where KASAN's checks are compiled into the sanitizer kernel, beside the pack: what drivers
# deal with. What the rest of the kernel allocates is watched, too, but not what it accesses.
CHECKED = "drivers/% fs/kernfs fs/sysfs kernel lib"
SOURCES = ("Kbuild", "Makefile", "drivers", "scripts/check-kdir")
SOURCE = re.compile(r"Kbuild|Kconfig|(?!.*\.mod\.c).*\.[chS]")     # what make does not write itself
DPKG_STATUS = pathlib.Path("/var/lib/dpkg/status")      # the tools and their versions


def digest(*parts):
    """A short name for content."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


def tree_digest(paths):
    """The same for files and folders, by what they hold, and what may be executed."""
    files = sorted(f for p in paths for f in ([p] if p.is_file() else p.rglob("*"))
                   if f.is_file() and "__pycache__" not in f.parts)
    return digest(*(part for f in files for part in
                    (f.relative_to(TOP), os.access(f, os.X_OK), f.read_bytes())))


@functools.lru_cache
def linux_source():
    """Debian's kernel source, unpacked in the cache."""
    tarball = sorted(pathlib.Path("/usr/src").glob("linux-source-*.tar.xz"))[-1]
    version = subprocess.run(
        ["dpkg-query", "-Wf", "${Version}", tarball.name.removesuffix(".tar.xz")],
        capture_output=True, text=True, check=True).stdout

    def unpack(new):
        say(f"kernel source: unpacking linux-source {version}")
        subprocess.run(["tar", "-C", new, "--strip-components=1", "-xf", tarball], check=True)
    return keep(CACHE / f"linux-source-{version}", unpack)


@dataclasses.dataclass
class Kernel:
    """One row of kernels.tsv and where its pieces are."""

    name: str
    arch: str
    suite: str
    package: str

    @property
    def dir(self):
        """The folder of this kernel in the cache, named after its content's recipe."""
        if self.suite == "source":
            key = digest(linux_source().name, *self.settings(), CHECKED,
                         pathlib.Path("/usr/share/doc/gcc-aarch64-linux-gnu").exists())
        else:
            key = digest(self.arch, self.suite, self.package)
        return CACHE / "kernels" / f"{self.name}-{key}"

    @property
    def release(self):
        """What uname -r prints on it."""
        return (self.dir / "release").read_text().strip()

    @property
    def build(self):
        """What KDIR= gets."""
        if self.suite == "source":
            return self.dir / "out"
        return self.dir / "usr/src" / f"linux-headers-{self.release}"

    @property
    def image(self):
        """The kernel image to boot."""
        if self.suite == "source":
            return self.dir / "out" / IMAGE[self.arch]
        unpacked = self.dir / "boot/vmlinux"
        return unpacked if unpacked.exists() else self.packed

    @property
    def packed(self):
        """The same as its package has it."""
        return next(p for p in (self.dir / "boot" / f"vmlinuz-{self.release}",
                                self.dir / "usr/lib/modules" / self.release / "vmlinuz")
                    if p.exists())

    @property
    def modules(self):
        """Its own modules: the folder that holds modules.dep."""
        base = self.dir if (self.dir / "lib/modules").exists() else self.dir / "usr"
        return base / "lib/modules" / self.release

    def dtb(self, name):
        """A device tree of the kernel package, such as freescale/imx8mp-evk.dtb."""
        return next(p for p in (self.dir / "usr/lib" / f"linux-image-{self.release}" / name,
                                self.modules / "dtb" / name) if p.exists())

    def make_args(self):
        """The variables that name this kernel to make."""
        cross = CROSS[self.arch]
        return [f"KDIR={self.build}", f"ARCH={ARCH[self.arch]}",
                f"CROSS_COMPILE={cross}", f"CC={cross}gcc"]

    @staticmethod
    def fragments():
        """The configuration of the sanitizer kernel."""
        return sorted(p for p in (TOP / "kconfig").glob("*.config"))

    @classmethod
    def settings(cls):
        """What the fragments ask for, whichever of them does."""
        lines = {line for path in cls.fragments() for line in path.read_text().splitlines()}
        return sorted(line for line in lines
                      if line.startswith("CONFIG_") or line.endswith(" is not set"))

    def ensure(self):
        """Have the kernel in the cache, whole or not at all."""
        keep(self.dir, self._compile if self.suite == "source" else self._fetch)
        return self

    def _fetch(self, new):
        apt = APT
        image = apt.newest(self.suite, self.arch, self.package)
        release = re.sub("linux-(image|headers)-", "", image)
        say(f"kernel {self.name}: fetching {image}")
        headers = f"linux-headers-{release}"
        wanted = {image, headers}
        wanted |= {n for n in apt.depends(self.suite, self.arch, image)
                   if re.match(r"linux-(binary|modules|base)-\d", n)}
        for name in apt.depends(self.suite, self.arch, headers):
            if name.startswith("linux-kbuild"):
                apt.unpack(self.suite, "amd64", name, new)      # programs that run here
            elif name.endswith(("-common", "-common-rt")):
                wanted.add(name)
        apt.unpack_all(self.suite, self.arch, sorted(wanted), new)
        self._relocate(new, release)
        if self.arch == "armhf":
            self._own_modpost(new)
        elif self.arch == "amd64":
            self._unpack_image(new)
        (new / "release").write_text(release + "\n")

    def _relocate(self, new, release):
        """Debian's headers name /usr: make them work where they are."""
        tree = new / "usr/src" / f"linux-headers-{release}"
        makefile = tree / "Makefile"
        makefile.write_text(re.sub(r"(?<=[ =])/usr/", f"{self.dir}/usr/", makefile.read_text()))
        for link in tree.iterdir():
            if link.is_symlink() and os.readlink(link).startswith("/usr/"):
                target = str(self.dir) + os.readlink(link)
                link.unlink()
                link.symlink_to(target)
        self._let_sparse_run(new)
        for base in (new / "lib/modules", new / "usr/lib/modules"):
            if (base / release / "kernel").exists():
                subprocess.run(["depmod", "-b", base.parent.parent, release], check=True)

    @staticmethod
    def _let_sparse_run(new):
        """Debian's headers lack the script that asks whether sparse is new enough;
        without it the kernel's makefile skips sparse."""
        for makefile in new.glob("usr/src/linux-headers-*-common/Makefile"):
            script = next((new / "usr/lib").glob("linux-kbuild-*")) / "scripts/checker-valid.sh"
            if "checker-valid.sh" in makefile.read_text() and not script.exists():
                script.write_text("#!/bin/sh\necho 1\n")
                script.chmod(0o755)

    @staticmethod
    def _unpack_image(new):
        """What is inside a bzImage starts by itself (PVH): no guest has to unpack it."""
        packed = next((new / "boot").glob("vmlinuz-*"))
        with open(new / "boot/vmlinux", "wb") as out:
            subprocess.run([linux_source() / "scripts/extract-vmlinux", packed], stdout=out,
                           check=True)

    def _own_modpost(self, new):
        """Debian's modpost for a 64-bit machine takes a 32-bit target's tables for
        64-bit ones (sizeof(struct of_device_id)): use one made from the source."""
        out = new / "scripts"
        make = ["make", "-s", "-C", linux_source(), f"O={out}", f"ARCH={ARCH[self.arch]}",
                f"CROSS_COMPILE={CROSS[self.arch]}"]
        out.mkdir()
        (out / ".config").write_text("CONFIG_MODULES=y\nCONFIG_MMU=y\n")
        for target in ("olddefconfig", "modules_prepare"):
            done = subprocess.run([*make, target], capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"kernel {self.name}: make {target}: {done.stderr[-800:]}")
        kbuild = next((new / "usr/lib").glob("linux-kbuild-*"))
        shutil.copy(out / "scripts/mod/modpost", kbuild / "scripts/mod/modpost")
        shutil.rmtree(out)

    def _compile(self, new):
        source = linux_source()
        out = new / "out"
        out.mkdir()
        say(f"kernel {self.name}: building it from {source.name} (8 to 15 minutes)")
        make = ["make", "-s", "-C", source, f"O={out}", f"ARCH={ARCH[self.arch]}",
                f"CROSS_COMPILE={CROSS[self.arch]}", f"-j{os.cpu_count()}"]
        env = dict(os.environ, ARCH=ARCH[self.arch], CROSS_COMPILE=CROSS[self.arch])
        with open(str(self.dir) + ".log", "w", encoding="utf-8") as log:
            def run(args, **kw):
                if subprocess.run(args, env=env, stdout=log, stderr=subprocess.STDOUT,
                                  check=False, **kw).returncode:
                    log.flush()
                    tail = pathlib.Path(log.name).read_text()[-2000:]
                    raise SystemExit(f"{tail}\nkernel {self.name}: the build failed, "
                                     f"the whole log is {log.name}")
            run(["scripts/kconfig/merge_config.sh", "-n", "-O", out, *self.fragments()],
                cwd=source)
            start = time.time()
            run([*make, f"KASAN_SANITIZE=$(if $(filter {CHECKED},$(obj)),,n)", "Image", "modules"])
            run([*make, f"INSTALL_MOD_PATH={new}", "INSTALL_MOD_STRIP=1", "modules_install"])
            (new / "release").write_text(subprocess.run(
                [*make, "kernelrelease"], env=env, text=True, capture_output=True,
                check=True).stdout)
        say(f"kernel {self.name}: built in {time.time() - start:.0f} s")

    def build_pack(self, *extra):
        """Build the pack's modules and the tests' for this kernel; returns the folder
        and make's output. It is not done again for the same, unless more is asked of make.

        A warning is an error, so that it is not forgotten by the next build, which
        compiles nothing; but gcc 14 does not know all attributes of 7.2's headers.
        """
        work = OUT / "build" / self.dir.name
        work.mkdir(parents=True, exist_ok=True)
        with open(f"{work}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tests = sorted((TOP / "selftests").glob("*/module"))
            what = digest(self.release, DPKG_STATUS.read_bytes(),
                          tree_digest([*(TOP / name for name in SOURCES), *tests]))
            built = work / "built"
            if not extra and built.exists() and built.read_text() == what:
                return work, ""
            built.unlink(missing_ok=True)
            said = self._build_pack(work, tests, extra)
            built.write_text(what)
        return work, said

    def _build_pack(self, work, tests, extra):
        for name in SOURCES:
            sync(TOP / name, work / name)
        output = self._make(work, *extra)
        drop_former(work / "drivers", work / "modules.order")
        for gone in {path.name for path in work.glob("tests/*")} - {path.parent.name for path in tests}:
            shutil.rmtree(work / "tests" / gone)
        for folder in tests:
            target = work / "tests" / folder.parent.name
            target.parent.mkdir(exist_ok=True)
            sync(folder, target)
            output += self._make(self.build, f"M={target}")
            drop_former(target, target / "modules.order")
        return output

    def _make(self, where, *args):
        done = subprocess.run(
            ["make", "-C", where, *self.make_args(), "W=1",
             "KCFLAGS=-Werror -Wno-error=attributes", *args, "modules"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise BuildError(done.stdout)
        return done.stdout


def drop_former(folder, order):
    """Remove modules that make did not list: they are of sources that are no longer there."""
    listed = {pathlib.Path(line).stem for line in order.read_text().split()}
    for module in folder.rglob("*.ko"):
        if module.stem not in listed:
            module.unlink()


def sparse():
    """The newest sparse: released ones choke on the headers of 7.2."""
    folder = keep(CACHE / "sparse", lambda new: APT.unpack("sid", "amd64", "sparse", new))
    return folder / "usr/bin/sparse"


class BuildError(Exception):
    """The pack does not compile; the text is make's."""


def sync(src, dst):
    """Copy what changed, and remove what is gone, so that make sees only that."""
    if src.is_dir():
        dst.mkdir(exist_ok=True)
        for there in dst.iterdir():
            if SOURCE.fullmatch(there.name) and not (src / there.name).exists():
                there.unlink()
        for child in src.iterdir():
            sync(child, dst / child.name)
    elif not dst.exists() or dst.read_bytes() != src.read_bytes():
        dst.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(src, dst)


def rows(path, kind):
    """A table of the bench: blank-separated columns, # comments."""
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield kind(*line.split(None, len(dataclasses.fields(kind)) - 1))


def names(text):
    """A list of names from the command line; empty for all."""
    return set() if text in ("all", "") else set(text.replace(",", " ").split())


APT = Apt()
KERNELS = {k.name: k for k in rows(HERE / "kernels.tsv", Kernel)}
