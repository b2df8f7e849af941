# SPDX-License-Identifier: GPL-3.0-or-later
"""The current of a lab's machine: its disks hang on a server of network block devices, which cuts the power at the nth write request, or lets a
disk fail at the nth request of a kind. By requests and not by time, so that a number from a printed seed says where."""

import dataclasses
import errno
import os
import random
import threading

from . import nbd
from .platter import Loss, Platter
from .ranges import Ranges

SOCKET = "power.sock"
SHARES = (0.05, 0.3, 0.7, 1.0)  # of what was not flushed is lost; a cut takes one of them


@dataclasses.dataclass
class Fault:
    """From the `number`th request of its `kind` ("read", "write", "flush") on, one disk is broken. Where a "sector" can't be read or written
    any more, the rest of the disk goes on, and writing mends what could not be read (disks have spare sectors). A dead disk ("disk") answers
    nothing but errors. A flush that fails fails ever after."""

    disk: str
    kind: str
    number: int
    what: str = "sector"
    seen: int = 0
    where: tuple = None  # what it has hit, once it has

    def __str__(self):
        return f"{self.kind} {self.number} of disk {self.disk} ({self.what})"


class Trouble:
    """What is broken of a disk."""

    def __init__(self):
        self.dead = self.no_flush = False
        self.sectors = {"read": Ranges(), "write": Ranges()}

    def take(self, fault, start, end):
        """From now on."""
        fault.where = (start, end)
        self.dead |= fault.what == "disk"
        self.no_flush |= fault.kind == "flush"
        if fault.kind in self.sectors:
            self.sectors[fault.kind].add(start, end)

    def hits(self, kind, start, end):
        """Whether a request fails."""
        if self.dead or kind == "flush":
            return self.dead or self.no_flush
        if self.sectors[kind].touches(start, end):
            return True
        if kind == "write":
            self.sectors["read"].remove(start, end)
        return False


class Plugged(nbd.Export):
    """A platter that hangs on a Power: each request is counted before it is carried out."""

    def __init__(self, power, name, platter):
        self._power, self._name, self._platter = power, name, platter
        self.size, self.sector = platter.size, platter.sector

    def read(self, offset, length):
        return self._power.request(self._name, "read", offset, length, lambda: self._platter.read(offset, length))

    def write(self, offset, data, fua):
        self._power.request(self._name, "write", offset, len(data), lambda: self._platter.write(offset, data, fua))

    def zero(self, offset, length, fua):
        self._power.request(self._name, "write", offset, length, lambda: self._platter.zero(offset, length, fua))

    def trim(self, offset, length, fua):
        self._power.request(self._name, "write", offset, length, lambda: self._platter.trim(offset, length, fua))

    def flush(self):
        self._power.request(self._name, "flush", 0, 0, self._platter.flush)


class Power:
    """`with Power(folder, disks) as power:` makes the disks' files and serves them; Disk.nbd then leads QEMU there. `folder` is the machine's."""

    def __init__(self, folder, disks):
        os.makedirs(folder, exist_ok=True)
        self._lock = threading.Lock()
        self._platters, self._troubles = {}, {}
        for disk in disks:
            disk.create(folder)
            disk.nbd = SOCKET
            self._platters[disk.name] = Platter(disk.path, disk.logical)
            self._troubles[disk.name] = Trouble()
        exports = {name: Plugged(self, name, platter) for name, platter in self._platters.items()}
        self._server = nbd.Server(os.path.join(folder, SOCKET), exports)
        self._fault = None
        self.count()
        self.no_cut()

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The files stay, with all that was written."""
        self._server.stop()
        for platter in self._platters.values():
            platter.close()
        self._platters = {}

    # --- what happens at a request

    def request(self, disk, kind, offset, length, carry_out):
        """Called by the server's threads, for each of them. Where the power goes, the request is the last one that the disks have seen, and nobody
        learns of it."""
        with self._lock:
            if self.is_cut:
                raise nbd.Gone
            self.requests[kind] += 1
            if self._breaks(disk, kind, offset, offset + length):
                raise OSError(errno.EIO, "broken")
            done = carry_out()
            if kind == "write" and self.requests["write"] == self._cut_at:
                self._cut()
                raise nbd.Gone
            return done

    def _breaks(self, disk, kind, start, end):
        fault = self._fault
        if fault and fault.disk == disk and fault.kind == kind and not fault.where:
            fault.seen += 1
            if fault.seen >= fault.number:
                self._troubles[disk].take(fault, start, end)
        return self._troubles[disk].hits(kind, start, end)

    def _cut(self):
        self.is_cut = True
        self._then()

    # --- what a test says

    def count(self):
        """Counts from nothing again; `requests` says how many there were of each kind, of all disks."""
        self.requests = {"read": 0, "write": 0, "flush": 0}

    def cut_at(self, number, then):
        """The power goes at the `number`th write request from now on, trims and zeros included. `then` is called at once, by another thread: it
        should kill the machine, which would only see a disk that fails."""
        with self._lock:
            self.count()
            self._cut_at, self._then = number, then

    def no_cut(self):
        """The power stays."""
        self._cut_at, self._then, self.is_cut = 0, None, False

    def cut(self, then):
        """Now."""
        with self._lock:
            self._then = then
            self._cut()

    def come_back(self, seed):
        """After a cut and the machine's end: what was not flushed is lost as the seed says, and the disks can be used again. Returns the Loss."""
        share = random.Random(f"{seed}/share").choice(SHARES)
        self._server.hang_up()  # what a machine sent that is gone must not reach the disks later
        with self._lock:
            names = sorted(self._platters)
            loss = sum((self._platters[name].lose(f"{seed}/{name}", share) for name in names), Loss())
            self.no_cut()
            self.count()
        return loss

    def unflushed(self):
        """How many requests a cut could lose now."""
        with self._lock:
            return sum(platter.unflushed() for platter in self._platters.values())

    def fail(self, fault):
        """One fault at a time; `fault.where` says later whether it came to it."""
        with self._lock:
            self._fault = fault

    def heal(self):
        """All disks are whole again, with what they hold."""
        with self._lock:
            self._fault = None
            self._troubles = {name: Trouble() for name in self._platters}
