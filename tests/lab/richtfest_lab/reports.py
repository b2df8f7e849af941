# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machines reported: the project's event stream, as it arrives by POST."""

import json
import re
import threading
import time

from .errors import LabError

AGE_HEADER = "-----BEGIN AGE ENCRYPTED FILE-----"


def describe(event):
    """One event as a line for a person."""
    parts = [event.get("state", "?"), event.get("step") or "(run)", event.get("title"), event.get("message")]
    return " ".join(part for part in parts if part)


def run_ends(event):
    """Whether this is a run's last word."""
    return not event.get("step") and event.get("state") in ("done", "failed")


def is_news(event):
    """Whether mdadm's monitor told it: each of its events has a run of its own, at any time."""
    return str(event.get("step") or "").startswith("md/")


def handover_of(event):
    """What an event hands over: ((kind, name), age file), or (None, None)."""
    handover = event.get("handover")
    if not isinstance(handover, dict) or AGE_HEADER not in str(handover.get("age")):
        return None, None
    whose = [(kind, name) for kind, name in handover.items() if kind != "age"]
    return whose[0] if whose else ("unknown", "unknown"), handover["age"]


def passwords_in(text):
    """The passwords in what was handed over: lines of "… password …: VALUE"."""
    return re.findall(r"(?im)^[^\n:]*password[^\n:]*:[ \t]*(\S+)[ \t]*$", text)


class Reports:
    """The events in the order of their arrival. `keep` names a file that gets them too, one a line."""

    def __init__(self, keep=None):
        self._keep = keep
        self._news = threading.Condition()
        self._events = []
        self._forgiven = 0

    def add(self, events):
        """Called by the web server."""
        with self._news:
            self._events += events
            if self._keep:
                with open(self._keep, "a", encoding="utf-8") as file:
                    file.writelines(json.dumps(event) + "\n" for event in events)
            self._news.notify_all()

    def all(self):
        """Everything so far."""
        with self._news:
            return list(self._events)

    def forgive(self):
        """What failed so far was meant to; it ends no wait any more."""
        with self._news:
            self._forgiven = len(self._events)

    def find(self, step=None, state=None, run=None):
        """Events that fit; step "" means the run itself, None any."""

        def fits(event):
            if step is not None and (event.get("step") or "") != step:
                return False
            return (state is None or event.get("state") == state) and (run is None or event.get("run") == run)

        return [event for event in self.all() if fits(event)]

    def runs(self):
        """The ids of the runs, in the order in which they began; without what mdadm's monitor told."""
        events = self.all()
        news = {event["run"] for event in events if event.get("run") and is_news(event)}
        return [run for run in dict.fromkeys(event.get("run") for event in events) if run and run not in news]

    def wait(self, found, timeout, what, abort=None, allow_failed=False):
        """Waits until found() gives something true and returns that. A `failed` event ends it early, and so does
        abort() with a text (the machine is gone, the console shows a panic)."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                result = found()
                if result:
                    return result
                self._check(deadline, timeout, what, abort, allow_failed)
                self._news.wait(0.5)

    def _check(self, deadline, timeout, what, abort, allow_failed):
        failed = [event for event in self._events[self._forgiven:] if event.get("state") == "failed" and not is_news(event)]
        if failed and not allow_failed:
            raise LabError(f"waiting for {what}: reported as failed: {json.dumps(failed[0], indent=1)}")
        reason = abort() if abort else None
        if reason:
            raise LabError(f"waiting for {what}: {reason}")
        if time.monotonic() > deadline:
            raise LabError(f"waiting for {what}: not reported in {timeout:.0f} s; last reports:\n{self.tail()}")

    def tail(self, count=15):
        """The last events, for a message."""
        return "\n".join(f"  {describe(event)}" for event in self._events[-count:]) or "  (none at all)"

    def wait_event(self, step=None, state=None, timeout=120.0, abort=None):
        """The first event that fits."""
        found = self.wait(
            lambda: self.find(step, state), timeout, f"{state or 'any event'} of {step or 'the run'}", abort,
            allow_failed=state == "failed",
        )
        return found[0]

    def wait_run_end(self, number=1, timeout=300.0, abort=None, allow_failed=False):
        """The last event of the `number`th run: the first is the installer's, the second the node's."""

        def found():
            runs = self.runs()
            if len(runs) < number:
                return None
            return [event for event in self.find(run=runs[number - 1]) if run_ends(event)]

        return self.wait(found, timeout, f"the end of run {number}", abort, allow_failed)[-1]

    def handed_over(self, kind, name):
        """The last age file that was handed over for `kind` ("admin", "guest") of that name, or None."""
        found = [text for event in self.all() for whose, text in [handover_of(event)] if whose == (kind, name)]
        return found[-1] if found else None
