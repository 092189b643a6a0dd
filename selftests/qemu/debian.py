# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages of any suite and architecture, through an apt of our own.

Its configuration and lists live in the cache; nothing is installed, packages
are unpacked into folders named after what they hold.
"""

import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

CACHE = pathlib.Path(os.environ["BOARDPACK_CACHE"])
FIELDS = ("Architecture", "Version", "Depends")     # of a package, that are asked for
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITES = {
    "bullseye": "amd64,arm64",
    "bookworm": "amd64,arm64",
    "trixie": "amd64,arm64,armhf",
    "sid": "amd64,arm64",
}


START = time.time()
OLD = 3600      # seconds after which what lists name may be gone from the mirror


class Outdated(SystemExit):
    """A package is not there any more; the lists are new since: what asked is to look again."""


def say(text):
    print(text, flush=True)


def keep(folder, make):
    """A folder of the cache that make(new) fills: whole or not at all, by one at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = pathlib.Path(f"{folder}.new")
            try:
                _fill(new, make)
            except Outdated:
                _fill(new, make)
            new.rename(folder)
    return folder


def _fill(folder, make):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    make(folder)


class Apt:
    """Looks up and fetches packages; the lists are kept for as long as the mirror has what they name."""

    suites = SUITES
    purpose = ""

    def __init__(self):
        self.dir = CACHE / "apt"
        self.conf = self.dir / "apt.conf"
        self.index = {}

    def _run(self, *args, cwd=None):
        env = dict(os.environ, APT_CONFIG=str(self.conf))
        done = subprocess.run(args, env=env, cwd=cwd, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(args[:2])}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def _configure(self):
        for sub in ("lists/partial", "archives/partial"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / "status").touch()
        mirror = pathlib.Path("/etc/boardpack-mirror").read_text().strip()
        (self.dir / "sources.list").write_text("".join(
            f"deb [arch={arches} signed-by={KEYRING}] {mirror} {suite} main\n"
            for suite, arches in self.suites.items()))
        self.conf.write_text(f'''
Dir::State "{self.dir}";
Dir::State::status "{self.dir}/status";
Dir::State::lists "{self.dir}/lists";
Dir::Cache "{self.dir}";
Dir::Etc::sourcelist "{self.dir}/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; "arm64"; "armhf"; }};
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
''')

    def update(self, again=False):
        """Fetch the lists unless this run or an earlier one has them; those that are there stay till then."""
        self.dir.mkdir(parents=True, exist_ok=True)
        with open(f"{self.dir}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._read_at() or again and self._read_at() < time.time() - OLD:
                say(f"packages: fetching the lists of {' '.join(self.suites)}{self.purpose}")
                self._configure()
                self._run("apt-get", "-qq", "update")
                for short in self.dir.glob("*.json"):
                    short.unlink()
                (self.dir / "updated").touch()

    def _read_at(self):
        """When the lists were fetched, in seconds; 0 if never."""
        marker = self.dir / "updated"
        return marker.stat().st_mtime if marker.exists() else 0

    def packages(self, suite, arch):
        """All packages of a suite: name -> its fields."""
        self.update()
        if (suite, arch) not in self.index:
            short = self.dir / f"{suite}-{arch}-{'-'.join(FIELDS)}.json"
            if not short.exists():
                new = pathlib.Path(f"{short}.{os.getpid()}")
                new.write_text(json.dumps(self._read(suite, arch)))
                new.rename(short)
            self.index[suite, arch] = json.loads(short.read_text())
        return self.index[suite, arch]

    def _read(self, suite, arch):
        """The list of a suite, of which the most is texts for people."""
        lists = list((self.dir / "lists").glob(f"*_dists_{suite}_main_binary-{arch}_Packages"))
        if not lists:
            raise SystemExit(f"no package list of {suite}/{arch}: remove {self.dir}")
        return {name: dict(re.findall(rf"^({'|'.join(FIELDS)}): (.*)$", text, re.M))
                for name, text in re.findall(r"^Package: (\S+)\n((?:.+\n)*)",
                                             lists[0].read_text(), re.M)}

    def field(self, suite, arch, name, field):
        """A field of a package, such as Version; empty where it has none."""
        return self.packages(suite, arch)[name].get(field, "")

    def newest(self, suite, arch, pattern):
        """The package whose whole name matches, with the highest numbers in it."""
        names = [n for n in self.packages(suite, arch) if re.fullmatch(pattern, n)]
        if not names:
            raise SystemExit(f"{suite} has no package {pattern} for {arch}: "
                             f"is the mirror complete? (remove {self.dir} to look again)")
        return max(names, key=lambda n: [int(d) for d in re.findall(r"\d+", n)])

    def depends(self, suite, arch, name):
        """Names of the packages that a package needs, first alternative each."""
        text = self.field(suite, arch, name, "Depends")
        return [re.split(r"[ :(|]", part.strip())[0] for part in text.split(",") if part.strip()]

    def unpack(self, suite, arch, name, into):
        """Fetch a package and unpack it into a folder."""
        self.unpack_all(suite, arch, [name], into)

    def unpack_all(self, suite, arch, names, into):
        """The same for several, which is sooner than one by one."""
        work = pathlib.Path(f"{into}.{names[0]}.deb")
        self.download(suite, arch, names, work)
        into.mkdir(parents=True, exist_ok=True)
        for deb in sorted(work.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", deb, into], check=True)
        shutil.rmtree(work)

    def download(self, suite, arch, names, into):
        """Fetch packages into a folder."""
        into.mkdir(parents=True, exist_ok=True)
        try:
            self._run("apt-get", "-qq", "download", *(self._which(suite, arch, n) for n in names),
                      cwd=into)
        except SystemExit as error:
            self.update(again=True)
            if self._read_at() < START:
                raise
            self.index = {}
            raise Outdated(f"{error}; the lists are new since: run it again") from error

    def _which(self, suite, arch, name):
        everywhere = self.field(suite, arch, name, "Architecture") == "all"
        version = self.field(suite, arch, name, "Version")
        return f"{name}={version}" if everywhere else f"{name}:{arch}={version}"
