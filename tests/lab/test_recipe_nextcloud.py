# SPDX-License-Identifier: GPL-3.0-or-later
"""Nextcloud without a node, beside its directory: files, calendar and tasks of a user of the directory, by the published name. Debian does
not carry it: skipped where its artefact is not there."""

import os

import pytest

from conftest import lacking_artefacts, published
from richtfest_lab import browser
from richtfest_lab.dav import Dav
from richtfest_lab.errors import LabMissing

pytestmark = pytest.mark.long

HOST = "cloud.musterkunde.example"


@pytest.fixture(scope="module")
def cloud(program, house):
    lacking = lacking_artefacts(program, "nextcloud")
    if "nextcloud" in lacking:
        pytest.skip(f"waiting for artefact {', '.join(lacking)} (richtfest artefact list)")
    with published(house, house.named("nextcloud")) as guest:
        yield guest


@pytest.fixture
def anna(cloud, house, people):
    return Dav(house.site(HOST), "anna", people["user.anna"])


def test_a_file_goes_up_and_comes_back(anna):
    content = os.urandom(3 << 20)
    anna.upload("Angebot.bin", content)
    assert anna.download("Angebot.bin") == content
    anna.remove("Angebot.bin")


def test_an_event_and_a_task_are_written_and_read(anna):
    anna.make_calendar("werkstatt")
    for kind, uid in (("VEVENT", "termin-1"), ("VTODO", "aufgabe-1")):
        anna.write_item("werkstatt", kind, uid, "Inspektion")
        text = anna.read_item("werkstatt", uid)
        assert f"BEGIN:{kind}" in text and "SUMMARY:Inspektion" in text
        anna.remove_item("werkstatt", uid)


def test_who_may_not_is_refused(house, people, anna):
    assert anna.may()
    assert not Dav(house.site(HOST), "anna", "wrong-Passw0rd").may()
    assert not Dav(house.site(HOST), "richtfest-stranger", people["probe"]).may()


def test_its_code_is_the_publishers(cloud):
    occ = ["/usr/sbin/runuser", "-u", "www-data", "--", "php", "-d", "memory_limit=512M", "/var/www/nextcloud/occ"]
    done = cloud.run(*occ, "integrity:check-core", timeout=900)
    assert done.status == 0 and not done.out.strip(" -\n{}[]"), done.out + done.err


def test_it_looks_like_nextcloud_in_a_browser(house, cloud, people, tmp_path):
    try:
        browser.check_host()
    except LabMissing as missing:
        pytest.skip(str(missing))
    with browser.Browser(tmp_path, {HOST: house.proxy.port}, house.ca) as chromium:
        chromium.driver.get(f"https://{HOST}/index.php/login")
        chromium.type("input#user", "anna")
        chromium.type("input#password", people["user.anna"]).submit()
        chromium.wait("#header #user-menu, #header .account-menu", 180)
        chromium.screenshot(os.path.join(os.environ.get("RF_SCREENSHOTS") or tmp_path, "nextcloud.png"))
