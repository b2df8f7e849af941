# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory without a node: what a computer that belongs to the domain does with it."""

import pytest

from richtfest_lab import dns, host, ldaps
from richtfest_lab.errors import LabError, LabMissing
from richtfest_lab.kerberos import Kerberos
from richtfest_lab.smb import Share

pytestmark = pytest.mark.long

REALM, DOMAIN, BASE = "AD.MUSTERKUNDE.EXAMPLE", "ad.musterkunde.example", "DC=ad,DC=musterkunde,DC=example"
POLICY = "\\\\".join((DOMAIN, "Policies", "{31B2F340-016D-11D2-945F-00C04FB984F9}", "GPT.INI"))  # every domain's own (MS-GPOD 1.1.4)


@pytest.fixture(scope="module")
def dc1(house):
    return house.up("dc1")


@pytest.fixture
def anna(dc1):
    return dc1.secrets["user.anna"]


def test_its_services_are_found_by_dns(dc1):
    pytest.importorskip("dns.resolver", reason="apt install python3-dnspython")
    for service, port in (("_ldap._tcp", 389), ("_kerberos._tcp", 88), ("_gc._tcp", 3268), ("_kpasswd._udp", 464)):
        assert (dc1.about["fqdn"], port) in dns.services(dc1.port(53), f"{service}.{DOMAIN}"), service
    assert dns.services(dc1.port(53), f"_sip._tcp.{DOMAIN}") == []


def test_a_user_binds_by_ldaps_and_sees_his_groups(dc1, house, anna):
    pytest.importorskip("ldap3", reason="apt install python3-ldap3")
    port, name = dc1.port(636), dc1.about["fqdn"]
    connection = ldaps.bind(port, name, house.ca, f"anna@{REALM}", anna)
    assert ldaps.groups_of(connection, BASE, "anna") == ["cloud-users", "crm-users", "ts-users"]
    with pytest.raises(LabError, match="invalidCredentials"):
        ldaps.bind(port, name, house.ca, f"anna@{REALM}", "wrong-Passw0rd")
    with pytest.raises(LabError, match="(?i)certificate"):
        ldaps.bind(port, "bank.example", house.ca, f"anna@{REALM}", anna)


def test_a_ticket_opens_a_file(dc1, anna, kinit, tmp_path):
    try:
        host.need("smbclient", "smbclient")
    except LabMissing as missing:
        pytest.skip(str(missing))
    kerberos = Kerberos(str(tmp_path), REALM, dc1.port(88))
    share = Share(kerberos, dc1.about["fqdn"], "sysvol", dc1.port(445))
    code, said = kerberos.login(f"anna@{REALM}", "wrong-Passw0rd")
    assert code != 0 and "Password incorrect" in said, said
    with pytest.raises(LabError):
        share.read(POLICY)
    code, said = kerberos.login(f"anna@{REALM}", anna)
    assert code == 0, said
    assert b"Version=" in share.read(POLICY)
    code, said = kerberos.tickets()
    assert f"krbtgt/{REALM}@{REALM}" in said, said
