# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain Debian: what every guest begins with. Its power goes in the middle of its first boot, a moment after cloud-init has written
what the guest is, and before any of that is on the disk; and it becomes the guest that it should be."""

import os

import pytest

pytestmark = pytest.mark.long

# cloud-init's stages, as it says them on the console: the description, the host key and the admins are written before the first of them
STAGES = ("running 'modules:config'", "running 'modules:final'")


def fresh(house, name):
    """The guest as it was before its first boot."""
    guest = house.guest(name)
    guest.stop()
    guest.machine = None
    disk = os.path.join(guest.folder, "disk.qcow2")
    if os.path.exists(disk):
        os.unlink(disk)
    return guest


def test_a_first_boot_that_was_cut_off_is_begun_again(house):
    """Seen as a fault: description, host key and cloud-init's marks were there and empty, and no boot could mend it."""
    for stage in STAGES:
        guest = fresh(house, "debian").start()
        guest.machine.console.wait_for(stage, 600, ())
        guest.machine.reset()
        house.wait_healthy(guest)
        for path in ("/etc/ssh/ssh_host_ed25519_key", "/etc/sudoers.d/90-cloud-init-users", "/var/lib/richtfest/done"):
            assert guest.run("/usr/bin/test", "-s", path).status == 0, (stage, path)
        assert guest.run("/usr/bin/test", "-e", "/var/lib/richtfest/guest.json").status != 0, stage
        assert "begun again" in guest.run("/usr/bin/journalctl", "-b", "-u", "richtfest-begin-again").out
