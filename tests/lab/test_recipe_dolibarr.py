# SPDX-License-Identifier: GPL-3.0-or-later
"""The other CRM without a node, beside its directory. Debian does not carry it: skipped where its artefact is not there."""

import pytest

from conftest import lacking_artefacts, published
from richtfest_lab.dolibarr import Dolibarr, Refused

pytestmark = pytest.mark.long

HOST = "verkauf.musterkunde.example"


@pytest.fixture(scope="module")
def site(program, house):
    lacking = lacking_artefacts(program, "dolibarr")
    if lacking:
        pytest.skip(f"waiting for artefact {', '.join(lacking)} (richtfest artefact list)")
    with published(house, house.named("dolibarr")):
        yield house.site(HOST)


def test_a_user_of_the_directory_writes_a_company_and_reads_it(site, people):
    anna = Dolibarr(site).login("anna", people["user.anna"])
    made = anna.create_company("Tischlerei Brettschneider")
    assert "Tischlerei Brettschneider" in Dolibarr(site).login("bernd", people["user.bernd"]).company(made)


def test_who_may_not_is_refused(site, people):
    for user, password in (("anna", "wrong-Passw0rd"), ("richtfest-stranger", people["probe"])):
        with pytest.raises(Refused):
            Dolibarr(site).login(user, password)
