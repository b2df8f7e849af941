# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's seeding, killed at every step of its lane and at all four places around each: before it looks, when it has looked, when it
has worked, when it is done. Each time the run is repeated, and in the end there is the guest that an undisturbed run makes.

One node serves for all: the directory, and a member of it. A seeding is killed many times over, by one run after the other, each of
which takes up what the one before has left; so a guest is seeded twice, not once for each of some forty points. What was shown stands
in a file beside the logs (RF_KILLS names another), and is not shown again for the same ISO: an evening that was cut short goes on."""

import json
import os
import re
import time

import pytest

from conftest import LOGS
from richtfest_lab import profile
from richtfest_lab.disks import Disk
from richtfest_lab.errors import LabError
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import SSH, Node
from richtfest_lab.table import Table

pytestmark = pytest.mark.long

# A step that was done by the run before has nothing to be killed in but "before"; so "after", which leaves it done, has a seeding of its own.
WAVES = (("before", "probed", "applied"), ("after",))
SEEDING_SECONDS = 1800
KILLED = 137  # 128 + SIGKILL
COLUMNS = {"point": "killed at", "seconds": "after (s)", "words": "left to the next run"}
PROFILE = "/var/lib/richtfest/profile.yaml"
MEMBER = "  - {name: box, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB, directory: dc1}\n"


def install(lab, url_iso, site, key):
    """A node with the directory, seeded without anybody's disturbing it."""
    iso, _, page = url_iso
    shipped = os.path.join(os.path.dirname(__file__), "..", "..", "profiles", "examples", "directory.yaml")
    text = profile.for_lab(shipped, key, site.url("/report"))
    profile.shrink(text, cores=4, memory=6144)
    site.pages[page] = text.text
    site.start()
    members = [Disk("d0"), Disk("d1")]
    spec = Spec(name="n1", cores=4, memory=6144, disks=members, iso=iso, forwards=forwards(SSH), balloon=True)
    machine = lab.start(spec)
    assert site.reports.wait_run_end(1, 600, lab.trouble)["state"] == "done"
    machine.wait_reboot(1, 90)
    assert site.reports.wait_run_end(2, SEEDING_SECONDS, lab.trouble)["state"] == "done"
    return Node(machine, key).wait_ssh(120).learn(site.reports)


def add_member(node):
    """A second guest, as its admin would add it."""
    node.sudo(f"sh -c 'cat >>{PROFILE}.new && cat {PROFILE} {PROFILE}.new >{PROFILE}.whole && mv {PROFILE}.whole {PROFILE}'", input=MEMBER)


def steps_of(node, guest):
    """The steps of a guest's lane that are still to do, as the plan has them."""
    plan = json.loads(node.sudo(f"richtfest plan --json {PROFILE}").stdout)
    return [step["id"] for step in plan if step["id"].endswith(f"/{guest}") and not step["done"]]


def events(node):
    """Those of the last run."""
    text = node.sudo("tail -n 400 /var/lib/richtfest/events.jsonl", timeout=300).stdout
    every = [json.loads(line) for line in text.splitlines()]
    return [event for event in every if event.get("run") == every[-1]["run"]]


def apply(node, kill_at=None):
    """`richtfest apply --node`: (exit code, seconds)."""
    started = time.monotonic()
    where = f"RICHTFEST_KILL_AT={kill_at} " if kill_at else ""
    said = node.sudo(f"sh -c '{where}richtfest apply --node >/dev/null 2>&1; echo exit $?'", timeout=SEEDING_SECONDS).stdout
    found = re.search(r"^exit (\d+)$", said, re.MULTILINE)
    if not found:
        raise LabError(f"apply --node: {said}")
    return int(found.group(1)), time.monotonic() - started


def remove(node, guest):
    """Gone, as if it had never been there."""
    node.sudo(f"virsh -q -c qemu:///system destroy {guest}", check=False)
    node.sudo(f"richtfest guest delete {guest} --with-its-disk")


def picture(node, guest):
    """All that a seeding leaves, but what is random in it."""
    script = (
        f"virsh -c qemu:///system dumpxml --inactive {guest}; virsh -c qemu:///system dominfo {guest} | grep -E ^Auto.*; "
        f"cd /var/lib/richtfest/guests/{guest}; find . -type f -not -name probes.json -printf \"%p %m %U %G\\n\" | sort; "
        "cat settled.json generated.json grown; "
        "ls -A /var/lib/libvirt/images; ls -A /var/lib/richtfest/handover; ls -A /run/richtfest-seeds"
    )
    text = node.sudo(f"sh -c '{script}'").stdout
    inside = ["/etc/cloud/cloud-init.disabled", "/var/lib/cloud/instance"]
    return text, [node.guest_exec(guest, "/usr/bin/test", "-e", path)[0] for path in inside]


def killed_over_and_over(node, guest, points):
    """One seeding, its run killed at each of the points in turn, then left alone. What was seen of each kill."""
    remove(node, guest)
    seen = []
    for step in steps_of(node, guest):
        for point in points:
            code, seconds = apply(node, f"{step}:{point}")
            assert code == KILLED, (step, point, code, [event for event in events(node) if event["state"] == "failed"])
            assert not any(event["state"] == "failed" for event in events(node)), events(node)
            print(f"killed at {step}:{point} after {seconds:.0f} s", flush=True)
            seen.append({"point": f"{step}:{point}", "seconds": round(seconds, 1)})
    code, seconds = apply(node)
    assert code == 0, [event for event in events(node) if event["state"] == "failed"]
    for here, following in zip(seen, [*seen[1:], None]):
        here["words"] = f"which was killed at {following['point']}" if following else f"which came to its end in {seconds:.0f} s"
    return seen


def check_nothing_left(node):
    """The same once more finds nothing to do."""
    code, _ = apply(node)
    assert code == 0
    done = {event["step"] for event in events(node) if event.get("step") and event["state"] == "done"}
    assert not {step for step in done if not step.startswith("health/")}, done


def seed_again_and_again(node, guest, table):
    """Both seedings of a guest, compared with the undisturbed one."""
    wanted = picture(node, guest)
    for wave, points in enumerate(WAVES):
        if table.has(guest=guest, wave=wave):
            print(f"{guest}, {', '.join(points)}: shown before")
            continue
        seen = killed_over_and_over(node, guest, points)
        assert picture(node, guest) == wanted
        check_nothing_left(node)
        table.add(*({"guest": guest, "wave": wave, **point} for point in seen))


def test_a_killed_seeding_converges(lab, built_iso, url_iso, site, key):
    table = Table(os.environ.get("RF_KILLS") or os.path.join(LOGS, "seeding-kills.jsonl"), built_iso, COLUMNS)
    node = install(lab, url_iso, site, key)
    # before the directory is made anew: its member's enrolment is a step of its own
    add_member(node)
    assert apply(node)[0] == 0
    for guest in ("box", "dc1"):
        seed_again_and_again(node, guest, table)
    print(table)


def power_off_in_its_first_boot(node, guest):
    """Its power goes a moment after cloud-init has written its description, before anything of it is on the disk; and comes back."""
    remove(node, guest)
    node.sudo(f"systemd-run --quiet --unit=rf-lab-apply --remain-after-exit richtfest apply {PROFILE}")
    deadline = time.monotonic() + SEEDING_SECONDS
    while True:
        try:
            if node.guest_exec(guest, "/usr/bin/test", "-e", "/var/lib/richtfest/guest.json")[0] == 0:
                break
        except LabError:
            pass  # no agent yet
        assert time.monotonic() < deadline, f"{guest} does not come to its first boot"
        time.sleep(0.2)
    node.sudo(f"virsh -q -c qemu:///system reset {guest}")
    while node.ssh("systemctl show --property=SubState --value rf-lab-apply", check=False).stdout.strip() == "running":
        assert time.monotonic() < deadline, f"{guest} does not come back from it"
        time.sleep(3)
    result = node.ssh("systemctl show --property=Result --value rf-lab-apply").stdout.strip()
    node.sudo("systemctl stop rf-lab-apply", check=False)
    node.sudo("systemctl reset-failed rf-lab-apply", check=False)
    return result


def test_a_guest_whose_power_goes_in_its_first_boot(lab, url_iso, site, key):
    """Seen as a fault: its description, its host key and cloud-init's marks were there and empty, and no run could ever finish it."""
    node = install(lab, url_iso, site, key)
    add_member(node)
    for _ in range(3):
        assert power_off_in_its_first_boot(node, "box") == "success", [event for event in events(node) if event["state"] == "failed"]
        assert node.guest_exec("box", "/usr/bin/test", "-s", "/etc/ssh/ssh_host_ed25519_key")[0] == 0
        assert node.guest_exec("box", "/usr/bin/test", "-s", f"/home/{node.user}/.ssh/authorized_keys")[0] == 0
