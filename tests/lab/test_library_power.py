# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own disks, whose power can be cut: what was flushed is there, what was not may be gone, and the seed says what. Without machines:
by a small client here, and by QEMU's own tools."""

import os
import random
import socket
import struct
import subprocess
import threading

import pytest

from richtfest_lab import command_line, host, nbd
from richtfest_lab.disks import Disk
from richtfest_lab.errors import LabMissing
from richtfest_lab.platter import Loss, Platter
from richtfest_lab.power import Fault, Power
from richtfest_lab.ranges import Ranges

pytestmark = pytest.mark.core

MIB = 1 << 20
SIZE = 64 * MIB
BLOCK = 4096


class Client:
    """One that knows just enough."""

    def __init__(self, path, export):
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.line.settimeout(20)
        self.line.connect(path)
        assert self.take(">QQH")[:2] == (nbd.MAGIC, nbd.OPTION_MAGIC)
        self.line.sendall(struct.pack(">I", 3))
        name = export.encode()
        self.line.sendall(struct.pack(">QII", nbd.OPTION_MAGIC, nbd.OPT_EXPORT_NAME, len(name)) + name)
        self.size, self.flags = self.take(">QH")

    def close(self):
        self.line.close()

    def receive(self, length):
        data = b""
        while len(data) < length:
            chunk = self.line.recv(length - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def take(self, form):
        return struct.unpack(form, self.receive(struct.calcsize(form)))

    def ask(self, kind, offset=0, length=0, data=b"", flags=0):
        """(error number, what was read)."""
        self.line.sendall(nbd.REQUEST.pack(nbd.REQUEST_MAGIC, flags, kind, 77, offset, length or len(data)) + data)
        magic, code, cookie = self.take(">IIQ")
        assert (magic, cookie) == (nbd.REPLY_MAGIC, 77)
        return code, self.receive(length) if kind == nbd.CMD_READ and not code else b""

    def write(self, offset, data, fua=False):
        assert self.ask(nbd.CMD_WRITE, offset, data=data, flags=nbd.FLAG_FUA if fua else 0)[0] == 0

    def read(self, offset, length):
        code, data = self.ask(nbd.CMD_READ, offset, length)
        assert code == 0
        return data

    def flush(self):
        assert self.ask(nbd.CMD_FLUSH)[0] == 0


@pytest.fixture
def short(tmp_path, monkeypatch):
    """A socket's address is short; so is a path from here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def power(short):
    with Power(str(short), [Disk("d0", size=SIZE), Disk("d1", size=SIZE)]) as made:
        yield made


@pytest.fixture
def client(power):
    made = Client("power.sock", "d0")
    yield made
    made.close()


def pattern(number):
    return bytes([number % 251 + 1]) * BLOCK


class TestRanges:
    @pytest.mark.parametrize("seed", range(20))
    def test_as_a_list_of_bytes_would(self, seed):
        dice, ranges, naive = random.Random(seed), Ranges(), set()
        for _ in range(200):
            start = dice.randrange(100)
            end = start + dice.randrange(12)
            if dice.randrange(3):
                ranges.add(start, end)
                naive |= set(range(start, end))
            else:
                ranges.remove(start, end)
                naive -= set(range(start, end))
            found = list(ranges.parts(0, 120))
            assert {place for here, to, inside in found if inside for place in range(here, to)} == naive
            assert [here for here, _, _ in found[1:]] == [to for _, to, _ in found[:-1]] and len(ranges) == len(naive)
            assert ranges.touches(start, end + 1) == bool(naive & set(range(start, end + 1)))


class TestServer:
    def test_reads_what_was_written_and_zeros_elsewhere(self, client):
        assert client.size == SIZE and client.flags == nbd.TRANSMISSION
        client.write(5 * BLOCK, pattern(1))
        assert client.read(4 * BLOCK, 3 * BLOCK) == bytes(BLOCK) + pattern(1) + bytes(BLOCK)
        assert client.ask(nbd.CMD_WRITE_ZEROES, 5 * BLOCK + 512, 512)[0] == 0
        assert client.read(5 * BLOCK, BLOCK) == pattern(1)[:512] + bytes(512) + pattern(1)[1024:]
        assert client.ask(nbd.CMD_TRIM, 5 * BLOCK, BLOCK)[0] == 0
        assert client.read(5 * BLOCK, BLOCK) == bytes(BLOCK)

    def test_says_no(self, client):
        assert client.ask(nbd.CMD_READ, SIZE - 512, 1024)[0] == 22
        assert client.ask(nbd.CMD_WRITE, SIZE, data=b"x" * 512)[0] == 28
        assert client.ask(99)[0] == 22
        client.flush()

    def test_each_export_is_a_disk(self, power, client):
        other = Client("power.sock", "d1")
        client.write(0, pattern(1))
        other.write(0, pattern(2))
        assert client.read(0, BLOCK) == pattern(1) and other.read(0, BLOCK) == pattern(2)
        with pytest.raises(EOFError):
            Client("power.sock", "d9")

    def test_trimmed_room_is_given_back(self, power, client):
        for place in range(0, 8 * MIB, MIB):
            client.write(place, b"x" * MIB)
        client.flush()
        full = os.stat("d0.img").st_blocks
        client.ask(nbd.CMD_TRIM, 0, 8 * MIB)
        assert full * 512 >= 8 * MIB and os.stat("d0.img").st_blocks * 512 < MIB

    @pytest.mark.parametrize("tool, words", [
        ("qemu-io", ("-f", "raw", "-c", "write -P 7 64k 1M", "-c", "write -f -P 8 0 4k", "-c", "write -z 128k 64k", "-c", "discard 256k 64k",
                     "-c", "flush", "-c", "read -P 7 64k 64k", "-c", "read -P 0 128k 64k", "-c", "read -P 8 0 4k", "{uri}")),
        ("qemu-img", ("bench", "-f", "raw", "-w", "-t", "none", "-c", "500", "-d", "16", "--flush-interval=50", "{uri}")),
        ("qemu-img", ("info", "-f", "raw", "{uri}")),
    ])
    def test_qemus_own_tools(self, power, tool, words):
        try:
            command = host.need(tool, "qemu-utils")
        except LabMissing as missing:
            pytest.skip(str(missing))
        words = [word.format(uri="nbd+unix:///d0?socket=power.sock") for word in words]
        done = subprocess.run([command, *words], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 and "failed" not in done.stdout, done.stdout + done.stderr

    def test_qemu_is_led_there_with_its_flushes(self, power):
        disk = Disk("d0", nbd="power.sock")
        backend = command_line.blockdev(disk)
        assert backend["file"]["server"] == {"type": "unix", "path": "power.sock"} and "no-flush" not in str(backend)


def fill(client, count):
    for number in range(count):
        client.write(number * BLOCK, pattern(number))


def blocks(path, count):
    with open(path, "rb") as file:
        return [file.read(BLOCK) for _ in range(count)]


class TestCut:
    def cut(self, power, seed):
        power.cut(lambda: None)
        return power.come_back(seed)

    def test_at_the_nth_write_and_nothing_after_it(self, power, client):
        gone = threading.Event()
        power.cut_at(4, gone.set)
        fill(client, 3)
        assert client.read(0, BLOCK) == pattern(0)
        with pytest.raises(EOFError):
            client.write(3 * BLOCK, pattern(3))
        assert gone.is_set() and power.is_cut
        other = Client("power.sock", "d1")
        with pytest.raises(EOFError):
            other.read(0, BLOCK)
        assert blocks("d0.img", 5) == [*map(pattern, range(4)), bytes(BLOCK)]  # before anything is lost

    def test_what_was_flushed_stays(self, power, client):
        fill(client, 50)
        client.flush()
        for seed in range(10):
            assert self.cut(power, seed) == Loss() and blocks("d0.img", 50) == [*map(pattern, range(50))]

    def test_what_was_written_through_stays(self, power, client):
        client.write(0, pattern(1), fua=True)
        fill(client, 100)
        client.write(50 * BLOCK, pattern(200), fua=True)
        client.write(0, pattern(3))
        self.cut(power, self.seed_that_loses_all())
        assert blocks("d0.img", 51) == [pattern(1), *[bytes(BLOCK)] * 49, pattern(200)]

    @staticmethod
    def seed_that_loses_all():
        from richtfest_lab.power import SHARES

        return next(seed for seed in range(100) if random.Random(f"{seed}/share").choice(SHARES) == 1.0)

    def test_some_are_lost_some_are_kept_whatever_their_order(self, power, client):
        seen = set()
        for seed in range(12):
            client.ask(nbd.CMD_TRIM, 0, SIZE)
            client.flush()
            fill(client, 200)
            loss = self.cut(power, seed)
            assert loss.kept + loss.lost + loss.torn == 200
            found = blocks("d0.img", 200)
            there = [block == pattern(number) for number, block in enumerate(found)]
            whole = [block in (pattern(number), bytes(BLOCK)) for number, block in enumerate(found)]
            assert whole.count(False) <= loss.torn and abs(there.count(True) - loss.kept) <= loss.torn
            seen.add(there.count(True) // 20)
            client = Client("power.sock", "d0")
        assert len(seen) >= 3, seen

    def test_tearing_goes_by_sectors(self, power, client):
        torn = 0
        for seed in range(8):
            client.ask(nbd.CMD_TRIM, 0, SIZE)
            client.flush()
            fill(client, 200)
            self.cut(power, seed)
            for number, block in enumerate(blocks("d0.img", 200)):
                sectors = [block[place:place + 512] for place in range(0, BLOCK, 512)]
                assert all(sector in (pattern(number)[:512], bytes(512)) for sector in sectors)
                torn += len(set(sectors)) == 2
            client = Client("power.sock", "d0")
        assert torn > 10

    def test_one_of_the_versions_is_there(self, power, client):
        versions = set()
        for seed in range(100):
            client.write(0, pattern(100))
            client.flush()
            for number in range(3):
                client.write(0, pattern(number))
            self.cut(power, seed)
            client = Client("power.sock", "d0")
            sectors = {client.read(place, 512)[0] for place in range(0, BLOCK, 512)}
            assert sectors <= {pattern(number)[0] for number in (0, 1, 2, 100)}
            versions |= sectors
        assert len(versions) == 4

    def test_overlapping_requests_and_holes_come_back_as_they_were(self, power, short):
        """Against a disk that is nothing but a list of versions."""
        for seed in range(6):
            self.compare_with_versions(short, seed)

    def compare_with_versions(self, folder, seed):
        dice, path = random.Random(seed), os.path.join(folder, f"v{seed}.img")
        with open(path, "wb") as file:
            file.truncate(64 * 512)
        platter = Platter(path)
        versions = [[0] for _ in range(64)]
        for number in range(1, 120):
            start = dice.randrange(64)
            count = dice.randrange(1, 65 - start)
            if number % 5 == 0:
                platter.zero(start * 512, count * 512, False)
            else:
                platter.write(start * 512, bytes([number]) * 512 * count, False)
            if number == 40:
                platter.flush()
                versions = [entry[-1:] for entry in versions]
            for sector in range(start, start + count):
                versions[sector].append(0 if number % 5 == 0 else number)
        loss = platter.lose(seed, 0.5)
        found = platter.read(0, 64 * 512)
        for sector, allowed in enumerate(versions):
            values = set(found[sector * 512:sector * 512 + 512])
            assert len(values) == 1 and values <= set(allowed), (sector, values, allowed)
        assert loss.lost > 10 and loss.kept > 10 and any(found[place * 512] != versions[place][-1] for place in range(64))
        platter.close()

    def test_the_same_seed_loses_the_same(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        results = []
        for name, seed in (("a", 7), ("b", 7), ("c", 8)):
            with Power(name, [Disk("d0", size=SIZE)]) as power:
                client = Client(f"{name}/power.sock", "d0")
                power.cut_at(150, lambda: None)
                with pytest.raises(EOFError):
                    fill(client, 200)
                power.come_back(seed)
            results.append(blocks(f"{name}/d0.img", 200))
        assert results[0] == results[1] != results[2]

    def test_the_power_comes_back(self, power, client):
        fill(client, 10)
        self.cut(power, 1)
        again = Client("power.sock", "d0")
        again.write(0, pattern(9))
        assert again.read(0, BLOCK) == pattern(9) and power.requests["write"] == 1


class TestFaults:
    def test_a_sector_that_cannot_be_read_until_it_is_written(self, power, client):
        fill(client, 4)
        fault = Fault("d0", "read", 2)
        power.fail(fault)
        client.read(0, BLOCK)
        assert fault.where is None
        for _ in range(3):
            assert client.ask(nbd.CMD_READ, BLOCK, BLOCK)[0] == 5
        assert fault.where == (BLOCK, 2 * BLOCK) and client.read(2 * BLOCK, BLOCK) == pattern(2)
        client.write(BLOCK, pattern(7))
        assert client.read(BLOCK, BLOCK) == pattern(7)

    def test_a_sector_that_cannot_be_written(self, power, client):
        power.fail(Fault("d0", "write", 1))
        for _ in range(2):
            assert client.ask(nbd.CMD_WRITE, 0, data=pattern(1))[0] == 5
        assert client.read(0, BLOCK) == bytes(BLOCK)
        client.write(BLOCK, pattern(1))
        power.heal()
        client.write(0, pattern(1))

    def test_a_dead_disk_and_one_that_goes_on(self, power, client):
        other = Client("power.sock", "d1")
        power.fail(Fault("d0", "write", 1, "disk"))
        other.write(0, pattern(1))
        assert client.read(0, BLOCK) == bytes(BLOCK)
        assert client.ask(nbd.CMD_WRITE, 0, data=pattern(1))[0] == 5
        assert client.ask(nbd.CMD_READ, 0, BLOCK)[0] == 5 and client.ask(nbd.CMD_FLUSH)[0] == 5
        other.flush()

    def test_a_flush_that_fails_has_flushed_nothing(self, power, client):
        power.fail(Fault("d0", "flush", 1))
        fill(client, 20)
        assert client.ask(nbd.CMD_FLUSH)[0] == 5 and client.ask(nbd.CMD_FLUSH)[0] == 5
        assert power.unflushed() == 20
