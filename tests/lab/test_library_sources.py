# SPDX-License-Identifier: GPL-3.0-or-later
"""What test_sources.py stands on: the neighbour's protocols, the ISO's region, certificates."""

import socket
import ssl
import struct

import pytest

from richtfest_lab import host, neighbour, region
from richtfest_lab.errors import LabError, LabMissing
from richtfest_lab.httpd import Server
from richtfest_lab.iso import SECTOR
from richtfest_lab.pki import Authority

pytestmark = pytest.mark.core


def query(name, kind=1):
    """A DNS query, as a resolver sends it: recursion desired, with EDNS behind the question."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    head = b"\x12\x34" + struct.pack(">5H", 0x0100, 1, 0, 0, 1)
    return head + labels + b"\0" + struct.pack(">HH", kind, 1) + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


class TestNeighbour:
    def test_a_name_that_is_known(self):
        answer = neighbour.dns_answer(query("Host.Test"), {"host.test": "10.0.2.2"})
        assert answer[:2] == b"\x12\x34" and answer.endswith(socket.inet_aton("10.0.2.2"))
        assert struct.unpack(">5H", answer[2:12]) == (0x8580, 1, 1, 0, 0)

    def test_other_types_are_empty_and_other_names_unknown(self):
        for name, kind, code in (("host.test", 28, 0), ("other.test", 1, 3)):
            answer = neighbour.dns_answer(query(name, kind), {"host.test": "10.0.2.2"})
            flags, _, answers, _, _ = struct.unpack(">5H", answer[2:12])
            assert (flags & 15, answers) == (code, 0), name

    @pytest.mark.parametrize("text", [b"", b"\0" * 12, query("host.test")[:20]])
    def test_what_is_no_query_is_ignored(self, text):
        assert neighbour.dns_answer(text, {}) is None

    def test_time(self):
        answer = neighbour.ntp_answer(b"\x23" + b"\0" * 39 + b"ORIGINAL", 1795269720.5)
        assert len(answer) == 48 and answer[24:32] == b"ORIGINAL"
        assert struct.unpack(">II", answer[40:48]) == (1795269720 + 2208988800, 1 << 31)

    def test_address(self):
        discover = b"\x01\x01\x06\x00" + b"XIDX" + b"\0" * 20 + b"\x52\x54\0\x77\0\x02" + b"\0" * 202
        discover += bytes.fromhex("63825363") + b"\x35\x01\x01\xff"
        offer = neighbour.dhcp_answer(discover, dns=True)
        assert offer[4:8] == b"XIDX" and offer[16:20] == socket.inet_aton(neighbour.MACHINE)
        assert offer[240:243] == b"\x35\x01\x02" and b"\x06\x04" + socket.inet_aton(neighbour.ADDRESS) in offer
        assert neighbour.dhcp_answer(discover.replace(b"\x35\x01\x01", b"\x35\x01\x07"), dns=True) is None

    def test_packet(self):
        text = neighbour.packet("10.77.0.1", "10.77.0.2", 53, 4000, b"abc")
        assert neighbour.checksum(text[:20]) == 0  # over a header that holds its own
        assert struct.unpack(">HHBB", text[2:4] + text[4:6] + text[8:10]) == (31, 0, 64, 17)


class TestRegion:
    def test_write(self, tmp_path):
        path = tmp_path / "a.iso"
        path.write_bytes(b"RICHTFEST-REGION 01 ".rjust(SECTOR + 7) + b"\0" * SECTOR * 3)
        with pytest.raises(LabError):
            region.find(path)
        path.write_bytes(b"x" * SECTOR + b"RICHTFEST-REGION 01 ".ljust(SECTOR))
        region.write(path, {"format": 1})
        written = path.read_bytes()[SECTOR:]
        assert written.startswith(b"RICHTFEST-REGION 01 00000013 ") and written[63:77] == b'\n{"format": 1}'


def test_certificates(tmp_path):
    """Who trusts the one authority does not trust the other, and the server changes between them while it runs."""
    try:
        host.need("openssl", "openssl")
    except LabMissing as missing:
        pytest.skip(str(missing))
    ours, stranger = Authority(str(tmp_path), "Ours"), Authority(str(tmp_path), "Stranger")

    def connect(port):
        context = ssl.create_default_context(cafile=ours.certificate)
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="host.test") as secure:
                return secure.getpeercert()["subject"]

    with Server(certificate=stranger.issue("host.test")) as site:
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(site.port)
        site.change_certificate(ours.issue("host.test"))
        assert connect(site.port) == ((("commonName", "host.test"),),)
