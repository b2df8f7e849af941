# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts and seeds of the tests that cut installations off, as far as they can be tried without a machine."""

import os
import subprocess

import pytest

import test_io_faults
import test_kill_points
import test_power_cuts
from richtfest_lab import installation

pytestmark = pytest.mark.core

PICTURE = "[arrays]\nMD_LEVEL=raid1\n0\n[boot]\nRF-D0 esp 12  ./a\n[images]\n. d\n"
STEPS = ["medium", "partition/1", "array/system", "root/unpack", "state", "boot/1", "mark"]


@pytest.mark.parametrize("script", [*(installation.PRELUDE + text for text in installation.SECTIONS.values()), installation.BLANK,
                                    installation.UNCOMMIT])
def test_scripts_can_be_read(script):
    done = subprocess.run(["dash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_sections_of_a_picture():
    assert installation.section(PICTURE, "arrays") == "[arrays]\nMD_LEVEL=raid1\n0"
    assert installation.section(PICTURE, "images").startswith("[images]\n. d")
    with pytest.raises(ValueError):
        installation.section(PICTURE, "system")


def test_a_difference_is_said_by_its_lines():
    assert installation.difference(PICTURE, PICTURE) == ""
    assert "-RF-D0 esp 12  ./a" in installation.difference(PICTURE, PICTURE.replace("12", "13"))


@pytest.mark.parametrize("shape", list(installation.SHAPES))
def test_profiles_mean_the_members_and_no_other(shape, tmp_path, program):
    path = tmp_path / "p.yaml"
    path.write_text(installation.text_of(shape))
    subprocess.run([program, "check", path], check=True)
    found = installation.members(shape, str(tmp_path))
    assert [disk.size >= installation.SIZE for disk in found] == [True] * installation.SHAPES[shape][1] + [False]
    assert os.path.getsize(found[-1].path) == installation.SIZE // 3


def test_a_cut_follows_from_its_seed():
    for shape in installation.SHAPES:
        assert test_power_cuts.shape_of(test_power_cuts.new_seed(shape)) == shape
    cuts = [test_power_cuts.Cut(seed, 1000).numbers for seed in range(300)]
    assert cuts == [test_power_cuts.Cut(seed, 1000).numbers for seed in range(300)]
    assert {len(numbers) for numbers in cuts} == {1, 2} and all(1 <= number <= 1000 for numbers in cuts for number in numbers)
    assert max(map(max, cuts)) > 950 and min(map(min, cuts)) < 50


class FakeBench:
    """Says yes, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def install(self, _text, stop="", _seconds=0, seconds=0):
        self.asked.append(stop)
        return installation.KILLED if stop else 0, ""

    def blank(self):
        self.asked.append("blank")

    def uncommit(self):
        self.asked.append("uncommit")

    def left(self, _text):
        return []

    def picture(self, *_sections):
        return PICTURE


class FakeTable:
    """As much of a table as Kills needs."""

    def __init__(self, shown=()):
        self.shown = list(shown)

    def has(self, point, **_):
        return point in self.shown

    def add(self, *rows):
        self.shown += [row["point"] for row in rows]


def kills(bench, table):
    made = test_kill_points.Kills(bench, None, table, "single", "process", PICTURE)
    made.same = lambda *sections, **_: None
    return made


def test_each_point_of_the_plan_is_killed_at_once():
    bench, table = FakeBench(), FakeTable()
    kills(bench, table).take(STEPS)
    every = {f"{step}:{place}" for step in STEPS for place in ("before", "probed", "applied", "after")}
    assert set(table.shown) == every and len(table.shown) == len(every)
    assert bench.asked[:3] == ["blank", "medium:before", "root/unpack:before"]
    where = bench.asked.index("boot/1:applied")
    assert bench.asked[where - 1:where + 2] == ["uncommit", "boot/1:applied", ""]


def test_what_was_shown_is_not_killed_again():
    bench = FakeBench()
    kills(bench, FakeTable(f"{step}:{place}" for step in STEPS for place in ("before", "probed", "applied", "after"))).take(STEPS)
    assert bench.asked == []


def test_words_that_name_a_broken_disk():
    class Named:
        def run(self, _script):
            return 0, "vdb\n"

    for said in ("disk 1 (serial RF-D0): Input/output error", "/dev/vdb3 can't be read", "mdadm: /dev/md/data: failed", "array system"):
        assert test_io_faults.names_the_disk(Named(), said), said
    for said in ("Input/output error", "vdc3 is away", "the medium"):
        assert not test_io_faults.names_the_disk(Named(), said), said


def test_faults_follow_from_their_seed():
    found = [test_io_faults.fault_of(shape, phase, "write", "disk").number for shape in test_io_faults.SHAPES for phase in test_io_faults.PHASES]
    assert found == [test_io_faults.fault_of(shape, phase, "write", "disk").number for shape in test_io_faults.SHAPES
                     for phase in test_io_faults.PHASES]
    assert len(set(found)) > 2
