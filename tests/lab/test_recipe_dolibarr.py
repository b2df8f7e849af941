# SPDX-License-Identifier: GPL-3.0-or-later
"""The other CRM without a node, beside its directory. Debian does not carry it: skipped where its artefact is not there."""

import time

import pytest

from conftest import lacking_artefacts
from richtfest_lab.dolibarr import Dolibarr
from richtfest_lab.errors import LabError

pytestmark = pytest.mark.long

HOST = "verkauf.musterkunde.example"


@pytest.fixture(scope="module")
def site(program, house):
    lacking = lacking_artefacts(program, "dolibarr")
    if lacking:
        pytest.skip(f"waiting for artefact {', '.join(lacking)} (richtfest artefact list)")
    guest = house.up(house.named("dolibarr"))
    if not house.has_proxy:
        pytest.skip("there is no Caddy to publish it (make iso brings one)")
    yield house.site(HOST)
    house.down(guest.name)


@pytest.fixture
def people(house):
    return house.guest("dc1").secrets


def test_a_user_of_the_directory_writes_an_appointment_and_reads_it(site, people):
    anna = Dolibarr(site).login("anna", people["user.anna"])
    now = int(time.time())
    wanted = {"userownerid": anna.me(), "type_code": "AC_OTH", "label": "Probefahrt", "datep": now, "datef": now + 3600}
    made = anna.call("POST", "agendaevents", wanted)
    assert anna.call("GET", f"agendaevents/{made}")["label"] == "Probefahrt"
    anna.call("DELETE", f"agendaevents/{made}")


def test_who_may_not_is_refused(site, people):
    for user, password in (("anna", "wrong-Passw0rd"), ("richtfest-stranger", people["probe"])):
        with pytest.raises(LabError, match="status 40[13]"):
            Dolibarr(site).login(user, password)
