# SPDX-License-Identifier: GPL-3.0-or-later
"""A recipe's image at work without a node: its machine as the node would define it, its seed, its agent, its secrets."""

import json
import os
import subprocess

from . import agent, host
from .errors import LabError
from .machine import Disk, Machine, Spec

MIB = 1 << 20
ENROL = "/usr/lib/richtfest/enrol"


def make_disk(image, path, size):
    """The guest's own disk: what differs from the image."""
    command = [host.need("qemu-img", "qemu-utils"), "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", os.path.abspath(image)]
    subprocess.run([*command, path, str(size)], check=True)


def seed_arguments(path):
    """The seed as the node attaches it: a read-only virtio disk."""
    file = {"driver": "file", "filename": path, "read-only": True}
    backend = {"driver": "raw", "node-name": "seed-node", "read-only": True, "file": file}
    return ["-blockdev", json.dumps(backend), "-device", "virtio-blk-pci,id=seed,drive=seed-node,serial=seed"]


class Guest:
    """One guest of a profile. `about` is what `richtfest recipe seed --describe` says of it."""

    def __init__(self, about, folder, seed, images, lan=None, secrets=None, request=None):
        self.about, self.name = about, about["name"]
        self.folder = os.path.abspath(folder)
        self.secrets = secrets or {}
        self.request = request  # what its directory is asked for it
        self._images, self._seed, self._lan = images, os.path.abspath(seed), lan
        self.machine = None
        self.agent = None
        self.wanted = False  # to run: one that was stopped on purpose is no trouble

    def spec(self):
        """Its machine."""
        os.makedirs(self.folder, exist_ok=True)
        disk = Disk("disk", bus="virtio-blk", format="qcow2", path=os.path.join(self.folder, "disk.qcow2"))
        if not os.path.exists(disk.path):
            make_disk(os.path.join(self._images, self.about["image"]), disk.path, self.about["disk"])
        extra = seed_arguments(self._seed) + agent.arguments()
        extra += self._lan.plug(self.about["mac"], self.folder) if self._lan else []
        return Spec(
            name=self.name, firmware="uefi" if self.about["uefi"] else "bios", cores=self.about["cores"],
            memory=self.about["memory"] // MIB, disks=[disk], nics=0, balloon=True, extra=extra)

    def start(self):
        """Power on."""
        self.machine = self.machine or Machine(self.spec(), self.folder)
        self.machine.start()
        self.wanted = True
        self.agent = agent.Agent(self.folder, self.machine.alive)
        return self

    def stop(self):
        """The plug is pulled."""
        self.wanted = False
        if self.machine:
            self.machine.stop()

    def port(self, port, protocol="tcp"):
        """Where one of its ports is on this host."""
        return self._lan.forward(self.about["address"], port, protocol)

    def run(self, *argv, **options):
        """A program in the guest, through its agent."""
        return self.agent.run(*argv, **options)

    def check_as(self, user, *argv):
        """The output of a program that works for that user of the guest."""
        return self.agent.check("/usr/sbin/runuser", "-u", user, "--", *argv)

    def enrol(self, member):
        """As a directory: makes room for a member, as the node asks for it."""
        done = self.agent.run(ENROL, input=member.request, timeout=600)
        if done.status:
            raise LabError(f"{self.name} does not enrol {member.name}: {done.words()}")


def secrets_of(state, name):
    """What the node would know of a guest's passwords: those of the seed, and those kept for probes."""
    found = {}
    for file in ("secrets.json", "kept.json"):
        path = os.path.join(state, "var/lib/richtfest/guests", name, file)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as text:
                found.update(json.load(text))
    return found
