# SPDX-License-Identifier: GPL-3.0-or-later
"""Tryton's configuration file, and how to run as its system user."""
import sys
from urllib.parse import quote

sys.path.insert(0, "/usr/lib/richtfest")
import guest

CONFIG = "/etc/tryton/trytond.conf"
BASE = """# Written by Richtfest; changes are overwritten when the guest's settings change.
[web]
root = /usr/share/tryton-sao/www
num_proxies = 1
[database]
uri = postgresql:///
path = /var/lib/tryton
language = de
list = True
default_name = tryton
"""


def people(g):
    """Persons who are not locked, and no account that programs use to search; with a group, only its members, nested ones too. Nobody who is
    called like Tryton's own superuser: who logs in by a name gets the user of that name."""
    only = ("(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))(!(sAMAccountName=svc-*))"
            "(!(sAMAccountName=admin))")
    if g.get("group_dn"):
        only += f"(memberOf:1.2.840.113556.1.4.1941:={guest.ldap_escaped(g['group_dn'])})"
    return f"(&{only})"


def config_text(g):
    d = g.get("directory")
    if not d:
        return BASE + "[session]\nauthentications = password\n"
    where, service = quote(d["base_dn"]), quote(d["service_dn"])
    return (BASE + "[session]\nauthentications = ldap,password\n[ldap_authentication]\n"
            f"uri = {d['uri'].rstrip('/')}/{where}??subtree?{quote(people(g))}?bindname={service}\n"
            f"bind_pass = {g['service_password']}\nuid = sAMAccountName\nactive_directory = False\ncreate_user = True\n")


def write_config(g):
    return guest.put(CONFIG, config_text(g), 0o640, "root", "tryton", restart=True)


def as_tryton(*argv, **more):
    return guest.run("setpriv", "--reuid=tryton", "--regid=tryton", "--init-groups", "--", *argv, cwd="/", **more)
