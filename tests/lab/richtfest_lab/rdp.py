# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's desktop over RDP: FreeRDP of this host on a screen that nobody sees (Xvfb)."""

import os
import shutil
import signal
import socket
import ssl
import subprocess

from . import host
from .errors import LabError, LabMissing

# MS-RDPBCGR 2.2.1.1: TPKT, X.224 connection request, RDP_NEG_REQ asking for TLS (protocol 1)
HELLO = bytes.fromhex("030000130ee000000000000100080001000000")
SIZE = 1024, 768


def client():
    """xfreerdp's name: Debian 13 has version 3, Debian 12 version 2."""
    for name in ("xfreerdp3", "xfreerdp"):
        if shutil.which(name):
            return name
    raise LabMissing("xfreerdp is not installed (apt install freerdp3-x11, in Debian 12 freerdp2-x11)")


def pillow():
    """For pictures of the screen."""
    try:
        from PIL import ImageGrab
    except ImportError:
        raise LabMissing("Pillow is not installed (apt install python3-pil)") from None
    return ImageGrab


def check_host():
    """LabMissing where this host lacks anything."""
    client()
    pillow()
    host.need("Xvfb", "xvfb")


def tls_version(port, name, authority, seconds=60):
    """The server speaks RDP over TLS, with a certificate for that name."""
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as plain:
        plain.sendall(HELLO)
        answer = plain.recv(64)
        if len(answer) < 19 or answer[5] != 0xD0 or answer[11] != 2 or answer[15] != 1:
            raise LabError(f"no agreement on TLS: {answer.hex()}")
        with context.wrap_socket(plain, server_hostname=name) as tls:
            return tls.version()


class Screen:
    """An X server without a screen."""

    def __init__(self):
        read, write = os.pipe()
        command = [host.need("setpriv", "util-linux"), "--pdeathsig", "KILL", host.need("Xvfb", "xvfb"), "-displayfd", str(write)]
        command += ["-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
        self._process = subprocess.Popen(command, pass_fds=[write], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read, encoding="ascii") as stream:
            number = stream.readline().strip()
        if not number:
            raise LabError("Xvfb did not start")
        self.name = f":{number}"

    def picture(self):
        """What is on it."""
        return pillow().grab(xdisplay=self.name)

    def stop(self):
        """Gone."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class Desktop:
    """`with Desktop(folder, port, user, password) as desktop:`. The password is in the client's argv, which takes it from nowhere else; it
    is a throwaway of the lab. Its certificate is looked at by tls_version(): the client would want the name of the server, which is
    127.0.0.1 here."""

    def __init__(self, folder, port, user, password):
        self._argv = [client(), f"/v:127.0.0.1:{port}", f"/u:{user}", f"/p:{password}", "/cert:ignore", "/bpp:24"]
        self._argv += [f"/size:{SIZE[0]}x{SIZE[1]}", "/log-level:WARN", "-decorations"]
        self._folder, self._user = folder, user
        self._screen = self._process = None

    def __enter__(self):
        self._screen = Screen()
        environment = dict(os.environ, DISPLAY=self._screen.name, HOME=self._folder, LC_ALL="C")
        with open(os.path.join(self._folder, f"rdp-{self._user}.log"), "ab") as log:
            command = [host.need("setpriv", "util-linux"), "--pdeathsig", "KILL", *self._argv]
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        if self.connected():
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._screen.stop()

    def connected(self):
        """Whether the client runs on."""
        return self._process.poll() is None

    def colours(self):
        """How many are on the screen: a login window has a handful, a desktop with its background hundreds."""
        return len(self._screen.picture().getcolors(1 << 24))

    def screenshot(self, name):
        """A picture (PNG) in the folder; returns its path."""
        path = os.path.join(self._folder, name)
        self._screen.picture().save(path)
        return path

    def log(self):
        """What the client said."""
        with open(os.path.join(self._folder, f"rdp-{self._user}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()
