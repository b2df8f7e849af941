# SPDX-License-Identifier: GPL-3.0-or-later
"""A published name, asked by HTTPS as a customer's computer does it; the port is this host's, the certificate is verified for the name."""

import base64
import dataclasses
import http.client
import json
import socket
import ssl

from .errors import LabError

SECONDS = 120


@dataclasses.dataclass
class Page:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage  # asked by get() and get_all(), in any case
    body: bytes

    @property
    def text(self):
        """As text."""
        return self.body.decode("utf-8", "replace")

    def json(self):
        """As what it says in JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise LabError(f"no JSON, status {self.status}: {self.text[:300]}") from None


class Connection(http.client.HTTPSConnection):
    """To a port of the loopback, for another name."""

    def __init__(self, name, port, context):
        super().__init__(name, 443, timeout=SECONDS, context=context)
        self._here = port

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self._here), timeout=SECONDS)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


class Site:
    """`authority` is the only CA that is trusted."""

    def __init__(self, name, port, authority):
        self.name, self.port, self.authority = name, port, authority
        self._context = ssl.create_default_context(cafile=authority)

    def ask(self, method, path, body=None, headers=None):
        """One request, as a Page; redirects are not followed."""
        connection = Connection(self.name, self.port, self._context)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, headers or {})
            answer = connection.getresponse()
            return Page(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise LabError(f"https://{self.name}{path}: {error}") from None
        finally:
            connection.close()


def basic(user, password):
    """The header of a login by name and password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
