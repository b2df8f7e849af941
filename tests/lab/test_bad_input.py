# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: said on the console, reported where that is possible, and not a byte written to any disk."""

import re
import time

import pytest

from richtfest_lab import disks, profile
from richtfest_lab.disks import GB, Disk
from richtfest_lab.httpd import Cut, Oversize, Redirect
from richtfest_lab.iso import Iso, payload_place, payload_size
from richtfest_lab.machine import Spec

pytestmark = pytest.mark.core

FIRST_WORDS = 150  # seconds until the installer speaks, on a loaded host without KVM
AGAIN = 90  # and until it has looked once more at a profile that was wrong


def lab_profile(shipped_profile, site, key):
    """The customer's profile, with this test's report address; without guests, whose memory a small machine would not have."""
    return profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")


def untouched(machine, sums):
    """No disk has had a single write request, and each holds what it held."""
    for disk in machine.spec.disks:
        assert machine.writes(disk.name) == 0, f"{disk.name} was written to"
        assert disks.checksum(disk.path) == sums[disk.name], f"{disk.name} is not what it was"


def sums_of(members, folder):
    """What the disks hold before the start."""
    return {disk.name: disks.checksum(disk.create(folder).path) for disk in members}


def stays_on_the_screen(console, words, seconds=10):
    """What a person has to read is not pushed off the screen by what comes behind it."""
    console.wait_for(words, 30, failures=())
    time.sleep(seconds)
    screen = [text for _, text in console.lines()[-40:]]
    assert any(re.search(words, text) for text in screen), console.tail()


def with_error(text):
    """The profile with two mistakes, and where they stand: (text, [(line, column, key)])."""
    lines = text.replace("level: raid1", "level: raid7").replace("timezone: Europe", "timezoom: Europe").split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        for word, key in (("raid7", "storage.level"), ("timezoom", "timezoom")):
            if word in line:
                found.append((number, line.index(word) + 1, key))
    return "\n".join(lines), found


def test_profiles_that_are_not_there_yet_wrong_or_too_much_for_the_machine(lab, url_iso, site, key, shipped_profile):
    """One boot, one mistake after the other, as a person would mend them: the machine asks again each time."""
    good = lab_profile(shipped_profile, site, key)
    members = [Disk("d0"), Disk("d1", size=10 * GB)]
    sums = sums_of(members, lab.folder)
    iso, _, page = url_iso
    machine = lab.start(
        Spec(name="wrong", cores=1, memory=1024, disks=members, iso=iso, firmware="bios", virtualization=False)
    )
    console = machine.console

    # Nobody listens: it waits, and says for what and why.
    console.wait_for(r"wait.*10\.0\.2\.2", FIRST_WORDS)
    site.pages[page] = 503
    site.start()
    console.wait_for(r"wait.*503", 60)
    site.pages[page] = Cut(good.text, 100)  # must not be taken for a short profile
    console.wait_for(r"wait.*(?:partial|closed|transfer|missing)", 60)

    # What retrying at once can't help: said as a failure; asked again later all the same.
    site.pages[page] = 404
    console.wait_for(r"FAILED.*404", AGAIN, failures=())
    site.pages[page] = "<!DOCTYPE html>\n<html><body>Please log in: {</body></html>\n"
    console.wait_for(r"profile\.yaml:\d+:\d+: error: ", AGAIN, failures=())
    site.pages[page] = Oversize(300 << 10, announced=False)
    console.wait_for(r"FAILED.*larger than", AGAIN, failures=())

    # Wrong, but its report address can be read: told there too, with the positions.
    text, mistakes = with_error(good.text)
    assert len(mistakes) == 2
    site.pages.update({page: Redirect("/moved.yaml"), "/moved.yaml": text})
    failed = site.reports.wait_event("", "failed", AGAIN, lab.trouble)
    assert failed["code"] == 1
    for line, column, word in mistakes:
        where = rf":{line}:{column}: error: \S*{re.escape(word)}"
        assert re.search(where, failed["message"]), where
        console.wait_for(where, 30, failures=())

    # Valid, but for a larger machine: everything that is missing is said at once.
    console.skip()
    known = len(site.reports.find("", "failed"))
    site.pages[page] = good.text
    site.reports.wait(lambda: len(site.reports.find("", "failed")) > known, AGAIN, "the refusal", lab.trouble, True)
    refused = site.reports.find("", "failed")[-1]
    assert refused["code"] == 2
    for key_of_problem in ("requires.cores", "requires.memory", "requires.kvm", "storage.disks"):
        assert key_of_problem in refused["message"]
    assert "neither svm nor vmx" in refused["message"]
    console.wait_for(r"requires\.memory", 30, failures=())
    assert machine.status() == "running" and machine.reboots() == 0
    untouched(machine, sums)


def test_a_medium_that_is_pulled_before_the_first_write(lab, url_iso, site, key, shipped_profile):
    """It was read whole and found good; then somebody detaches it, and the profile comes."""
    text = lab_profile(shipped_profile, site, key)
    profile.shrink(text, cores=2, memory=1024)
    members = [Disk("d0"), Disk("d1")]
    sums = sums_of(members, lab.folder)
    iso, _, page = url_iso
    site.pages[page] = 503
    site.start()
    machine = lab.start(Spec(name="pulled", cores=2, memory=1024, disks=members, iso=iso, firmware="bios"))
    machine.console.wait_for(r"wait.*503", FIRST_WORDS)
    machine.wait_medium_read(payload_size(iso))
    machine.eject()
    site.pages[page] = text.text
    failed = site.reports.wait_event("", "failed", AGAIN, lab.trouble)
    assert failed["code"] == 3
    assert re.search(r"medium can't be read any more; attach it again", failed["message"]), failed["message"]
    assert "nothing was written" in failed["message"]
    stays_on_the_screen(machine.console, r"medium can't be read any more")
    assert machine.status() == "running" and machine.reboots() == 0
    untouched(machine, sums)


def test_a_medium_with_a_sector_that_cannot_be_read(lab, url_iso, site, key, shipped_profile):
    """The drive says so instead of giving wrong bytes; the disks never hear of it."""
    text = lab_profile(shipped_profile, site, key)
    profile.shrink(text, cores=2, memory=1024)
    iso, _, page = url_iso
    site.pages[page] = text.text
    site.start()
    members = [Disk("d0"), Disk("d1")]
    sums = sums_of(members, lab.folder)
    bad = (payload_place(iso, 0.9),)
    machine = lab.start(
        Spec(name="unreadable", cores=2, memory=1024, disks=members, iso=iso, iso_bad=bad, firmware="bios")
    )
    failed = site.reports.wait_event("", "failed", FIRST_WORDS + 150, lab.trouble)
    assert failed["code"] == 3
    assert re.search(r"the medium is unreadable \(nothing was written", failed["message"]), failed["message"]
    untouched(machine, sums)


def test_foreign_data_is_refused(lab, url_iso, site, key, shipped_profile):
    """A file system on one disk, a partition table on the other: both are named, neither is
    touched."""
    text = lab_profile(shipped_profile, site, key)
    profile.shrink(text, cores=1, memory=1024)
    members = [Disk("d0", serial="KUNDE-0001"), Disk("d1", serial="KUNDE-0002")]
    for disk in members:
        disk.create(lab.folder)
    disks.put_ext4(members[0].path, "kundendaten")
    disks.put_gpt(members[1].path, "altes-system")
    sums = sums_of(members, lab.folder)
    iso, _, page = url_iso
    site.pages[page] = text.text
    site.start()
    machine = lab.start(Spec(name="foreign", cores=1, memory=1024, disks=members, iso=iso))
    failed = site.reports.wait_event("", "failed", FIRST_WORDS, lab.trouble)
    assert failed["code"] == 2
    for word in ("KUNDE-0001", "KUNDE-0002", "ext4", "gpt"):
        assert word in failed["message"], failed["message"]
    machine.console.wait_for(r"KUNDE-0002.*", 30, failures=())
    untouched(machine, sums)


def test_a_damaged_medium_is_stopped_before_the_first_write(lab, built_iso, program, site, key, shipped_profile):
    """Bytes flipped in the payload: the checksum finds them, and the disks never hear of it."""
    text = lab_profile(shipped_profile, site, key)
    profile.shrink(text, cores=2, memory=1024)
    site.pages["/p.yaml"] = text.text
    site.start()
    iso = Iso(built_iso, lab.path("damaged.iso"), program).profile_url(site.url("/p.yaml")).damage_squashfs()
    members = [Disk("d0"), Disk("d1")]
    sums = sums_of(members, lab.folder)
    machine = lab.start(Spec(name="damaged", cores=2, memory=1024, disks=members, iso=iso.path, firmware="bios"))
    failed = site.reports.wait_event("", "failed", FIRST_WORDS + 150, lab.trouble)
    assert failed["code"] == 3
    assert re.search(r"(?i)checksum|sha-?256|damaged", failed["message"]), failed["message"]
    untouched(machine, sums)
