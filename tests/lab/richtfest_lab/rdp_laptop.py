# SPDX-License-Identifier: GPL-3.0-or-later
"""RDP as a person at home has it: a client with a screen that nobody sees. As a program (`rdp_laptop.py ADDRESS NAME CA-FILE`) it asks only
who answers there: it needs no more than Python, wherever it is run."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time

PORT = 3389
# MS-RDPBCGR 2.2.1.1: TPKT, X.224 connection request, RDP_NEG_REQ asking for TLS (protocol 1)
HELLO = bytes.fromhex("030000130ee000000000000100080001000000")
AGREES = 0xD0, 2, 1  # X.224 connection confirm; RDP_NEG_RSP; TLS


def greet(address, name, authority):
    """The version of TLS that the server at the address agrees to; its certificate is verified for that name."""
    with socket.create_connection((address, PORT), 30) as plain:
        plain.sendall(HELLO)
        answer = plain.recv(64)
        if len(answer) < 19 or (answer[5], answer[11], answer[15]) != AGREES:
            raise OSError(f"no RDP over TLS: {answer.hex()}")
        with ssl.create_default_context(cafile=authority).wrap_socket(plain, server_hostname=name) as tls:
            return tls.version()


def program():
    """The client of this host; None where it has none."""
    return shutil.which("xfreerdp3") or shutil.which("xfreerdp")


class Screen:
    """An X server without a screen, for the client."""

    def __init__(self, number):
        self.name = f":{number}"

    def __enter__(self):
        argv = ["Xvfb", self.name, "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
        self._server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not os.path.exists(f"/tmp/.X11-unix/X{self.name[1:]}") and time.monotonic() < deadline:
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self._server.terminate()
        self._server.wait()


def client(laptop, screen, address, user, password, log):
    """A login under way (a process, to be ended by whoever started it). The password is in the client's argv (a throwaway of the lab): one
    that it reads from its standard input it keeps for itself, and shows the server's login window."""
    argv = [program(), f"/v:{address}", f"/u:{user}", f"/p:{password}", "/cert:ignore", "/sec:tls", "/size:1024x768", "/timeout:60000"]
    environment = dict(os.environ, DISPLAY=screen.name, HOME=os.path.dirname(log))
    with open(log, "ab") as out:
        return laptop.start(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)


if __name__ == "__main__":
    print(greet(*sys.argv[1:4]))
