# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a server of the domain, read with a Kerberos ticket by Samba's own client."""

import os
import subprocess

from . import host
from .errors import LabError

SECONDS = 120
# Samba's Kerberos is Heimdal, which names the protocol where MIT has an option of its own.
CONFIGURATION = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
[realms]
    {realm} = {{
        kdc = tcp/127.0.0.1:{port}
    }}
[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
"""


class Share:
    """//server/name at a port of this host, opened with the tickets of a Kerberos login."""

    def __init__(self, kerberos, server, name, port):
        self._kerberos, self._server, self._name, self._port = kerberos, server, name, port
        self._configuration = os.path.join(kerberos.folder, "smb-krb5.conf")
        with open(self._configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(realm=kerberos.realm, port=kerberos.port, domain=kerberos.realm.lower()))

    def _run(self, command):
        argv = [host.need("smbclient", "smbclient"), f"//{self._server}/{self._name}", "-I", "127.0.0.1", "-p", str(self._port)]
        argv += ["--use-kerberos=required", "-N", "--configfile=/dev/null", "-c", command]
        environment = dict(os.environ, KRB5_CONFIG=self._configuration, KRB5CCNAME=self._kerberos.cache, LC_ALL="C")
        done = subprocess.run(
            argv, cwd=self._kerberos.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise LabError(f"smbclient //{self._server}/{self._name}: {done.stdout.strip()}")
        return done.stdout

    def read(self, path):
        """A file's content."""
        local = os.path.join(self._kerberos.folder, "from-share")
        self._run(f'get "{path}" "{local}"')
        with open(local, "rb") as file:
            return file.read()

    def list(self, folder=""):
        """What smbclient says of a folder."""
        return self._run(f'ls "{folder}\\*"')
