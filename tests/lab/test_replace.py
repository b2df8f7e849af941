# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk swapped in a running node, which is never restarted for it. `ask`: the node says that the blank disk can take the place, and writes
nothing to it; the same with a used one. `auto`: it is brought in by itself, filled, and boots the node alone. Then the wrong slot: a good disk
is pulled and put back, and only what it has missed is copied."""

import json
import re
import time

import pytest

from richtfest_lab import profile, small
from richtfest_lab.disks import GB, Disk, put_ext4
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import COCKPIT, SSH

pytestmark = pytest.mark.long

SIZE = 20 * GB  # 9 GiB for the system, as much for the data; all of it is copied
KEPT = "/var/lib/richtfest/profile.yaml"
MARK = "/var/lib/libvirt/images/mark"
NOTICED_SECONDS, RUN_SECONDS, FILL_SECONDS = 120, 400, 3600
NEW = {"size": SIZE, "detect_zeroes": True}


def power_on(lab, url_iso, site, key, shipped_profile):
    """Two small disks, whose mirror is copied in minutes."""
    iso, _, page = url_iso
    text = profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")
    profile.shrink(text, cores=2, memory=small.MEMORY, storage=SIZE)
    site.pages[page] = text.set("storage.replace", "ask").text
    site.start()
    disks = [Disk("d0", size=SIZE), Disk("d1", size=SIZE)]
    return lab.start(Spec(name="replace", cores=2, memory=small.MEMORY, disks=disks, iso=iso, forwards=forwards(SSH, COCKPIT)))


def after(site, lab, action):
    """Does something to a disk, waits for the end of the run that the node begins by itself, and returns that run's events."""
    number = len(site.reports.runs()) + 1
    action()
    site.reports.wait(lambda: len(site.reports.runs()) >= number, NOTICED_SECONDS, "a run of the node's own", lab.trouble)
    assert site.reports.wait_run_end(number, RUN_SECONDS, lab.trouble)["state"] == "done"
    return site.reports.find(run=site.reports.runs()[number - 1])


def said(events):
    """All messages of a run."""
    return "\n".join(event["message"] for event in events if event.get("message"))


def done(events):
    """The steps that a run did."""
    return [event["step"] for event in events if event.get("step") and event["state"] == "done"]


def storage(node):
    """What `richtfest status` says of disks that could come in: ([(word, text), …], problems)."""
    look = node.status()["storage"]
    return [(disk["word"], disk["text"]) for disk in look["joining"]], look["problems"] or ""


def wait_filled(node, seconds=FILL_SECONDS):
    """Until both arrays have both members; the states that `richtfest status` had meanwhile."""
    seen, deadline = set(), time.monotonic() + seconds
    while any(state != "UU" for _, _, state in node.arrays().values()):
        assert time.monotonic() < deadline, node.ssh("cat /proc/mdstat").stdout
        for array in node.status()["arrays"]:
            seen.add((array["name"], array["state"], bool(array["onto"])))
        time.sleep(5)
    return seen


def mark(node):
    """Data of a customer, and its checksum."""
    node.sudo(f"dd if=/dev/urandom of={MARK} bs=1M count=64 conv=fsync")
    node.sudo(f"sh -c 'sha256sum {MARK} >{MARK}.sum; sync'")


def check_mark(node):
    """It is as it was, read from the disks."""
    node.sudo("sh -c 'echo 3 >/proc/sys/vm/drop_caches'")
    assert "OK" in node.sudo(f"sha256sum --check {MARK}.sum").stdout


def check_every_disk_boots(node, members):
    """Proved from the bytes."""
    listed = node.sudo("richtfest verify-boot --json", check=False)
    assert listed.returncode == 0 and {disk["member"] for disk in json.loads(listed.stdout)} == members, listed.stdout


def check_ask(node, lab, site):
    """Said and left alone; then a used disk, which no `apply` writes to either."""
    machine = node.machine
    gone = after(site, lab, lambda: machine.pull("d0"))
    assert "this node no longer fits its profile" in said(gone), said(gone)
    small.check_runs_on_one_disk(node)
    waiting = after(site, lab, lambda: machine.plug(Disk("d2", **NEW)))
    assert re.search(r"RF-D2\) is blank and can take member 1's place \(replace\): `richtfest apply --node`", said(waiting)), said(waiting)
    assert [word for word, _ in storage(node)[0]] == ["replace"]
    assert machine.writes("d2") == 0
    after(site, lab, lambda: machine.pull("d2"))
    used = Disk("used", **NEW).create(machine.folder)
    put_ext4(used.path, "customer")
    refused = after(site, lab, lambda: machine.plug(used))
    assert "these disks hold data that is not node" in said(refused) and "foreign: {wipe: [RF-USED]}" in said(refused), said(refused)
    node.sudo("richtfest apply --node", timeout=RUN_SECONDS)
    assert machine.writes("used") == 0
    after(site, lab, lambda: machine.pull("used"))


def check_auto(node, lab, site):
    """Nobody types anything; the disk boots the node alone in the end."""
    machine, boot = node.machine, node.boot_id()
    node.sudo(f"sed -i 's/replace: ask/replace: auto/' {KEPT}")
    steps = done(after(site, lab, lambda: machine.plug(Disk("d3", **NEW))))
    assert [step for step in steps if not re.search(r"(?:health|start)/", step)] == [
        "partition/1", "replace/system", "replace/data", "filesystem/esp-1", "boot/1"], steps
    states = wait_filled(node)
    assert {(name, "rebuilding", True) for name in ("system", "data")} & states, states
    assert node.boot_id() == boot
    check_every_disk_boots(node, {1, 2})
    assert node.sudo("richtfest status", check=False).returncode == 0
    check_mark(node)


def check_wrong_slot(node, lab, site):
    """A good disk was pulled, written around, and put back: it is re-added, and not filled anew."""
    machine = node.machine
    back = machine.disk("d1")
    after(site, lab, lambda: machine.pull("d1"))
    node.sudo(f"sh -c 'dd if=/dev/urandom of={MARK}.2 bs=1M count=8 conv=fsync 2>/dev/null'")
    begun = time.monotonic()
    steps = done(after(site, lab, lambda: machine.plug(back)))
    assert {"readd/system", "readd/data"} <= set(steps) and not any(step.startswith("replace/") for step in steps), steps
    wait_filled(node, 900)
    assert machine.writes("d1") > 0 and machine.statistics("d1")["wr_bytes"] < 4 * GB, machine.statistics("d1")
    print(f"re-added in {time.monotonic() - begun:.0f} s, {machine.statistics('d1')['wr_bytes'] // 10**6} MB written")
    check_mark(node)


def check_new_one_alone(node, lab, site):
    """The power goes, and with it the disk that was there from the beginning."""

    def action():
        node.machine.power_cut()
        node.machine.leave_out("d1")
        node.machine.start()

    small.back_after(node, lab, site, action)
    small.check_runs_on_one_disk(node)
    check_mark(node)


def test_a_disk_is_replaced_in_the_running_node(lab, url_iso, site, key, shipped_profile):
    machine = power_on(lab, url_iso, site, key, shipped_profile)
    node = small.up_to_the_node(lab, machine, site, key)
    mark(node)
    check_ask(node, lab, site)
    check_auto(node, lab, site)
    check_wrong_slot(node, lab, site)
    check_new_one_alone(node, lab, site)
