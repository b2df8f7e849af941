# SPDX-License-Identifier: GPL-3.0-or-later
"""Every disk boots: a node of each level is installed once by the real ISO; then each set of its disks is taken out, and what is left is started by
BIOS, by UEFI, and by UEFI whose variables are new. Where the data survives there is a node that says of itself what it lacks, with what was written
to its images' volume. Where it does not, one line on the console says so, and nothing hangs.

Each start works on overlays; the installed disks stay as they are. They, and what was shown, are kept in a folder beside the logs (RF_DEGRADED names
another): an evening that was cut short goes on. A level's disks go when all of it was shown."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import LOGS
from richtfest_lab import profile, small
from richtfest_lab.degraded import LEVELS, removals, role
from richtfest_lab.disks import GB, Disk
from richtfest_lab.httpd import Server
from richtfest_lab.keys import Key
from richtfest_lab.machine import Spec, forwards, free_port
from richtfest_lab.node import SSH, Node
from richtfest_lab.reports import Reports
from richtfest_lab.table import Table

pytestmark = pytest.mark.long

SIZE = 24 * GB
FIRMWARE = ("bios", "uefi", "uefi-new")  # the last: variables as they leave the factory
INSTALL_SECONDS, BOOT_SECONDS, SYNC_SECONDS = 900, 600, 1800
MARK = "/var/lib/libvirt/images/mark"
COLUMNS = {"level": "level", "gone": "without members", "firmware": "firmware", "survives": "data survives", "said": "says", "seconds": "after (s)"}
LOST = r"array \S+ does not run: too few of its members are there.*"


class Level:
    """An installed node, to be started again and again. Its folder holds the disks, the admin's key, and what else is to be known."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.level, self.count = LEVELS[name]

    def path(self, name):
        """A file of it."""
        return os.path.join(self.folder, name)

    @property
    def known(self):
        """{"port": of the reports, "password": the admin's, "roles": of each disk}, or None where it is not installed."""
        try:
            with open(self.path("installed.json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def keep(self, known):
        """Written last: what has it is whole."""
        descriptor = os.open(self.path("installed.json"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(known, file)

    def disks(self):
        """The installed ones."""
        return [Disk(f"d{place}", SIZE, path=self.path(f"d{place}.img")) for place in range(self.count)]

    def overlays(self, folder, gone):
        """What is written to them is forgotten. `gone`: roles."""
        made = []
        for disk, place in zip(self.disks(), self.known["roles"]):
            if place in gone:
                continue
            overlay = os.path.join(folder, f"{disk.name}.qcow2")
            command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", os.path.abspath(disk.path), "-F", "raw", overlay]
            subprocess.run(command, check=True)
            made.append(Disk(disk.name, SIZE, format="qcow2", path=overlay))
        return made


def profile_text(level, key, report, shipped_profile):
    """Without guests, for disks of this size."""
    text = profile.for_lab(shipped_profile, key, report).remove("guests")
    profile.shrink(text, cores=2, memory=small.MEMORY, storage=SIZE)
    return text.set("storage.disks.count", level.count).set("storage.level", level.level).text


def wait_synced(node):
    """An array that was not compared yet may not lose a member: it would be dirty and degraded at once."""
    deadline = time.monotonic() + SYNC_SECONDS
    while re.search("resync|recovery|reshape", node.ssh("cat /proc/mdstat").stdout):
        assert time.monotonic() < deadline, node.ssh("cat /proc/mdstat").stdout
        time.sleep(5)


def install(lab, url_iso, site, level, shipped_profile):
    """From the ISO to a node that is switched off in order, with a file on its images' volume."""
    shutil.rmtree(level.folder, ignore_errors=True)
    os.makedirs(level.folder, mode=0o700)
    iso, _, page = url_iso
    key, port = Key(level.folder), free_port()
    reports = Reports(level.path("events.jsonl"))
    with Server(port, reports=reports) as receiver:
        site.pages[page] = profile_text(level, key, receiver.url("/report"), shipped_profile)
        spec = Spec(name=level.name, cores=2, memory=small.MEMORY, disks=level.disks(), iso=iso, forwards=forwards(SSH))
        machine = lab.start(spec)
        assert reports.wait_run_end(1, INSTALL_SECONDS, lab.trouble)["state"] == "done"
        machine.eject()
        assert reports.wait_run_end(2, BOOT_SECONDS, lab.trouble)["state"] == "done"
        node = Node(machine, key).wait_ssh(180).learn(reports)
        node.sudo(f"sh -c 'dd if=/dev/urandom of={MARK} bs=1M count=64 conv=fsync status=none; cd /; sha256sum {MARK} >{MARK}.sum; sync'")
        wait_synced(node)
        assert node.sudo("richtfest status").returncode == 0
        node.sudo("systemctl poweroff", check=False)
        machine.wait_end(180)
        shutil.copyfile(os.path.join(machine.folder, "vars.fd"), level.path("vars.fd"))
        machine.stop()
        lab.machines.remove(machine)  # or its end would be a reason to wait no longer for the others
    level.keep({"port": port, "password": node.password, "roles": [role(disk.path) for disk in level.disks()]})


def start_without(lab, level, gone, firmware):
    """The machine, with what is left."""
    name = f"{level.name}-{''.join(map(str, gone))}-{firmware}"
    folder = lab.path(name)
    os.makedirs(folder)
    if firmware == "uefi":
        shutil.copyfile(level.path("vars.fd"), os.path.join(folder, "vars.fd"))
    spec = Spec(name=name, firmware=firmware.partition("-")[0], cores=2, memory=small.MEMORY, disks=level.overlays(folder, gone),
                forwards=forwards(SSH))
    return lab.start(spec)


def arrays_of(status):
    """{name: (working members, state)}."""
    return {array["name"]: (array["working"], array["state"]) for array in status["arrays"]}


def check_degraded(node, level, gone):
    """It works, with its data, and says what it lacks. In a few words."""
    left = level.count - len(gone)
    status = node.status()
    assert arrays_of(status) == {"system": (left, "degraded"), "data": (left, "degraded")}, status["arrays"]
    assert status["healthy"] is False and status["last_run"]["state"] == "done", status
    boots = [disk["boots"] for disk in status["disks"]]
    assert boots.count(True) == left and boots.count(False) == len(gone), status["disks"]
    node.sudo(f"sha256sum --check --quiet {MARK}.sum")
    assert not node.ssh("systemctl --failed --no-legend --plain").stdout.strip()
    return f"degraded, {left} of {level.count}"


def check_lost(node, level, gone):
    """The node is there for its admin, and no file system pretends to be the images'."""
    left = level.count - len(gone)
    status = node.status()
    arrays = arrays_of(status)
    assert arrays["system"] == (left, "degraded"), status["arrays"]
    assert arrays.get("data", (0, "inactive"))[1] in ("inactive", "broken"), status["arrays"]
    assert status["healthy"] is False, status
    assert node.ssh(f"findmnt -no FSTYPE {os.path.dirname(MARK)}", check=False).stdout.strip() != "xfs"
    said = re.search(LOST, node.machine.console.text())
    assert said, f"nobody is told on the console\n{node.machine.console.tail(60)}"
    return said.group(0)[:80]


def show(lab, level, gone, survives, firmware):
    """One start: what it says of itself."""
    known = level.known
    reports = Reports(lab.path("events.jsonl"))
    with Server(known["port"], reports=reports):
        machine = start_without(lab, level, gone, firmware)
        reports.wait_run_end(1, BOOT_SECONDS, lab.trouble, allow_failed=not survives)
        node = Node(machine, Key(level.folder), password=known["password"]).wait_ssh(180)
        said = (check_degraded if survives else check_lost)(node, level, gone)
        machine.stop()
    lab.machines.remove(machine)
    shutil.rmtree(machine.folder)
    return said


def matrix(name):
    """[{"gone": …, "survives": …, "firmware": …}, …]: the rows of a level."""
    return [{"level": name, "gone": ", ".join(map(str, gone)), "survives": survives, "firmware": firmware}
            for gone, survives in removals(name) for firmware in FIRMWARE]


@pytest.mark.parametrize("name", list(LEVELS))
def test_what_is_left_boots(lab, built_iso, url_iso, site, shipped_profile, name):
    home = os.environ.get("RF_DEGRADED") or os.path.join(LOGS, "degraded")
    os.makedirs(home, mode=0o700, exist_ok=True)
    table = Table(os.path.join(home, "boots.jsonl"), built_iso, COLUMNS)
    level = Level(name, os.path.join(home, name))
    todo = [row for row in matrix(name) if not table.has(**row)]
    if todo and not (level.known and table.has(installed=name)):
        site.start()
        install(lab, url_iso, site, level, shipped_profile)
        table.add({"installed": name})
    for row in todo:
        started = time.monotonic()
        gone = tuple(map(int, row["gone"].split(", ")))
        said = show(lab, level, gone, row["survives"], row["firmware"])
        table.add({**row, "said": said, "seconds": round(time.monotonic() - started, 1)})
        print(f"{name} without {row['gone']}, {row['firmware']}: {said} after {time.monotonic() - started:.0f} s", flush=True)
    shutil.rmtree(level.folder, ignore_errors=True)
    print(table)


def test_the_matrix_is_whole():
    """58 starts that must succeed, by BIOS and UEFI; the same by UEFI with new variables."""
    rows = [row for name in LEVELS for row in matrix(name) if row["survives"]]
    assert sum(row["firmware"] != "uefi-new" for row in rows) == 58 and len(rows) == 87
