#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""preflight on the machine that builds: every kernel of the bench, and each cause.

A kernel's modules pass against its headers and against its root file system, with
all CRCs compared; what is wrong with a module or a kernel is named with a mend.
"""

import lzma
import pathlib
import re
import shutil
import sys
import tempfile

import variants
from kernel import KERNELS, OUT, TOP
from tap import Tap, run, struck

SCRIPT = TOP / "scripts/preflight"
ALL = ("5.10", "6.1", "6.12", "7.2", "6.1-amd64", "6.12-armhf")
NO_CRCS = ("7.2",)      # Debian builds it without CONFIG_MODVERSIONS
# What a configuration is made to say -> what preflight says, of a module of the kernel itself.
CONFIGS = {
    "CONFIG_MODULE_SIG_FORCE=y": "signature: it is not signed",
    "CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY=y": "signature: it is not signed",
    "CONFIG_PREEMPT_RT=y": "vermagic: the kernel has preempt_rt\n",
    "CONFIG_MODULE_UNLOAD=n": "vermagic: it has mod_unload",
    "CONFIG_SMP=n": "vermagic: it has SMP",
    "CONFIG_MODULES=n": "config: the kernel has no CONFIG_MODULES",
    "CONFIG_MODVERSIONS=n": "vermagic: it has modversions",
}


def preflight(*args):
    """Its exit status and what it says."""
    done = run(SCRIPT, *args)
    return done.returncode, done.stdout


def packs(kernel):
    """The three modules for a kernel."""
    work, _ = kernel.ensure().build_pack()
    return sorted(p for p in work.glob("drivers/*/*.ko") if "kunit" not in p.name)


def passing(tap):
    """Modules that are right."""
    for name in ALL:
        kernel = KERNELS[name]
        modules = packs(kernel)
        for where in (("--kdir", kernel.build), ("--root", kernel.dir)):
            status, said = preflight(*where, *modules)
            counts = re.findall(rf"would load on {re.escape(kernel.release)} \((\d+) symbols, (\d+) CRCs", said)
            good = status == 0 and len(counts) == len(modules) == 3
            # A kernel's own modules do not use all that it exports.
            least = 0 if name in NO_CRCS else 1 if where[0] == "--kdir" else 0.8
            good &= all(int(b) >= least * int(a) and int(a) > 20 for a, b in counts)
            tap.result(good, f"{name}: its modules, {where[0]}", said)


def refusing(tap):
    """Modules that are wrong."""
    kernel = KERNELS["6.12"]
    good = next(m for m in packs(kernel) if m.name == "leds-identify.ko")
    for where in (("--kdir", kernel.build), ("--root", kernel.dir)):
        for title, path in variants.make(good, "arm64", OUT / "variants/host").items():
            status, said = preflight(*where, path)
            kind = title.split("-")[0]
            found = re.search(r"^  (\w+): .*\n(?:    the kernel: .*\n)?    insmod: .+\n    mend: .", said, re.M)
            tap.result(status == (kind != "none") and (found[1] if found else "none") == kind and
                       said.count(f"\n  {kind}: ") <= 1, f"{title}, {where[0]}", said)
        for other in ("6.1", "7.2", "6.1-amd64", "6.12-armhf"):
            status, said = preflight(*where, next(iter(packs(KERNELS[other]))))
            kind = "arch" if "-" in other else "vermagic" if other in NO_CRCS else "crc"
            tap.result(status == 1 and f"\n  {kind}: " in said, f"one for {other}, {where[0]}", said)


def called(folder, release):
    """What the kernel of headers is called."""
    (folder / "include/generated/utsrelease.h").write_text(f'#define UTS_RELEASE "{release}"\n')


def headers(kernel, folder, config="", drop=()):
    """Headers as preflight looks at them, with another configuration and fewer exports."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "include/config").mkdir(parents=True)
    (folder / "include/generated").mkdir()
    lines = (kernel.build / "include/config/auto.conf").read_text().splitlines()
    changed = dict(line.split("=", 1) for line in config.splitlines())
    lines = [line for line in lines if line.split("=")[0] not in changed]
    lines += [f"{option}={value}" for option, value in changed.items() if value != "n"]
    (folder / "include/config/auto.conf").write_text("\n".join(lines) + "\n")
    called(folder, kernel.release)
    (folder / "Module.symvers").write_text("".join(
        line + "\n" for line in (kernel.build / "Module.symvers").read_text().splitlines()
        if not any(re.match(word, line.split("\t")[1]) for word in drop)))
    return folder


def configured(tap, work):
    """Kernels that are built otherwise."""
    kernel = KERNELS["6.12"]
    good = {m.stem: m for m in packs(kernel)}
    for config, says in CONFIGS.items():
        status, said = preflight("--kdir", headers(kernel, work / "kdir", config), good["rtc-seed"])
        tap.result(status == 1 and f"\n  {says}" in said, config.replace("\n", ", "), said)
    folder = headers(kernel, work / "kdir", "CONFIG_RTC_CLASS=n", ("rtc_", "devm_rtc_"))
    status, said = preflight("--kdir", folder, *good.values())
    tap.result(status == 1 and said.count("would load") == 2 and
               re.search(r"rtc-seed.ko: would not.*\n  config: .*rtc_.* lacks CONFIG_RTC_CLASS\n", said)
               and "mend: build the kernel with CONFIG_RTC_CLASS" in said, "CONFIG_RTC_CLASS=n", said)
    folder = headers(kernel, work / "kdir", "CONFIG_TRIM_UNUSED_KSYMS=y", ("kstrtou",))
    status, said = preflight("--kdir", folder, good["leds-identify"])
    tap.result(status == 1 and "symbol: " in said and "CONFIG_TRIM_UNUSED_KSYMS" in said,
               "CONFIG_TRIM_UNUSED_KSYMS=y", said)
    folder = headers(kernel, work / "kdir")
    called(folder, "6.12.1-other")
    status, said = preflight("--kdir", folder, good["rtc-seed"])
    tap.result(status == 0, "another release with the same CRCs", said)
    bare = variants.make(good["leds-identify"], "arm64", OUT / "variants/host")["none-without-crcs"]
    for force, kind in (("n", "crc: it has no CRCs"), ("y", "note: it has no CRCs")):
        headers(kernel, folder, f"CONFIG_MODULE_FORCE_LOAD={force}")
        status, said = preflight("--kdir", folder, bare)
        tap.result(status == (force == "n") and f"\n  {kind}" in said, f"without CRCs, forced {force}", said)
    headers(kernel, folder, "CONFIG_MODVERSIONS=n")
    called(folder, "6.12.1-other")
    status, said = preflight("--kdir", folder, good["rtc-seed"])
    tap.result(status == 1 and "the kernel has 6.12.1-other" in said, "another release without CRCs", said)


def restricted(tap, work):
    """Symbols that are not for every module."""
    kernel = KERNELS["6.12"]
    good = next(m for m in packs(kernel) if m.name == "leds-identify.ko")
    made = variants.exported(good, kernel.build / "Module.symvers", OUT / "variants/exported")
    for title, path in made.items():
        status, said = preflight("--kdir", kernel.build, path)
        kind, _, _ = title.partition("-")
        tap.result(status == (kind != "none") and (kind == "none" or f"\n  {kind}: " in said), title, said)
    folder = headers(kernel, work / "kdir", "CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y")
    status, said = preflight("--kdir", folder, made["namespace-foreign"])
    tap.result(status == 0, "CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y", said)
    symvers = folder / "Module.symvers"
    exports = symvers.read_text()
    headers(kernel, folder)
    for space, refused in (("module:kvm,leds", 1), ("module:kvm,leds-i*", 0), ("module:leds_identify", 0)):
        symvers.write_text(re.sub(rf"(\t{variants.SYMBOL}\t.*\t).*", rf"\g<1>{space}", exports))
        status, said = preflight("--kdir", folder, good)
        told = f"does not import {space}, the name space of {variants.SYMBOL}\n" in said
        tap.result(status == told == refused, f"for modules alone: {space}", said)
    # 5.4 has the name space before the module.
    symvers.write_text(re.sub(r"(?m)^(.*?\t.*?)\t(.*?)\t(.*?)\t(.*)$", r"\1\t\4\t\2\t\3", exports))
    for title, words in (("license-other", "license"), ("namespace-foreign", "namespace")):
        status, said = preflight("--kdir", folder, made[title])
        tap.result(status == 1 and f"\n  {words}: " in said, f"{title}, in the order of 5.4", said)


def noted(tap, work):
    """What was left out is told, and an option is named only where the kernel lacks it."""
    kernel = KERNELS["6.12"]
    good = {m.stem: m for m in packs(kernel)}
    folder = work / "kdir"
    status, said = preflight("--kdir", kernel.build, good["usb-modeswitch"])
    tap.result(status == 0 and re.search(r"\n  note: insmod needs these .* before:.* usbcore( |\n)", said),
               "modules that have to be there first", said)
    symvers = headers(kernel, folder) / "Module.symvers"
    symvers.write_text(re.sub(rf"(?m)^0x\w+(?=\t{variants.SYMBOL}\t)", "0x00000000", symvers.read_text()))
    status, said = preflight("--kdir", folder, good["leds-identify"])
    tap.result(status == 0 and "\n  note: 1 CRCs not compared: no Module.symvers" in said,
               "CRCs that nothing tells", said)
    symvers.unlink()
    status, said = preflight("--kdir", folder, good["leds-identify"])
    tap.result(status == 0 and re.search(r"\n  note: (\d+) of \1 symbols not looked up \(.*\): no Mod", said),
               "symbols that nothing tells", said)
    # One symbol of an option is missing, by a configuration and without one; and all of them.
    one, whole = ("led_trigger_set$",), ("(devm_)?led_trigger_",)
    for title, drop, config in (("one", one, True), ("one, of an unknown configuration", one, False),
                                ("all, which the configuration has", whole, True)):
        headers(kernel, folder, drop=drop)
        if not config:
            (folder / "include/config/auto.conf").unlink()
        status, said = preflight("--kdir", folder, good["leds-identify"])
        tap.result(status == 1 and "\n  symbol: the kernel does not export led_trigger_" in said and
                   "CONFIG_LEDS" not in said, f"symbols of an option are missing: {title}", said)


def options(tap):
    """Each option that it asks for is among those that it reads of a configuration."""
    asked = {*re.findall(r"set_to ([A-Z0-9_]+)", SCRIPT.read_text()), "ARM", "ARM64", "X86",
             *re.findall('(?:return|[?]) "([A-Z_]+)"',
                         (SCRIPT.parent / "preflight-symbols.awk").read_text())}
    lines = [f"CONFIG_{name}=y" for name in sorted(asked)]
    said = run("awk", "-f", SCRIPT.parent / "preflight-config.awk", input="\n".join(lines)).stdout
    tap.result(said.splitlines() == ["CONFIG_=", *lines] and len(lines) > 18, "its options are read", said)


def another(tap, work):
    """What /proc and /sys say is of the kernel that runs, and of no other."""
    kernel, folder = KERNELS["6.12"], work / "booted"
    module = next(m for m in packs(kernel) if m.name == "leds-identify.ko")
    loaded = folder / "sys/module/leds_identify"
    for path in (folder / "proc/sys/kernel", loaded):
        path.mkdir(parents=True)
    for name in ("boot", "usr"):
        (folder / name).symlink_to(kernel.dir / name)
    (folder / "proc/sys/kernel/modules_disabled").write_text("1\n")
    (folder / "proc/cmdline").write_text("module_blacklist=leds_identify lockdown=integrity\n")
    (loaded / "initstate").write_text("live\n")
    for release, status, count in ((kernel.release, 1, 4), ("6.1.0-other", 0, 0)):
        (folder / "proc/sys/kernel/osrelease").write_text(f"{release}\n")
        found, said = preflight("--root", folder, module)
        tap.result(found == status and len(re.findall("^  (?:state|signature): ", said, re.M)) == count,
                   f"{kernel.release} where {release} runs", said)


def words(tap, work):
    """What an architecture adds to the version magic, no configuration tells."""
    kernel = KERNELS["6.1-amd64"]
    module = next(m for m in packs(kernel) if m.name == "leds-identify.ko")
    given, wanted = b"SMP preempt mod_unload modversions ", b"mod_unload modversions PENTIUMIII  "
    other = work / module.name
    other.write_bytes(module.read_bytes().replace(given, wanted))
    folder = headers(kernel, work / "kdir", "CONFIG_SMP=n\nCONFIG_PREEMPT_BUILD=n")
    status, said = preflight("--kdir", folder, other)
    tap.result(status == 0 and wanted in other.read_bytes(), "a word of 32-bit x86 in the version magic", said)


def keys(tap, work):
    """The kernel's keys are seen by root alone."""
    kernel, folder = KERNELS["6.12"], work / "locked"
    for path in ("proc/sys/kernel", "sys/module/module/parameters"):
        (folder / path).mkdir(parents=True)
    for name in ("boot", "usr"):
        (folder / name).symlink_to(kernel.dir / name)
    (folder / "proc/sys/kernel/osrelease").write_text(f"{kernel.release}\n")
    (folder / "sys/module/module/parameters/sig_enforce").write_text("Y\n")
    # Debian signs its own.
    signed = next(kernel.modules.glob("kernel/drivers/leds/*.ko.xz"))
    module = folder / signed.stem
    module.write_bytes(lzma.open(signed).read())
    signer = run("modinfo", "-F", "signer", module).stdout.strip()
    key = "1 I------     1 perm {} 0 0 " + "asymmetric"[:9] + " {}: X509.rsa 1 []\n"
    for title, shown, status in (("no key is shown", "1 I--Q---     1 perm 3f030000 0 0 keyring .x: 1\n", 0),
                                 ("another is", key.format("1f030000", "Other"), 1),
                                 ("its own is", key.format("1f030000", signer), 0)):
        (folder / "proc/keys").write_text(shown)
        found, said = preflight("--root", folder, module)
        told = "\n  note: it is signed by" in said, "\n  signature: it is signed by" in said
        tap.result(signer and found == status and told == (title.startswith("no"), bool(status)),
                   f"a signed module, where {title}", said)


def wrong_use(tap, work):
    """What it cannot answer is said, and is no verdict."""
    module = packs(KERNELS["6.12"])[0]
    found = struck(work, "od", SCRIPT, module)
    tap.result(found == (130, []), "a signal ends it, and nothing temporary stays", found)
    (work / "empty").mkdir()
    (work / "two/lib/modules/1.0").mkdir(parents=True)
    (work / "two/lib/modules/2.0").mkdir()
    for args, words in {
            (): "no module is named", ("--kdir",): "needs a value", ("--speed", "9"): "no option --speed",
            ("none.ko",): "no such file", ("--root", work / "none", module): "no such folder",
            ("--root", work / "empty", module): "name it with --kernel",
            ("--root", work / "two", module): "several kernels",
            ("--root", work / "two", "--kernel", "2.0", module): "nothing is known about kernel 2.0",
            ("--kdir", work / "empty", module): "not a configured kernel",
            ("--kernel", "9.9.9", module): "nothing is known about kernel 9.9.9",
            ("--kdir", work, "--kernel", "2.0", module): "--kdir excludes --root and --kernel",
            ("--root", work, "--kdir", work, module): "--kdir excludes"}.items():
        status, said = preflight(*args)
        tap.result(status == 2 and words in said, f"exit status 2: {words}", said)
    built = KERNELS["6.12"].build_pack()[0]
    done = run("make", "-s", "preflight", *KERNELS["6.12"].make_args(), f"MODULES={module}")
    tap.result(done.returncode == 0 and "would load" in done.stdout, f"make preflight MODULES= in {built.name}",
               done.stdout)


def main():
    """All of it."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        passing(tap)
        refusing(tap)
        configured(tap, work)
        restricted(tap, work)
        noted(tap, work)
        options(tap)
        another(tap, work)
        keys(tap, work)
        words(tap, work)
        wrong_use(tap, work)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
