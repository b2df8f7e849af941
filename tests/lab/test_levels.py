# SPDX-License-Identifier: GPL-3.0-or-later
"""Each RAID level with real disks, mdadm, lvm and file systems: made as the plan says, without a question and without a name that is not
ours; found again by the next run, and after a power cut; and degraded as far as the level survives it."""

import re

import pytest

from richtfest_lab.disks import GB, Disk
from richtfest_lab.installation import profile_of
from richtfest_lab.machine import Spec
from richtfest_lab.workbench import Workbench

pytestmark = pytest.mark.long

# {name: (level, members, more lines below storage, mdadm's word for the level, how many of `data` may go)}
LEVELS = {
    "single": ("single", 1, {}, "raid1", 0),
    "raid1x2": ("raid1", 2, {}, "raid1", 1),
    "raid1x3": ("raid1", 3, {}, "raid1", 2),
    "raid5x3": ("raid5", 3, {}, "raid5", 1),
    "raid6x4": ("raid6", 4, {}, "raid6", 2),
    "raid10x4": ("raid10", 4, {}, "raid10", 1),
    "raid10x3": ("raid10", 3, {}, "raid10", 1),
    "raid10x4-far": ("raid10", 4, {"layout": "far"}, "raid10", 1),
    "raid1x2-spare": ("raid1", 2, {"spares": 1}, "raid1", 1),
    "raid5x3-spare": ("raid5", 3, {"spares": 1}, "raid5", 1),
    "raid1x2-missing": ("raid1", 2, {"missing": 1}, "raid1", 0),
    "raid1x2-4kn": ("raid1", 2, {"sector": 4096}, "raid1", 1),
    "raid5x3-mixed": ("raid5", 3, {"sizes": (24, 28, 24)}, "raid5", 1),
}
STOP = "root/unpack:before"  # the disks are done


def disks_of(count, more):
    """As many as there are to be."""
    number = count + more.get("spares", 0) - more.get("missing", 0)
    sizes = more.get("sizes", (24,) * number)
    sector = more.get("sector", 512)
    return [Disk(f"d{place}", sizes[place] * GB, logical=sector, physical=sector) for place in range(number)]


def check_arrays(bench, count, more, word):
    """Under their own names, as large as they should be, and with what they were asked for."""
    for name, level, members in (("system", "raid1", count), ("data", word, count)):
        _, said = bench.run(f"mdadm --detail --export /dev/md/{name}; cat /sys/class/block/$(basename $(readlink -f /dev/md/{name}))/md/bitmap/location")
        facts = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        assert (facts["MD_LEVEL"], int(facts["MD_DEVICES"]), facts["MD_METADATA"]) == (level, members, "1.2"), (name, said)
        assert facts["MD_NAME"] in (name, f"any:{name}"), said
        roles = [value for key, value in facts.items() if key.endswith("_ROLE")]
        assert roles.count("spare") == more.get("spares", 0), said
        assert len(roles) == count + more.get("spares", 0) - more.get("missing", 0), said
        assert said.splitlines()[-1] not in ("none", ""), said  # a bitmap


def resyncs(bench):
    """What the arrays still have to copy."""
    return re.findall(r"(resync|recovery|reshape|check)", bench.run("cat /proc/mdstat")[1])


@pytest.mark.parametrize("name", list(LEVELS))
def test_a_level_is_made_found_and_survives(lab, built_iso, name):
    level, count, more, word, lost = LEVELS[name]
    text = profile_of(level, count, more)
    spec = Spec(name="bench", memory=1536, disks=disks_of(count, more), iso=built_iso)
    with Workbench(spec, lab.path("bench")) as bench:
        code, said = bench.apply(text, STOP)
        assert code == 137, said
        check_arrays(bench, count, more, word)
        if word != "raid5" and word != "raid6":
            assert not resyncs(bench), "an empty array needs no resync"
        bench.run("mkdir -p /run/images; mount /dev/disk/by-label/rf-images /run/images; dd if=/dev/urandom of=/run/images/mark bs=1M "
                  "count=64 conv=fsync 2>/dev/null; sha256sum /run/images/mark >/run/images/sum; sync; umount /run/images")
        code, again = bench.apply(text, STOP)
        assert code == 137 and "Create array" not in again, again
        bench.power_cut()
        for disk in bench.spec.disks[:lost]:
            bench.spec.disks.remove(disk)
        bench.start()
        bench.run("mdadm --assemble --scan --run --homehost=any --config=partitions 2>&1; vgchange -ay; udevadm settle; mkdir -p /run/images; "
                  "mount /dev/disk/by-label/rf-images /run/images; cd /run/images; sha256sum --check sum")
