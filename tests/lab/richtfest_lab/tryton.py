# SPDX-License-Identifier: GPL-3.0-or-later
"""Tryton's JSON-RPC, as its clients speak it."""

import base64
import json

from .errors import LabError

DATABASE = "/tryton/"
LANGUAGE = "de"


class Refused(LabError):
    """The name and the password are not taken."""


class Tryton:
    """A person's session: Tryton(site).login("anna", password)."""

    def __init__(self, site):
        self._site = site
        self._session = None
        self._count = 0
        self.context = {}

    def call(self, method, *parameters):
        """One call; returns its result."""
        self._count += 1
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = "Session " + base64.b64encode(self._session.encode()).decode()
        body = json.dumps({"id": self._count, "method": method, "params": list(parameters)})
        page = self._site.ask("POST", DATABASE, body, headers)
        if page.status in (401, 403):
            raise Refused(f"{method}: status {page.status}")
        if page.status != 200:
            raise LabError(f"{method}: status {page.status}: {page.text[:300]}")
        answer = page.json()
        if isinstance(answer, dict) and answer.get("error"):
            raise LabError(f"{method}: {answer['error']}")
        return answer.get("result") if isinstance(answer, dict) else answer

    def login(self, user, password):
        """Begins the session; Refused where the password is wrong or the person may not."""
        answer = self.call("common.db.login", user, {"password": password}, LANGUAGE)
        if not answer:
            raise Refused("common.db.login: no session")
        self._session = f"{user}:{answer[0]}:{answer[1]}"
        self.context = self.call("model.res.user.get_preferences", True, {})
        return self

    def logout(self):
        """Ends it."""
        self.call("common.db.logout")

    def create(self, model, **values):
        """A record's id."""
        return self.call(f"model.{model}.create", [values], self.context)[0]

    def read(self, model, number, *fields):
        """A record's fields."""
        return self.call(f"model.{model}.read", [number], list(fields), self.context)[0]

    def delete(self, model, number):
        """A record goes."""
        self.call(f"model.{model}.delete", [number], self.context)
