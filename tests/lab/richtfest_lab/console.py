# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial console: QEMU writes it to a file; a thread follows that file while somebody waits for words in it."""

import os
import re
import threading
import time

from .errors import LabError

ESCAPES = re.compile(
    r"\x1b\[[0-9:;?=]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>c78]|[\r\x00]"
)

# What ends a wait at once: there is nothing to come behind it.
FAILURES = (
    r"Kernel panic - not syncing",
    r"^\[FAILED\]",  # our own events, and systemd's units
    r"dracut.*(?:emergency shell|FATAL)",
    r"You are in (?:emergency|rescue) mode",
    r"^grub(?: rescue)?> ?$",
    r"SQUASHFS error: Unable to read",
    r"No bootable device",
    r"BdsDxe: No bootable option",
)


def plain(text):
    """The text without terminal control."""
    return ESCAPES.sub("", text)


class Console:
    """Lines with their time since power-on. Waiting moves a cursor, so that two waits for the same words mean two
    lines."""

    def __init__(self, path, alive=lambda: True):
        self.path = path
        self._alive = alive
        self._started = time.monotonic()
        self._lines = []
        self._partial = ""
        self._cursor = 0
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="console", daemon=True)
        self._thread.start()

    def _follow(self):
        timed = open(f"{self.path}.timed", "w", encoding="utf-8", errors="replace")
        rest = b""
        with timed:
            while not os.path.exists(self.path) and not self._stop.wait(0.05):
                pass
            if not os.path.exists(self.path):
                return
            with open(self.path, "rb") as stream:
                while True:
                    stopping = self._stop.is_set()
                    chunk = stream.read(65536)
                    if chunk:
                        rest = self._take(rest + chunk, timed)
                    elif stopping:
                        return
                    else:
                        self._stop.wait(0.1)

    def _take(self, data, timed):
        whole, _, rest = data.rpartition(b"\n")
        now = time.monotonic() - self._started
        with self._news:
            for line in whole.split(b"\n") if whole else ():
                text = plain(line.decode("utf-8", "replace")).rstrip()
                if text:
                    self._lines.append((now, text))
                    timed.write(f"{now:8.2f} {text}\n")
            self._partial = plain(rest.decode("utf-8", "replace"))
            self._news.notify_all()
        timed.flush()
        return rest

    def lines(self):
        """All lines so far, as (seconds since power-on, text)."""
        with self._news:
            return list(self._lines) + ([(time.monotonic() - self._started, self._partial)] if self._partial else [])

    def text(self):
        """All of it, without times."""
        return "\n".join(text for _, text in self.lines())

    def tail(self, count=40):
        """The last lines with their times, for a message."""
        return "\n".join(f"{seconds:8.2f} {text}" for seconds, text in self.lines()[-count:])

    def last_line(self):
        """What a person would see at the bottom of the screen."""
        lines = self.lines()
        return lines[-1][1] if lines else ""

    def skip(self):
        """What was said so far is not searched by the next wait."""
        with self._news:
            self._cursor = len(self._lines)

    def _search(self, wanted, failures):
        """Looks at the lines behind the cursor; also at a line without its end, which a prompt is."""
        behind = self._lines[self._cursor:] + ([(None, self._partial)] if self._partial else [])
        for index, (_, text) in enumerate(behind):
            match = wanted.search(text)
            if match:
                self._cursor = min(self._cursor + index + 1, len(self._lines))
                return match
            if failures and failures.search(text):
                raise LabError(f"the console says {text!r} while {wanted.pattern!r} was waited for\n{self._end()}")
        return None

    def wait_for(self, pattern, timeout=120.0, failures=FAILURES):
        """Waits for a line that matches. Fails with the console's tail at once where QEMU ends or the console shows
        one of `failures` (pass () where a failure is what the test is about)."""
        wanted = re.compile(pattern)
        bad = re.compile("|".join(f"(?:{words})" for words in failures)) if failures else None
        deadline = time.monotonic() + timeout
        with self._news:  # re-entrant: tail() may be asked inside
            last_look = False
            while True:
                match = self._search(wanted, bad)
                if match:
                    return match
                if last_look:
                    raise LabError(f"QEMU ended while {wanted.pattern!r} was waited for\n{self._end()}")
                if time.monotonic() > deadline:
                    raise LabError(f"{wanted.pattern!r} did not appear in {timeout:.0f} s\n{self._end()}")
                last_look = not self._alive()
                self._news.wait(1 if last_look else 0.5)

    def _end(self):
        return f"--- end of {self.path}\n{self.tail()}"

    def close(self):
        """Reads what is left and ends the thread."""
        self._stop.set()
        self._thread.join(5)
