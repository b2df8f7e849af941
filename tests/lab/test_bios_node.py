# SPDX-License-Identifier: GPL-3.0-or-later
"""A smaller server with BIOS: from the ISO to the booted node, without guests; the medium is gone at the first
boot."""

import pytest

from richtfest_lab import profile
from richtfest_lab.disks import Disk
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import COCKPIT, SSH, Node

pytestmark = pytest.mark.core


def test_bios_up_to_the_booted_node(lab, url_iso, site, key, shipped_profile):
    text = profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")
    profile.shrink(text, cores=2, memory=1536)
    iso, _, page = url_iso
    site.pages[page] = text.text
    site.start()
    members = [Disk("d0", bus="virtio-blk"), Disk("d1", bus="virtio-blk")]
    spec = Spec(
        name="node", firmware="bios", cores=2, memory=1536, disks=members, iso=iso, forwards=forwards(SSH, COCKPIT)
    )
    machine = lab.start(spec)
    assert site.reports.wait_run_end(1, 420, lab.trouble)["state"] == "done"
    machine.eject()
    machine.wait_reboot(1, 60)

    assert site.reports.wait_run_end(2, 300, lab.trouble)["state"] == "done"
    node = Node(machine, key).wait_ssh(180).learn(site.reports)
    assert node.ssh("test -d /sys/firmware/efi", check=False).returncode != 0
    arrays = node.arrays()
    assert arrays and all(state == "UU" for _, _, state in arrays.values()), arrays
    assert node.sudo("richtfest status").returncode == 0
    assert "musterkunde-n1" in node.sudo("richtfest status").stdout
    assert machine.reboots() <= 2  # one of its own; SeaBIOS turns a soft reset into a second, hard one
