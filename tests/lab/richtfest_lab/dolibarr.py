# SPDX-License-Identifier: GPL-3.0-or-later
"""Dolibarr's REST interface, with a person's login."""

import json

from .errors import LabError

ROOT = "/api/index.php/"


class Dolibarr:
    """Dolibarr(site).login("anna", password)."""

    def __init__(self, site):
        self._site, self._token = site, None

    def call(self, method, path, body=None):
        """One call; returns what it says. LabError with the status where it is refused."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["DOLAPIKEY"] = self._token
        page = self._site.ask(method, ROOT + path, json.dumps(body) if body is not None else None, headers)
        if page.status >= 400:
            raise LabError(f"{method} {path}: status {page.status}: {page.text[:300]}")
        return page.json()

    def login(self, user, password):
        """Begins."""
        self._token = self.call("POST", "login", {"login": user, "password": password})["success"]["token"]
        return self

    def me(self):
        """The person's own number."""
        return int(self.call("GET", "users/info")["id"])
