# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos as a user's computer has it: kinit and klist of this host, with a configuration and a cache of their own. The KDC is where
the domain's DNS says, or at a port of this host."""

import os
import subprocess

CONFIGURATION = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = {by_dns}
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    udp_preference_limit = 1
"""
REALM = """\
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
"""


class Kerberos:
    """A realm whose KDC answers at a TCP port of this host's loopback; None: its SRV record says where. Files go to the folder; `run`
    runs the programs elsewhere (it takes what subprocess.run() takes)."""

    def __init__(self, folder, realm, port=None, run=subprocess.run):
        self._start = run
        self.folder, self.realm, self.port = os.path.abspath(folder), realm, port
        self.cache = "FILE:" + os.path.join(self.folder, "krb5cc")
        self._configuration = os.path.join(folder, "krb5.conf")
        text = CONFIGURATION.format(realm=realm, by_dns="false" if port else "true")
        with open(self._configuration, "w", encoding="utf-8") as file:
            file.write(text + (REALM.format(realm=realm, port=port) if port else ""))

    def login(self, principal, password):
        """kinit: (exit code, what it said). The password goes by standard input."""
        return self._run("kinit", principal, input=f"{password}\n")

    def tickets(self):
        """klist: (exit code, what it said)."""
        return self._run("klist")

    def environment(self):
        """For other programs that use the ticket."""
        return dict(os.environ, KRB5_CONFIG=self._configuration, KRB5CCNAME=self.cache, LC_ALL="C")

    def _run(self, *argv, input=""):
        done = self._start(
            argv, input=input, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
            check=False)
        return done.returncode, done.stdout
