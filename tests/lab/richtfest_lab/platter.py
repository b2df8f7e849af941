# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk with a volatile cache, on a sparse file. What was written since the last flush may be there after a power cut, or not, or in part,
whatever the order in which it came.

The file always holds the newest bytes, so reading costs nothing. What each write since the last flush has replaced is remembered; losing
it is going back through them, last one first. Fresh disks are holes, of which there is little to remember."""

import ctypes
import dataclasses
import errno
import os
import random

from .nbd import Export
from .ranges import Ranges

KEEP_SIZE, PUNCH_HOLE = 1, 2  # fallocate(2)
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
PIECES = 6  # at most, of a write that is torn


def punch(descriptor, offset, length):
    """Zeros that take no room."""
    if LIBC.fallocate(descriptor, KEEP_SIZE | PUNCH_HOLE, offset, length):
        raise OSError(ctypes.get_errno(), "fallocate")


def data_parts(descriptor, start, end):
    """What of [start, end) holds data, as (from, to)."""
    while start < end:
        try:
            here = os.lseek(descriptor, start, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # a hole up to the end
                raise
            return
        if here >= end:
            return
        start = min(os.lseek(descriptor, here, os.SEEK_HOLE), end)
        yield here, start


@dataclasses.dataclass
class Write:
    """One request since the last flush, and what was there before: pieces of data, holes between them."""

    number: int
    start: int
    end: int
    durable: bool
    before: list


@dataclasses.dataclass
class Loss:
    """What a cut has done to a disk: requests."""

    kept: int = 0
    lost: int = 0
    torn: int = 0

    def __add__(self, other):
        return Loss(self.kept + other.kept, self.lost + other.lost, self.torn + other.torn)

    def __str__(self):
        return f"{self.kept} kept, {self.lost} lost, {self.torn} torn"


class Platter(Export):
    """An export of nbd.Server. Not for several threads at once: power.Power sees to that."""

    def __init__(self, path, sector=512):
        self.size = os.path.getsize(path)
        self.sector = sector
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._cache = []
        self._count = 0

    def close(self):
        """The file stays."""
        os.close(self._descriptor)

    def unflushed(self):
        """How many requests could be lost."""
        return sum(not write.durable for write in self._cache)

    def read(self, offset, length):
        return os.pread(self._descriptor, length, offset)

    def write(self, offset, data, fua):
        self._remember(offset, len(data), fua)
        os.pwrite(self._descriptor, data, offset)

    def zero(self, offset, length, fua):
        self._remember(offset, length, fua)
        punch(self._descriptor, offset, length)

    def trim(self, offset, length, fua):
        self.zero(offset, length, fua)

    def flush(self):
        self._cache = []

    def _remember(self, offset, length, fua):
        end = offset + length
        before = [(here, os.pread(self._descriptor, to - here, here)) for here, to in data_parts(self._descriptor, offset, end)]
        self._cache.append(Write(self._count, offset, end, fua, before))
        self._count += 1

    def lose(self, seed, share):
        """The power has gone: of each request since the last flush a `share` of the chances is that it is lost, and a tenth of the others are
        torn. The newest of what was kept stands. All follows from the seed and the order of the requests."""
        loss, settled = Loss(), Ranges()
        for write in reversed(self._cache):
            kept = self._fate(write, random.Random(f"{seed}/{write.number}"), share, loss)
            for start, end, stays in kept.parts(write.start, write.end):
                for here, to, newer in settled.parts(start, end):
                    if not stays and not newer:
                        self._put_back(write, here, to)
            for start, end, stays in kept.parts(write.start, write.end):
                if stays:
                    settled.add(start, end)
        self._cache = []
        return loss

    def _fate(self, write, dice, share, loss):
        """What of it is kept."""
        kept = Ranges()
        if write.durable:
            kept.add(write.start, write.end)
            return kept
        if dice.random() < share:
            loss.lost += 1
            return kept
        if write.end - write.start <= self.sector or dice.random() >= 0.1:
            loss.kept += 1
            kept.add(write.start, write.end)
            return kept
        loss.torn += 1
        sectors = (write.end - write.start) // self.sector
        borders = sorted(dice.randrange(1, sectors) for _ in range(dice.randrange(1, PIECES)))
        places = [write.start, *(write.start + border * self.sector for border in borders), write.end]
        first = dice.randrange(2)
        for index, (here, to) in enumerate(zip(places, places[1:])):
            if index % 2 == first:
                kept.add(here, to)
        return kept

    def _put_back(self, write, start, end):
        punch(self._descriptor, start, end - start)
        for place, data in write.before:
            here, to = max(place, start), min(place + len(data), end)
            if here < to:
                os.pwrite(self._descriptor, data[here - place:to - place], here)
