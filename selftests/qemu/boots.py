# SPDX-License-Identifier: GPL-2.0-only
"""The rows of boots.tsv: what each needs, on what its result depends, and to boot it."""

import dataclasses
import re
import subprocess
import tempfile

import guest
import ktap
import modeswitch
import node
import userland
from debian import CACHE, keep
from kernel import (ARCH, CROSS, HERE, KERNELS, OUT, SOURCES, TOP, digest, linux_source, rows,
                    tree_digest)

BENCH = ("boots.py", "cpio.py", "debian.py", "guest.py", "init", "kernel.py", "ktap.py",
         "modeswitch.py", "node.py", "usbredir.py", "userland.py")
OURS = ("dts", "overlays", "scripts/dt", "scripts/dtb-swap")      # make a machine's tree
# Modules of the tests, which all guests have.
FAKES = sorted(str(path.relative_to(TOP)) for path in TOP.glob("selftests/*/module"))
RUNNER = ("kselftest", "kselftest-list.txt", "run_kselftest.sh", "lib")
LAST = "modules"        # what each boot runs after its tests: modules go, and come twice
PROGRAMS = {"modeswitch": modeswitch.guest_files, "node": node.guest_files,
            "systemd": lambda arch: userland.system(arch, "util-linux-extra", "chrony")}
MADE_WITH = {"modeswitch": "scripts/modeswitch", "systemd": "scripts/yocto/files"}


@dataclasses.dataclass
class Boot:
    """One row of boots.tsv."""

    kernel: str
    machine: str
    limit: str
    how: str
    tests: str

    def folders(self, only=()):
        """The kselftest folders, or those of them that are asked for."""
        found = dict.fromkeys(test.split(":")[0] for test in self.tests.split(","))
        return [name for name in found if not only or name in only]

    def inputs(self):
        """What decides how it ends, beside the kernel, where the result may be kept."""
        if "kept" not in self.how:
            return ()
        base, *added = guest.MACHINES[self.machine].tree.split("+")
        files = [name for name in added if "." in name]         # the others are overlays
        trees = OURS if base.startswith("dts/") or added != files else ()
        sources = {name for folder in self.folders() for name in _sources(folder)}
        made = [MADE_WITH[word] for word in self.how.split(",") if word in MADE_WITH]
        return (*sorted(sources), *trees, *made, "selftests/Makefile", "selftests/lib",
                f"selftests/{LAST}", *FAKES,
                *(f"selftests/{folder}" for folder in self.folders()),
                *(f"selftests/qemu/{name}" for name in BENCH),
                *(f"selftests/qemu/{path.name}" for path in HERE.glob("*.dts") if files))

    def scope(self, only):
        """What else decides it."""
        return digest(self, guest.MACHINES[self.machine], *self.runs(only))

    def runs(self, only):
        """The same folders for run_kselftest.sh, and after them, in any case, LAST."""
        first = [f"{'-t' if ':' in test else '-c'} {test}" for test in self.tests.split(",")
                 if test.split(":")[0] in self.folders(only) and test != LAST]
        return [*([" ".join(first)] if first else []), f"-c {LAST}"]

    def ours(self, work):
        """The pack's modules that it is about: of the drivers that it depends on."""
        folders = {_driver(folder) or "drivers/*" for folder in self.folders()}
        return sorted({module.stem for folder in folders for module in work.glob(f"{folder}/*.ko")
                       if not module.stem.endswith("-kunit")})

    def files(self, only=(), out=OUT):
        """What is in the guest, and what is added to the kernel's command line."""
        kernel, machine = KERNELS[self.kernel], guest.MACHINES[self.machine]
        work, _ = kernel.build_pack()
        tests = _install_selftests(machine.arch)
        wanted = [name for folder in self.folders(only) for name in _modules(folder)]
        stage = guest.stage_modules(kernel, wanted + machine.modules.split(","),
                                    sorted([*work.glob("drivers/**/*.ko"),
                                            *work.glob("tests/*/*.ko")]),
                                    out / "stage" / f"{kernel.name}-{machine.name}")
        extra = {}
        for word in self.how.split(","):
            extra |= PROGRAMS.get(word, lambda _: {})(machine.arch)
        script = (f"export PACK_MACHINE={machine.name} NODE_PATH=/opt/node/node_modules\n"
                  f"export PACK_OVERLAYS='{' '.join(guest.overlays(machine))}'\n"
                  f"export PACK_MODULES='{' '.join(self.ours(work))}'\n"
                  "cd /opt/boardpack\n" +
                  "".join(f"./run_kselftest.sh {run}\n" for run in self.runs(only)))
        return {
            **extra, "lib/modules": stage / "lib/modules",
            **{f"opt/boardpack/{name}": tests / name
               for name in (*RUNNER, *self.folders(only), LAST) if (tests / name).exists()},
            "boardpack/modules": "".join(f"{m}\n" for m in machine.modules.split(",")
                                         if m != "-").encode(),
            "boardpack/run": script.encode()}, userland.APPEND if "systemd" in self.how else ""

    def results(self, only=(), **options):
        """Boot it and run its share of the kselftests there; options are guest.boot()'s."""
        kernel = KERNELS[self.kernel].ensure()
        files, append = self.files(only)
        outcome = guest.boot(kernel, guest.MACHINES[self.machine], files, int(self.limit),
                             reboots="reboots" in self.how, packed="packed" in self.how,
                             append=append, **options)
        results = outcome.results + self.missing(outcome.results, only)
        for result in results:
            result.name = f"{self.kernel}/{self.machine}: {result.name}"
        return results

    def missing(self, results, only=()):
        """A failure for each test that it names and of which nothing has passed: its machine is for it."""
        asked = [name for run in self.runs(only) for name in run.split() if name not in ("-t", "-c")]
        return [ktap.Result(name, "failed", "nothing of it ran, or all of it was skipped")
                for name in asked if not any(
                    re.match(rf"{re.escape(name.replace(':', ': '))}(:| #|$)", r.name)
                    for r in results if r.state != "skipped")]


def _sources(folder):
    """What of the pack a kselftest folder is about: a driver, if it is named after one."""
    driver = _driver(folder)
    if not driver:
        return SOURCES
    return (*(name for name in SOURCES if name != "drivers"), "drivers/compat", driver)


def _driver(folder):
    """The folder of the driver that a kselftest folder is named after, or nothing."""
    driver = f"drivers/{folder.split('-')[0]}"
    return driver if (TOP / driver).is_dir() else ""


def _modules(folder):
    """Stock modules that a test folder asks for."""
    path = TOP / "selftests" / folder / "modules"
    return path.read_text().split() if path.exists() else []


def _install_selftests(arch):
    """The kselftest folder as a device gets it, for one architecture: what boots there."""
    folders = sorted({LAST}.union(*(row.folders() for row in BOOTS
                                    if guest.MACHINES[row.machine].arch == arch)))

    def install(new):
        with tempfile.TemporaryDirectory() as work:
            done = subprocess.run(
                ["make", "-s", "-C", TOP / "selftests", f"INSTALL_PATH={new}", f"BUILD={work}",
                 f"ARCH={ARCH[arch]}", f"CROSS_COMPILE={CROSS[arch]}",
                 f"KSFT={linux_source()}/tools/testing/selftests",
                 f"TARGETS={' '.join(folders)}", "install"],
                text=True, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"selftests: install failed\n{done.stdout}{done.stderr}")
    key = digest(arch, *folders, linux_source().name,
                 tree_digest([TOP / "selftests" / name for name in ("Makefile", "lib", *folders)]))
    return keep(CACHE / "selftests" / key, install)


BOOTS = list(rows(HERE / "boots.tsv", Boot))
