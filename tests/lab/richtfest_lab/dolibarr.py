# SPDX-License-Identifier: GPL-3.0-or-later
"""Dolibarr's pages, as a person's browser fills them in: its REST interface is not open to the network."""

import html
import http.cookies
import re
import urllib.parse

from .errors import LabError

LOGIN, LOGOUT, COMPANY = "/index.php", "/user/logout.php", "/societe/card.php"
PROSPECT = "2"
INPUT = re.compile(r"<input\b[^>]*>")


class Refused(LabError):
    """The name and the password are not taken."""


def fields(text):
    """The fields that a page's forms have, with the values that stand in them."""
    found = {}
    for tag in INPUT.findall(text):
        words = {key: html.unescape(value) for key, value in re.findall(r'\b(name|value)="([^"]*)"', tag)}
        if "name" in words:
            found.setdefault(words["name"], words.get("value", ""))
    return found


class Dolibarr:
    """A person's session: Dolibarr(site).login("anna", password)."""

    def __init__(self, site):
        self._site = site
        self._cookies = http.cookies.SimpleCookie()

    def page(self, path, form=None):
        """A page; with a form, what comes of sending it. The first redirect is not followed."""
        headers = {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{self._site.name}{path}"})
        page = self._site.ask("POST" if form else "GET", path, body, headers)
        for cookie in page.headers.get_all("Set-Cookie", []):
            self._cookies.load(cookie)
        if page.status >= 400:
            raise LabError(f"{path}: status {page.status}: {page.text[:300]}")
        return page

    def login(self, user, password):
        """Begins; Refused where the password is wrong or the person may not."""
        token = fields(self.page(LOGIN).text).get("token", "")
        form = {"token": token, "actionlogin": "login", "loginfunction": "loginfunction", "username": user, "password": password}
        self.page(LOGIN, form)
        if LOGOUT not in self.page(LOGIN).text:
            raise Refused(f"{user} is not logged in")
        return self

    def create_company(self, name):
        """A third party's number."""
        form = fields(self.page(f"{COMPANY}?action=create&type=p").text)
        wanted = {"token": form.get("token", ""), "action": "add", "name": name, "client": PROSPECT, "status": "1",
                  "customer_code": form.get("customer_code", "")}
        page = self.page(COMPANY, wanted)
        made = re.search(r"socid=(\d+)", page.headers.get("Location", ""))
        if not made:
            said = re.search(r"jnotify\(\"([^\"]*)", page.text)
            raise LabError(f"{name} was not made: {said.group(1) if said else 'no reason given'}")
        return int(made.group(1))

    def company(self, number):
        """The page of a third party."""
        return self.page(f"{COMPANY}?socid={number}").text
