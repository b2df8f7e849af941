# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that are not blank: each state is made in a live system by real tools, refused with the consent that would be needed, and then
cleared with that consent, down to this node's own tables; a third disk with data of its own stays as it is, bit for bit.

One boot for each size of sectors serves all states. A run is killed behind the partitioning, because what comes then is shown elsewhere;
one state goes the whole way to a node. What was shown stands in a file beside the logs (RF_DIRTY names another), and is not shown again
for the same ISO: an evening that was cut short goes on."""

import os
import re
import time

import pytest

from conftest import LOGS
from richtfest_lab import disks, keyboard, profile, small
from richtfest_lab.console import plain
from richtfest_lab.dirty import BLANK, MIRROR, PRELUDE, STACK, STATES
from richtfest_lab.disks import GB, Disk
from richtfest_lab.errors import LabError
from richtfest_lab.httpd import Server
from richtfest_lab.iso import Iso
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import SSH
from richtfest_lab.reports import Reports
from richtfest_lab.table import Table

pytestmark = pytest.mark.long

SHELL_SECONDS = 150  # until the shell answers, on a loaded host without KVM
STATE_SECONDS = 300  # the medium is read once by each run
SIZE = 40 * GB
KILLED = 137  # 128 + SIGKILL
DONE_AT = "array/system:before"  # behind all of clear/* and partition/*
COLUMNS = {"state": "state", "sector": "sectors", "seconds": "refused and cleared in (s)"}


class Shell:
    """The live system's root shell at the serial line. Scripts come by HTTP: what is typed is echoed, wrapped and slow."""

    def __init__(self, machine, site):
        self.machine = machine
        self.site = site
        self._count = 0

    def run(self, script, timeout=STATE_SECONDS):
        """(exit code, all that was said)."""
        self._count += 1
        path = f"/script-{self._count}"
        self.site.pages[path] = PRELUDE + script + "\n"
        curl = f"curl -sS --retry 20 --retry-delay 1 --retry-all-errors -o /tmp/s {self.site.url(path)}"
        line = f"{curl}; bash -eu /tmp/s 2>&1; echo co''de=$?; echo al''l-said\r"
        text = plain(keyboard.press(self.machine, line, b"all-said", timeout).decode("utf-8", "replace"))
        found = re.search(r"code=(\d+)", text)
        if not found:
            raise LabError(f"the shell said no exit code:\n{text}")
        return int(found.group(1)), text

    def check(self, script, timeout=STATE_SECONDS):
        """The same, and it must succeed."""
        code, text = self.run(script, timeout)
        assert code == 0, f"{script}\nexit {code}\n{text}"
        return text


def profile_text(shipped_profile, key, url, node=None, foreign=None):
    """For two disks of this size."""
    text = profile.for_lab(shipped_profile, key, url).remove("guests")
    profile.shrink(text, cores=2, memory=small.MEMORY, storage=SIZE)
    text.set("storage.disks.count", 2)
    if node:
        text.set("node.id", node)
    if foreign:
        text.set("storage.foreign", {"wipe": foreign})
    return text.text


def members(sector):
    """Two disks for the node, and one that no profile means: too small, and full of somebody's data."""
    kind = {"logical": sector, "physical": 4096}
    return [Disk("d0", size=SIZE, **kind), Disk("d1", size=SIZE, **kind), Disk("other", size=SIZE // 4, **kind)]


def shell_of(lab, built_iso, program, site, sector, **more):
    """A machine at its menu's second entry."""
    iso = Iso(built_iso, lab.path("plain.iso"), program).no_profile()
    found = members(sector)
    for disk in found:
        disk.create(lab.folder)
    disks.put_gpt(found[2].path, "somebodys")
    machine = lab.start(Spec(name=f"dirty-{sector}", firmware="bios", cores=2, memory=small.MEMORY, disks=found, iso=iso.path, **more))
    keyboard.choose_second(machine, b"a root shell", SHELL_SECONDS)
    return Shell(machine, site)


def sums(machine):
    """What each disk holds."""
    return {disk.name: disks.checksum(disk.path) for disk in machine.spec.disks}


def refused(shell, state):
    """Named in words, with the consent to paste, and nothing is written."""
    shell.check("sync; blockdev --flushbufs $A $B")
    before = sums(shell.machine)
    code, text = shell.run("richtfest plan /root/refuse.yaml")
    assert code == 2, text
    flat = re.sub(r"\s+", " ", text)
    for words in state.words:
        assert re.search(words, flat), f"{state.name}: {words!r} is not in\n{text}"
    assert re.search(r"foreign: \{wipe: \[[^\]]*RF-D0", flat), text
    code, text = shell.run("richtfest apply /root/refuse.yaml")
    assert code == 2, text
    after = sums(shell.machine)
    assert after["other"] == before["other"]
    running = any("RAID array" in words for words in state.words)  # md marks a writable array as clean by itself, some time after
    assert running or after == before, f"{state.name}: a refused disk was written to"


def cleared(shell, state):
    """With the consent both disks become this node's, wherever the run is killed on the way."""
    before = sums(shell.machine)
    for point in (*state.kills, DONE_AT):
        code, text = shell.run(f"RICHTFEST_KILL_AT={point} richtfest apply /root/consent.yaml")
        assert code == KILLED, f"{state.name}: {point}: exit {code}\n{text}"
    text = shell.check("richtfest plan /root/consent.yaml; cat /proc/mdstat || true; dmsetup ls")
    assert "Clear disk" not in text and "Partition disk" not in text, text
    assert "No devices found" in text and not re.search(r"^md\d+ :", text, re.MULTILINE), text
    assert sums(shell.machine)["other"] == before["other"]


def load_profiles(shell, shipped_profile, key):
    """Three files in the shell's home: no consent, consent, and another node's."""
    url = shell.site.url("/report")
    texts = {
        "refuse": profile_text(shipped_profile, key, url),
        "consent": profile_text(shipped_profile, key, url, foreign=["RF-D0", "RF-D1"]),
        "other": profile_text(shipped_profile, key, url, node="another-n9"),
    }
    for name, text in texts.items():
        shell.site.pages[f"/{name}.yaml"] = text
        shell.check(f"curl -fsS -o /root/{name}.yaml {shell.site.url(f'/{name}.yaml')}; richtfest check /root/{name}.yaml")


@pytest.mark.parametrize("sector", [512, 4096])
def test_every_state_is_refused_and_then_cleared(lab, built_iso, program, key, shipped_profile, sector):
    table = Table(os.environ.get("RF_DIRTY") or os.path.join(LOGS, "dirty-disks.jsonl"), built_iso, COLUMNS)
    with Server(reports=Reports(lab.path("events.jsonl"))) as site:
        shell = shell_of(lab, built_iso, program, site, sector)
        load_profiles(shell, shipped_profile, key)
        for state in STATES:
            if table.has(state=state.name, sector=sector):
                print(f"{state.name}, {sector}: shown before")
                continue
            started = time.monotonic()
            shell.check(BLANK)
            shell.check(state.script + "\nsettle")
            refused(shell, state)
            cleared(shell, state)
            table.add({"state": state.name, "sector": sector, "seconds": round(time.monotonic() - started, 1)})
            print(f"{state.name}, {sector}: refused and cleared in {time.monotonic() - started:.0f} s", flush=True)
    print(table)


def test_half_an_array_without_consent_stays_as_it_is(lab, built_iso, program, key, shipped_profile):
    """An array over a member and the disk that no profile means: it is not stopped, and the other disk not written. One that was started
    read-only is stopped, because that writes nothing."""
    with Server(reports=Reports(lab.path("events.jsonl"))) as site:
        shell = shell_of(lab, built_iso, program, site, 512)
        load_profiles(shell, shipped_profile, key)
        shell.check(f'tables; O=$(disk RF-OTHER); {MIRROR} /dev/md/half "$A1" "$(part "$O" 1)"; settle')
        code, text = shell.run("richtfest apply /root/consent.yaml")
        assert code == 2, text
        assert re.search(r"it also runs on disk \S+ \(serial RF-OTHER\), which the consent does not name", re.sub(r"\s+", " ", text)), text
        shell.check("grep -q ^md /proc/mdstat")
        shell.check("mdadm --stop /dev/md/half; echo 1 >/sys/module/md_mod/parameters/start_ro; "
                    'O=$(disk RF-OTHER); mdadm --assemble /dev/md/half "$A1" "$(part "$O" 1)"; settle; grep -q auto-read-only /proc/mdstat; sync')
        before = sums(shell.machine)["other"]
        code, text = shell.run(f"RICHTFEST_KILL_AT={DONE_AT} richtfest apply /root/consent.yaml")
        assert code == KILLED, text
        assert sums(shell.machine)["other"] == before


def test_a_dirty_server_becomes_a_node(lab, built_iso, program, key, shipped_profile):
    """Arrays, encryption and volumes of somebody's on both disks, found running again after a restart: the ISO with a consenting profile
    makes a healthy node of it."""
    with Server(reports=Reports(lab.path("events.jsonl"))) as site:
        shell = shell_of(lab, built_iso, program, site, 512, forwards=forwards(SSH))
        shell.check(BLANK)
        shell.check(STACK)
        shell.check("sync")
        site.pages["/p.yaml"] = profile_text(shipped_profile, key, site.url("/report"), foreign=["RF-D0", "RF-D1"])
        machine = shell.machine
        before = sums(machine)["other"]
        machine.console.skip()
        machine.reset()
        keyboard.add_to_kernel_line(machine, f"richtfest.profile={site.url('/p.yaml')}")
        started = site.reports.wait_event("clear/1", "progress", 300, lab.trouble)
        assert "shut down first, in this order" in started["message"]
        node = small.up_to_the_node(lab, machine, site, key)
        assert node.sudo("richtfest status").returncode == 0
        assert sums(machine)["other"] == before
