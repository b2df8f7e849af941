# SPDX-License-Identifier: GPL-3.0-or-later
"""The event stream for a person: one line for each step, and what is going on now redrawn below where there is a
terminal."""

import shutil
import sys
import time

MARKS = {"done": "  ok  ", "skipped": "  --  ", "failed": "FAILED", "waiting": " wait "}


def clock(seconds):
    """1:05"""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def size_text(amount):
    """1.5 GB"""
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""


def progress_text(event):
    """How far a step is: percentage, amount, rate."""
    done, total, unit = event.get("done", 0), event.get("total"), event.get("unit", "")
    parts = []
    if total:
        parts.append(f"{done * 100 // total} %")
    if unit == "bytes":
        parts.append(size_text(done) + (f" of {size_text(total)}" if total else ""))
        if event.get("seconds", 0) > 0.5:
            parts.append(f"{size_text(done / event['seconds'])}/s")
    elif unit:
        parts.append(f"{done}{f' of {total}' if total else ''} {unit}")
    if event.get("message"):
        parts.append(event["message"])
    return ", ".join(parts)


def final_line(event):
    """What stays on the screen of an event that is worth it, or None."""
    state = event.get("state")
    if state not in MARKS:
        return f"         {event['message']}" if not event.get("step") and event.get("message") else None
    title = event.get("title") or event.get("step") or ("run" if state != "waiting" else "")
    line = f"[{MARKS[state]}] {title}"
    if event.get("message"):
        line += f"{': ' if title else ''}{event['message']}"
    if event.get("seconds", 0) >= 0.05 and state in ("done", "failed"):
        line += f" ({event['seconds']:.1f} s)"
    return line


class View:
    """Lines go to `stream`; `since` is when the machine was switched on (time.time)."""

    def __init__(self, since, stream=None):
        self.since = since
        self.stream = stream or sys.stdout
        self.terminal = self.stream.isatty()
        self._now = {}  # step → what it does now; several may be at work side by side
        self._drawn = False
        self._tenths = {}
        self._spoken = time.monotonic()

    def line(self, text):
        """A line that stays."""
        self._erase()
        print(text, file=self.stream, flush=True)
        self._spoken = time.monotonic()

    def event(self, event, when=None):
        """Takes one event."""
        step, state = event.get("step"), event.get("state")
        if event.get("handover"):
            self.line(f"{clock((when or time.time()) - self.since):>6} [ note ] {event.get('message')}")
        elif step and state in ("started", "progress"):
            self._now[step] = (event, time.monotonic())
            self._plain_progress(event)
        else:
            self._now.pop(step, None)
            text = final_line(event)
            if text:
                self.line(f"{clock((when or time.time()) - self.since):>6} {text}")

    def _plain_progress(self, event):
        """Where nothing can be redrawn, each quarter of a longer step is worth a line."""
        total = event.get("total")
        if self.terminal or not total or event.get("seconds", 0) < 5:
            return
        quarter = event.get("done", 0) * 4 // total
        if 0 < quarter < 4 and quarter > self._tenths.get(event["step"], 0):
            self._tenths[event["step"]] = quarter
            self.line(f"{clock(time.time() - self.since):>6} [  ..  ] {event.get('title')}: {progress_text(event)}")

    def tick(self, idle):
        """Redraws what goes on now; `idle` is what to say where no step is at work."""
        seconds = time.time() - self.since
        if not self.terminal:
            if time.monotonic() - self._spoken > 60:
                self.line(f"{clock(seconds):>6} [  ..  ] {self._activity() or idle}")
            return
        text = f"{clock(seconds):>6} [  ..  ] {self._activity() or idle}"
        width = shutil.get_terminal_size().columns
        self.stream.write(f"\r\033[K{text[: width - 1]}")
        self.stream.flush()
        self._drawn = True

    def _activity(self):
        parts = []
        for event, seen in self._now.values():
            more = progress_text(event) if event["state"] == "progress" else f"{time.monotonic() - seen:.0f} s"
            parts.append(f"{event.get('title') or event['step']}: {more}")
        return "; ".join(parts)

    def _erase(self):
        if self._drawn:
            self.stream.write("\r\033[K")
            self._drawn = False

    def close(self):
        """Leaves the cursor at the start of a line."""
        self._erase()
        self.stream.flush()
