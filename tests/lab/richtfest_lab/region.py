# SPDX-License-Identifier: GPL-3.0-or-later
"""The ISO's reserved region, written without asking the program: what it would refuse to write."""

import hashlib
import json
import mmap

from .errors import LabError
from .iso import SECTOR

MAGIC = b"RICHTFEST-REGION 01 "
HEADER = 64


def find(path):
    """Where the region is in an ISO, in bytes."""
    with open(path, "rb") as iso, mmap.mmap(iso.fileno(), 0, access=mmap.ACCESS_READ) as image:
        position = image.find(MAGIC)
        while position >= 0 and position % SECTOR:
            position = image.find(MAGIC, position + 1)
    if position < 0:
        raise LabError(f"{path}: no reserved region inside")
    return position


def write(path, document):
    """Puts a document there, with the checksum that belongs to it."""
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()[:32].encode()
    head = MAGIC + b"%08d " % len(content) + digest
    with open(path, "r+b") as iso:
        iso.seek(find(path))
        iso.write(head.ljust(HEADER - 1) + b"\n" + content)
