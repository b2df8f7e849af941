# SPDX-License-Identifier: GPL-3.0-or-later
"""Real power cuts: an installation whose power goes at some write request, with disks that lose what was not flushed, and lose it out of order and
by halves. The machine starts again, the installation is repeated, and in the end there is what an undisturbed one makes.

A cut follows from its seed: the shape of the storage, the request, what is lost. RF_POWER_SEED=N cuts there again. Otherwise CUTS of them are made
with new seeds (RF_POWER_CUTS says another number); those that were shown stand in a file beside the logs (RF_POWER names another), and are not made
again for the same ISO: an evening that was cut short goes on."""

import os
import random
import time

import pytest

from conftest import LOGS
from richtfest_lab.disks import checksum
from richtfest_lab.errors import LabError
from richtfest_lab.installation import OTHER, SHAPES, difference, text_of
from richtfest_lab.powered import SECONDS, bench_at_power, install_whole, undisturbed
from richtfest_lab.table import Table
from richtfest_lab.workbench import PROGRAM

pytestmark = pytest.mark.long

CUTS = int(os.environ.get("RF_POWER_CUTS") or 50)
ONE = os.environ.get("RF_POWER_SEED")
AGAIN = 0.25  # of the cuts are followed by another one, in the run that takes up what is left
COLUMNS = {"seed": "seed", "shape": "storage", "cut": "cut at write", "loss": "requests since the last flush", "seconds": "after (s)"}


class Cut:
    """All that a seed says. `writes` is how many write requests an undisturbed run makes."""

    def __init__(self, seed, writes):
        dice = random.Random(seed)
        self.numbers = [dice.randrange(1, writes + 1)]
        if dice.random() < AGAIN:
            self.numbers.append(dice.randrange(1, writes + 1))

    def __str__(self):
        return ", ".join(map(str, self.numbers))


def shape_of(seed):
    """All of them in turn."""
    return list(SHAPES)[seed % len(SHAPES)]


def new_seed(shape):
    """One that leads to this shape."""
    return random.SystemRandom().randrange(2**31) * len(SHAPES) + list(SHAPES).index(shape)


def cut_off(bench, power, shape, number, seed):
    """An installation whose power goes at its `number`th write request, or at its end where it makes fewer. What was lost."""
    power.cut_at(number, bench.process.kill)
    try:
        code, said = bench.install(text_of(shape), seconds=SECONDS)
    except LabError:
        if not power.is_cut:
            raise
    else:
        assert code == 0 or power.is_cut, said
        if not power.is_cut:
            power.cut(bench.process.kill)
    bench.power_cut()
    return power.come_back(seed)


def cut_and_compare(table, lab, iso, seed):
    """One cut, or two, and what comes of it."""
    shape, started = shape_of(seed), time.monotonic()
    wanted = undisturbed(table, lab, iso, shape)
    writes = wanted["requests"]["write"]
    cut = Cut(seed, writes)
    print(f"RF_POWER_SEED={seed}: {shape}, power goes at write {cut} of {writes}", flush=True)
    losses = []
    with bench_at_power(lab, iso, shape, f"cut-{seed}") as (bench, power):
        others = checksum(bench.disk(OTHER).path)
        for number in cut.numbers:
            bench.start()
            losses.append(str(cut_off(bench, power, shape, number, seed)))
            print(f"  {losses[-1]}", flush=True)
        bench.start()
        found = install_whole(bench, shape)
        bench.stop()
        assert not difference(wanted["picture"], found), f"RF_POWER_SEED={seed}\n{difference(wanted['picture'], found)}"
        assert checksum(bench.disk(OTHER).path) == others, "a disk that no profile means was written to"
    table.add({"seed": seed, "shape": shape, "cut": f"{cut} of {writes}", "loss": "; ".join(losses),
               "seconds": round(time.monotonic() - started, 1)})


def cuts_of(table):
    """Those that were shown."""
    return [row for row in table.rows() if "seed" in row]


def test_the_power_goes_anywhere(lab, built_iso):
    table = Table(os.environ.get("RF_POWER") or os.path.join(LOGS, "power-cuts.jsonl"), built_iso, COLUMNS, PROGRAM)
    if ONE:
        cut_and_compare(table, lab, built_iso, int(ONE))
    while not ONE and len(cuts_of(table)) < CUTS:
        cut_and_compare(table, lab, built_iso, new_seed(list(SHAPES)[len(cuts_of(table)) % len(SHAPES)]))
    print(table)
