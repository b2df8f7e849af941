# SPDX-License-Identifier: GPL-3.0-or-later
"""The CRM without a node, beside its directory: a user of the directory logs in by the published name and works."""

import os

import pytest

from conftest import published
from richtfest_lab import browser
from richtfest_lab.errors import LabMissing
from richtfest_lab.tryton import Refused, Tryton

pytestmark = pytest.mark.long

HOST = "crm.musterkunde.example"
PICTURE = "RF_SCREENSHOTS"  # a folder: the browser's pictures are kept there


@pytest.fixture(scope="module")
def site(house):
    with published(house, "crm"):
        yield house.site(HOST)


def test_a_user_of_the_directory_writes_a_party_and_reads_it(site, people):
    anna = Tryton(site).login("anna", people["user.anna"])
    assert anna.call("model.res.user.get_preferences", False, {})["name"] == "Anna Muster"
    made = anna.create("party.party", name="Schreinerei Holzmann", contact_mechanisms=[
        ["create", [{"type": "phone", "value": "+49 30 1234567"}]]])
    party = anna.read("party.party", made, "name", "contact_mechanisms", "rec_name")
    assert party["name"] == "Schreinerei Holzmann"
    assert anna.read("party.contact_mechanism", party["contact_mechanisms"][0], "value")["value"] == "+49 30 1234567"
    anna.logout()


def test_who_may_not_is_refused(site, people):
    with pytest.raises(Refused):
        Tryton(site).login("anna", "wrong-Passw0rd")
    with pytest.raises(Refused):
        Tryton(site).login("richtfest-stranger", people["probe"])


def test_it_looks_like_a_crm_in_a_browser(house, site, people, tmp_path):
    try:
        browser.check_host()
    except LabMissing as missing:
        pytest.skip(str(missing))
    bernd = Tryton(site).login("bernd", people["user.bernd"])
    for name in ("Autohaus Krüger", "Bäckerei Sommer", "Gärtnerei Blatt"):
        bernd.create("party.party", name=name)
    with browser.Browser(tmp_path, {HOST: house.proxy.port}, house.ca) as chromium:
        chromium.driver.get(f"https://{HOST}/#tryton/model/party.party")
        chromium.type("#login", "bernd").submit()
        chromium.type("#ask-dialog-entry", people["user.bernd"]).submit()
        chromium.wait_text("Gärtnerei Blatt")
        assert chromium.driver.current_url.startswith(f"https://{HOST}/")
        folder = os.environ.get(PICTURE)
        chromium.screenshot(os.path.join(folder or tmp_path, "crm.png"))
