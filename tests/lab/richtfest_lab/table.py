# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long test has shown so far, one line each in a file, so that an evening that was cut short goes on where it ended; and printed as
a table at the end. What was shown for another ISO does not count."""

import functools
import hashlib
import json
import os

ISO = "iso"


@functools.lru_cache(maxsize=None)
def digest(path, _changed):
    """SHA-256 of a file; `_changed` is its time, so that one that was built anew is read anew."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole_lines(path):
    """The objects of a file's lines. A line that was being written when the power went is none."""
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def cell(value):
    """As people read it."""
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


class Table:
    """Rows are dictionaries; `columns` says which of their keys are printed, and under which heading: {"state": "state", …}. A row may
    hold more than that. `program`: a file that was tested in the place of the ISO's own."""

    def __init__(self, path, iso, columns, program=None):
        self._path = path
        self._columns = columns
        self._iso = "+".join(digest(os.path.abspath(name), os.stat(name).st_mtime_ns) for name in (iso, program) if name)
        self._rows = [row for row in whole_lines(path) if row.get(ISO) == self._iso]

    def add(self, *rows):
        """In one write."""
        rows = [{ISO: self._iso, **row} for row in rows]
        self._rows += rows
        torn = os.path.exists(self._path) and not ends_with_newline(self._path)
        with open(self._path, "a", encoding="utf-8") as file:
            file.write("\n" * torn + "".join(json.dumps(row) + "\n" for row in rows))

    def rows(self, **which):
        """Those that have these values."""
        return [row for row in self._rows if all(row.get(key) == value for key, value in which.items())]

    def has(self, **which):
        """Whether it was shown before."""
        return bool(self.rows(**which))

    def __str__(self):
        """Rows that have none of the columns (what the test keeps for itself) are left out."""
        shown = [row for row in self._rows if any(key in row for key in self._columns)]
        lines = [list(self._columns.values()), *([cell(row.get(key)) for key in self._columns] for row in shown)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self._columns))]
        return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines)


def ends_with_newline(path):
    """Whether the last line is whole. An empty file has none that isn't."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return file.read() in (b"\n", b"")
