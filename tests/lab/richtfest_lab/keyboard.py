# SPDX-License-Identifier: GPL-3.0-or-later
"""A person at the serial console."""

import os
import time

from .errors import LabError
from .qmp import connect_unix

DOWN, END, BOOT = "\x0e", "\x05", "\x18"  # Ctrl-n, Ctrl-e, Ctrl-x: GRUB's editor knows Emacs' keys
MENU = r"(?:will be executed|automatically) .*\d+ ?s"
LINUX_LINE = 3  # lines below the one that the editor starts at


def press(machine, keys, answer, timeout=60):
    """Types, waits for the answer, and returns all that was said. What the machine does not take at once waits in QEMU, as long as the line is open; and what it
    says is read, or it would wait itself."""
    deadline = time.monotonic() + timeout
    said = b""
    with connect_unix(os.path.join(machine.folder, "serial.sock")) as line:
        line.settimeout(0.5)
        line.sendall(keys.encode("ascii"))
        while answer not in said:
            if time.monotonic() > deadline or not machine.alive():
                raise LabError(f"{answer.decode()!r} did not come in {timeout} s\n{machine.console.tail()}")
            try:
                said += line.recv(65536)
            except TimeoutError:
                pass
    return said


def add_to_kernel_line(machine, words, timeout=60):
    """At the ISO's menu: the key e, the words at the end of the line that begins with `linux`, and Ctrl-x."""
    machine.console.wait_for(MENU, timeout, failures=())
    press(machine, f"e{DOWN * LINUX_LINE}{END} {words}{BOOT}", b"Booting a command list")


def choose_second(machine, answer, timeout=60):
    """At the ISO's menu: its second entry."""
    machine.console.wait_for(MENU, timeout, failures=())
    press(machine, f"{DOWN}\r", answer, timeout)
