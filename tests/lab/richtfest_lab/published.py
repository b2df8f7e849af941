# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that the node publishes, as a browser asks for it: by HTTPS, at the port of this host that leads to the node's, with the
node's own CA as the only one that is trusted."""

import base64
import http.client
import json
import socket
import ssl


class Published:
    """`authority` is the CA's certificate (PEM)."""

    def __init__(self, host, port, authority, plain_port=None):
        self.host, self._port, self._plain_port = host, port, plain_port
        self._trust = ssl.create_default_context(cadata=authority)

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers, bytes). The certificate is verified for the published name."""
        connection = http.client.HTTPSConnection(self.host, timeout=timeout)
        plain = socket.create_connection(("127.0.0.1", self._port), timeout)
        connection.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
        return self._ask(connection, method, path, body, headers)

    def plainly(self, path="/", timeout=60):
        """The same without TLS: where it sends a browser."""
        connection = http.client.HTTPConnection("127.0.0.1", self._plain_port, timeout=timeout)
        return self._ask(connection, "GET", path, None, {"Host": self.host})

    @staticmethod
    def _ask(connection, method, path, body, headers):
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


class TrytonError(Exception):
    """What the CRM answered instead."""


class Tryton:
    """The CRM's JSON-RPC, which its web client speaks too."""

    def __init__(self, site, database="tryton"):
        self._site, self._path = site, f"/{database}/"
        self._session, self._count = None, 0
        self.context = {}

    def __call__(self, method, *params):
        self._count += 1
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = "Session " + base64.b64encode(self._session.encode()).decode()
        body = json.dumps({"id": self._count, "method": method, "params": list(params)})
        status, _, text = self._site.request("POST", self._path, body, headers, timeout=120)
        if status != 200:
            raise TrytonError(f"{method}: status {status}")
        answer = json.loads(text)
        if isinstance(answer, dict) and answer.get("error"):
            raise TrytonError(f"{method}: {answer['error']}")
        return answer.get("result") if isinstance(answer, dict) else answer

    def login(self, user, password):
        """As a person; TrytonError where the CRM does not let her in."""
        said = self("common.db.login", user, {"password": password}, "de")
        if not said:
            raise TrytonError(f"{user} is not let in: {said}")
        self._session = f"{user}:{said[0]}:{said[1]}"
        self.context = self("model.res.user.get_preferences", True, {})
        return self
