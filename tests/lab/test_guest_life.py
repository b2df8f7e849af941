# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's life after its first day, as the provider who has the node works with it: another profile, more memory, a larger disk, a
snapshot and the way back, a copy elsewhere, and the end. What nobody asked to change stays as it was."""

import json
import re
import time

import pytest

from richtfest_lab import profile
from richtfest_lab.disks import Disk
from richtfest_lab.errors import LabError
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import SSH, Node

from test_bad_guests import PROFILE, RUN_SECONDS

pytestmark = pytest.mark.long

MEMORY = 4096  # MiB
VIRSH = "virsh -q -c qemu:///system"
A = "  - {name: a, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB}\n"
B = "  - {name: b, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB}\n"
GROWN = "  - {name: b, recipe: debian, cores: 1, memory: 768 MB, disk: 10 GB}\n"
NEW = "  - {name: new, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB}\n"
MARK = "/srv/mark"


def install(lab, url_iso, site, key, shipped_profile):
    """A node with two guests, which are healthy; and the beginning of its profile."""
    iso, _, page = url_iso
    text = profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")
    profile.shrink(text, cores=2, memory=MEMORY)
    head = text.text.rstrip() + "\nguests:\n"
    site.pages[page] = head + A + B
    site.start()
    spec = Spec(name="n1", cores=4, memory=MEMORY, disks=[Disk("d0"), Disk("d1")], iso=iso, forwards=forwards(SSH), balloon=True)
    machine = lab.start(spec)
    assert site.reports.wait_run_end(1, 600, lab.trouble)["state"] == "done"
    machine.wait_reboot(1, 90)
    assert site.reports.wait_run_end(2, RUN_SECONDS, lab.trouble)["state"] == "done"
    return Node(machine, key).wait_ssh(120).learn(site.reports), head


def apply(node, text, code=0):
    """As an admin with another profile in hand: `richtfest apply FILE`. What it said."""
    node.ssh("cat >next.yaml", input=text)
    done = node.sudo("richtfest apply next.yaml", check=False, timeout=RUN_SECONDS)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def guests(node):
    """{name: facts}, as the status has them."""
    return {guest["name"]: guest for guest in node.status()["guests"]["guests"]}


def inside(node, guest, *argv):
    """What a program in the guest says."""
    code, said = node.guest_exec(guest, *argv)
    assert code == 0, (argv, said)
    return said


def root_bytes(node, guest):
    """How large the guest's own file system is."""
    return int(inside(node, guest, "/usr/bin/df", "--output=size", "-B1", "/").split()[-1])


def wait_agent(node, guest, seconds=300):
    """After a start."""
    deadline = time.monotonic() + seconds
    while node.sudo(f"{VIRSH} qemu-agent-command {guest} '{{\"execute\": \"guest-ping\"}}'", check=False).returncode:
        if time.monotonic() > deadline:
            raise LabError(f"the agent of {guest} does not answer in {seconds} s")
        time.sleep(2)


def check_another_list(node, head):
    """One guest leaves the list and one comes before the others: the first is stopped and kept, the new one is there, the third has what it
    had; and the node stays with this profile."""
    before = guests(node)["b"]
    said = apply(node, head + NEW + B)
    after = guests(node)
    assert after["b"]["address"] == before["address"] and after["b"]["healthy"], said
    assert after["new"]["healthy"] and after["new"]["address"] not in (before["address"], "10.20.0.10"), after
    assert node.sudo(f"{VIRSH} domstate a").stdout.strip() == "shut off"
    assert re.search(r"^a .*kept: not in the profile", node.sudo("richtfest guest list").stdout, re.MULTILINE)
    assert node.sudo(f"cat {PROFILE}").stdout == head + NEW + B
    assert node.apply_again() == []
    assert set(guests(node)) == {"b", "new"}


def check_other_node(node, head):
    """Another customer's profile is not this node's."""
    text = re.sub(r"(?m)^(  id:) .*$", r"\1 other-n7", head + B)
    said = apply(node, text, code=2)
    assert "other-n7" in said and "musterkunde-n1" in said, said
    assert set(guests(node)) == {"b", "new"}


def check_more(node, head):
    """The disk is larger at once, memory at the next start, and a snapshot of before is there."""
    before = root_bytes(node, "b")
    said = apply(node, head + NEW + GROWN)
    assert "b runs on with its former definition" in said, said
    assert root_bytes(node, "b") > before + 1_500_000_000
    assert "richtfest-" in node.sudo("richtfest guest snapshot --list b").stdout
    node.sudo(f"{VIRSH} shutdown b")
    deadline = time.monotonic() + 120
    while node.sudo(f"{VIRSH} domstate b").stdout.strip() != "shut off" and time.monotonic() < deadline:
        time.sleep(2)
    node.sudo(f"{VIRSH} start b")
    wait_agent(node, "b")
    kilobytes = int(re.search(r"MemTotal: +(\d+)", inside(node, "b", "/usr/bin/cat", "/proc/meminfo")).group(1))
    assert kilobytes > 600_000, kilobytes


def check_the_way_back(node):
    """A snapshot of a running guest, and back to it: what came later is gone, and the clock is not."""
    node.sudo("richtfest guest snapshot b today")
    inside(node, "b", "/usr/bin/touch", MARK)
    time.sleep(20)
    node.sudo("richtfest guest rollback b today", timeout=300)
    wait_agent(node, "b")
    assert node.guest_exec("b", "/usr/bin/test", "-e", MARK)[0] == 1
    clocks = [int(inside(node, "b", "/usr/bin/date", "+%s")), int(node.ssh("date +%s").stdout)]
    assert abs(clocks[0] - clocks[1]) < 10, clocks
    node.sudo("richtfest guest snapshot --delete b today")


def check_elsewhere(node):
    """Exported while it runs, deleted, and there again from the export; nothing else touches its disk."""
    inside(node, "b", "/usr/bin/touch", MARK)
    inside(node, "b", "/usr/bin/sync")
    node.sudo("mkdir -m 700 /var/lib/libvirt/images/copies")
    node.sudo("richtfest guest export b /var/lib/libvirt/images/copies", timeout=600)
    done = node.sudo("richtfest guest delete b --with-its-disk", check=False)
    assert done.returncode != 0 and "shut" in done.stderr, done.stderr
    node.sudo(f"{VIRSH} destroy b")
    node.sudo("richtfest guest delete b --with-its-disk")
    assert "b" not in node.sudo(f"{VIRSH} list --all --name").stdout.split()
    node.sudo("richtfest guest import b /var/lib/libvirt/images/copies/b.qcow2", timeout=600)
    done = node.sudo("richtfest apply --node", check=False, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert inside(node, "b", "/usr/bin/ls", MARK).strip() == MARK
    assert guests(node)["b"]["healthy"]


def check_resize(node):
    """By hand, while it runs: the guest has the room at once."""
    before = root_bytes(node, "new")
    node.sudo("richtfest guest resize new '12 GB'")
    assert root_bytes(node, "new") > before + 3_000_000_000


def check_end(node):
    """What was kept goes by an explicit word."""
    node.sudo("richtfest guest delete a --with-its-disk")
    listed = json.loads(node.sudo("richtfest guest list --json").stdout)
    assert [guest["name"] for guest in listed] == ["new", "b"], listed


def test_a_guests_life(lab, url_iso, site, key, shipped_profile):
    node, head = install(lab, url_iso, site, key, shipped_profile)
    check_another_list(node, head)
    check_other_node(node, head)
    check_more(node, head)
    check_the_way_back(node)
    check_elsewhere(node)
    check_resize(node)
    check_end(node)
