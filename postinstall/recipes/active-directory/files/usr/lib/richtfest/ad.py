# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory's database, opened where it lies: no password is needed, and none travels in a command line."""
import sys
sys.path.insert(0, "/usr/lib/richtfest")
import guest

SAMBA = "/var/lib/samba"
STATE = SAMBA + "/richtfest"  # the domain's own directory: wiped together with it
UNIT = "Richtfest"  # service and probe accounts live here, apart from people
PROBE = "richtfest-probe"  # logs in everywhere, as a user would
STRANGER = "richtfest-stranger"  # is in no group, and must be refused where a group is asked for


def open_directory():
    from samba.auth import system_session
    from samba.param import LoadParm
    from samba.samdb import SamDB
    lp = LoadParm()
    lp.load_default()
    return SamDB(session_info=system_session(), lp=lp)


def quoted(text):
    import ldb
    return ldb.binary_encode(text)


class OtherKind(Exception):
    """People, groups and machines share their account names: what is to be a user is a group in this directory, or the other way."""


def find(db, name, attrs=(), kind="user"):
    """The entry with this account name, or None. `kind`, "user" (people and machines) or "group", is what it must be."""
    found = db.search(db.domain_dn(), expression=f"(sAMAccountName={quoted(name)})", attrs=[*attrs, "objectClass"])
    if not len(found):
        return None
    if kind not in [str(c).lower() for c in found[0]["objectClass"]]:
        raise OtherKind(f"the directory can't have a {kind} {name}: that is the account name of {found[0].dn}, which is none. Give one of "
                        "the two another name in the profile")
    return found[0]


def administrator(db):
    """The filter that finds the account whatever it is called by now; its name where it may log in, else None."""
    from samba import dsdb
    who = f"(objectSid={db.get_domain_sid()}-500)"  # [MS-ADTS] 6.1.1.6.1
    found = db.search(db.domain_dn(), expression=who, attrs=["sAMAccountName", "userAccountControl"])
    if not len(found) or int(str(found[0]["userAccountControl"][0])) & dsdb.UF_ACCOUNTDISABLE:
        return who, None
    return who, str(found[0]["sAMAccountName"][0])


def service_names(db, computer):
    """Its account's servicePrincipalName, in small letters."""
    found = find(db, computer + "$", ["servicePrincipalName"])
    return {str(name).lower() for name in found.get("servicePrincipalName", [])} if found else set()


def escaped(value):
    import ldb
    dn = ldb.Dn(ldb.Ldb(), "CN=x")
    dn.set_component(0, "CN", value)
    return str(dn)[3:]


def unit(db, path):
    """OU=B,OU=A,<domain> for "A/B"; made where it is missing."""
    import ldb
    dn = db.domain_dn()
    for name in path.split("/"):
        dn = f"OU={escaped(name)},{dn}"
        try:
            db.search(dn, scope=ldb.SCOPE_BASE, attrs=["dn"])
        except ldb.LdbError as why:
            if why.args[0] != ldb.ERR_NO_SUCH_OBJECT:
                raise
            db.create_ou(dn)
            guest.say(f"unit {path} made")
    return dn


def change(db, dn, **values):
    """Sets attributes that differ."""
    import ldb
    have = db.search(dn, scope=ldb.SCOPE_BASE, attrs=list(values))[0]
    message = ldb.Message(ldb.Dn(db, str(dn)))
    for name, value in values.items():
        wanted = [v if isinstance(v, bytes) else str(v).encode() for v in (value if isinstance(value, list) else [value])]
        if sorted(bytes(v) for v in have.get(name, [])) != sorted(wanted):
            message[name] = ldb.MessageElement(wanted, ldb.FLAG_MOD_REPLACE, name)
    if len(message):
        db.modify(message)
    return bool(len(message))


def group(db, name):
    if find(db, name, kind="group") is None:
        db.newgroup(name)
        guest.say(f"group {name} made")


def join_groups(db, account, groups):
    """Adds; never removes: what the admins did by hand stays."""
    import ldb
    me = find(db, account)
    for name in groups:
        group(db, name)
        members = find(db, name, ["member"], "group").get("member", [])
        if str(me.dn).lower() not in [str(m).lower() for m in members]:
            db.add_remove_group_members(name, [account], add_members_operation=True)


def internal_account(db, name, password, description):
    """An account for programs, in OU=Richtfest: its password is given and never expires."""
    from samba import dsdb
    where = unit(db, UNIT)
    short = name[:20]  # sAMAccountName's limit; the full name is the CN
    who = f"(sAMAccountName={quoted(short)})"
    if find(db, short) is None:
        db.newuser(short, password or guest.random_password(), userou="OU=" + UNIT, description=description)
        if short != name:
            db.rename(find(db, short).dn, f"CN={escaped(name)},{where}")
    elif password:
        db.setpassword(who, password, force_change_at_next_login=False)
    db.toggle_userAccountFlags(who, dsdb.UF_DONT_EXPIRE_PASSWD, on=True)
    return find(db, short).dn
