# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation that is killed at every step of its plan and at all four places around each: before it looks, when it has looked, when it has
worked, when it is done. Each time the installation is repeated; in the end there is what an undisturbed one makes, and a disk that no profile
means is as it was.

The points come from the plan itself (`richtfest plan --json`). A chain is one installation that is killed at one point after the other, each run
taking up what the one before has left. Disks are made bootable side by side, so that a run which is killed at the one may have finished the
other; there each point begins anew, before the commit point. In the chains `process` one boot of the machine serves for all points. In the
chain `power` the machine's power goes too, with whatever the disks had not flushed (RF_KILL_SEED says what, and is printed).

Chains that were shown stand in a file beside the logs (RF_KILL_POINTS names another), and are not shown again for the same ISO."""

import os
import random
import time

import pytest

from conftest import LOGS
from richtfest_lab.disks import checksum
from richtfest_lab.installation import KILLED, OTHER, SHAPES, difference, text_of
from richtfest_lab.powered import bench_at_power, install_whole, undisturbed
from richtfest_lab.table import Table

pytestmark = pytest.mark.long

# A step that was done by the run before has nothing to be killed in but "before"; so "after", which leaves it done, has a chain of its own.
# With the power gone, "before" a step is what "after" the one before it was.
CHAINS = {"process": ("before", "probed", "applied"), "process-after": ("after",), "power": ("applied", "after")}
WITH_POWER = ("power",)
TAIL = ("boot/", "mark")  # from the commit point on
SEED = int(os.environ.get("RF_KILL_SEED") or random.SystemRandom().randrange(2**31))
COLUMNS = {"shape": "storage", "chain": "killed with", "point": "at", "seconds": "after (s)", "loss": "requests since the last flush"}


class Chain:
    """One installation, killed over and over."""

    def __init__(self, bench, power, shape, name):
        self.bench, self.power, self.shape, self.name = bench, power, shape, name
        self.text = text_of(shape)
        self.seen = []

    def kill(self, step, place):
        """A run that is killed there."""
        point, started = f"{step}:{place}", time.monotonic()
        code, said = self.bench.install(self.text, point)
        assert code == KILLED, f"{point}: exit {code}\n{said}"
        row = {"point": point, "seconds": round(time.monotonic() - started, 1)}
        if self.name in WITH_POWER:
            row["loss"] = self.cut(point)
        print(f"{self.shape}, {self.name}: killed at {point} after {row['seconds']:.0f} s  {row.get('loss', '')}", flush=True)
        self.seen.append(row)

    def cut(self, point):
        """The power goes at the moment of the kill, and comes back."""
        self.power.cut(self.bench.process.kill)
        self.bench.power_cut()
        loss = self.power.come_back(f"{SEED}/{self.shape}/{point}")
        self.bench.start()
        return str(loss)

    def finish(self):
        """A run that is left alone; nothing is left to do."""
        code, said = self.bench.install(self.text)
        assert code == 0, said
        assert not self.bench.left(self.text)

    def take(self, steps):
        """All of them, and the rest of the installation."""
        body = [step for step in steps if not step.startswith(TAIL)]
        for step in body:
            for place in CHAINS[self.name]:
                self.kill(step, place)
        self.finish()
        for step in steps[len(body):]:
            for place in CHAINS[self.name]:
                self.bench.uncommit()
                self.kill(step, place)
                self.finish()


def run_chain(bench, power, table, shape, name, wanted):
    """One chain, from blank disks to the picture."""
    others = checksum(bench.disk(OTHER).path)
    bench.blank()
    steps = [step["id"] for step in bench.steps(text_of(shape))]
    assert steps[-1] == "mark" and len(steps) > 12, steps
    chain = Chain(bench, power, shape, name)
    chain.take(steps)
    found = install_whole(bench, shape)
    assert not difference(wanted, found), f"RF_KILL_SEED={SEED}, {shape}, {name}:\n{difference(wanted, found)}"
    bench.run("sync")
    assert checksum(bench.disk(OTHER).path) == others, "a disk that no profile means was written to"
    table.add(*({"shape": shape, "chain": name, **row} for row in chain.seen))


def points(table):
    """How many were shown."""
    return len([row for row in table.rows() if "point" in row])


@pytest.mark.parametrize("shape", list(SHAPES))
def test_killed_at_every_step(lab, built_iso, shape):
    table = Table(os.environ.get("RF_KILL_POINTS") or os.path.join(LOGS, "kill-points.jsonl"), built_iso, COLUMNS)
    wanted = undisturbed(table, lab, built_iso, shape)["picture"]
    todo = [name for name in CHAINS if not table.has(shape=shape, chain=name)]
    print(f"RF_KILL_SEED={SEED}; still to show: {', '.join(todo) or 'nothing'}", flush=True)
    with bench_at_power(lab, built_iso, shape, f"kills-{shape}") as (bench, power):
        bench.start()
        for name in todo:
            run_chain(bench, power, table, shape, name, wanted)
    print(table)
    print(f"{points(table)} points")


def test_they_are_enough(built_iso):
    """Of all shapes together, when all of them were shown."""
    table = Table(os.environ.get("RF_KILL_POINTS") or os.path.join(LOGS, "kill-points.jsonl"), built_iso, COLUMNS)
    if not all(table.has(shape=shape, chain=name) for shape in SHAPES for name in CHAINS):
        pytest.skip("not all were shown yet")
    assert points(table) >= 200
