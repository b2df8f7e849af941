# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's reverse proxy without a node: Caddy with the configuration and the authority that `richtfest recipe seed --proxy` wrote, on
other ports than 80 and 443, and with guests that are forwarded ports of this host."""

import glob
import os
import re
import shutil
import signal
import socket
import time

from . import host
from .errors import LabError, LabMissing
from .machine import free_port, launch_command

FILES = "etc/richtfest/proxy"
SECONDS = 60


def program():
    """Caddy's: RF_CADDY, this host's, or the one of the image's node root."""
    found = os.environ.get("RF_CADDY") or shutil.which("caddy")
    if found:
        return found
    for path in sorted(glob.glob(os.path.join(host.CACHE, "node-root-*/root/usr/bin/caddy"))):
        return path  # needs the C library only, an older one too
    raise LabMissing(f"there is no Caddy: none installed, none named by RF_CADDY, and no image's in {host.CACHE} (make iso puts it there)")


def adapt(text, state, folder, ports, routes):
    """The node's Caddyfile with this host's paths and ports. `routes` maps a guest's address to what forwards its ports."""
    text = text.replace("/etc/richtfest/proxy", os.path.join(state, FILES)).replace("/var/lib/richtfest/caddy", os.path.join(folder, "own"))
    text = text.replace("admin unix//run/caddy/admin.sock", f"admin off\n\thttp_port {ports[0]}\n\thttps_port {ports[1]}")

    def upstream(match):
        forward = routes.get(match.group(1))
        return f"reverse_proxy 127.0.0.1:{forward(int(match.group(2)))}" if forward else match.group(0)

    return re.sub(r"reverse_proxy ([0-9.]+):(\d+)", upstream, text)


class Proxy:
    """`port` is where HTTPS is."""

    def __init__(self, folder, state, routes):
        self.folder = os.path.abspath(folder)
        self._state, self._routes = state, routes
        self.http, self.port = free_port(), free_port()
        self._process = None

    def start(self):
        """Listens when this returns; certificates come at the first request."""
        os.makedirs(os.path.join(self.folder, "own"), exist_ok=True)
        with open(os.path.join(self._state, FILES, "Caddyfile"), encoding="utf-8") as file:
            text = adapt(file.read(), self._state, self.folder, (self.http, self.port), self._routes)
        path = os.path.join(self.folder, "Caddyfile")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        home = ["env", f"HOME={self.folder}", f"XDG_DATA_HOME={self.folder}", f"XDG_CONFIG_HOME={self.folder}"]
        self._process = launch_command([*home, program(), "run", "--adapter", "caddyfile", "--config", path], self.folder)
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise LabError(f"the proxy does not listen:\n{self.log()[-2000:]}") from None
                time.sleep(0.2)

    def log(self):
        """What Caddy said."""
        with open(os.path.join(self.folder, "qemu.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Gone."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
