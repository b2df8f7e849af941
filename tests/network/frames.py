# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet frames by hand: UDP over IPv4, ARP."""
import socket
import struct

EVERYBODY = "ff:ff:ff:ff:ff:ff"
LLDP = "01:80:c2:00:00:0e"  # a bridge hands such frames to the port that they came in by, whatever is in them (IEEE 802.1AB)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(source_mac, target_mac, source, target, port, payload, source_port=5353):
    segment = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload  # no checksum (RFC 768)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, 17, 0, socket.inet_aton(source),
                         socket.inet_aton(target))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return mac(target_mac) + mac(source_mac) + b"\x08\x00" + header + segment


def icmp(source_mac, target_mac, source, target, payload=b""):
    """A ping."""
    said = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + payload
    said = said[:2] + struct.pack("!H", checksum(said + bytes(len(said) % 2))) + said[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(said), 1, 0, 64, 1, 0, socket.inet_aton(source), socket.inet_aton(target))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return mac(target_mac) + mac(source_mac) + b"\x08\x00" + header + said


def router_advertisement(source_mac, target_mac, source="fe80::bad", lifetime=1800):
    """"I am your router", to all nodes (RFC 4861, 4.2)."""
    source, target = socket.inet_pton(socket.AF_INET6, source), socket.inet_pton(socket.AF_INET6, "ff02::1")
    said = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime, 0, 0) + b"\x01\x01" + mac(source_mac)
    said = said[:2] + struct.pack("!H", checksum(source + target + struct.pack("!II", len(said), 58) + said)) + said[4:]
    return mac(target_mac) + mac(source_mac) + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(said), 58, 255) + source + target + said


def arp(frame_mac, sender_mac, sender, target_mac, target, operation=2, to=EVERYBODY):
    return (mac(to) + mac(frame_mac) + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) +
            mac(sender_mac) + socket.inet_aton(sender) + mac(target_mac) + socket.inet_aton(target))
