# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine at work: started, watched, pulled at, and gone at the end."""

import os
import shutil
import signal
import socket
import subprocess
import time

from . import command_line, host
from .command_line import Spec
from .console import Console
from .disks import Disk
from .errors import LabError
from .qmp import Qmp, QmpError


def free_port():
    """A port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def forwards(*ports):
    """Ports of the guest, each on a free port of this host."""
    return {port: free_port() for port in ports}


def prepare(spec, folder):
    """Makes the folder, the firmware's variables and the disks."""
    os.makedirs(folder, exist_ok=True)
    for disk in spec.disks:
        disk.create(folder)
        disk.path = os.path.abspath(disk.path)
    if spec.iso:
        spec.iso = os.path.abspath(spec.iso)
    variables = os.path.join(folder, "vars.fd")
    if spec.firmware != "bios" and not os.path.exists(variables):
        shutil.copyfile(host.ovmf(spec.firmware == "uefi-secure")[1], variables)


def launch(spec, folder, outlive=False):
    """Starts the machine's QEMU in that folder."""
    return launch_command(command_line.arguments(spec), folder, outlive)


def launch_command(command, folder, outlive=False):
    """Starts a command in that folder; what it says goes to qemu.log there. It dies with its parent, unless it is to outlive it."""
    if not outlive:
        command = [host.need("setpriv", "util-linux"), "--pdeathsig", "KILL", *command]
    with open(os.path.join(folder, "qemu.log"), "ab") as log:
        log.write((" ".join(command) + "\n").encode())
        log.flush()
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


class Machine:
    """`with Machine(Spec(...), folder) as machine:`. All its files are in the folder: console.log and
    console.log.timed, qemu.log, the disks and the firmware's variables. The same folder can be started again: the
    power came back."""

    def __init__(self, spec, folder):
        self.spec = spec
        self.folder = os.path.abspath(folder)
        self.process = None
        self.qmp = None
        self.console = None
        self._links = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Power on."""
        prepare(self.spec, self.folder)
        for leftover in ("qmp.sock", "serial.sock", "wire-qemu.sock"):
            path = os.path.join(self.folder, leftover)
            if os.path.exists(path):
                os.unlink(path)
        log = os.path.join(self.folder, "console.log")
        if os.path.exists(log):  # an earlier power-on's
            os.replace(log, f"{log}.{int(os.stat(log).st_mtime)}")
        self.process = launch(self.spec, self.folder)
        try:
            self.console = Console(log, self.alive)
            self.qmp = Qmp(os.path.join(self.folder, "qmp.sock"), alive=self.alive)
        except LabError as error:
            self.stop()
            raise LabError(f"{error}\n{self.qemu_log()}") from None
        return self

    def alive(self):
        """Whether QEMU runs."""
        return self.process is not None and self.process.poll() is None

    def qemu_log(self):
        """What QEMU itself said."""
        with open(os.path.join(self.folder, "qemu.log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        """The plug is pulled: QEMU is killed, by its own id, and waited for."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.qmp:
            self.qmp.close()
        if self.console:
            self.console.close()
        self.process = self.qmp = None

    def port(self, guest_port):
        """Where a port of the guest is on this host."""
        return self.spec.forwards[guest_port]

    def wait_end(self, timeout=120.0):
        """Waits until QEMU ends by itself (powered off, or would reboot with reboot=False)."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"the machine still runs after {timeout:.0f} s\n{self.console.tail()}") from None

    # --- power and resets

    def reboots(self):
        """How often the guest has reset the machine."""
        return self.qmp.count("RESET", lambda data: data.get("guest"))

    def wait_reboot(self, number=1, timeout=120.0):
        """Waits for the guest's `number`th reboot since power-on."""
        self.qmp.wait_event("RESET", timeout, lambda data: data.get("guest"), number)

    def reset(self):
        """The reset button."""
        self.qmp.command("system_reset")

    def powerdown(self):
        """The power button, pressed shortly: the guest shuts down by itself."""
        self.qmp.command("system_powerdown")

    def power_cut(self):
        """The power goes, in the middle of whatever it is; start() brings it back."""
        self.stop()

    def status(self):
        """running, paused, shutdown, …"""
        return self.qmp.command("query-status")["status"]

    # --- disks

    def disk(self, name):
        """The disk of that name."""
        return next(disk for disk in self.spec.disks if disk.name == name)

    def statistics(self, name):
        """QEMU's counters of a disk, or of the medium ("iso"), since power-on."""
        for device in self.qmp.command("query-blockstats"):
            if device.get("qdev", "").split("/")[-1] == name or device.get("node-name") == f"{name}-node":
                return device["stats"]
        raise LabError(f"no disk {name}")

    def writes(self, name):
        """How many write requests a disk has had, discards included."""
        stats = self.statistics(name)
        return stats["wr_operations"] + stats.get("unmap_operations", 0)

    def wait_medium_read(self, size, timeout=120.0, quiet=4.0):
        """Waits until `size` bytes of the medium were read and nobody has read more for a while: its check is through."""
        deadline = time.monotonic() + timeout
        read, since = 0, time.monotonic()
        while read < size or time.monotonic() - since < quiet:
            if time.monotonic() > deadline:
                raise LabError(f"{read} of {size} bytes of the medium were read in {timeout:.0f} s\n{self.console.tail()}")
            time.sleep(0.2)
            now = self.statistics("iso")["rd_bytes"]
            if now != read:
                read, since = now, time.monotonic()

    def pull(self, name, timeout=60.0):
        """Pulls a disk while the machine runs. SATA ones can't be (QEMU's AHCI has no hot-plug)."""
        self.qmp.command("device_del", id=name)
        self.qmp.wait_event("DEVICE_DELETED", timeout, lambda data: data.get("device") == name)
        deadline = time.monotonic() + timeout
        while True:  # the backend is let go a moment after the device
            try:
                self.qmp.command("blockdev-del", node_name=f"{name}-node")
                break
            except QmpError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.spec.disks.remove(self.disk(name))

    def plug(self, disk: Disk, slot=None):
        """Plugs a disk in while the machine runs. virtio-blk and nvme need a free slot ("slot3")."""
        disk.create(self.folder)
        disk.path = os.path.abspath(disk.path)
        self.qmp.send({"execute": "blockdev-add", "arguments": command_line.blockdev(disk)})
        self.qmp.send({"execute": "device_add", "arguments": command_line.disk_device(disk, slot)})
        self.spec.disks.append(disk)

    def leave_out(self, name):
        """A disk that is not there at the next start()."""
        self.spec.disks.remove(self.disk(name))

    def forget_firmware(self):
        """Another mainboard at the next start(): the variables of UEFI, with its boot entries, are new."""
        os.unlink(os.path.join(self.folder, "vars.fd"))

    def eject(self):
        """Takes the medium out: out of the drive, or the stick out of its port. The next start() finds it in again, unless
        `spec.iso` is None."""
        if self.spec.iso_bus in ("sata", "virtio-scsi"):
            self.qmp.command("eject", id="iso", force=True)
        else:
            self.qmp.command("device_del", id="iso")

    # --- network and screen

    def cable(self, plugged, nic=0):
        """Plugs the network cable in or out."""
        self.qmp.command("set_link", name=f"nic{nic}", up=plugged)

    def forward(self, guest_port):
        """A further port of the guest on this host; returns where."""
        here = self.spec.forwards.setdefault(guest_port, free_port())
        answer = self.qmp.monitor(f"hostfwd_add net0 tcp:127.0.0.1:{here}-:{guest_port}")
        if answer.strip():
            raise LabError(f"forwarding {guest_port}: {answer.strip()}")
        return here

    def screenshot(self, name="screen.ppm"):
        """A picture of the screen (PPM) in the machine's folder."""
        path = os.path.join(self.folder, name)
        self.qmp.command("screendump", filename=path)
        return path


__all__ = ["Disk", "Machine", "Spec", "forwards", "free_port", "launch", "launch_command", "prepare"]
