# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's agent (qemu-guest-agent), spoken to through the machine's own channel, as the node does it through libvirt."""

import base64
import dataclasses
import json
import os
import random
import time

from .errors import LabError
from .qmp import connect_unix

SOCKET = "agent.sock"
PORT = "org.qemu.guest_agent.0"
SENTINEL = b"\xff"  # ends whatever half of a message there was (QEMU's qga protocol, guest-sync-delimited)


def arguments():
    """QEMU's: the channel, on a socket in the machine's folder."""
    return [
        "-device", "virtio-serial-pci,id=agent-bus", "-chardev", f"socket,id=agent,path={SOCKET},server=on,wait=off",
        "-device", f"virtserialport,bus=agent-bus.0,chardev=agent,name={PORT}"]


@dataclasses.dataclass
class Result:
    """How a program in the guest ended."""

    status: int
    out: str
    err: str

    def words(self):
        """The last line that it said: what a person reads of a probe."""
        lines = [line for line in (self.err if self.status and self.err.strip() else self.out).splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"status {self.status}"


class Agent:
    """Each question on a connection of its own: an agent that was restarted meanwhile does not matter."""

    def __init__(self, folder, alive=lambda: True):
        self._path = os.path.join(folder, SOCKET)
        self._alive = alive

    def ask(self, command, timeout=10.0, **arguments):
        """One command, its answer's "return". LabError where nobody answers, or with what the agent says is wrong."""
        with connect_unix(self._path, timeout, self._alive) as client:
            client.settimeout(timeout)
            number = random.randrange(1 << 30)
            try:
                client.sendall(SENTINEL + self._line("guest-sync-delimited", {"id": number}))
                with client.makefile("rb") as stream:
                    self._synchronise(stream, number, time.monotonic() + timeout)
                    client.sendall(self._line(command, arguments))
                    answer = json.loads(stream.readline() or b"{}")
            except OSError as error:
                raise LabError(f"the guest agent does not answer {command}: {error}") from None
        if "return" not in answer:
            raise LabError(f"the guest agent on {command}: {answer.get('error', {}).get('desc', 'it hung up')}")
        return answer["return"]

    @staticmethod
    def _line(command, arguments):
        return json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"

    @staticmethod
    def _synchronise(stream, number, deadline):
        """Reads up to the answer with our number: what is before it was somebody else's."""
        while time.monotonic() < deadline:
            line = stream.readline()
            if not line:
                raise LabError("the guest agent's channel was closed")
            try:
                if json.loads(line.rpartition(SENTINEL)[2]).get("return") == number:
                    return
            except ValueError:
                continue
        raise LabError("the guest agent does not answer")

    def ping(self):
        """Whether it is there."""
        try:
            self.ask("guest-ping", timeout=5)
            return True
        except LabError:
            return False

    def run(self, *argv, input="", timeout=120.0):
        """Runs a program in the guest; its standard input does not pass any argv."""
        request = {"path": argv[0], "arg": list(argv[1:]), "capture-output": True}
        if input:
            request["input-data"] = base64.b64encode(input.encode()).decode()
        process = self.ask("guest-exec", **request)["pid"]
        deadline = time.monotonic() + timeout
        while True:
            state = self.ask("guest-exec-status", pid=process)
            if state["exited"]:
                out, err = (base64.b64decode(state.get(name, "")).decode("utf-8", "replace") for name in ("out-data", "err-data"))
                return Result(state.get("exitcode", 128 + state.get("signal", 0)), out, err)
            if time.monotonic() > deadline:
                raise LabError(f"{argv[0]} in the guest did not end in {timeout:.0f} s")
            time.sleep(0.3)

    def check(self, *argv, **options):
        """The same for what must work; returns its output."""
        done = self.run(*argv, **options)
        if done.status:
            raise LabError(f"{' '.join(argv)} in the guest: status {done.status}\n{done.out}{done.err}")
        return done.out
