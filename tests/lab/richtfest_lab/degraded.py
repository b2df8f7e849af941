# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks of a node may go at once, at each level; and what an installed disk says of its own place."""

import itertools
import json
import struct
import subprocess

from . import host
from .errors import LabError

# {name: (level, members)}
LEVELS = {"raid1x2": ("raid1", 2), "raid1x3": ("raid1", 3), "raid5x3": ("raid5", 3), "raid6x4": ("raid6", 4), "raid10x4": ("raid10", 4)}
MAY_GO = {"raid5": 1, "raid6": 2}
SUPERBLOCK = 4096  # of version 1.2, in a member, in bytes; fields of the kernel's include/uapi/linux/raid/md_p.h
MAGIC, DEV_NUMBER, DEV_ROLES = 0xA92B4EFC, 160, 256


def survives(level, roles, gone):
    """Whether `data` does, when the members of these roles are gone, out of `roles`. raid10 has two copies, near: 0 and 1 hold the same, 2 and
    3, and so on (an even number of members)."""
    if len(gone) >= len(roles):
        return False
    if level == "raid1":
        return True
    if level == "raid10":
        return not any({role, role ^ 1} <= set(gone) for role in gone)
    return len(gone) <= MAY_GO[level]


def removals(name):
    """[(roles that are gone, whether data survives)]: all survivable sets, and the smallest that are not."""
    level, count = LEVELS[name]
    roles = range(count)
    sets = [gone for size in range(1, count) for gone in itertools.combinations(roles, size)]
    good = [gone for gone in sets if survives(level, roles, gone)]
    bad = [gone for gone in sets if gone not in good]
    fewest = min(map(len, bad), default=0)
    return [(gone, True) for gone in good] + [(gone, False) for gone in bad if len(gone) == fewest]


def data_partition(path):
    """Where a disk's data partition begins, in bytes."""
    table = json.loads(subprocess.run([host.need("sfdisk", "fdisk"), "--json", path], capture_output=True, text=True, check=True).stdout)
    table = table["partitiontable"]
    starts = [part["start"] for part in table["partitions"] if part.get("name") == "rf-data"]
    if len(starts) != 1:
        raise LabError(f"{path}: {len(starts)} partitions rf-data")
    return starts[0] * int(table.get("sectorsize", 512))


def role(path):
    """Its place in `data`, by the superblock of md."""
    with open(path, "rb") as disk:
        disk.seek(data_partition(path) + SUPERBLOCK)
        block = disk.read(4096)
    if struct.unpack_from("<I", block)[0] != MAGIC:
        raise LabError(f"{path}: its data partition is no member of an array")
    number = struct.unpack_from("<I", block, DEV_NUMBER)[0]
    return struct.unpack_from("<H", block, DEV_ROLES + 2 * number)[0]
