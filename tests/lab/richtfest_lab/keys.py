# SPDX-License-Identifier: GPL-3.0-or-later
"""A throwaway admin: an SSH key, and what can be done with it."""

import os
import subprocess

from . import host
from .errors import LabError

OPTIONS = (
    "StrictHostKeyChecking=no", "IdentitiesOnly=yes", "IdentityAgent=none", "ConnectTimeout=15", "LogLevel=ERROR",
    "ServerAliveInterval=10", "ServerAliveCountMax=6",
)


class Key:
    """An ed25519 key pair in a folder; made where it is not there yet."""

    def __init__(self, folder, name="id_ed25519"):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.abspath(os.path.join(folder, name))
        self.known_hosts = f"{self.path}.known_hosts"
        if not os.path.exists(self.path):
            command = [host.need("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-C", "lab"]
            subprocess.run([*command, "-f", self.path], check=True)
        with open(f"{self.path}.pub", encoding="ascii") as public:
            self.public = public.read().strip()

    def options(self, **more):
        """ssh's options, for ssh and scp."""
        names = [*OPTIONS, f"UserKnownHostsFile={self.known_hosts}"]
        names += [f"{name}={value}" for name, value in more.items()]
        return [word for option in names for word in ("-o", option)] + ["-i", self.path]

    def ssh(self, port, command, user="jiku", timeout=60, check=True, input=None, **options):
        """Runs a command there (text for the remote shell) and returns the finished process, its output as text."""
        argv = ["ssh", *self.options(BatchMode="yes", **options), "-p", str(port), f"{user}@127.0.0.1", command]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, input=input or "", check=False)
        except subprocess.TimeoutExpired:
            raise LabError(f"ssh {command!r}: no end in {timeout} s") from None
        if check and done.returncode != 0:
            raise LabError(f"ssh {command!r}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def scp(self, port, source, target, user="jiku"):
        """Copies a file there."""
        argv = ["scp", "-q", *self.options(BatchMode="yes"), "-P", str(port), source, f"{user}@127.0.0.1:{target}"]
        subprocess.run(argv, check=True, timeout=300)

    def decrypt(self, text):
        """What an age file for this key says."""
        argv = [host.need("age", "age"), "--decrypt", "--identity", self.path]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"age: {done.stderr.strip()}")
        return done.stdout
