# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory's scripts do, without a Samba."""
import sys
import types

import pytest
import yaml

from guest_scripts import RECIPES, guest, load  # noqa: F401 (guest is a fixture)


@pytest.mark.parametrize("first, second, runs, ends", [
    ({"host/dc1.ad.x", "ldap/dc1.ad.x"}, set(), 0, None),
    ({"host/dc1.ad.x"}, {"ldap/dc1.ad.x"}, 1, None),
    (set(), {"host/dc1.ad.x"}, 1, "did not add ldap/dc1.ad.x"),
])
def test_the_directory_adds_its_service_names_itself(monkeypatch, first, second, runs, ends):
    """Samba's own attempt may run out of its twenty seconds, and no member could join then."""
    provision = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad-provision", "provision")
    seen, ran = [first, second], []
    monkeypatch.setattr(provision.ad, "service_names", lambda db, name: seen.pop(0))
    monkeypatch.setattr(provision.ad, "open_directory", lambda: None)
    monkeypatch.setattr(provision.guest, "run", lambda *argv: ran.append(argv))
    monkeypatch.setattr(provision.guest, "later", lambda why: (_ for _ in ()).throw(RuntimeError(why)))
    if ends:
        with pytest.raises(RuntimeError, match=ends):
            provision.service_names(None, {"name": "dc1", "fqdn": "dc1.ad.x"})
    else:
        provision.service_names(None, {"name": "dc1", "fqdn": "dc1.ad.x"})
    assert ran == [("samba_spnupdate",)] * runs


def health_of(monkeypatch, password, name):
    """Whom ad-health asks the KDC for, and how."""
    health = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad-health", "ad_health")
    asked = []
    monkeypatch.setattr(health, "parameters", lambda: {"realm": "AD.X"})
    monkeypatch.setattr(health, "keytab", lambda path, who, lp: asked.append(("key of", who)))
    monkeypatch.setattr(health, "ticket", lambda who, cache, password, key=None: asked.append((who, password)))
    monkeypatch.setattr(health.guest, "password_from_stdin", lambda: password)
    monkeypatch.setattr(health.ad, "open_directory", lambda: None)
    monkeypatch.setattr(health.ad, "administrator", lambda db: ("(objectSid=S-1-500)", name))
    assert health.kerberos()[0] == 0
    return asked


def test_the_directory_is_well_without_its_administrator(monkeypatch):
    """Renaming or disabling that account is what hardening guides ask for first: the directory was not healthy any more."""
    assert health_of(monkeypatch, "pw", "Administrator") == [("Administrator@AD.X", "pw")]
    assert health_of(monkeypatch, "pw", "chef") == [("chef@AD.X", "pw")]
    probe = [("key of", "richtfest-probe@AD.X"), ("richtfest-probe@AD.X", "")]
    assert health_of(monkeypatch, "pw", None) == probe  # disabled
    assert health_of(monkeypatch, "", "Administrator") == probe  # handed over


@pytest.mark.parametrize("secrets, name, done", [
    ({}, "Administrator", []), ({"administrator": "pw"}, None, []), ({"administrator": "pw"}, "chef", ["flags", "pw"])])
def test_the_administrator_is_touched_once(monkeypatch, secrets, name, done):
    provision = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad-provision", "provision")
    told = []
    monkeypatch.setitem(sys.modules, "samba", types.SimpleNamespace(dsdb=types.SimpleNamespace(UF_DONT_EXPIRE_PASSWD=1)))
    monkeypatch.setattr(provision.ad, "administrator", lambda db: ("WHO", name))
    db = types.SimpleNamespace(toggle_userAccountFlags=lambda who, flags, on: told.append("flags"),
                               setpassword=lambda who, password, **_: told.append(password))
    provision.administrator(db, secrets)
    assert told == done


class Directory:
    """As much of Samba's as ad-provision's people see of it."""

    def __init__(self, monkeypatch, provision, tmp_path):
        self.users, self.groups, self.units, self.rules, self.provision = {}, {}, set(), {}, provision
        monkeypatch.setattr(provision, "MADE", str(tmp_path / "made.json"))
        monkeypatch.setattr(provision, "say", lambda text: None)
        for name in ("find", "change", "join_groups", "unit", "group", "internal_account"):
            monkeypatch.setattr(provision.ad, name, getattr(self, name))

    def find(self, db, name, attrs=(), kind="user"):
        if name in (self.groups if kind == "user" else self.users):
            raise self.provision.ad.OtherKind(name)
        return types.SimpleNamespace(dn=name) if name in self.users else None

    def newuser(self, name, password, **_):
        assert password == "pw of " + name
        self.users[name] = {}

    def domain_dn(self):
        return "DC=x"

    def change(self, db, dn, **values):
        (self.rules if dn == "DC=x" else self.users[dn]).update(values)

    def join_groups(self, db, name, groups):
        for group in groups:
            self.groups.setdefault(group, set()).add(name)

    def unit(self, db, path):
        self.units.add(path)

    def group(self, db, name):
        self.groups.setdefault(name, set())

    def internal_account(self, *_):
        pass

    def configure(self, without=(), **settings):
        """Who has no password left: the node gives those that it made since the last time."""
        secrets = {"user." + user["name"]: "pw of " + user["name"] for user in settings.get("users", []) if user["name"] not in without}
        made = self.provision.load_made()
        self.provision.rules(self, settings, made)
        waiting = self.provision.people(self, {"settings": settings, "secrets": secrets}, made)
        self.provision.remember(settings, made)
        return waiting


@pytest.fixture
def directory(monkeypatch, tmp_path, guest):
    provision = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad-provision", "provision")
    return Directory(monkeypatch, provision, tmp_path)


def test_what_admins_took_away_does_not_come_back(directory):
    """Every changed setting put people back into groups that an admin had taken them out of, and made those anew who had been removed."""
    anna = {"name": "anna", "given": "Anna", "groups": ["ts-users"]}
    profile = {"units": ["Werk"], "groups": ["ts-users", "old"], "users": [anna, {"name": "bernd"}]}
    directory.configure(**profile)
    assert directory.groups == {"ts-users": {"anna"}, "old": set()} and set(directory.users) == {"anna", "bernd"}
    directory.groups["ts-users"].clear()
    directory.users["anna"]["givenName"] = "Anna-Maria"
    directory.rules["minPwdLength"] = 20
    del directory.users["bernd"], directory.groups["old"]
    directory.units.clear()
    directory.configure(**profile, lockout=5)
    assert directory.groups == {"ts-users": set()} and set(directory.users) == {"anna"} and not directory.units
    assert directory.users["anna"]["givenName"] == "Anna-Maria"
    assert (directory.rules["minPwdLength"], directory.rules["lockoutThreshold"]) == (20, 5)


def test_what_is_new_in_the_profile_comes(directory):
    anna = {"name": "anna", "given": "Anna", "groups": ["ts-users"]}
    directory.configure(users=[anna, {"name": "bernd"}], groups=["ts-users"])
    directory.configure(users=[{**anna, "given": "Anne", "groups": ["ts-users", "crm"]}], groups=["ts-users", "crm"], password_length=14)
    assert directory.groups["crm"] == {"anna"} and directory.users["anna"]["givenName"] == "Anne"
    assert directory.rules["minPwdLength"] == 14
    del directory.users["bernd"]
    directory.configure(users=[anna, {"name": "bernd"}])  # he left the profile, and comes back
    assert "bernd" in directory.users


def test_nobody_gets_a_password_that_nobody_knows(directory, capsys):
    """Who came back to the profile was made with an invented one: nobody could log in with it."""
    users = [{"name": "anna", "groups": ["crm"]}, {"name": "bernd"}, {"name": "clara", "given": "Clara"}]
    waiting = directory.configure(users=users, without=["anna", "bernd"])
    assert waiting == ["anna", "bernd"] and set(directory.users) == {"clara"} and not directory.groups
    with pytest.raises(SystemExit) as end:
        directory.provision.nobody_waits(waiting)
    assert end.value.code == 1 and "no password was given for anna, bernd" in capsys.readouterr().out
    assert directory.configure(users=users) == [] and set(directory.users) == {"anna", "bernd", "clara"}
    assert directory.configure(users=users, without=["anna", "bernd", "clara"]) == []
    directory.provision.nobody_waits([])


def test_an_account_name_is_of_one_kind(monkeypatch):
    """What was looked for as a user was found as the group of that name, and got that user's memberships."""
    ad = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad.py", "ad")
    classes = {"support": [b"top", b"group"], "anna": [b"top", b"person", b"organizationalPerson", b"user"]}

    class Entry(dict):
        dn = "CN=x"

    db = types.SimpleNamespace(domain_dn=lambda: "DC=x", search=lambda dn, expression, attrs: [
        Entry(objectClass=[c.decode() for c in classes[name]]) for name in classes if expression == f"(sAMAccountName={name})"])
    monkeypatch.setattr(ad, "quoted", lambda text: text)
    assert ad.find(db, "anna") and ad.find(db, "support", kind="group") and ad.find(db, "bernd") is ad.find(db, "crm", kind="group") is None
    for name, kind in (("support", "user"), ("anna", "group")):
        with pytest.raises(ad.OtherKind, match=f"{kind} {name}.*another name in the profile"):
            ad.find(db, name, kind=kind)


@pytest.mark.parametrize("before, settings", [
    ({}, {"groups": ["Support"], "users": [{"name": "support", "groups": ["Domain Admins"]}]}),
    ({"groups": ["support"]}, {"users": [{"name": "support", "groups": ["Domain Admins"]}]}),
    ({"users": [{"name": "anna"}]}, {"users": [{"name": "bernd", "groups": ["anna"]}]}),
    ({"users": [{"name": "anna"}]}, {"groups": ["anna"]})])
def test_a_group_gets_no_users_memberships(directory, capsys, before, settings):
    directory.configure(**before)
    groups = {name: set(members) for name, members in directory.groups.items()}
    with pytest.raises(SystemExit) as end:
        directory.configure(**settings)
    assert end.value.code == 2 and directory.groups == groups and directory.groups.get("Domain Admins") is None


@pytest.mark.parametrize("was, basics, ends", [("AD.X", 1, None), (None, 1, None), ("OLD.X", 0, "holds the domain OLD.X, not AD.X")])
def test_another_realm_changes_nothing(monkeypatch, tmp_path, capsys, was, basics, ends):
    """It was refused when names, resolver and certificate had become the other realm's."""
    provision = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad-provision", "provision")
    told = []
    monkeypatch.setattr(provision, "PROVISIONED", str(tmp_path / "provisioned"))
    monkeypatch.setattr(provision.guest, "basics", lambda g: told.append(g["fqdn"]))
    if was:
        (tmp_path / "provisioned").write_text(was + "\n")
    g = {"name": "dc1", "address": "10.0.0.2", "certificate": "C", "settings": {"realm": "ad.x"}}
    if ends:
        with pytest.raises(SystemExit) as end:
            provision.prepare(g)
        assert end.value.code == 2 and ends in capsys.readouterr().out
    else:
        provision.prepare(g)
    assert told == ["dc1.ad.x"] * basics


def test_a_laptop_of_the_domain_finds_it_by_the_vpn(monkeypatch):
    """Windows asks by CLDAP where a domain controller is before it asks anything else, and Kerberos refuses clocks that are five minutes off."""
    recipe = yaml.safe_load((RECIPES / "active-directory/recipe.yaml").read_text())
    by_vpn = {(one["protocol"], one["port"]) for one in recipe["ports"] if "vpn" in one.get("to", [])}
    assert {("udp", 389), ("udp", 123), ("tcp", 389), ("udp", 88), ("udp", 53), ("tcp", 445)} <= by_vpn
    assert all("members" in one.get("to", ["members"]) for one in recipe["ports"])
    provision = load(RECIPES / "active-directory/files/usr/lib/richtfest/ad-provision", "provision")
    written = {}
    monkeypatch.setattr(provision, "put", lambda path, text, *_: written.update({path: text}))
    provision.system_files({"fqdn": "dc1.x", "base_dn": "DC=x", "subnet": "10.20.0.0/24"})
    assert "\nallow 0/0\n" in written["/etc/chrony/conf.d/richtfest.conf"]  # its peers are not of the guests' network
