# SPDX-License-Identifier: GPL-3.0-or-later
"""The far end of a network cable: one neighbour that gives an address (DHCP), knows names (DNS) and the time (NTP), and
can be told to know nothing. Frames travel in datagrams between QEMU and this process, so that none of it needs a
privilege, a port below 1024 or the host's resolver."""

import socket
import struct
import threading
import time

ADDRESS = "10.77.0.1"
MACHINE = "10.77.0.2"
MASK = "255.255.255.0"
NEIGHBOUR_MAC = bytes.fromhex("525400770001")
MACHINE_MAC = "52:54:00:77:00:02"
TTL = 1  # seconds that an answer may be kept: tests change their mind
NTP_EPOCH = 2208988800  # seconds from 1900 to 1970

ARP, IPV4 = 0x0806, 0x0800
UDP = 17
A, IN = 1, 1
NXDOMAIN = 3


def checksum(data):
    """The Internet's (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, target, source_port, target_port, body):
    """An IPv4 packet with a UDP datagram. No UDP checksum: IPv4 allows that."""
    udp = struct.pack(">4H", source_port, target_port, 8 + len(body), 0) + body
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, UDP, 0) + addresses
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def question(query):
    """(name, type, its bytes) of a DNS query's one question, or None."""
    if len(query) < 17 or struct.unpack_from(">H", query, 4)[0] != 1:
        return None
    labels, position = [], 12
    while position < len(query) and query[position]:
        length = query[position]
        labels.append(query[position + 1: position + 1 + length].decode("ascii", "replace"))
        position += 1 + length
    if position + 5 > len(query):
        return None
    kind = struct.unpack_from(">H", query, position + 1)[0]
    return ".".join(labels).lower(), kind, query[12: position + 5]


def dns_answer(query, names):
    """What a server says that knows only `names` (name to address), or None for what is no query."""
    asked = question(query)
    if not asked:
        return None
    name, kind, text = asked
    address = names.get(name)
    answers = [address] if address and kind == A else []
    flags = 0x8580 | (0 if address else NXDOMAIN)  # an authoritative answer, recursion available
    reply = query[:2] + struct.pack(">5H", flags, 1, len(answers), 0, 0) + text
    for one in answers:
        reply += struct.pack(">HHHIH", 0xC00C, A, IN, TTL, 4) + socket.inet_aton(one)
    return reply


def ntp_answer(query, now):
    """A server's answer (RFC 5905) that says it is `now`, in Unix seconds."""
    stamp = struct.pack(">II", int(now) + NTP_EPOCH, int(now % 1 * (1 << 32)))
    head = struct.pack(">BBbbII4s", 0x24, 1, 4, -20, 0, 16, b"LAB\0")
    return head + stamp + query[40:48] + stamp + stamp


def dhcp_answer(query, dns):
    """OFFER to a DISCOVER, ACK to a REQUEST; None for anything else."""
    options, position = {}, 240
    while position + 1 < len(query) and query[position] != 255:
        if query[position]:
            length = query[position + 1]
            options[query[position]] = query[position + 2: position + 2 + length]
            position += 1 + length
        position += 1
    kind = {b"\x01": 2, b"\x03": 5}.get(options.get(53))
    if not kind:
        return None
    ours = socket.inet_aton(ADDRESS)
    head = b"\x02\x01\x06\x00" + query[4:12] + b"\0" * 4 + socket.inet_aton(MACHINE) + ours + b"\0" * 4
    reply = head + query[28:44] + b"\0" * 192 + bytes.fromhex("63825363") + bytes([53, 1, kind])
    reply += b"\x36\x04" + ours + b"\x33\x04" + struct.pack(">I", 86400) + b"\x01\x04" + socket.inet_aton(MASK)
    return reply + (b"\x06\x04" + ours if dns else b"") + b"\xff"


class Neighbour:
    """`with Neighbour({"host.test": "10.0.2.2"}) as neighbour:`, and a Spec whose `extra` has neighbour.arguments(). `names` may change
    at any time; `knows_time` is whether it answers as a time server; `asked` collects the names that were asked for."""

    def __init__(self, names=None, address=ADDRESS):
        self.address = address
        self.names = dict(names or {})
        self.knows_time = False
        self.asked = []
        self.asked_time = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="neighbour", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.close()

    def cable(self):
        """QEMU's -netdev "neighbour": the near end of this cable."""
        port = self._socket.getsockname()[1]
        here = "local.type=inet,local.host=127.0.0.1,local.port=0"
        there = f"remote.type=inet,remote.host=127.0.0.1,remote.port={port}"
        return ["-netdev", f"dgram,id=neighbour,{here},{there}"]

    def arguments(self):
        """QEMU's: a network card of the machine at this cable."""
        device = f"virtio-net-pci,id=nic-neighbour,netdev=neighbour,mac={MACHINE_MAC},romfile="
        return [*self.cable(), "-device", device]

    def _serve(self):
        while True:
            try:
                frame, peer = self._socket.recvfrom(65536)
                reply = self._answer(frame)
                if reply:
                    self._socket.sendto(reply, peer)
            except OSError:
                if self._socket.fileno() < 0:
                    return  # closed

    def _answer(self, frame):
        if len(frame) < 34:
            return None
        kind = struct.unpack_from(">H", frame, 12)[0]
        body = self._arp(frame[14:]) if kind == ARP else self._ip(frame[14:]) if kind == IPV4 else None
        return frame[6:12] + NEIGHBOUR_MAC + struct.pack(">H", kind) + body if body else None

    def _arp(self, request):
        operation, sender, target = request[6:8], request[8:18], request[24:28]
        if operation != b"\0\x01" or target != socket.inet_aton(self.address):
            return None
        return request[:6] + b"\0\x02" + NEIGHBOUR_MAC + target + sender

    def _ip(self, data):
        head = (data[0] & 15) * 4
        if data[9] != UDP or len(data) < head + 8:
            return None
        source, source_port, port = data[12:16], *struct.unpack_from(">HH", data, head)
        body = data[head + 8: head + struct.unpack_from(">H", data, head + 4)[0]]
        reply = self._service(port, body)
        if not reply:
            return None
        target = MACHINE if source == b"\0\0\0\0" else socket.inet_ntoa(source)
        return packet(self.address, target, port, source_port, reply)

    def _service(self, port, body):
        if port == 67 and len(body) >= 240:
            return dhcp_answer(body, dns=True)
        if port == 53:
            asked = question(body)
            if asked:
                self.asked.append(asked[0])
            return dns_answer(body, self.names)
        if port == 123 and len(body) >= 48:
            self.asked_time += 1
            return ntp_answer(body, time.time()) if self.knows_time else None
        return None
