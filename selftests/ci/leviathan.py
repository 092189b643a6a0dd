#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""README's test for balena's Leviathan fails where the tests on the device do, or did not run.

Its worker is stood in for: a file that is sent is copied, a command runs here, and one
that fails is an error, where Leviathan would run it again and again.
Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

from kernel import TOP
from tap import Tap, run

HARNESS = """
const fs = require('fs'), { spawnSync } = require('child_process');
const [folder, data] = process.argv.slice(1);
const suite = require(folder), seen = [];
const local = text => text.replaceAll('/mnt/data', data);
const worker = {
    sendFile: async (from, to, link) => {
        if (link !== 'device.local') throw new Error(`sent to ${link}`);
        fs.copyFileSync(from, local(to));
    },
    executeCommandInHostOS: async (command, link) => {
        if (link !== 'device.local') throw new Error(`run on ${link}`);
        const done = spawnSync('sh', ['-c', local(command)], { encoding: 'utf8' });
        if (done.status) throw new Error(`it would be run again: ${done.stderr}`);
        return done.stdout;
    },
};
const test = {
    is: (one, other, name) => seen.push([one === other, name]),
    not: (one, other, name) => seen.push([one !== other, name]),
};
if (typeof suite.title !== 'string') throw new Error('no title');
suite.run.call({ worker, link: 'device.local' }, test).then(() => {
    console.log(seen.map(([good, name]) => `${good ? 'ok' : 'not ok'} ${name}`).join('\\n'));
});
"""
NAMES = ("boardpack: tests have run", "boardpack: all have ended", "boardpack: none has failed")
# What a device's run_kselftest.sh does, and what has to come of it.
CASES = (
    ("all pass", "echo 1..1\necho 'ok 1 selftests: leds: identify'\necho '# not ok 1 - a part'",
     True, True, True),
    ("all of two folders pass", "for a in b c; do echo 1..2; echo ok 1 $a; echo ok 2 $a; done",
     True, True, True),
    ("one fails", "echo 1..2\necho 'ok 1 selftests: a: b'\necho 'not ok 2 selftests: a: c'\nexit 1",
     True, True, False),
    ("all are skipped", "echo 1..1\necho 'ok 1 selftests: a: b # SKIP'", False, True, True),
    ("it is killed", "echo 1..3\necho 'ok 1 selftests: a: b'\nkill -9 $$", True, False, True),
    ("none is there", "echo 'TAP version 13'", False, True, True),
    ("the folder is broken", None, False, True, True),
)


def example():
    """The module in README."""
    text = (TOP / "README.md").read_text(encoding="utf-8")
    return textwrap.dedent(re.search(r"^    module\.exports = {\n.*?^    };$", text, re.M | re.S)[0])


def tried(script, work):
    """What Leviathan would say of a device whose tests do that."""
    suite, folder, data = (work / name for name in ("boardpack", "kselftest", "data"))
    for path in (suite, folder, data):
        path.mkdir(parents=True)
    (suite / "index.js").write_text(example())
    if script is not None:
        (folder / "run_kselftest.sh").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "run_kselftest.sh").chmod(0o755)
    subprocess.run(["tar", "-C", work, "-cf", suite / "kselftest.tar", "kselftest"], check=True)
    done = run("node", "-e", HARNESS, suite, data)
    return done.stdout.splitlines()


def main():
    """Device after device."""
    tap = Tap()
    for name, script, *good in CASES:
        wanted = [f"{'ok' if one else 'not ok'} {what}" for one, what in zip(good, NAMES)]
        with tempfile.TemporaryDirectory() as work:
            said = tried(script, pathlib.Path(work))
        tap.result(said == wanted, f"Leviathan: {name}", "\n".join(said))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
