# SPDX-License-Identifier: GPL-3.0-or-later
"""A certification authority of the lab's own, as a company has one."""

import os
import re
import subprocess

from . import host

DAYS = "2"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", DAYS)


def openssl(*arguments):
    """openssl req -x509 …"""
    command = [host.need("openssl", "openssl"), "req", "-x509", *NEW_KEY, *arguments]
    subprocess.run(command, check=True, capture_output=True)


class Authority:
    """`certificate` is the file that everybody may have."""

    def __init__(self, folder, name):
        self._folder = folder
        self.name = name
        self.certificate, self._key = self._files(name)
        extensions = ["-addext", "keyUsage=critical,keyCertSign"]  # req -x509 makes it a CA by itself
        openssl("-subj", f"/O=Lab/CN={name}", *extensions, "-keyout", self._key, "-out", self.certificate)

    def _files(self, name):
        base = os.path.join(self._folder, name.replace(" ", "-").lower())
        return f"{base}.pem", f"{base}.key"

    def issue(self, name):
        """A certificate for a host's name or address, valid from now on: (certificate, key)."""
        certificate, key = self._files(f"{self.name} {name}")
        kind = "IP" if re.fullmatch(r"[\d.]+|.*:.*", name) else "DNS"
        extensions = ["-addext", f"subjectAltName={kind}:{name}", "-addext", "basicConstraints=critical,CA:FALSE"]
        signer = ["-CA", self.certificate, "-CAkey", self._key]
        openssl("-subj", f"/CN={name}", *extensions, *signer, "-keyout", key, "-out", certificate)
        return certificate, key
