# SPDX-License-Identifier: GPL-3.0-or-later
"""A neighbour on the node's cable, made of raw Ethernet frames: QEMU's user network forwards IPv4 only, and the packet filter has to
hold for IPv6 too."""

import ipaddress
import os
import random
import socket
import struct
import time

from .errors import LabError
from .neighbour import checksum

MAC = bytes.fromhex("525400000001")
ADDRESS = ipaddress.IPv6Address("fe80::5054:ff:fe00:1").packed
IPV6, TCP, ICMPV6 = 0x86DD, 6, 58
SYN, RST, ACK = 0x02, 0x04, 0x10
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT = 135, 136  # RFC 4861


def frame(mac, target, kind, payload, sum_at):
    """An Ethernet frame with an IPv6 packet; the checksum of its payload is filled in at `sum_at`."""
    pseudo = ADDRESS + target + struct.pack("!II", len(payload), kind)
    total = struct.pack("!H", checksum(pseudo + payload))
    payload = payload[:sum_at] + total + payload[sum_at + 2:]
    header = struct.pack("!IHBB", 6 << 28, len(payload), kind, 255)
    return mac + MAC + struct.pack("!H", IPV6) + header + ADDRESS + target + payload


def syn(mac, target, source_port, port):
    """The first packet of a TCP connection."""
    segment = struct.pack("!HHIIBBHHH", source_port, port, random.getrandbits(32), 0, 5 << 4, SYN, 64240, 0, 0)
    return frame(mac, target, TCP, segment, 16)


def advertisement(mac, target):
    """That the lab's address is at the lab's MAC: without it nobody could answer."""
    body = struct.pack("!BBHI", NEIGHBOR_ADVERTISEMENT, 0, 0, 0x60000000) + ADDRESS + b"\x02\x01" + MAC
    return frame(mac, target, ICMPV6, body, 2)


def parse(data):
    """(source MAC, source address, next header, payload) of an IPv6 frame, or None."""
    if len(data) < 54 or data[12:14] != struct.pack("!H", IPV6):
        return None
    return data[6:12], data[22:38], data[20], data[54:54 + struct.unpack("!H", data[18:20])[0]]


class Wire:
    """`with Wire(machine.folder) as wire:`, for a machine whose Spec says wire=True."""

    def __init__(self, folder):
        self._folder = folder
        self._directory = self._socket = None

    def __enter__(self):
        # Through the folder's descriptor: a socket's address holds 107 bytes only
        self._directory = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        mine = os.path.join(self._folder, "wire-lab.sock")
        if os.path.exists(mine):
            os.unlink(mine)
        self._socket.bind(f"/proc/self/fd/{self._directory}/wire-lab.sock")
        return self

    def __exit__(self, *_):
        self._socket.close()
        os.close(self._directory)

    def _send(self, data):
        self._socket.sendto(data, f"/proc/self/fd/{self._directory}/wire-qemu.sock")

    def _receive(self, seconds):
        self._socket.settimeout(max(seconds, 0.01))
        try:
            return parse(self._socket.recv(65536))
        except TimeoutError:
            return None

    def knock(self, mac, address, port, seconds=8.0):
        """What a TCP port says to somebody who wants to connect: "open", "closed", or "silent"."""
        mac, target = bytes.fromhex(mac.replace(":", "")), ipaddress.IPv6Address(address).packed
        source_port = random.randint(20000, 60000)
        deadline, again = time.monotonic() + seconds, 0.0
        while time.monotonic() < deadline:
            if time.monotonic() > again:
                self._send(syn(mac, target, source_port, port))
                again = time.monotonic() + 2
            packet = self._receive(0.5)
            if not packet:
                continue
            whose, source, kind, payload = packet
            if kind == ICMPV6 and payload[0] == NEIGHBOR_SOLICITATION and payload[8:24] == ADDRESS:
                self._send(advertisement(whose, source))
            elif kind == TCP and payload[:4] == struct.pack("!HH", port, source_port):
                return "closed" if payload[13] & RST else "open"
        return "silent"

    def check_alive(self, mac, address):
        """Fails where nothing at all comes back: then silence would prove nothing."""
        if self.knock(mac, address, 22, 30) != "open":
            raise LabError(f"{address}, port 22: no answer over the lab's wire, so it can't judge any port")
