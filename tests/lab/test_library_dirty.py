# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of dirty disks, as far as they can be tried without a machine: a script that is wrong costs an evening."""

import re
import subprocess

import pytest

from richtfest_lab.dirty import BLANK, PRELUDE, STATES

pytestmark = pytest.mark.core

# Stands in for what needs block devices: two files are the disks, and their first partitions too.
ON_FILES = """
A=$1 B=$2 A1=$1 B1=$2
size() { stat -c %s "$1"; }
tables() { :; }
settle() { :; }
blockdev() { echo 512; }
"""
BY_BYTES = {
    "imsm": "isw_raid_member",
    "luks1": "crypto_LUKS",
    "luks2": "crypto_LUKS",
    "bcache": "bcache",
    "drbd": "drbd",
    "ceph": "ceph_bluestore",
}


@pytest.mark.parametrize("script", [BLANK, *(state.script for state in STATES)])
def test_scripts_can_be_read(script):
    done = subprocess.run(["bash", "-n"], input=f"{PRELUDE}{script}\nsettle\n", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_states_are_whole():
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names) >= 20
    for state in STATES:
        assert state.words and all(re.compile(words) for words in state.words), state.name
        assert len(state.script.encode()) < 4096, state.name


@pytest.mark.parametrize("name", sorted(BY_BYTES))
def test_what_is_written_as_bytes_is_what_it_says(tmp_path, name):
    state = next(state for state in STATES if state.name == name)
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        with open(file, "wb") as image:
            image.truncate(1 << 30)
    poke = re.search(r"^poke\(\) \{.*?^\}", PRELUDE, re.MULTILINE | re.DOTALL).group(0)
    script = f"{ON_FILES}{poke}\n{state.script}\n"
    subprocess.run(["bash", "-eu", "-s", *map(str, files)], input=script, text=True, check=True)
    found = subprocess.run(["/sbin/wipefs", "--output", "TYPE", "--noheadings", files[0]], text=True, capture_output=True, check=True)
    assert BY_BYTES[name] in found.stdout.split(), found.stdout
