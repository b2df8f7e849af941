#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole suite, one part after the other, with one line at the end that counts everything.

    tests/all.py [unit] [cli] [network] [lab]        parts; all of them by default

Unit tests (cmocka) speak TAP; the others are pytest. A unit test that is not built counts as failed; a machine's test that lacks
QEMU, firmware or the ISO is skipped and says why.
"""
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's pytest


class Counts:
    """Passed, failed and skipped, with the names of what failed and why something was skipped."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def unit_program(program):
    """One cmocka program: counts its TAP lines; one that dies without a plan line is a failure."""
    counts = Counts()
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        run = subprocess.run([program], cwd=TOP, env=env, capture_output=True, text=True, errors="replace", timeout=300)
    except subprocess.TimeoutExpired:
        counts.failed.append(f"{program.name}: did not end within 300 s")
        return counts
    for line in run.stdout.splitlines():
        match = re.match(r"\s*(not )?ok \d+ (?:- )?(.*)", line)
        if not match:
            continue
        if "# SKIP" in match.group(2):  # this cmocka writes "not ok 2 # SKIP name"
            counts.skipped.append(f"{program.name}: {match.group(2).replace('# SKIP', '').strip()}")
        elif match.group(1):
            counts.failed.append(f"{program.name}: {match.group(2)}")
        else:
            counts.passed += 1
    if run.returncode != 0 and not counts.failed:
        counts.failed.append(f"{program.name}: ended with {run.returncode}")
    if counts.failed:
        print(run.stdout, run.stderr)
    for line in (run.stdout + run.stderr).splitlines():
        if "skipped:" in line:
            print("  ", line.strip())
    return counts


def unit():
    """The program of every source below tests/unit; one that is not built, or older than its source, is a failure."""
    counts = Counts()
    for source in sorted((TOP / "tests/unit").glob("*/test_*.c")):
        program = BUILD / source.relative_to(TOP).with_suffix("")
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            counts.failed.append(f"{program.name}: not built (make unit-build)")
            continue
        one = unit_program(program)
        print(f"  {program.parent.name}/{program.name}: {one.passed} passed, {len(one.failed)} failed", flush=True)
        counts.add(one)
    if counts.passed == 0:
        counts.failed.append("unit: no test ran")
    return counts


def pytest_part(folder, *options):
    """One folder of pytest tests; its junit file is what is counted."""
    counts = Counts()
    report = BUILD / f"test-{folder}.xml"
    report.unlink(missing_ok=True)
    run = subprocess.run([PYTHON, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", f"--junitxml={report}", *options,
                          f"tests/{folder}"], cwd=TOP)
    if not report.exists():
        counts.failed.append(f"{folder}: pytest ended with {run.returncode}")
        return counts
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{folder}: {case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed.append(name)
        elif case.find("skipped") is not None:
            counts.skipped.append(f"{name}: {case.find('skipped').get('message')}")
        else:
            counts.passed += 1
    return counts


PARTS = {
    "unit": unit,
    "cli": lambda: pytest_part("cli"),
    "network": lambda: pytest_part("network"),
    "lab": lambda: pytest_part("lab", "-m", "core"),
}


def main(names):
    total = Counts()
    for name in names or PARTS:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        counts = PARTS[name]()
        print(f"== {name}: {counts.passed} passed, {len(counts.failed)} failed, {len(counts.skipped)} skipped "
              f"({time.monotonic() - started:.0f} s)", flush=True)
        total.add(counts)
    for text in total.skipped:
        print("skipped:", text)
    for text in total.failed:
        print("failed:", text)
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
