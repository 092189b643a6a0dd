#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The path that README has for who writes a first overlay or carrier: what it says is what
happens, from the check that names a wrong label to the board in the emulator.

Runs in the tool root with PYTHONPATH=selftests/qemu.
"""

import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import textwrap
import time

from kernel import TOP
from tap import Tap, run

CHECK, DEMO = TOP / "scripts/dt/check", (TOP / "selftests/qemu/demo", "--shell")     # as make does
LEAVE = "\x01x"         # Ctrl-A X
LIMIT = 300             # seconds until a board answers
LED = "/sys/class/leds/green:status/trigger"


def text():
    """What README says of a first overlay: its source, and the blocks that follow."""
    said = (TOP / "README.md").read_text(encoding="utf-8")
    part = said[said.index("A first overlay, in `my.dtso`:"):]
    blocks = re.findall(r"\n\n((?:(?:    .*)?\n)+?)(?=\n?\S)", part)
    first, *others = (textwrap.dedent(block).strip() for block in blocks[:3])
    source, _, command = first.rpartition("\n\n")
    return [f"{source}\n", command, *others]


class Board:
    """demo --shell on a terminal."""

    def __init__(self, source):
        self.terminal, end = pty.openpty()
        self.program = subprocess.Popen([*DEMO, source], stdin=end, stdout=end, stderr=end,
                                        cwd=TOP, start_new_session=True)
        os.close(end)
        self.said = ""

    def send(self, words):
        """Type something."""
        os.write(self.terminal, words.encode())

    def wait(self, word):
        """What it says until that word comes, or its end, or the limit."""
        start, before = time.time(), len(self.said)
        while word not in self.said[before:] and time.time() < start + LIMIT:
            if select.select([self.terminal], [], [], 1)[0]:
                try:
                    self.said += os.read(self.terminal, 4096).decode(errors="replace")
                except OSError:         # nobody is at the other end any more
                    break
        return self.said[before:].replace("\r", "")

    def ask(self, command):
        """What a command says."""
        self.send(f"{command}; echo end-$((40 + 2))\n")
        return self.wait("end-42")

    def leave(self):
        """Type Ctrl-A X; return the exit status."""
        try:
            self.send(LEAVE)
            return self.program.wait(30)
        except subprocess.TimeoutExpired:
            self.program.kill()
            return "it goes on"
        finally:
            os.close(self.terminal)


def check(tap, work, source, promise):
    """A wrong label is named as README has it; with the right one all is as README has it."""
    mine = work / "my.dtso"
    mine.write_text(source)
    done = run(CHECK, mine)
    wanted = promise.removeprefix("# my.dtso")
    tap.result(done.returncode and f"{mine}{wanted}" in done.stdout,
               "a wrong label: README's line comes", done.stdout)
    mine.write_text(source.replace("i2c33", "i2c3"))
    done = run(CHECK, mine)
    tap.result(not done.returncode and "\nnot ok" not in done.stdout, "the right one passes",
               done.stdout)
    counts = re.search(r"(\d+)\s+of (\d+)\s+trees; on the", (TOP / "README.md").read_text())
    tap.result(f"{counts[2]} pairs, {counts[1]} applied" in done.stdout, "on as many trees",
               done.stdout)
    return mine


def overlay(tap, mine, command):
    """The board that the overlay is put on has its node."""
    board = Board(mine)
    board.wait("# ")
    said = board.ask(command.partition("#")[0])
    tap.result("rtc@68" in said.split(), "demo --shell: the overlay's node is there", board.said)
    tap.result(board.leave() == 0, "Ctrl-A X leaves", board.said)


def carrier(tap, work):
    """So has a carrier its LED, which blinks; a wrong label in one is named."""
    source = (TOP / "dts/freescale/imx8mp-field.dts").read_text()
    tap.result("balena,imx8mp-field" in source, "a carrier of the pack to begin with", source)
    source = source.replace("balena,imx8mp-field", "acme,gateway")
    mine = work / "my-carrier.dts"
    mine.write_text(source.replace("&usdhc3 {", "&usdhc33 {"))
    line = 1 + mine.read_text()[:mine.read_text().index("&usdhc33")].count("\n")
    done = run(CHECK, mine)
    tap.result(done.returncode and re.search(
        rf'{mine}:{line}: no label or path "usdhc33" in this tree; nearest: usdhc3,', done.stdout),
               "a wrong label in a carrier is named, with its line", done.stdout)
    mine.write_text(source)
    done = run(CHECK, mine)
    tap.result(not done.returncode, "the right one passes", done.stdout)
    board = Board(mine)
    board.wait("# ")
    tap.result("none" in board.ask(f"cat {LED}").split("cat")[-1],
               "demo --shell: the carrier's LED is there", board.said)
    said = board.ask(f"echo 15 >/sys/class/leds/identify/identify; sleep 1; cat {LED}")
    tap.result("[identify]" in said, "and identifies the board", board.said)
    tap.result(board.leave() == 0, "Ctrl-A X leaves again", board.said)


def refused(tap, work, source):
    """Where a label is wrong, no board is started."""
    mine = work / "bad.dtso"
    mine.write_text(source)
    board = Board(mine)
    said = board.wait("# ")
    tap.result('no label "i2c33"' in said and "Traceback" not in said and board.leave() == 1,
               "demo --shell: a wrong label is named, and nothing starts", said)


def main():
    """Walk it."""
    tap = Tap()
    blocks = text()
    tap.result(len(blocks) == 4 and "i2c33" in blocks[0] and
               blocks[1] == "make dt-check DTS=my.dtso" and "--shell my.dtso" in blocks[3],
               "README has the path", blocks)
    source, _, promise, look = blocks
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        mine = check(tap, work, source, promise)
        refused(tap, work, source)
        overlay(tap, mine, look.splitlines()[1])
        carrier(tap, work)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
