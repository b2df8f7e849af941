# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest server that the tests of a node need: two cores, two disks, no guests."""

from . import profile
from .disks import Disk
from .machine import Spec, forwards
from .node import COCKPIT, SSH, Node

MEMORY = 1536  # MiB


def profile_text(site, key, shipped_profile):
    """The customer's profile, for this server."""
    text = profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")
    profile.shrink(text, cores=2, memory=MEMORY)
    return text.text


def spec(iso, firmware="uefi", bus="virtio-scsi"):
    """The server, with an ISO in."""
    members = [Disk("d0", bus=bus), Disk("d1", bus=bus)]
    return Spec(
        name="node", firmware=firmware, cores=2, memory=MEMORY, disks=members, iso=iso, forwards=forwards(SSH, COCKPIT)
    )


def power_on(lab, url_iso, site, key, shipped_profile, **more):
    """Starts it with the ISO in; the profile waits for it."""
    iso, _, page = url_iso
    site.pages[page] = profile_text(site, key, shipped_profile)
    site.start()
    return lab.start(spec(iso, **more))


def up_to_the_node(lab, machine, site, key, run=1):
    """From the installer's `run` to a node that can be logged in to; the medium goes when it is not needed any more."""
    installed = site.reports.wait_run_end(run, 420, lab.trouble)
    assert installed["state"] == "done"
    machine.eject()
    machine.spec.iso = None
    machine.wait_reboot(1, 60)
    assert site.reports.wait_run_end(run + 1, 300, lab.trouble)["state"] == "done"
    return Node(machine, key).wait_ssh(180).learn(site.reports)


def back_after(node, lab, site, action):
    """Does something that ends in a boot of the node, and waits for the end of that boot's run."""
    boot, run = node.boot_id(), len(site.reports.runs()) + 1
    action()
    assert site.reports.wait_run_end(run, 300, lab.trouble)["state"] == "done"
    node.wait_ssh(180)
    assert node.boot_id() != boot


def lose_first_disk(node, lab, site, meanwhile=lambda: None):
    """The power goes, and the first disk with it; the machine starts again without it."""

    def action():
        node.machine.power_cut()
        meanwhile()
        node.machine.leave_out("d0")
        node.machine.start()

    back_after(node, lab, site, action)


def check_runs_on_one_disk(node):
    """Everything is there, and the node says what is missing."""
    arrays = node.arrays()
    assert len(arrays) == 2 and all(state.count("U") == 1 for _, _, state in arrays.values()), arrays
    status = node.sudo("richtfest status", check=False)
    assert status.returncode == 3, status.stdout + status.stderr
    for name in ("system", "data"):
        line = next(line for line in status.stdout.split("\n") if line.startswith(f"{name} "))
        assert "1 of 2" in line and "degraded" in line, status.stdout
    assert "NOT healthy" in status.stdout
    assert node.ssh("findmnt -no FSTYPE /var/lib/libvirt/images").stdout.strip() == "xfs"
