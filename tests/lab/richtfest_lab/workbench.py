# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine for work on disks: the kernel, the initrd and the root of the ISO under test, with a shell as its first process instead of
systemd. It is there in seconds, has every tool that the installer and the node have (mdadm, lvm, cryptsetup, the program itself), and
does nothing by itself; so disks can be brought into any state, and single steps can be run, cut off and looked at."""

import base64
import os
import re
import socket
import subprocess
import time

from . import host
from .errors import LabError
from .machine import Machine

BOOT_SECONDS = 120
LINE = 900  # characters of a line that a terminal takes whole (N_TTY holds 4096)
PROMPT = "workbench-is-ready"
APPLY_SECONDS = 300
MEDIUM, THIN_MEDIUM = "/run/initramfs/live", "/run/thin-medium"

# Another program than the ISO's: RF_BENCH_PROGRAM=build/richtfest takes seconds, a new ISO minutes. It must run with the ISO's libraries.
PROGRAM = os.environ.get("RF_BENCH_PROGRAM")

# udev makes the links by which the program finds partitions; it is the one thing that has to run.
SET_UP = f"""
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
stty -echo 2>/dev/null
mountpoint -q /run || mount -t tmpfs -o mode=0755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /run/udev /run/lock /run/lvm /run/mdadm
/usr/lib/systemd/systemd-udevd --daemon
udevadm trigger --type=subsystems --action=add
udevadm trigger --type=devices --action=add
udevadm settle --timeout=60
echo 1 >/proc/sys/kernel/printk
echo {PROMPT}
"""


def boot_files(iso, folder):
    """(kernel, initrd, blkid's UUID of the medium), as the ISO has them."""
    found = []
    for name in ("vmlinuz", "initrd.img"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            command = [host.need("xorriso", "xorriso"), "-osirrox", "on", "-indev", iso, "-extract", f"/live/{name}", path]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise LabError(f"/live/{name} is not in {iso}:\n{done.stderr}")
        found.append(path)
    with open(iso, "rb") as file:
        file.seek(32768 + 813)  # ECMA-119, 8.4.26: the volume's creation, "YYYYMMDDHHMMSSCC"
        when = file.read(16).decode("ascii")
    return *found, "-".join((when[:4], *(when[place:place + 2] for place in range(4, 16, 2))))


def boot_arguments(iso, folder):
    """QEMU's: straight into the ISO's kernel, with the ISO as a disk that firmware has no part in."""
    iso = os.path.abspath(iso)
    os.makedirs(folder, exist_ok=True)
    kernel, initrd, medium = boot_files(iso, folder)
    words = f"richtfest.medium={medium} init=/bin/sh console=ttyS0,115200 quiet loglevel=3 no_timer_check panic=1"
    drive = ["-blockdev", f"raw,node-name=bench-iso,read-only=on,file.driver=file,file.filename={iso},file.read-only=on"]
    return ["-kernel", kernel, "-initrd", initrd, "-append", words, *drive, "-device", "virtio-blk-pci,drive=bench-iso"]


def program_arguments(path):
    """QEMU's: the program as a disk."""
    drive = f"raw,node-name=bench-program,read-only=on,file.driver=file,file.filename={os.path.abspath(path)},file.read-only=on"
    return ["-blockdev", drive, "-device", "virtio-blk-pci,drive=bench-program,serial=RF-PROGRAM"]


# The disk goes when it was read: nobody is to choose it.
TAKE_PROGRAM = """
disk=$(readlink -f /dev/disk/by-id/virtio-RF-PROGRAM)
head -c {size} "$disk" >/run/program && chmod 755 /run/program && cp -f /run/program "$(command -v richtfest)"
basename "$(readlink -f "/sys/block/${{disk#/dev/}}/device")" >/sys/bus/virtio/drivers/virtio_blk/unbind
richtfest --version
"""


class Workbench(Machine):
    """`with Workbench(spec, folder) as bench: code, said = bench.run("mdadm --detail /dev/md/data")`. `spec` is a machine with the ISO; its
    firmware plays no part. After power_cut() or kill(), start() brings it up again with the disks as they are."""

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        if self.spec.iso:
            self.spec.extra = [*self.spec.extra, *boot_arguments(self.spec.iso, self.folder), *(program_arguments(PROGRAM) if PROGRAM else [])]
            self.spec.iso, self.spec.firmware, self.spec.reboot = None, "bios", False
        super().start()
        self._line = self._connect()
        self._heard = b""
        self._count = 0
        self._set_up()
        if PROGRAM:
            self.run(TAKE_PROGRAM.format(size=os.path.getsize(PROGRAM)))
        return self

    def stop(self):
        line = getattr(self, "_line", None)
        if line:
            line.close()
        self._line = None
        super().stop()

    def _connect(self):
        """A socket's address holds 107 bytes only: by the folder's descriptor."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        directory = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        try:
            line.connect(f"/proc/self/fd/{directory}/serial.sock")
        finally:
            os.close(directory)
        return line

    def _hear(self, pattern, seconds):
        """Reads until `pattern` is there, takes all up to its end away, and returns the match."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self._heard, re.DOTALL)
            if match:
                self._heard = self._heard[match.end():]
                return match
            left = deadline - time.monotonic()
            if left <= 0:
                raise LabError(f"the workbench does not answer in {seconds:.0f} s\n{self.console.tail()}")
            self._line.settimeout(min(left, 1))
            try:
                chunk = self._line.recv(65536)
            except TimeoutError:
                continue
            if not chunk:
                raise LabError(f"the workbench has ended\n{self.console.tail()}")
            self._heard += chunk

    def _set_up(self):
        """The shell's first prompt, then all that systemd would have done and is needed."""
        self._hear(rb"# $", BOOT_SECONDS)
        self._send_file("/dev/set-up", SET_UP)
        self._line.sendall(b". /dev/set-up\n")
        self._hear(PROMPT.encode() + rb"\r?\n", BOOT_SECONDS)

    def _send_file(self, path, text):
        encoded = base64.b64encode(text.encode()).decode()
        lines = [encoded[place:place + LINE] for place in range(0, len(encoded), LINE)]
        self._line.sendall("\n".join([f"base64 -d >{path} <<'@'", *lines, "@", ""]).encode())

    def run(self, script, seconds=120, check=True):
        """Runs a script of sh(1) as root; (exit code, what it said)."""
        self._count += 1
        self._send_file("/run/script", script)
        mark = f"<<{self._count}"
        self._line.sendall((f"sh /run/script >/run/said 2>&1 </dev/null; echo \"{mark}:$?\"; base64 -w 900 /run/said; "
                            f"echo \"{mark}:end\"\n").encode())
        match = self._hear(rf"{mark}:(\d+)\r?\n(.*?){mark}:end\r?\n".encode(), seconds)
        code = int(match.group(1))
        said = base64.b64decode(b"".join(match.group(2).split())).decode("utf-8", "replace")
        if check and code:
            raise LabError(f"exit {code}\n{script}\n{said}")
        return code, said

    def begin(self, script):
        """Starts it and does not wait: for cutting it off."""
        self._send_file("/run/script", script)
        self._line.sendall(b"sh /run/script >/run/said 2>&1 </dev/null &\n")

    def put(self, path, text):
        """A file on the machine."""
        self._send_file(path, text)

    def make_thin_medium(self):
        """The medium without the images of guests, but for their base: nobody on a workbench asks for them, and they take half the time."""
        self.run(f"""cd /run; mkdir -p thin {THIN_MEDIUM}; mountpoint -q thin || mount -t tmpfs thin thin; mkdir -p thin/up thin/work
                 mountpoint -q {THIN_MEDIUM} || mount -t overlay -o lowerdir={MEDIUM},upperdir=thin/up,workdir=thin/work thin {THIN_MEDIUM}
                 find {THIN_MEDIUM}/guests -name '*.qcow2' ! -name 'base-*' -delete""")

    def apply(self, profile, stop="", seconds=APPLY_SECONDS, medium=MEDIUM):
        """`richtfest apply` of a profile's text, killed at a step where `stop` says so ("root/unpack:before"); (exit code, what it said).
        137 is the kill."""
        self.put("/run/profile.yaml", profile)
        return self.run(f"RICHTFEST_KILL_AT={stop} richtfest apply /run/profile.yaml --medium {medium}", seconds, check=False)
