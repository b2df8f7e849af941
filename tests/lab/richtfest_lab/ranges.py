# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of places on a disk."""

from bisect import bisect_left, bisect_right


class Ranges:
    """Sorted [start, end) pairs that do not touch each other: room and time go with their number, not with the disk's size."""

    def __init__(self):
        self._starts, self._ends = [], []

    def add(self, start, end):
        """All from start to before end."""
        if start >= end:
            return
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last], self._ends[first:last] = [start], [end]

    def remove(self, start, end):
        """None of them any more."""
        kept = [(here, to) for here, to, inside in self.parts(*self._around(start, end)) if inside]
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        outside = [piece for here, to in kept for piece in ((here, min(to, start)), (max(here, end), to)) if piece[0] < piece[1]]
        self._starts[first:last] = [here for here, _ in outside]
        self._ends[first:last] = [to for _, to in outside]

    def _around(self, start, end):
        """The same, and as far as the ranges reach that begin before or end behind it."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        if first >= last:
            return start, end
        return min(start, self._starts[first]), max(end, self._ends[last - 1])

    def parts(self, start, end):
        """[start, end) in pieces, in order: (from, to, whether it is in the set)."""
        place = bisect_right(self._ends, start)
        while start < end:
            here = self._starts[place] if place < len(self._starts) else end
            if start < here:
                yield start, min(here, end), False
                start = min(here, end)
                continue
            yield start, min(self._ends[place], end), True
            start = self._ends[place]
            place += 1

    def touches(self, start, end):
        """Whether any of it is in the set."""
        return any(inside for _, _, inside in self.parts(start, end))

    def __len__(self):
        """How many bytes they are."""
        return sum(self._ends) - sum(self._starts)
