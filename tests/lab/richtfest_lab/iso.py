# SPDX-License-Identifier: GPL-3.0-or-later
"""The ISO under test: copied, customized by the program itself, and damaged."""

import mmap
import os
import struct
import subprocess

from . import host
from .disks import copy_sparse
from .errors import LabError

SECTOR = 2048  # of a CD: files in an ISO start at multiples of it
SQUASHFS_MAGIC = b"hsqs"
SQUASHFS_USED = 40  # offset of bytes_used (le64) in its superblock
SQUASHFS_VERSION = 28  # offset of the version (two le16: 4, 0)


def emulated():
    """What an emulated machine's kernel must be told: not to test whether the timer's interrupts arrive in time. On a busy host they
    do not, and where interrupts are remapped (host.X2APIC) the kernel then gives up. KVM's guests skip that test by themselves."""
    return ("--kernel-arguments", "no_timer_check") if host.accelerator().name == "tcg" else ()


class Iso:
    """A copy of the ISO that may be changed."""

    def __init__(self, source, target, program):
        self.path = os.path.abspath(target)
        self._program = os.path.abspath(program)
        copy_sparse(source, self.path)

    def customize(self, *arguments):
        """`richtfest image customize ARGUMENTS ISO`."""
        command = [self._program, "image", "customize", *arguments, self.path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return self

    def profile_url(self, url, *more):
        """The machine is to fetch its profile there."""
        return self.customize("--profile-url", url, *more, *emulated())

    def profile(self, path, *more):
        """The profile travels inside."""
        return self.customize("--profile", path, *more, *emulated())

    def no_profile(self):
        """As it left the builder."""
        return self.customize("--reset", *emulated())

    def damage_squashfs(self, part=0.9, length=64):
        """Flips bytes in the payload that is written to disk. At nine tenths lies /usr/share: nothing that the live
        system reads by itself, so that it is the checksum that finds it."""
        flip(self.path, payload_place(self.path, part), length)
        return self


def payload_place(path, part):
    """Where in an ISO that part of the payload's root lies, in bytes."""
    start, used = find_squashfs(path)
    return start + int(used * part)


def payload_size(path):
    """How many bytes of an ISO are payload: the root, and the guests' images, which are nearly all of what lies behind it."""
    start, used = find_squashfs(path)
    return max(used, int((os.path.getsize(path) - start) * 0.95))


def find_squashfs(path):
    """(offset, bytes) of the squashfs in an ISO."""
    with open(path, "rb") as iso, mmap.mmap(iso.fileno(), 0, access=mmap.ACCESS_READ) as image:
        position = image.find(SQUASHFS_MAGIC)
        while position >= 0:
            version = image[position + SQUASHFS_VERSION: position + SQUASHFS_VERSION + 4]
            if position % SECTOR == 0 and version == b"\x04\0\0\0":
                return position, struct.unpack_from("<Q", image, position + SQUASHFS_USED)[0]
            position = image.find(SQUASHFS_MAGIC, position + 1)
    raise LabError(f"{path}: no squashfs inside")


def flip(path, offset, length):
    """Turns every bit of a range."""
    with open(path, "r+b") as file:
        file.seek(offset)
        data = bytes(byte ^ 0xFF for byte in file.read(length))
        file.seek(offset)
        file.write(data)
