# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal server without a node, beside its directory: a user in its group gets a desktop over RDP, nobody else does."""

import os
import time

import pytest

from richtfest_lab import rdp
from richtfest_lab.errors import LabMissing

pytestmark = pytest.mark.long

RDP, DESKTOP_SECONDS, MANY_COLOURS = 3389, 300, 200
LOG = "/var/log/xrdp-sesman.log"


@pytest.fixture(scope="module")
def ts1(house):
    try:
        rdp.check_host()
    except LabMissing as missing:
        pytest.skip(str(missing))
    guest = house.up("ts1")
    yield guest
    house.down(guest.name)


def programs(guest, user):
    """The names of what runs for that user."""
    done = guest.run("/bin/ps", "-o", "comm=", "-u", user)
    return set(done.out.split())


def tickets(guest, user):
    """The Kerberos tickets of that user's sessions; each has a cache with a name of its own."""
    numbers = guest.agent.check("/usr/bin/id", "-u", user).strip()
    caches = guest.run("/usr/bin/find", "/tmp", "-maxdepth", "1", "-name", f"krb5cc_{numbers}*").out.split()
    return "".join(guest.run("/usr/bin/klist", "-c", cache).out for cache in caches)


def refusals(guest):
    """How often the session manager has refused somebody."""
    return len(guest.run("/bin/grep", "-aiE", "pam_acct_mgmt failed|denied", LOG).out.splitlines())


def picture(desktop, folder, name):
    """For the docs, where somebody asks for it."""
    desktop.screenshot(os.path.join(os.environ.get("RF_SCREENSHOTS") or folder, name))


def wait_for(works, seconds=DESKTOP_SECONDS):
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not works():
        if time.monotonic() > deadline:
            return False
        time.sleep(3)
    return True


def test_its_certificate_is_trusted(ts1, house):
    assert rdp.tls_version(ts1.port(RDP), ts1.about["fqdn"], house.ca) in ("TLSv1.2", "TLSv1.3")


def test_a_user_of_the_group_gets_a_desktop(ts1, people, tmp_path):
    with rdp.Desktop(str(tmp_path), ts1.port(RDP), "anna", people["user.anna"]) as desktop:
        there = wait_for(lambda: {"xfce4-session", "xfce4-panel", "xfwm4", "xfdesktop"} <= programs(ts1, "anna"))
        assert there, (programs(ts1, "anna"), desktop.log(), desktop.screenshot("no-desktop.png"))
        shown = wait_for(lambda: desktop.colours() > MANY_COLOURS, 60)
        assert shown, (desktop.colours(), desktop.log(), desktop.screenshot("no-desktop.png"))
        assert desktop.connected()
        assert "krbtgt/AD.MUSTERKUNDE.EXAMPLE" in tickets(ts1, "anna")
        picture(desktop, tmp_path, "desktop.png")


def test_a_user_outside_the_group_is_refused(ts1, people, tmp_path):
    before = refusals(ts1)
    with rdp.Desktop(str(tmp_path), ts1.port(RDP), "bernd", people["user.bernd"]) as desktop:
        refused = wait_for(lambda: refusals(ts1) > before)
        assert refused, (ts1.run("/bin/tail", "-n20", LOG).out, desktop.log(), desktop.screenshot("not-refused.png"))
        assert not programs(ts1, "bernd")
        assert desktop.colours() < MANY_COLOURS
