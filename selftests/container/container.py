#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The container's two steps, without an engine: build against balena's headers, and load.

The archive of headers has balena's form and Debian's kernel, so that what is built can be
loaded on it. Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import yaml

import guest
import headers
import userland
from kernel import KERNELS, OUT, TOP
from tap import Tap, run, struck

# In a guest, where the second stage would be: its program loads what is there for the kernel.
LOAD = """cd /opt/boardpack
check() { n=$((n + 1)); what=$1; shift; if "$@"; then echo "ok $n $what"; else
	sed 's/^/# /' /tmp/log; echo "not ok $n $what"; fi; }
start() { ./load >/tmp/log 2>&1; }
echo TAP version 13
n=0
export LEDS_IDENTIFY=hold_ms=500
check starts start
check "says so" grep -q 'leds-identify: loaded with hold_ms=500' /tmp/log
check parameters grep -qx 500 /sys/module/leds_identify/parameters/hold_ms
check "all three" [ -e /sys/module/rtc_seed -a -e /sys/module/usb_modeswitch ]
check "and what they need" [ -e /sys/module/usbcore ]
check "starts again" start
check "with all there" eval '[ "$(grep -c "is loaded" /tmp/log)" = 3 ]'
mv $(uname -r)/leds-identify.ko /tmp/
cp /boardpack/other.ko $(uname -r)/leds-identify.ko
check "another module of that name" start
check "takes the place of the older one" grep -q 'leds-identify: loaded with hold_ms=500' /tmp/log
check "and of no other" eval '[ "$(grep -c "is loaded" /tmp/log)" = 2 ]'
export LEDS_IDENTIFY=hold_ms=600 RTC_SEED="writeback=0 years=9"
check "other parameters" start
check "are taken" grep -qx 600 /sys/module/leds_identify/parameters/hold_ms
check "all of them" eval '[ "$(cat /sys/module/rtc_seed/parameters/writeback)" = N ]'
check "and are there from then on" eval 'start && [ "$(grep -c "is loaded" /tmp/log)" = 3 ]'
export LEDS_IDENTIFY='leds="one,two three" hold_ms=600' USB_MODESWITCH='ignore=05C6:* enable=off'
: >ignore=05C6:file
check "a value with a blank, one with an asterisk" start
check "are taken, too" eval 'grep -qx "one,two three" /sys/module/leds_identify/parameters/leds &&
	grep -qx "05c6:[*]" /sys/module/usb_modeswitch/parameters/ignore'
check "and are there from then on, however they are written" eval \
	'start && [ "$(grep -c "is loaded" /tmp/log)" = 3 ]'
exec 3</dev/rtc-seed
export RTC_SEED=years=8
check "one that is in use is a failure" eval '! start'
check "and is told" grep -q 'rtc-seed: an older one.* stays loaded: .*rmmod' /tmp/log
exec 3<&-
check "until it is not" start
export RTC_SEED=years=7
head -c 4096 $(uname -r)/leds-identify.ko >/tmp/cut.ko
mv /tmp/cut.ko $(uname -r)/rtc-seed.ko
check "where the new one would not load" eval '! start && grep -q "rtc-seed: the one that is loaded stays" /tmp/log'
check "the older one stays" grep -qx 8 /sys/module/rtc_seed/parameters/years
export LEDS_IDENTIFY=hold_ms=never
check "a parameter that it does not take is a failure" eval '! start'
check "and is told" grep -q 'leds-identify: does not take hold_ms=never: mend LEDS_IDENTIFY; loaded without$' /tmp/log
check "and it is there all the same" [ -e /sys/module/leds_identify/initstate ]
mv $(uname -r) 4.4.0
check "another kernel" eval '! start && grep -q "it has those of: 4.4.0" /tmp/log'
echo 1..$n
"""
NAMES = ["leds-identify.ko", "rtc-seed.ko", "usb-modeswitch.ko"]


LEFT_OUT = [line for line in (TOP / ".dockerignore").read_text().splitlines()
            if not line.startswith("#")]
IGNORED = shutil.ignore_patterns(*(line.removeprefix("**/") for line in LEFT_OUT))


def pack(folder):
    """What the Dockerfile copies into its first stage, by its own COPY lines; its RUN."""
    text = (TOP / "scripts/container/Dockerfile").read_text()
    first = text.split("\nFROM ")[1]
    for line in re.findall(r"^COPY (?!--from)(.*)$", first, re.M):
        *sources, target = line.split()
        for source in sources:
            if (TOP / source).is_dir():
                shutil.copytree(TOP / source, folder / target, ignore=IGNORED, dirs_exist_ok=True)
            elif "*" not in source:
                (folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(TOP / source, folder / target)
    return re.search(r"^RUN (scripts/container/build) /modules", first, re.M)


def composed(tap):
    """The compose file names what is there."""
    text = (TOP / "scripts/container/docker-compose.yml").read_text()
    whole = yaml.safe_load(text)
    service = whole["services"]["boardpack"]
    dockerfile = (TOP / service["build"]["dockerfile"]).read_text()
    asked = re.findall(r"^ARG (\w+)", dockerfile, re.M)
    known = [name.removesuffix(".ko").replace("-", "_").upper() for name in NAMES]
    tap.result(list(service["build"]["args"]) == asked and set(service["environment"]) <= set(known),
               "the compose file has the Dockerfile's arguments, and parameters of modules", service)
    # Without it balena's builder takes what is in it for services, of which one is called services.
    tap.result(whole["version"] == "2.4", "it says of which kind it is", whole["version"])
    tap.result(service["restart"] == "always", "it is started at each boot", service)
    tap.result({".git", "out", "**/*.ko"} <= set(LEFT_OUT), "history and what was built here stay out of it",
               LEFT_OUT)


def stays(tap, work):
    """The first process is there after the modules are, and ends when it is told."""
    wrong = []
    for status in (0, 1):
        place = work / f"stays{status}"
        place.mkdir()
        shutil.copy(TOP / "scripts/container/start", place)
        (place / "load").write_text(f"#!/bin/sh\necho loads\nexit {status}\n")
        (place / "load").chmod(0o755)
        with subprocess.Popen([place / "start"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, start_new_session=True) as first:
            said = first.stdout.readline() + (first.stdout.readline() if status else "")
            time.sleep(1)
            there = first.poll() is None
            first.terminate()
            try:
                ended = first.wait(20)
            finally:
                os.killpg(first.pid, signal.SIGKILL)
            if not there or ended or "loads\n" not in said or ("not all is loaded" in said) != bool(status):
                wrong.append((status, there, ended, said))
    tap.result(not wrong, "the container stays, also where modules do not load, and ends when it is told", wrong)


def builds(tap, work, form):
    """The modules are those of that kernel; returns the pack and their folder."""
    kernel = KERNELS["6.12"].ensure()
    folder = work / "pack"
    tap.result(pack(folder), "the Dockerfile runs scripts/container/build")
    out = work / form
    done = run(folder / "scripts/container/build", out, headers.archive(kernel, form), cwd=folder)
    made = sorted(str(path.relative_to(out)) for path in out.glob("*/*"))
    tap.result(done.returncode == 0 and made == [f"{kernel.release}/{name}" for name in NAMES],
               f"headers as {form}: modules for {kernel.release} alone",
               f"{made}\n{done.stdout[-3000:]}")
    done = run("scripts/preflight", "--kdir", kernel.build, *(out / kernel.release).glob("*.ko"))
    good = re.findall(r"would load on \S+ \((\d+) symbols, \1 CRCs", done.stdout)
    tap.result(done.returncode == 0 and len(good) == 3,
               f"headers as {form}: preflight takes them for the kernel itself", done.stdout)
    return folder, out


def empty(tap, work):
    """A container without any modules says so."""
    (work / "empty").mkdir()
    done = run(shutil.copy(TOP / "scripts/container/load", work / "empty"))
    tap.result(done.returncode == 1 and done.stdout.endswith("this OS release; it has none\n"),
               "a container that has no modules says so", done.stdout)


def refusals(tap, work, folder):
    """Headers that cannot be used are named."""
    (work / "text").write_text("no archive\n")
    (work / "x").mkdir()
    (work / "x/README").write_text("\n")
    subprocess.run(["tar", "-C", work, "-czf", work / "x.tar.gz", "x"], check=True)
    (work / "x/.config").write_text("CONFIG_RISCV=y\n")
    subprocess.run(["tar", "-C", work, "-czf", work / "riscv.tar.gz", "x"], check=True)
    for name, words in {"none": "no such file", "text": "is not a gzipped tar archive",
                        "x.tar.gz": "there is no .config in it", "riscv.tar.gz": "another architecture",
                        "http://localhost:9/a+b/h.tar.gz": "a%2Bb/h.tar.gz: cannot be fetched"}.items():
        where = name if ":" in name else work / name
        done = run(folder / "scripts/container/build", work / "refused", where, cwd=folder)
        tap.result(done.returncode == 1 and words in done.stdout and not list((work / "refused").glob("*")),
                   words, done.stdout)


def ended(tap, work, folder):
    """What is ended leaves no headers where temporary files are."""
    found = struck(work, "mkdir", folder / "scripts/container/build", work / "ended", work / "none", cwd=folder)
    tap.result(found == (130, []), "a signal ends it, and nothing temporary stays", found)


def twice(tap, work, folder):
    """Two headers for one kernel would leave the modules of one, and nobody knows of which."""
    kernel, tree, bins = KERNELS["6.12"], work / "headers", work / "bin"
    for name in ("include/config", "include/generated", "scripts/basic", "scripts/mod"):
        (tree / name).mkdir(parents=True)
    shutil.copyfile(headers.config(kernel), tree / ".config")
    shutil.copyfile(kernel.build / "Module.symvers", tree / "Module.symvers")
    (tree / "include/config/kernel.release").write_text(f"{kernel.release}\n")
    (tree / "include/generated/utsrelease.h").write_text(f'#define UTS_RELEASE "{kernel.release}"\n')
    for name in ("scripts/basic/fixdep", "scripts/mod/modpost"):
        shutil.copy("/bin/true", tree / name)
    bins.mkdir()
    shutil.copy("/bin/true", bins / "make")     # the modules are those from before
    names = [work / "one.tar.gz", work / "two.tar.gz"]
    for name in names:
        subprocess.run(["tar", "-C", work, "-czf", name, tree.name], check=True)
    done = run(folder / "scripts/container/build", work / "twice", *names, cwd=folder,
               env={**os.environ, "PATH": f"{bins}:{os.environ['PATH']}"})
    made = sorted(path.name for path in (work / "twice" / kernel.release).glob("*"))
    tap.result(done.returncode == 1 and made == NAMES and
               f"{names[1]} is for {kernel.release}, as {names[0]} is" in done.stdout,
               "refused: other headers for the same kernel", done.stdout)


def another(module):
    """A copy of a module that has another build ID, as one has that was compiled anew."""
    data = module.read_bytes()
    at = data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0") + 16
    return data[:at] + bytes(byte ^ 0xff for byte in data[at:at + 20]) + data[at + 20:]


def loads(tap, out):
    """The second stage's program on that kernel: loads them once; elsewhere it says why not."""
    kernel, machine = KERNELS["6.12"], guest.MACHINES["virt-rtc"]
    stage = guest.stage_modules(kernel, ["usbcore"], [], OUT / "stage" / "container")
    scripts = TOP / "scripts"
    for result in guest.boot(kernel, machine, {
            **userland.files("arm64", "kmod"), "lib/modules": stage / "lib/modules",
            **{f"opt/boardpack/{p.name}": p
               for p in (*scripts.glob("preflight*"), scripts / "container/load")},
            f"opt/boardpack/{kernel.release}": out / kernel.release, "boardpack/modules": b"",
            "boardpack/other.ko": another(out / kernel.release / "leds-identify.ko"),
            "boardpack/run": LOAD.encode()}, 900, tag="container").results:
        tap.result(result.state == "passed", f"load: {result.name}", result.why)


def main():
    """All of it."""
    tap = Tap()
    composed(tap)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        builds(tap, work, "once")
        clone, out = builds(tap, work, "now")
        refusals(tap, work, clone)
        ended(tap, work, clone)
        twice(tap, work, clone)
        empty(tap, work)
        stays(tap, work)
        loads(tap, out)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
