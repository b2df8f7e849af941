# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation that is killed at every step of its plan and at all four places around each: before it looks, when it has looked, when it has
worked, when it is done. Each time the installation is repeated; in the end there is what an undisturbed one makes, and a disk that no profile
means is as it was.

The points come from the plan itself (`richtfest plan --json`). With `process` one boot of the machine serves for all of them. With `power` the
machine's power goes as well, with whatever the disks had not flushed (RF_KILL_SEED says what, and is printed). What was shown stands in a file
beside the logs (RF_KILL_POINTS names another), and is not shown again for the same ISO."""

import os
import random
import time

import pytest

from conftest import LOGS
from richtfest_lab.disks import checksum
from richtfest_lab.installation import KILLED, OTHER, SHAPES, difference, section, text_of
from richtfest_lab.powered import SECONDS, bench_at_power, install_whole, undisturbed
from richtfest_lab.table import Table
from richtfest_lab.workbench import PROGRAM

pytestmark = pytest.mark.long

# With the power gone, "before" a step is what "after" the one before it was, and "probed" has written nothing either.
PLACES = {"process": ("before", "probed", "applied", "after"), "power": ("applied", "after")}
FIRST_FILE, FIRST_LOADER, LAST = "root/unpack", "boot/1", "mark"
ENOUGH = 200
SEED = int(os.environ.get("RF_KILL_SEED") or random.SystemRandom().randrange(2**31))
COLUMNS = {"shape": "storage", "how": "killed", "point": "at", "seconds": "after (s)", "loss": "requests since the last flush"}


def without_marks(text):
    """Partitions as they are before the commit point."""
    return text.replace(" 0x4 ", "  ")


class Kills:
    """One machine, whose installation is killed over and over."""

    def __init__(self, bench, power, table, shape, how, wanted):
        self.bench, self.power, self.table, self.shape, self.how, self.wanted = bench, power, table, shape, how, wanted
        self.text = text_of(shape)

    def points(self, steps):
        """Those that were not shown yet."""
        every = [f"{step}:{place}" for step in steps for place in PLACES[self.how]]
        return [point for point in every if not self.table.has(shape=self.shape, how=self.how, point=point)]

    def kill(self, point):
        """A run that is killed there; what is to be told of it."""
        started = time.monotonic()
        code, said = self.bench.install(self.text, point, SECONDS)
        assert code == KILLED, f"{point}: exit {code}\n{said}"
        row = {"shape": self.shape, "how": self.how, "point": point, "seconds": round(time.monotonic() - started, 1)}
        if self.how == "power":
            row["loss"] = self.cut(point)
        print(f"{self.shape}, {self.how}: killed at {point} after {row['seconds']:.0f} s  {row.get('loss', '')}", flush=True)
        return row

    def cut(self, point):
        """The power goes at the moment of the kill, and comes back."""
        self.power.cut(self.bench.process.kill)
        self.bench.power_cut()
        loss = self.power.come_back(f"{SEED}/{self.shape}/{point}")
        self.bench.start()
        return str(loss)

    def same(self, *sections, change=lambda text: text):
        """Nothing but what an undisturbed run makes, as far as these sections tell."""
        found = self.bench.picture(*sections)
        lines = "\n".join(difference(change(section(self.wanted, name)), change(section(found, name))) for name in sections)
        assert not lines.strip(), f"RF_KILL_SEED={SEED}, {self.shape}, {self.how}:\n{lines}"

    def finish(self):
        """A run that is left alone; nothing is left to do."""
        code, said = self.bench.install(self.text, seconds=SECONDS)
        assert code == 0, said
        assert not self.bench.left(self.text)

    def disks(self, steps):
        """From blank disks each time: these steps run side by side, and a run that is killed at the one may have finished another."""
        for point in self.points(steps):
            self.bench.blank()
            row = self.kill(point)
            code, said = self.bench.install(self.text, f"{FIRST_FILE}:before", SECONDS)
            assert code == KILLED, f"after {point}: exit {code}\n{said}"
            self.same("signatures", "partitions", "arrays", "volumes", change=without_marks)
            self.table.add(row)

    def files(self, steps):
        """One installation that is killed at one point after the other, each run taking up what the one before has left. A step that was done by
        the run before has nothing to be killed in but "before"; so "after", which leaves it done, has an installation of its own."""
        todo = self.points(steps)
        for wave in ([point for point in todo if not point.endswith(":after")], [point for point in todo if point.endswith(":after")]):
            if wave:
                self.bench.blank()
                rows = [self.kill(point) for point in wave]
                self.finish()
                self.same("signatures", "partitions", "arrays", "volumes", "boot", "system", "images")
                self.table.add(*rows)

    def loaders(self, steps):
        """The commit points of all disks, side by side again: each time from before the first of them."""
        todo = self.points(steps)
        if todo:
            self.finish()
        for point in todo:
            self.bench.uncommit()
            row = self.kill(point)
            self.finish()
            self.same("partitions", "boot")
            self.table.add(row)

    def take(self, steps):
        """All of them."""
        first_file, first_loader = steps.index(FIRST_FILE), steps.index(FIRST_LOADER)
        assert steps[0] == "medium" and steps[-1] == LAST, steps
        self.disks(steps[:first_file])
        self.files(steps[first_file:first_loader])
        self.loaders(steps[first_loader:])


def steps_of(bench, shape):
    """The installation's, from blank disks."""
    bench.blank()
    return [step["id"] for step in bench.steps(text_of(shape))]


@pytest.mark.parametrize("how", list(PLACES))
@pytest.mark.parametrize("shape", list(SHAPES))
def test_killed_at_every_step(lab, built_iso, shape, how):
    table = Table(os.environ.get("RF_KILL_POINTS") or os.path.join(LOGS, "kill-points.jsonl"), built_iso, COLUMNS, PROGRAM)
    wanted = undisturbed(table, lab, built_iso, shape)["picture"]
    print(f"RF_KILL_SEED={SEED}", flush=True)
    with bench_at_power(lab, built_iso, shape, f"kills-{shape}-{how}") as (bench, power):
        others = checksum(bench.disk(OTHER).path)
        bench.start()
        kills = Kills(bench, power, table, shape, how, wanted)
        kills.take(steps_of(bench, shape))
        found = install_whole(bench, shape)
        bench.stop()
        assert not difference(wanted, found), difference(wanted, found)
        assert checksum(bench.disk(OTHER).path) == others, "a disk that no profile means was written to"
    table.add({"whole": True, "whole_shape": shape, "whole_how": how})
    print(table)


def test_they_are_enough(built_iso):
    """Of all shapes together, when all of them were shown."""
    table = Table(os.environ.get("RF_KILL_POINTS") or os.path.join(LOGS, "kill-points.jsonl"), built_iso, COLUMNS, PROGRAM)
    if not all(table.has(whole_shape=shape, whole_how=how) for shape in SHAPES for how in PLACES):
        pytest.skip("not all were shown yet")
    shown = {(row["shape"], row["how"], row["point"]) for row in table.rows() if "point" in row}
    print(f"{len(shown)} points")
    assert len(shown) >= ENOUGH
