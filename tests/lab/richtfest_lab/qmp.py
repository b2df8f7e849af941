# SPDX-License-Identifier: GPL-3.0-or-later
"""A client for QEMU's machine protocol (QMP): commands over a unix socket, events collected by a thread."""

import json
import os
import socket
import threading
import time

from .errors import LabError


def connect_unix(path, timeout=30.0, alive=lambda: True):
    """Connects to a socket that may not exist yet, as long as alive() says that somebody is to make it. A folder's
    descriptor stands in for its name, because a socket's address holds 107 bytes only and the folders of tests are
    longer than that."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_PATH | os.O_DIRECTORY)
    short = f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    deadline = time.monotonic() + timeout
    try:
        while True:
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                client.connect(short)
                return client
            except (FileNotFoundError, ConnectionRefusedError):
                client.close()
                if time.monotonic() > deadline or not alive():
                    raise LabError(f"{path}: nobody listens") from None
                time.sleep(0.05)
    finally:
        os.close(folder)


class QmpError(LabError):
    """QEMU refused a command."""

    def __init__(self, command, error):
        super().__init__(f"QMP {command}: {error.get('desc', error)}")
        self.error_class = error.get("class")


class Qmp:
    """One connection. Events are kept from the start, so that one that came before anybody waited for it is not
    lost."""

    def __init__(self, path, timeout=30.0, alive=lambda: True):
        self._socket = connect_unix(path, timeout, alive)
        self._ready = threading.Condition()
        self._answers = {}
        self._next_id = 0
        self._closed = False
        self.events = []
        self._thread = threading.Thread(target=self._read, name="qmp", daemon=True)
        self._thread.start()
        self.command("qmp_capabilities", timeout=timeout)

    def _read(self):
        try:
            with self._socket.makefile("rb") as stream:
                for line in stream:
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def _take(self, message):
        with self._ready:
            if "event" in message:
                message["seen"] = time.monotonic()
                self.events.append(message)
            elif "id" in message:
                self._answers[message["id"]] = message
            self._ready.notify_all()

    def command(self, name, /, timeout=30.0, **arguments):
        """Sends a command (underscores in argument names stand for QMP's hyphens) and returns what it returns."""
        with self._ready:
            self._next_id += 1
            number = self._next_id
        message = {"execute": name, "id": number}
        if arguments:
            message["arguments"] = {key.replace("_", "-"): value for key, value in arguments.items()}
        return self.send(message, timeout)

    def send(self, message, timeout=30.0):
        """Sends a finished message with its id, for arguments whose names really have underscores."""
        if "id" not in message:
            with self._ready:
                self._next_id += 1
                message["id"] = self._next_id
        name = message["execute"]
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise LabError(f"QMP {name}: {error}") from None
        with self._ready:
            arrived = self._ready.wait_for(lambda: message["id"] in self._answers or self._closed, timeout)
            answer = self._answers.pop(message["id"], None)
        if answer is None:
            raise LabError(f"QMP {name}: {'QEMU has gone' if arrived else f'no answer in {timeout:.0f} s'}")
        if "error" in answer:
            raise QmpError(name, answer["error"])
        return answer["return"]

    def monitor(self, line):
        """A command of the human monitor, where QMP has none (hostfwd_add)."""
        return self.send({"execute": "human-monitor-command", "arguments": {"command-line": line}})

    def count(self, name, matching=lambda data: True):
        """How many such events there were."""
        with self._ready:
            return sum(1 for event in self.events if event["event"] == name and matching(event.get("data", {})))

    def wait_event(self, name, timeout=30.0, matching=lambda data: True, number=1):
        """Waits until there were `number` such events since the machine started, and returns the last of them."""

        def found():
            hits = [event for event in self.events if event["event"] == name and matching(event.get("data", {}))]
            return hits[number - 1] if len(hits) >= number else None

        with self._ready:
            self._ready.wait_for(lambda: found() or self._closed, timeout)
            event = found()
        if event is None:
            when = "before QEMU went" if self._closed else f"in {timeout:.0f} s"
            raise LabError(f"QMP: event {name} did not come {when}")
        return event

    def close(self):
        """Ends the connection; QEMU goes on."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self._thread.join(5)
