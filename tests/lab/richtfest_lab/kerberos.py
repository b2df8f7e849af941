# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos as a user's computer has it: kinit and klist of this host, with a configuration and a cache of their own."""

import os
import subprocess

CONFIGURATION = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
"""


class Kerberos:
    """A realm whose KDC answers at a TCP port of this host's loopback; files go to the folder."""

    def __init__(self, folder, realm, port):
        self.folder, self.realm, self.port = os.path.abspath(folder), realm, port
        self.cache = "FILE:" + os.path.join(self.folder, "krb5cc")
        self._configuration = os.path.join(folder, "krb5.conf")
        with open(self._configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(realm=realm, port=port))

    def login(self, principal, password):
        """kinit: (exit code, what it said). The password goes by standard input."""
        return self._run("kinit", principal, input=f"{password}\n")

    def tickets(self):
        """klist: (exit code, what it said)."""
        return self._run("klist")

    def _run(self, *argv, input=""):
        environment = dict(os.environ, KRB5_CONFIG=self._configuration, KRB5CCNAME=self.cache, LC_ALL="C")
        done = subprocess.run(
            argv, input=input, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
            check=False)
        return done.returncode, done.stdout
