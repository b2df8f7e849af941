# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer of the node's VPN: a network namespace of this host whose only way out is WireGuard. The tunnel's own packets leave from the
host's namespace, where the program that makes it runs; QEMU's user network forwards them to the node."""

import os
import re
import subprocess
import time

from . import host
from .errors import LabError, LabMissing

CONFIGURATION = re.compile(r"^(PrivateKey|Address|DNS|PublicKey|Endpoint|AllowedIPs) = (.+)$", re.MULTILINE)


def missing():
    """Why there can be no laptop here, or None."""
    if os.geteuid():
        return "needs root for network namespaces"
    try:
        host.need("wireguard-go", "wireguard-go")
        host.need("wg", "wireguard-tools")
        host.need("ip", "iproute2")
    except LabMissing as why:
        return str(why)
    return None if os.path.exists("/dev/net/tun") else "/dev/net/tun is not there"


def command(*argv, input=None):
    """Something that must work."""
    done = subprocess.run(argv, input=input, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


class Laptop:
    """`with Laptop(what `richtfest vpn show` said, the node's UDP port on this host, a folder) as laptop: laptop.run(…)`"""

    def __init__(self, configuration, port, folder):
        self.said = dict(CONFIGURATION.findall(configuration))
        self.address = self.said["Address"].partition("/")[0]
        self._port, self._folder = port, folder
        self._space, self._card = f"rflab{os.getpid()}", f"rfl{os.getpid()}"
        self._tunnel = None

    def __enter__(self):
        try:
            command("ip", "netns", "add", self._space)
            self._resolver()
            self._start()
            self._move()
        except LabError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._tunnel:
            self._tunnel.terminate()
            self._tunnel.wait()
        subprocess.run(["ip", "netns", "del", self._space], capture_output=True, check=False)
        resolver = f"/etc/netns/{self._space}/resolv.conf"
        if os.path.exists(resolver):
            os.unlink(resolver)
            os.rmdir(os.path.dirname(resolver))

    def _resolver(self):
        """ip-netns(8): this file is the namespace's /etc/resolv.conf."""
        names = self.said["DNS"].split(", ")
        os.makedirs(f"/etc/netns/{self._space}", exist_ok=True)
        with open(f"/etc/netns/{self._space}/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver {names[0]}\nsearch {' '.join(names[1:])}\n")

    def _start(self):
        log = os.path.join(self._folder, "wireguard.log")
        with open(log, "ab") as out:
            environment = dict(os.environ, LOG_LEVEL="verbose", WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1")
            argv = ["wireguard-go", "--foreground", self._card]
            self._tunnel = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        deadline = time.monotonic() + 20
        while not os.path.exists(f"/var/run/wireguard/{self._card}.sock"):
            if time.monotonic() > deadline or self._tunnel.poll() is not None:
                raise LabError(f"wireguard-go did not come up; see {log}")
            time.sleep(0.1)
        argv = ["wg", "set", self._card, "private-key", "/dev/stdin", "peer", self.said["PublicKey"]]
        argv += ["endpoint", f"127.0.0.1:{self._port}", "persistent-keepalive", "25"]
        command(*argv, "allowed-ips", self.said["AllowedIPs"].replace(" ", ""), input=f"{self.said['PrivateKey']}\n")

    def _move(self):
        command("ip", "link", "set", self._card, "netns", self._space)
        inside = ("ip", "-n", self._space)
        command(*inside, "link", "set", "lo", "up")
        command(*inside, "address", "add", self.said["Address"], "dev", self._card)
        command(*inside, "link", "set", self._card, "mtu", "1420", "up")
        for route in self.said["AllowedIPs"].split(", "):
            command(*inside, "route", "add", route, "dev", self._card)

    def run(self, argv, **more):
        """subprocess.run() on the laptop."""
        return subprocess.run(["ip", "netns", "exec", self._space, *argv], **more)

    def start(self, argv, **more):
        """subprocess.Popen() on the laptop."""
        return subprocess.Popen(["ip", "netns", "exec", self._space, *argv], **more)

    def ask(self, *argv, input="", environment=None, timeout=180):
        """A command there: (exit code, what it said)."""
        done = self.run(argv, input=input, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                        timeout=timeout, check=False)
        return done.returncode, done.stdout

    def reaches(self, address, port, seconds=15):
        """Whether a TCP port of an address can be connected to."""
        script = f"import socket; socket.create_connection(('{address}', {port}), {seconds}).close()"
        return self.ask("/usr/bin/python3", "-c", script)[0] == 0
