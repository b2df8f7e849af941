# SPDX-License-Identifier: GPL-3.0-or-later
"""A user of the directory who logs in for the first time can work at once: with a name, the company, and an employee's rights in sales.

Without this, ldap_authentication makes a user that has a login and nothing else.
"""
from ldap3.utils.conv import escape_filter_chars

from trytond.modules.ldap_authentication.res import ldap_server
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction

GROUPS = [("sale", "group_sale"), ("sale_opportunity", "group_opportunity"), ("party", "group_party_admin")]


class User(metaclass=PoolMeta):
    __name__ = "res.user"

    @classmethod
    def ldap_search_user(cls, login, server, attrs=None):
        return super().ldap_search_user(escape_filter_chars(login), server, attrs=attrs)

    @classmethod
    def create(cls, vlist):
        users = super().create(vlist)
        if Transaction().user == 0:  # nobody is logged in yet: it is ldap_authentication
            for user, values in zip(users, vlist):
                if not values.get("password") and not values.get("groups"):
                    cls._first_login(user)
        return users

    @classmethod
    def _shown_name(cls, login):
        found = cls.ldap_search_user(login, ldap_server(), attrs=["displayName", "mail"])
        attrs = found[0][1] if found else {}
        first = lambda name: next(iter(attrs.get(name) or []), None)
        return first("displayName") or login, first("mail")

    @classmethod
    def _first_login(cls, user):
        pool = Pool()
        Company, Employee, Party = pool.get("company.company"), pool.get("company.employee"), pool.get("party.party")
        ModelData, Lang = pool.get("ir.model.data"), pool.get("ir.lang")
        companies = Company.search([], limit=1)
        name, mail = cls._shown_name(user.login)
        values = {"name": name, "groups": [("add", [ModelData.get_id(*group) for group in GROUPS])]}
        languages = Lang.search([("code", "=", "de")], limit=1)
        if languages:
            values["language"] = languages[0].id
        if mail:
            values["email"] = mail
        if companies:
            party, = Party.create([{"name": name}])
            employee, = Employee.create([{"party": party.id, "company": companies[0].id}])
            values.update(companies=[("add", [companies[0].id])], company=companies[0].id,
                          employees=[("add", [employee.id])], employee=employee.id)
        cls.write([user], values)
