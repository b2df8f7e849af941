# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of the lab: sparse files, what is in them, and what has been written to them."""

import dataclasses
import hashlib
import os
import subprocess

TB = 1000**4
GB = 1000**3
BLOCK = 4096


@dataclasses.dataclass
class Disk:
    """One disk. Its name is the lab's (QMP ids and the file derive from it); the guest sees the serial."""

    name: str
    size: int = 4 * TB
    serial: str = None
    bus: str = "virtio-scsi"  # or virtio-blk, sata, nvme
    format: str = "raw"  # or qcow2
    logical: int = 512
    physical: int = 512
    wwn: int = None  # virtio-scsi and sata only
    rotational: bool = False  # virtio-scsi and sata only: QEMU's others don't say
    detect_zeroes: bool = False  # zeros that are written take no room: for a disk that is filled from another one
    path: str = None  # given: an existing image; else made in the machine's folder
    nbd: str = None  # given: QEMU asks this socket for the export of the disk's name, and the image is the server's (power.py)

    def __post_init__(self):
        self.serial = self.serial or f"RF-{self.name.upper()}"

    def create(self, folder):
        """Makes the file where it does not exist yet."""
        if self.path is None:
            self.path = os.path.join(folder, f"{self.name}.{'img' if self.format == 'raw' else self.format}")
        if not os.path.exists(self.path):
            make_image(self.path, self.size, self.format)
        return self


def make_image(path, size, format="raw"):
    """An empty disk that takes no room."""
    if format == "raw":
        with open(path, "wb") as image:
            image.truncate(size)
        return
    subprocess.run(["qemu-img", "create", "-q", "-f", format, path, str(size)], check=True)


def extents(descriptor, size):
    """The parts of a file that hold data, as (start, end)."""
    position = 0
    while position < size:
        try:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole up to the end
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
        position = end


def checksum(path):
    """SHA-256 of what a disk holds. Only allocated parts are read, and blocks of zeros are left out, so that it takes
    no time for 4 TB and does not depend on what happens to be allocated."""
    digest = hashlib.sha256()
    zeros = bytes(BLOCK)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        digest.update(f"size {size}\n".encode())
        for start, end in extents(descriptor, size):
            for offset in range(start - start % BLOCK, end, BLOCK):
                block = os.pread(descriptor, BLOCK, offset)
                if block != zeros[: len(block)]:
                    digest.update(f"at {offset}\n".encode())
                    digest.update(block)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def allocated(path):
    """How many bytes of the host's disk the file takes."""
    return os.stat(path).st_blocks * 512


def copy_sparse(source, target):
    """A copy that shares its blocks with the source where the host's filesystem can, and stays sparse elsewhere."""
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", source, target], check=True)


def put_ext4(path, label):
    """A customer's file system right on the disk: data that nobody may overwrite."""
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", label, path, "1G"], check=True)


def put_gpt(path, name):
    """A partition table with one partition, of the kind that a provider's image leaves behind."""
    table = f"label: gpt\nstart=2048, size=2097152, name={name}\n"
    subprocess.run(["/sbin/sfdisk", "--quiet", path], input=table, text=True, check=True)
