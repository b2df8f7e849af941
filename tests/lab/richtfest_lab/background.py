# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that outlive the command that started them, known by id and start time: an id alone is used again."""

import os
import signal
import time


def start_time(pid):
    """When a process started (clock ticks since the host's boot), or None where it is gone or only waits to be
    collected."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def identity(pid):
    """What to write down about a process."""
    return {"pid": pid, "started": start_time(pid)}


def runs(who):
    """Whether the process that was written down still runs."""
    return bool(who) and who["started"] is not None and start_time(who["pid"]) == who["started"]


def end(who, patience=5.0):
    """Ends it: asked first, then made to."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        if not runs(who):
            return
        os.kill(who["pid"], wish)
        deadline = time.monotonic() + patience
        while runs(who) and time.monotonic() < deadline:
            time.sleep(0.05)
