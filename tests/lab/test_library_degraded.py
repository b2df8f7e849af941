# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets of the degraded boot matrix, and the places of disks."""

import json
import struct
import subprocess

import pytest

import test_degraded_boot
from richtfest_lab import degraded, disks, host
from richtfest_lab.errors import LabError, LabMissing

pytestmark = pytest.mark.core

SURVIVABLE = {"raid1x2": 2, "raid1x3": 6, "raid5x3": 3, "raid6x4": 10, "raid10x4": 8}


def test_they_are_all_there():
    found = {name: [entry for entry in degraded.removals(name) if entry[1]] for name in degraded.LEVELS}
    assert {name: len(entries) for name, entries in found.items()} == SURVIVABLE
    assert sum(SURVIVABLE.values()) * 2 == 58
    assert all(len(set(entries)) == len(entries) for entries in found.values())


def test_what_nothing_survives():
    bad = {name: [gone for gone, good in degraded.removals(name) if not good] for name in degraded.LEVELS}
    assert bad == {"raid1x2": [], "raid1x3": [], "raid5x3": [(0, 1), (0, 2), (1, 2)], "raid10x4": [(0, 1), (2, 3)],
                   "raid6x4": [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]}


def make_disk(path, number, roles, name="rf-data"):
    """As far as role() looks."""
    disks.make_image(str(path), 64 << 20)
    subprocess.run(["/sbin/sfdisk", "--quiet", path], input=f"label: gpt\nstart=2048, size=2048\nstart=8192, size=65536, name={name}\n",
                   text=True, check=True)
    block = bytearray(4096)
    struct.pack_into("<I", block, 0, degraded.MAGIC)
    struct.pack_into("<I", block, degraded.DEV_NUMBER, number)
    struct.pack_into(f"<{len(roles)}H", block, degraded.DEV_ROLES, *roles)
    with open(path, "r+b") as disk:
        disk.seek(8192 * 512 + degraded.SUPERBLOCK)
        disk.write(block)


def test_a_disk_says_its_place(tmp_path):
    make_disk(tmp_path / "a.img", 3, (0, 1, 0xFFFE, 2))
    assert degraded.role(str(tmp_path / "a.img")) == 2
    make_disk(tmp_path / "b.img", 0, (0,), name="rf-other")
    with pytest.raises(LabError, match="0 partitions"):
        degraded.role(str(tmp_path / "b.img"))


def test_what_is_left_is_started_on_overlays(tmp_path):
    try:
        tool = host.need("qemu-img", "qemu-utils")
    except LabMissing as missing:
        pytest.skip(str(missing))
    home = tmp_path / "level"
    home.mkdir()
    level = test_degraded_boot.Level("raid5x3", str(home))
    assert level.known is None
    for disk in level.disks():
        disks.make_image(disk.path, 64 << 20)
    level.keep({"port": 1, "password": "x", "roles": [2, 0, 1]})
    assert (home / "installed.json").stat().st_mode & 0o777 == 0o600
    found = level.overlays(str(tmp_path), (0,))
    assert [(disk.name, disk.serial) for disk in found] == [("d0", "RF-D0"), ("d2", "RF-D2")]
    for disk in found:
        said = json.loads(subprocess.run([tool, "info", "--output=json", disk.path], capture_output=True, text=True, check=True).stdout)
        assert said["backing-filename"] == str(home / f"{disk.name}.img") and said["format"] == "qcow2"
