# SPDX-License-Identifier: GPL-3.0-or-later
"""The customer's own network at a further card of the node: a cable that carries several VLANs, and a host at its far end that asks for
addresses, sends pings and knocks at ports, each in a VLAN of its choice. Frames travel in datagrams, so none of it needs a privilege."""

import random
import socket
import struct
import time

from .neighbour import ARP, IPV4, checksum

MAC = bytes.fromhex("5254007700ee")
BROADCAST = b"\xff" * 6
TAG = 0x8100  # IEEE 802.1Q
ICMP, TCP = 1, 6
ECHO, ECHO_REPLY = 8, 0
SYN, RST = 0x02, 0x04


def tagged(target, vlan, kind, payload):
    """An Ethernet frame; None is the network without a tag."""
    tag = struct.pack(">HH", TAG, vlan) if vlan is not None else b""
    return (target + MAC + tag + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def parse(frame):
    """(source, VLAN or None, kind, payload)."""
    kind, rest, vlan = struct.unpack_from(">H", frame, 12)[0], frame[14:], None
    if kind == TAG:
        vlan, kind = struct.unpack_from(">HH", rest)
        vlan, rest = vlan & 0xFFF, rest[4:]
    return frame[6:12], vlan, kind, rest


def ip(source, target, kind, body):
    """An IPv4 packet."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, kind, 0) + socket.inet_aton(source) + socket.inet_aton(target)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def echo():
    """A ping's body."""
    body = struct.pack(">BBHHH", ECHO, 0, 0, 7, 7) + b"richtfest"
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def syn(source, target, source_port, port):
    """The first segment of a connection."""
    segment = struct.pack(">HHIIBBHHH", source_port, port, random.getrandbits(32), 0, 5 << 4, SYN, 64240, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack(">BBH", 0, TCP, len(segment))
    return segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]


class Office:
    """`with Office("52:54:00:77:00:02") as office:`, and a Spec whose `extra` has office.arguments()."""

    def __init__(self, mac):
        self.mac = mac
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._peer = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def arguments(self):
        """The machine's card and its cable. QEMU's end is at a port that this end learns from the first frame."""
        port = self._socket.getsockname()[1]
        here, there = "local.type=inet,local.host=127.0.0.1,local.port=0", f"remote.type=inet,remote.host=127.0.0.1,remote.port={port}"
        device = f"virtio-net-pci,id=nic-office,netdev=office,mac={self.mac},romfile="
        return ["-netdev", f"dgram,id=office,{here},{there}", "-device", device]

    def _receive(self, seconds):
        self._socket.settimeout(max(seconds, 0.01))
        try:
            frame, self._peer = self._socket.recvfrom(65536)
        except TimeoutError:
            return None
        return parse(frame) if len(frame) >= 34 else None

    def _ask(self, frame, answers, seconds):
        """Sends it every two seconds until `answers` makes something of what comes back; None where nothing does."""
        deadline, again = time.monotonic() + seconds, 0.0
        while time.monotonic() < deadline:
            if self._peer and time.monotonic() > again:
                self._socket.sendto(frame, self._peer)
                again = time.monotonic() + 2
            heard = self._receive(0.5)
            found = answers(*heard) if heard else None
            if found is not None:
                return found
        return None

    def whose(self, source, target, vlan, seconds=10.0):
        """The hardware address of an IPv4 address in that VLAN, None where nobody answers. `source` is the address of this end."""
        body = struct.pack(">HHBBH", 1, IPV4, 6, 4, 1) + MAC + socket.inet_aton(source) + b"\0" * 6 + socket.inet_aton(target)

        def answers(mac, at, kind, payload):
            return mac if kind == ARP and at == vlan and payload[6:8] == b"\0\2" and payload[14:18] == socket.inet_aton(target) else None

        return self._ask(tagged(BROADCAST, vlan, ARP, body), answers, seconds)

    def _answer_arp(self, source, mac, vlan, payload):
        """Somebody asks for this end's address."""
        if payload[6:8] == b"\0\1" and payload[24:28] == socket.inet_aton(source):
            body = payload[:6] + b"\0\2" + MAC + socket.inet_aton(source) + payload[8:18]
            self._socket.sendto(tagged(mac, vlan, ARP, body), self._peer)

    def _packet(self, source, target, vlan, packet, wanted, seconds):
        there = self.whose(source, target, vlan)
        if there is None:
            return None

        def answers(mac, at, kind, payload):
            if at != vlan:
                return None
            if kind == ARP:
                self._answer_arp(source, mac, vlan, payload)
            whole = kind == IPV4 and len(payload) >= 24 and payload[12:16] == socket.inet_aton(target)
            return wanted(payload[9], payload[20:]) if whole else None

        return self._ask(tagged(there, vlan, IPV4, packet), answers, seconds)

    def ping(self, source, target, vlan, seconds=20.0):
        """Whether it answers."""

        def wanted(kind, body):
            return True if kind == ICMP and body[0] == ECHO_REPLY else None

        return bool(self._packet(source, target, vlan, ip(source, target, ICMP, echo()), wanted, seconds))

    def knock(self, source, target, vlan, port, seconds=12.0):
        """What a TCP port there says: "open", "closed", or "silent"."""
        source_port = random.randint(20000, 60000)
        packet = ip(source, target, TCP, syn(source, target, source_port, port))

        def wanted(kind, body):
            ours = kind == TCP and body[:4] == struct.pack(">HH", port, source_port)
            return ("closed" if body[13] & RST else "open") if ours else None

        return self._packet(source, target, vlan, packet, wanted, seconds) or "silent"
