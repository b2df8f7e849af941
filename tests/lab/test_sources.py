# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the profile comes from: by a name and https with a company's own CA, on a machine with a wrong clock; typed at the menu;
or in the ISO, where test_bios_node.py has a good one. None of these machines is large enough for the profile: that it is refused for
that reason proves that it arrived."""

import datetime
import re
import time

import pytest

from richtfest_lab import disks, keyboard, neighbour, profile, region
from richtfest_lab.console import plain
from richtfest_lab.disks import GB, Disk
from richtfest_lab.httpd import GUEST_SEES, Server
from richtfest_lab.iso import Iso
from richtfest_lab.machine import Spec, free_port
from richtfest_lab.neighbour import Neighbour
from richtfest_lab.pki import Authority
from richtfest_lab.reports import Reports

pytestmark = pytest.mark.core

FIRST_WORDS = 150  # seconds until the installer speaks, on a loaded host without KVM
AGAIN = 90  # and until it has looked once more at a profile that was wrong
NAME = "profiles.lab.test"
TIME_SERVERS = "2.debian.pool.ntp.org"  # as Debian's chrony.conf names them
WRONG_CLOCK = "2001-01-01T00:00:00"


def too_small(lab, **more):
    """A machine on which the customer's profile does not fit, and what its disk holds."""
    members = [Disk("d0", size=10 * GB)]
    sums = {disk.name: disks.checksum(disk.create(lab.folder).path) for disk in members}
    return Spec(cores=1, memory=1024, disks=members, **more), sums


def untouched(machine, sums):
    """No disk has had a single write request, and each holds what it held."""
    for disk in machine.spec.disks:
        assert machine.writes(disk.name) == 0, f"{disk.name} was written to"
        assert disks.checksum(disk.path) == sums[disk.name], f"{disk.name} is not what it was"


def wait_refused(reports, known, lab):
    """The next report that the machine is too small."""
    reports.wait(lambda: len(reports.find("", "failed")) > known, AGAIN, "the refusal", lab.trouble, allow_failed=True)
    refused = reports.find("", "failed")[known]
    assert refused["code"] == 2 and "requires.memory" in refused["message"], refused
    return refused


def test_by_name_and_https_on_a_machine_with_a_wrong_clock(lab, built_iso, program, key, company, shipped_profile):
    """One boot: no such name yet; a CA that nobody knows; the right one, but in 2001; and then a time server answers."""
    stranger = Authority(lab.folder, "Stranger CA")
    site = Server(free_port(), stranger.issue(NAME), Reports(lab.path("events.jsonl")))
    text = profile.for_lab(shipped_profile, key, site.url("/report", NAME)).text
    site.pages["/profile.yaml"] = text
    iso = Iso(built_iso, lab.path("https.iso"), program)
    iso.profile_url(site.url("/profile.yaml", NAME), "--ca", company.certificate)
    with Neighbour({TIME_SERVERS: neighbour.ADDRESS}) as cable, site:
        spec, sums = too_small(lab, name="https", iso=iso.path)
        spec.extra = [*cable.arguments(), "-rtc", f"base={WRONG_CLOCK}"]
        machine = lab.start(spec)
        console = machine.console

        console.wait_for(rf"wait.*{NAME}.*resolve", FIRST_WORDS)
        cable.names[NAME] = GUEST_SEES
        said = console.wait_for(rf"FAILED.*the certificate of {NAME}:{site.port} is signed by nobody", 60, failures=())
        console.wait_for(r"fetched again", 10, failures=())
        assert "image customize --ca FILE" in said.string
        assert NAME in cable.asked

        site.change_certificate(company.issue(NAME))
        said = console.wait_for(r"wait.*time servers.*certificate of .* is not valid at this machine's time, 2001-01-01", AGAIN)
        assert "not yet valid" in said.string
        console.wait_for(r"no time server answered.*clock stays", 60)
        console.wait_for(r"FAILED.*2001-01-01 .*set the clock in the firmware's setup", 30, failures=())
        assert cable.asked_time, "nobody asked for the time"

        cable.knows_time = True
        console.wait_for(r"clock was set by network time: from 2001-01-01 .* to 20[2-9]\d", AGAIN, failures=())
        refused = wait_refused(site.reports, 0, lab)
        sent = datetime.datetime.fromisoformat(refused["time"].replace("Z", "+00:00")).timestamp()
        assert abs(sent - time.time()) < 60, refused["time"]
        assert site.asked("/profile.yaml") == 1
        untouched(machine, sums)


def look_around_in_the_shell(machine):
    """The menu's second entry: for who wants this machine's inventory, or a look; nothing is installed."""
    keyboard.choose_second(machine, b"a root shell", FIRST_WORDS)
    said = keyboard.press(machine, "richtfest inventory | grep -c RF-D0; tty; echo all''said\r", b"allsaid", FIRST_WORDS)
    text = plain(said.decode("utf-8", "replace"))
    assert re.search(r"^1\n/dev/ttyS0$", text, re.MULTILINE), text


def test_typed_at_the_menu_and_wrong_in_the_iso(lab, built_iso, program, key, shipped_profile):
    """One machine, four boots: nobody says where the profile is; a person looks around in the shell; types where it is; and then one is
    in the ISO, and wrong."""
    iso = Iso(built_iso, lab.path("plain.iso"), program).no_profile()
    with Server(reports=Reports(lab.path("events.jsonl"))) as site:
        good = profile.for_lab(shipped_profile, key, site.url("/report")).text
        site.pages["/typed.yaml"] = good
        spec, sums = too_small(lab, name="menu", iso=iso.path, firmware="bios")
        machine = lab.start(spec)
        console = machine.console

        console.wait_for(keyboard.MENU, 60)
        assert "error:" not in console.text(), "GRUB frightens people"
        said = console.wait_for(r"FAILED.*no profile", FIRST_WORDS, failures=())
        for what in ("richtfest.profile=URL", "key e", "image customize --profile-url URL", "restart this machine"):
            assert what in said.string, said.string

        console.skip()
        machine.reset()
        look_around_in_the_shell(machine)

        console.skip()
        machine.reset()
        keyboard.add_to_kernel_line(machine, f"richtfest.profile={site.url('/typed.yaml')}")
        wait_refused(site.reports, 0, lab)
        assert site.asked("/typed.yaml") == 1

        # The medium changes in the drive; what the program would refuse to write is there.
        wrong = good.replace("level: raid1", "level: raid7")
        region.write(iso.path, {"format": 1, "profile": wrong, "name": "kunde.yaml"})
        console.skip()
        machine.reset()
        console.wait_for(r"kunde\.yaml:\d+:\d+: error: \S*storage\.level", FIRST_WORDS, failures=())
        console.wait_for(r"medium.*restart this machine", 30, failures=())
        time.sleep(5)  # that it would be fetched again is said at once
        assert not re.search(r"fetched again|died", console.text()), console.tail()
        failed = site.reports.wait(lambda: site.reports.find("", "failed")[1:], 30, "the mistake", lab.trouble, True)
        assert [event["code"] for event in failed] == [1]
        assert machine.status() == "running"
        untouched(machine, sums)
