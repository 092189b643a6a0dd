# SPDX-License-Identifier: GPL-2.0-only
"""Make a guest of a kernel and a machine, boot it, and judge what it did."""

import contextlib
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import subprocess
import time

import cpio
import ktap
import usbredir
from debian import CACHE, keep, say
from kernel import APT, HERE, OUT, TOP, rows

BINARY = {"arm64": "qemu-system-aarch64", "armhf": "qemu-system-arm",
          "amd64": "qemu-system-x86_64"}
# Boot sector that tells isa-debug-exit 0x10: mov al,0x10; out 0xf4,al; hlt
KVM_PROBE = bytes((0xb0, 0x10, 0xe6, 0xf4, 0xf4)).ljust(510, b"\0") + b"\x55\xaa"
REPORTS = re.compile(
    r"BUG:|WARNING:|Oops|Kernel panic|Internal error|INFO: (task|rcu|possible|trying)|"
    r"possible (circular|recursive)|inconsistent lock state|KASAN|UBSAN|ODEBUG|KCSAN|"
    r"suspicious RCU|unreferenced object|new suspected memory leaks|refcount_t:|"
    r"scheduling while atomic|Initramfs unpacking failed|sleeping function called|bad unlock balance|"
    r"Unable to handle kernel|general protection fault|soft lockup|segfault|lock held when|"
    r"kmemleak.*disabled|turning off the locking correctness validator|"
    r"[Cc]all [Tt]race:|cut here|BUG [\w-]+ \(|nobody cared|cannot create duplicate filename|"
    r"(list_\w+|slab|stack|memory) corruption|(hard|HARD) LOCKUP|Objects remaining|"
    r"OF: ERROR|usage count underflow|Unbalanced pm_runtime|already present!")
# {icount} of machines.tsv: time is what the guest executes, 4 ns an instruction, and it
# never waits: where all sleep, the next timer is due at once. A busy host changes nothing.
# The sanitizer kernel executes several for one of another kernel's: at 1 ns each it has
# no more timer interrupts to the same work than they.
ICOUNT = "-icount shift=2,sleep=off"
ICOUNT_SOURCE = "-icount shift=0,sleep=off"
DISKS = {"sd": 16 << 20, "eeprom": 4096, "swap": 1 << 30}
MODEM = "modem.sock"     # {modem}: where a stick waits for QEMU's usb-redir
QUIET_LIMIT = 300       # seconds without a byte from the guest: it hangs
REBOOT_LIMIT = 2        # seconds that a guest may take to reset after its last word


@dataclasses.dataclass
class Machine:
    """One row of machines.tsv."""

    name: str
    arch: str
    serial: str
    tree: str
    modules: str
    options: str


@dataclasses.dataclass
class Outcome:
    """What a boot gave: results, and where its files are."""

    results: list
    console: str
    verdict: str
    folder: pathlib.Path
    seconds: float


@functools.lru_cache(maxsize=None)
def kvm_works():
    """Whether KVM runs code; /dev/kvm can be there and hang, so within 5 seconds."""
    works = os.access("/dev/kvm", os.W_OK) and os.uname().machine == "x86_64" and _kvm_probe()
    say(f"KVM {'works' if works else 'does not work here'}: "
        f"amd64 guests use {'it' if works else 'TCG'}")
    return works


def _kvm_probe():
    disk = CACHE / "kvm-probe.img"
    disk.write_bytes(KVM_PROBE)
    try:
        done = subprocess.run(
            ["qemu-system-x86_64", "-accel", "kvm", "-M", "q35", "-display", "none",
             "-device", "isa-debug-exit", "-drive", f"file={disk},format=raw"],
            timeout=5, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0x10 << 1 | 1


@functools.lru_cache(maxsize=None)
def busybox(arch):
    """The static shell of the guests, from Debian."""
    folder = keep(CACHE / "busybox" / arch,
                  lambda new: APT.unpack("trixie", arch, "busybox-static", new))
    return next(p for p in (folder / "usr/bin/busybox", folder / "bin/busybox") if p.exists())


def stage_modules(kernel, wanted, pack, into):
    """A /lib/modules with the wanted modules of a kernel, what they need, and ours."""
    target = into / "lib/modules" / kernel.release
    shutil.rmtree(into, ignore_errors=True)
    target.mkdir(parents=True)
    needs = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        path, deps = line.split(":")
        needs[path] = deps.split()
    names = {re.sub(r"\.ko.*", "", pathlib.Path(p).name).replace("_", "-"): p for p in needs}
    wanted = {w.replace("_", "-") for w in (*wanted, *_depends(pack))}
    todo = [names[w] for w in wanted if w in names]
    done = set()
    while todo:
        path = todo.pop()
        if path not in done:
            done.add(path)
            todo += needs[path]
    for path in done:
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kernel.modules / path, copy)
        if path.endswith((".xz", ".zst")):
            subprocess.run([{".xz": "unxz", ".zst": "unzstd"}[copy.suffix], "-q", copy],
                           check=True)
    (target / "extra").mkdir()
    for module in pack:
        shutil.copyfile(module, target / "extra" / module.name)
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        if (kernel.modules / name).exists():
            shutil.copyfile(kernel.modules / name, target / name)
    subprocess.run(["depmod", "-b", into, kernel.release], check=True)
    return into


def _depends(modules):
    """What modules of the pack need of the kernel's own."""
    if not modules:
        return []
    done = subprocess.run(["modinfo", "-F", "depends", *modules], capture_output=True, text=True,
                          check=True)
    return [name for line in done.stdout.splitlines() for name in line.split(",") if name]


def own_tree(machine, folder):
    """The tree that QEMU makes for a machine."""
    dtb = folder / "machine.dtb"
    subprocess.run([BINARY[machine.arch], *qemu_options(machine, folder), "-display", "none",
                    "-machine", f"dumpdtb={dtb}", "-serial", "null", "-serial", "null"],
                   check=True, capture_output=True)
    return dtb


def overlays(machine):
    """The names of the pack's overlays that are put on a machine's tree."""
    return [name.partition("/")[2] for name in machine.tree.split("+")[1:]
            if "." not in name and "=" not in name]


def device_tree(kernel, machine, folder):
    """The tree to boot on, or None: the machine's own with the tests' parts merged in."""
    base, _, extra = machine.tree.partition("+")
    if base == "-" and not extra:
        return None
    dtb = folder / "machine.dtb"
    if base == "-":
        own_tree(machine, folder)
    elif base.endswith(".dts"):
        _output(TOP / "scripts/dt/build", TOP / base)
        shutil.copyfile(OUT / "dts" / f"{pathlib.Path(base).stem}.dtb", dtb)
    else:
        shutil.copyfile(kernel.dtb(base), dtb)
    # The seeds would differ from run to run, and kexec trips over the first.
    (folder / "machine.dts").write_text(re.sub(
        r".*(kaslr|rng)-seed.*\n", "", _output("dtc", "-q", "-I", "dtb", "-O", "dts", dtb)))
    names = [name for name in extra.split("+") if name]
    packs = [name for name in names if "." not in name or name.endswith(".dtso")]
    for name in names:
        if name not in packs:
            dtb = add_to_tree(dtb, name, folder)
    if packs:
        _output(TOP / "scripts/dt/merge", kernel.name, pathlib.Path(base).stem, dtb,
                folder / "overlays.dtb", *packs)
        dtb = folder / "overlays.dtb"
    return dtb


def add_to_tree(dtb, source, folder):
    """Compile a .dts that includes the tree."""
    source = HERE / source
    merged = folder / f"{source.stem}-merged.dtb"
    _output("dtc", "-q", "-@", "-i", folder, "-o", merged, source)
    return merged


def _output(*args):
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{args[0]}: {done.stderr.strip()}")
    return done.stdout


def qemu_options(machine, folder, icount=""):
    """The machine's options; its disks are empty files as large as they must be."""
    disks = {name: folder / f"{name}.img" for name in DISKS}
    for name, disk in disks.items():
        if f"{{{name}}}" in machine.options and not disk.exists():
            with open(disk, "wb") as out:
                out.truncate(DISKS[name])
    return machine.options.format(icount=icount, modem=folder / MODEM, **disks).split()


def command(kernel, machine, folder, initrd, append="", icount=None, extra=(), reboots=False,
            packed=False):
    """The QEMU command line; with an empty icount the guest has the time of the host."""
    if icount is None:
        icount = ICOUNT_SOURCE if kernel.suite == "source" else ICOUNT
    ports = machine.serial.split(",")
    used = [p for p in ports if p != "-"]
    serial = []
    files = {used[0]: "console.log", used[1]: "verdict.log"}
    count = max(int(re.search(r"\d+$", p).group()) for p in used) + 1
    family = {re.sub(r"\d+$", "", p) for p in used}
    if len(family) == 1:
        order = [f"{next(iter(family))}{i}" for i in range(count)]
    else:       # different drivers: a PL011 (ttyAMA) comes before an 8250 (ttyS)
        order = sorted(used)
    for port in order:
        serial += ["-serial", f"file:{folder / files[port]}" if port in files else "null"]
    accel = "kvm" if machine.arch == "amd64" and kvm_works() else "tcg"
    # Debian's kernels would test each cipher: a fifth of what a start executes.
    line = (f"console={used[0]},115200 rdinit=/init panic=-1 oops=panic loglevel=7 "
            "mitigations=off cryptomgr.notests hung_task_panic=1 "
            f"boardpack.verdict={used[1]} {append}")
    args = ["setpriv", "--pdeathsig", "KILL",       # no guest outlives a check that is killed
            BINARY[machine.arch], *qemu_options(machine, folder, icount if accel == "tcg" else ""),
            "-accel", accel, "-display", "none", "-monitor", "none", "-nic", "none",
            *([] if reboots else ["-no-reboot"]),
            "-kernel", kernel.packed if packed else kernel.image,
            "-initrd", initrd, "-append", line, *serial, *extra]
    tree = device_tree(kernel, machine, folder)
    return args + (["-dtb", tree] if tree else [])


def archive(machine, tree, path):
    """An initramfs with the files of tree, a shell and the bench's init."""
    tree = {"bin/busybox": busybox(machine.arch), "init": HERE / "init", **tree}
    if isinstance(tree.get("lib"), cpio.Link):      # to usr/lib
        tree = {re.sub(r"^(s?bin|lib)/", r"usr/\1/", name): what for name, what in tree.items()}
    cpio.write(path, tree, [("dev/console", 5, 1), ("dev/null", 1, 3)])


def boot(kernel, machine, tree, limit, quiet=QUIET_LIMIT, **options):
    """Boot with the files of tree added to the initramfs; watch until the end, until
    nothing has come from it for so many seconds, or until there is enough of it.
    """
    enough = options.pop("enough", _done if options.get("reboots") else lambda folder: False)
    folder = OUT / "run" / f"{kernel.name}-{machine.name}-{options.pop('tag', 'check')}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    initrd = folder / "initrd.cpio"
    archive(machine, tree, initrd)
    start = time.time()
    why = ""
    with open(folder / "qemu.log", "w", encoding="utf-8") as log, \
            usbredir.plugged(folder / MODEM) if "{modem}" in machine.options else \
            contextlib.nullcontext():
        with subprocess.Popen(command(kernel, machine, folder, initrd, **options),
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log) as qemu:
            why = _watch(qemu, folder, start + limit, quiet, enough)
    initrd.unlink()
    return judge(folder, why, time.time() - start)


def _watch(qemu, folder, deadline, limit, enough):
    """Wait for the end; returns why it had to be forced, or nothing."""
    last, quiet = 0, time.time()
    while qemu.poll() is None:
        time.sleep(0.05)
        now = time.time()
        size = sum(f.stat().st_size for f in folder.glob("*.log"))
        if size != last:
            last, quiet = size, now
        elif now > quiet + REBOOT_LIMIT and _done(folder):
            qemu.terminate()        # not every machine can reset itself
            return ""
        if enough(folder):
            qemu.terminate()        # one that reboots would begin once more
            return ""
        if now > deadline or now > quiet + limit:
            qemu.kill()
            return "it ran into its time limit" if now > deadline else \
                f"not a byte came from it for {limit} s"
    return "" if qemu.returncode == 0 else f"QEMU ended with status {qemu.returncode}"


def _done(folder):
    path = folder / "verdict.log"
    return path.exists() and "boardpack: done" in path.read_text(errors="replace")


def unfinished(verdict):
    """What a guest did not do of what it announced since it started last, or nothing."""
    last = verdict.rpartition("boardpack: begin\n")[2]
    for run in re.split(r"^TAP version .*\n", last, flags=re.M):
        plans, count, bail = ktap.outside(run)
        if bail or plans and sum(plans) != count:
            return bail[0] if bail else f"it announced {sum(plans)} results, and {count} came"
    for status in re.findall(r"^boardpack: end (\d+)$", last, re.M):
        if int(status) >= 126:      # of a shell: killed, not to be executed, not there
            return f"its script ended with status {status}"
    return ""


def judge(folder, why, seconds):
    """Results of a boot: the verdict port's KTAP, and the state of the whole run."""
    def text(name):
        path = folder / name
        return path.read_text(errors="replace").replace("\r", "") if path.exists() else ""

    console, verdict = text("console.log"), text("verdict.log")
    results = ktap.parse(verdict)
    if "boardpack: done" not in verdict:
        tail = "\n".join((text("qemu.log") + console).splitlines()[-25:])
        results.append(ktap.Result("the guest comes to its end", "failed",
                                   f"{why or 'it stopped before'}; its console ends with\n{tail}"))
    elif not results:
        results.append(ktap.Result("tests ran", "failed", "the guest ran no test at all"))
    elif unfinished(verdict):
        results.append(ktap.Result("all that was announced ran", "failed", unfinished(verdict)))
    match = REPORTS.search(console)
    if match:
        at = console[:match.start()].count("\n")
        lines = console.splitlines()[max(0, at - 3):at + 40]
        results.append(ktap.Result("no kernel report", "failed", "\n".join(lines)))
    else:
        results.append(ktap.Result("no kernel report", "passed"))
    return Outcome(results, console, verdict, folder, seconds)


MACHINES = {m.name: m for m in rows(HERE / "machines.tsv", Machine)}
