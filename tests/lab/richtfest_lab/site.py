# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of `make run`: its folder, its size, and what was written down about it."""

import json
import os
import re

from . import background
from .console import plain

UNITS = {"M": 1, "MB": 1, "MIB": 1, "G": 1024, "GB": 1024, "GIB": 1024}
SIZES = {"GB": 10**9, "TB": 10**12, "GIB": 2**30, "TIB": 2**40, "G": 10**9, "T": 10**12}


class Wrong(Exception):
    """What the person asked for can't be."""


def amount(name, text, units):
    """A number with its unit; without one nobody knows what it means."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text)
    if not match or match.group(2).upper() not in units:
        raise Wrong(f"{name}={text}: write a number and a unit ({', '.join(units)})")
    return int(float(match.group(1)) * units[match.group(2).upper()])


def memory_mib(name, text):
    """Memory in MiB. "24 GB" of memory are 24 GiB, as it is sold."""
    return amount(name, text, UNITS)


def disk_bytes(name, text):
    """A disk's size in bytes."""
    return amount(name, text, SIZES)


class Site:
    """The folder of one run. state.json says what runs."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)

    def path(self, *names):
        """A file in it."""
        return os.path.join(self.folder, *names)

    @property
    def console(self):
        """The serial console's log."""
        return self.path("machine", "console.log")

    @property
    def events(self):
        """What was reported, one event a line."""
        return self.path("events.jsonl")

    def save(self, state):
        """Writes down what runs; whole or not at all."""
        with open(self.path("state.json.new"), "w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
        os.replace(self.path("state.json.new"), self.path("state.json"))

    def load(self):
        """What was written down, or None."""
        try:
            with open(self.path("state.json"), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def running(self):
        """The state, where its machine still runs."""
        state = self.load()
        return state if state and background.runs(state.get("qemu")) else None

    def read_events(self, offset=0):
        """(events behind that offset, the next offset); a line that is not whole yet waits for the next time."""
        try:
            with open(self.events, "rb") as file:
                file.seek(offset)
                data = file.read()
        except OSError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines() if line.strip()], offset + len(whole)

    def last_console_line(self):
        """What a person at the screen would read last."""
        try:
            with open(self.console, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
                lines = plain(file.read().decode("utf-8", "replace")).split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def handover_files(self):
        """The age files that came with the reports."""
        folder = self.path("handover")
        return sorted(os.path.join(folder, name) for name in os.listdir(folder)) if os.path.isdir(folder) else []
