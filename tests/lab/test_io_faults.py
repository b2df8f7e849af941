# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that break in the middle of an installation: at the nth read, write or flush of each of its phases, a sector that stays bad or the whole
disk. Either the installation goes on without what is broken, and says so, or it stops, says which disk it is, and leaves nothing half bootable.
When the disk is whole again, the next run makes what an undisturbed one makes.

n follows from a seed, which is printed; RF_FAULT_SEED=N takes that one. What was shown stands in a file beside the logs (RF_FAULTS names another),
and is not shown again for the same ISO."""

import os
import random
import re
import time

import pytest

from conftest import LOGS
from richtfest_lab.disks import checksum
from richtfest_lab.installation import KILLED, OTHER, difference, section, text_of
from richtfest_lab.powered import SECONDS, bench_at_power, install_whole, undisturbed
from richtfest_lab.power import Fault
from richtfest_lab.table import Table
from richtfest_lab.workbench import PROGRAM

pytestmark = pytest.mark.long

# virtio: the kernel hears of an error at once. A disk behind SCSI is asked several times, which takes minutes where it is dead.
BUS = "virtio-blk"
SHAPES = ("single", "raid1x2", "raid5x3")
PHASES = ("partition/1", "array/data", "volume/images", "filesystem/system", "root/unpack", "payload", "boot/1")
NUMBERS = {"read": (1, 2, 5, 20, 100), "write": (1, 5, 20, 100, 400), "flush": (1, 2, 4)}
LAST = "mark"
FAULTS = (("read", "sector"), ("write", "sector"), ("write", "disk"), ("flush", "sector"))
SEED = int(os.environ.get("RF_FAULT_SEED") or random.SystemRandom().randrange(2**31))
DEGRADED = re.compile(r"goes on without \S+")
COLUMNS = {
    "shape": "storage", "phase": "from", "fault": "fault", "hit": "at byte", "outcome": "outcome", "words": "said", "seconds": "whole again after (s)",
}


def fault_of(shape, phase, kind, what):
    """Its number, by the seed."""
    dice = random.Random(f"{SEED}/{shape}/{phase}/{kind}/{what}")
    return Fault("d0", kind, dice.choice(NUMBERS[kind]), what)


def names_the_disk(bench, said):
    """By its serial number, by its kernel's name, or by that of a partition or an array on it."""
    name = bench.run("lsblk -dnro NAME,SERIAL | sed -n 's/ RF-D0$//p'")[1].strip()
    return "RF-D0" in said or bool(re.search(rf"\b{name}\d*\b|\bmd/?(?:\d+|system|data)\b|array (?:system|data)", said))


def last_words(said):
    """What a person reads at the end, but for how far something was."""
    lines = [line for line in said.splitlines() if line.strip() and not re.search(r"\(\d+ %\)", line)]
    return "\n".join(lines[-12:])


def lines_of(picture, serial):
    """What its section `boot` says of a disk."""
    return [line for line in section(picture, "boot").splitlines() if line.startswith(f"{serial} ")]


def check_stopped(bench, wanted, said):
    """It names what is broken. A disk that says that it boots does, from the bytes, and what it boots is whole."""
    assert names_the_disk(bench, last_words(said)), f"which disk?\n{said}"
    marked = bench.marked()
    for serial in marked:
        found = bench.picture("boot", only=serial)
        assert lines_of(found, serial) == lines_of(wanted, serial), f"{serial} says that it boots\n{said}\n{found}"
    if marked:
        found = bench.picture("system", "images")
        lines = "".join(difference(section(wanted, name), section(found, name)) for name in ("system", "images"))
        assert not lines, f"{marked} would boot half a server\n{said}\n{lines}"


def degraded(bench):
    """How many members the arrays lack."""
    said = bench.run("cat /sys/class/block/md*/md/degraded 2>/dev/null || true")[1]
    return sum(map(int, said.split()))


def break_it(bench, power, shape, phase, fault):
    """The installation up to the phase, and then with the fault: (exit code, what it said)."""
    code, said = bench.install(text_of(shape), f"{phase}:before", SECONDS)
    assert code == KILLED, said
    bench.run("sync; echo 3 >/proc/sys/vm/drop_caches")
    power.fail(fault)
    return bench.install(text_of(shape), seconds=SECONDS)


def judge(bench, wanted, fault, code, said):
    """What came of it, in a word."""
    if not fault.where:
        assert code == 0, said
        return "not reached"
    if code != 0:
        assert code == 3, f"exit {code}\n{said}"
        check_stopped(bench, wanted, said)
        return "stopped"
    lacking = degraded(bench)
    if lacking:
        assert DEGRADED.search(said) and names_the_disk(bench, said), f"arrays lack {lacking} members, and nobody was told\n{said}"
        return "went on degraded"
    return "went on whole"


def show(table, lab, iso, shape, phase, kind, what):
    """One fault, and its end."""
    wanted, started = undisturbed(table, lab, iso, shape, BUS)["picture"], time.monotonic()
    fault = fault_of(shape, phase, kind, what)
    name = re.sub(r"\W", "-", f"fault-{shape}-{phase}-{kind}-{what}")
    with bench_at_power(lab, iso, shape, name, BUS) as (bench, power):
        others = checksum(bench.disk(OTHER).path)
        bench.start()
        code, said = break_it(bench, power, shape, phase, fault)
        outcome = judge(bench, wanted, fault, code, said)
        print(f"RF_FAULT_SEED={SEED}: {shape}, {phase}, {fault}: {outcome}", flush=True)
        bench.power_cut()
        power.heal()
        bench.start()
        bench.install(text_of(shape), f"{LAST}:before", SECONDS)
        bench.scrub()
        found = install_whole(bench, shape)
        bench.stop()
        assert not difference(wanted, found), f"{fault}, {outcome}\n{said}\n{difference(wanted, found)}"
        assert checksum(bench.disk(OTHER).path) == others, "a disk that no profile means was written to"
    table.add({"shape": shape, "phase": phase, "kind": kind, "what": what, "fault": str(fault), "hit": fault.where[0] if fault.where else None,
               "outcome": outcome, "words": last_words(said).splitlines()[-1][:100], "seconds": round(time.monotonic() - started, 1)})


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_disk_breaks(lab, built_iso, shape, phase):
    table = Table(os.environ.get("RF_FAULTS") or os.path.join(LOGS, "io-faults.jsonl"), built_iso, COLUMNS, PROGRAM)
    for kind, what in FAULTS:
        if not table.has(shape=shape, phase=phase, kind=kind, what=what):
            show(table, lab, built_iso, shape, phase, kind, what)
    print(table)
