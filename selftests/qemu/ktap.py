# SPDX-License-Identifier: GPL-2.0-only
"""KTAP, as Documentation/dev-tools/ktap.rst has it: read, nested to any depth, and written."""

import dataclasses
import re

LINE = re.compile(r"^((?:#?\s)*)(ok|not ok) \d+\s*(?:- )?(.*?)"
                  r"(?:\s*# (SKIP|TODO|XFAIL)\b\s*(.*))?$")
PLAN = re.compile(r"1\.\.(\d+)")
NO_PLAN = re.compile(r"# 1\.\.0 # SKIP (.*)")      # why a program skips all that it has


@dataclasses.dataclass
class Result:
    """One leaf: a test with no tests inside it."""

    name: str
    state: str          # passed, failed or skipped
    why: str = ""


def parse(text, prefix=""):
    """The leaves of a KTAP text; a parent counts only where its leaves do not tell."""
    pending, results, notes, failed = [], [], [], None
    for line in text.replace("\r", "").splitlines():
        match = LINE.match(line)
        if not match:
            if line.startswith("#"):
                notes = notes[-11:] + [line]
                if failed:      # TAP 13 explains a failure after it, KTAP before
                    failed.why += "\n" + line
            continue
        failed = None
        indent, verdict, name, directive, reason = match.groups()
        depth = len(re.findall("#|  ", indent))
        state = "skipped" if directive else "passed" if verdict == "ok" else "failed"
        why = reason or ""
        inner = [p for p in pending if p[0] > depth]
        pending = [p for p in pending if p[0] <= depth]
        name = name.removeprefix("selftests: ")
        if inner:
            leaves = [r for p in inner for r in p[1]]
            for leaf in leaves:
                leaf.name = f"{name}: {leaf.name}"
            if state == "failed" and all(r.state != "failed" for r in leaves):
                leaves.append(Result(name, "failed", "\n".join(notes)))
        else:
            if state == "failed":
                why = "\n".join(notes)
            elif state == "skipped":
                why = why or "".join(NO_PLAN.findall("\n".join(notes))[-1:])
            leaves = [Result(name, state, why)]
            failed = leaves[0] if state == "failed" else None
        pending.append((depth, leaves))
        notes = []
    for _, leaves in pending:
        for leaf in leaves:
            leaf.name = prefix + leaf.name
            results.append(leaf)
    return results


def outside(text):
    """What the program on the outside announced, how many results came, and why it gave up."""
    lines = text.replace("\r", "").splitlines()
    return ([int(match[1]) for match in map(PLAN.match, lines) if match],
            sum(bool(re.match(r"(not )?ok \d", line)) for line in lines),
            [line for line in lines if line.startswith("Bail out!")])


def lost(text):
    """Whether the program on the outside ran less than it announced: what it said, or nothing."""
    plans, count, bail = outside(text)
    if bail or plans == [count]:
        return bail[0] if bail else ""
    return f"it announced {plans[0]} results, and {count} came" if len(plans) == 1 else \
        f"it announced its results {len(plans)} times"


class Tap:
    """Results of a program, printed as they come."""

    def __init__(self):
        self.count = self.failed = 0
        print("TAP version 13", flush=True)

    def result(self, good, name, said=""):
        """Print one, and what was said if it is bad."""
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} {name}")
        print("".join(f"# {line}\n" for line in ("" if good else str(said)).splitlines()), end="",
              flush=True)

    def skip(self, name, why):
        """Print one that cannot run here."""
        self.count += 1
        print(f"ok {self.count} {name} # SKIP {why}", flush=True)

    def end(self):
        """Print the plan; return the exit status."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0
