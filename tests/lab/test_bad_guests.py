# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that can't be, on a node where others can: one without memory, one whose image boots nothing, one whose directory does not come
up, one for which the pool has no room. Each is said by its name and with the reason, the others go on, the status tells, and the run
ends with 3; when the reason is gone, the next run makes the guest. What is wrong in a profile is found before anything is touched, and
leaves the guests alone."""

import json
import re

import pytest

from richtfest_lab import profile
from richtfest_lab.disks import Disk
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import SSH, Node

pytestmark = pytest.mark.long

MEMORY = 4096  # MiB
RECIPES, IMAGES = "/usr/share/richtfest/recipes", "/var/lib/libvirt/images"
PROFILE = "/var/lib/richtfest/profile.yaml"
RUN_SECONDS = 3600
GOOD = "  - {name: good, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB}\n"
LATER = "  - {name: later, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB}\n"
BAD = (
    "  - {name: huge, recipe: debian, cores: 1, memory: 200 GB, disk: 8 GB}\n"
    "  - {name: dead, recipe: broken, cores: 1, memory: 512 MB, disk: 8 GB}\n"
    "  - {name: dc9, recipe: broken-directory, cores: 1, memory: 1 GB, disk: 8 GB, settings: {realm: DEAD.MUSTERKUNDE.EXAMPLE}}\n"
    "  - {name: orphan, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB, directory: dc9}\n"
)
REASONS = {
    "start/huge": r"huge is not started: it needs \S+ GiB of memory and this node has \S+ GiB left; give the guests less",
    "health/dead": r"dead is not healthy: guest agent: .* \(the time is up\)",
    "health/dc9": r"dc9 is not healthy: guest agent: .* \(the time is up\)",
    "enrol/orphan": r"not begun, because this has failed: Wait until dc9 is healthy",
}
FULL = "  - {name: fat, recipe: debian, cores: 1, memory: 512 MB, disk: 8 GB}\n"
WRONG = {
    "{name: x, recipe: nextclod}": r"recipe: .*nextclod.*nextcloud",
    "{name: x, recipe: active-directory, settings: {realm: AD.X.EXAMPLE, lockout: many}}": r"lockout: ",
    "{name: x, recipe: debian, directory: nobody}": r"directory: .*nobody",
    "{name: good, recipe: debian}": r"name: .*good",
    "{name: x, recipe: debian, address: 10.20.0.77}\n  - {name: y, recipe: debian, address: 10.20.0.77}": r"address: .*10\.20\.0\.77",
}


def install(lab, url_iso, site, key, shipped_profile):
    """A node with one guest, which is healthy."""
    iso, _, page = url_iso
    text = profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")
    profile.shrink(text, cores=2, memory=MEMORY)
    head = text.text.rstrip() + "\nguests:\n" + GOOD
    site.pages[page] = head
    site.start()
    spec = Spec(name="n1", cores=4, memory=MEMORY, disks=[Disk("d0"), Disk("d1")], iso=iso, forwards=forwards(SSH), balloon=True)
    machine = lab.start(spec)
    assert site.reports.wait_run_end(1, 600, lab.trouble)["state"] == "done"
    machine.wait_reboot(1, 90)
    assert site.reports.wait_run_end(2, RUN_SECONDS, lab.trouble)["state"] == "done"
    return Node(machine, key).wait_ssh(120).learn(site.reports), head


def put_profile(node, text):
    """The node's profile, changed by its admin."""
    node.sudo(f"sh -c 'umask 077; cat >{PROFILE}.new; mv {PROFILE}.new {PROFILE}'", input=text)


def apply(node):
    """`richtfest apply --node`: its exit code and what failed, {step: message}."""
    code = node.sudo("richtfest apply --node", check=False, timeout=RUN_SECONDS).returncode
    lines = node.sudo("tail -n 600 /var/lib/richtfest/events.jsonl").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    run = [event for event in events if event.get("run") == events[-1]["run"]]
    return code, {event["step"]: event["message"] for event in run if event.get("step") and event["state"] == "failed"}


def health(node):
    """{guest: healthy} and the status as text, with its exit code."""
    status = node.status()
    shown = node.sudo("richtfest status", check=False)
    return {guest["name"]: guest["healthy"] for guest in status["guests"]["guests"]}, shown.stdout, shown.returncode


def bad_recipes(node):
    """Recipes whose image holds no system, beside ours, as a user would put them there. They give up after a minute."""
    script = (
        f"set -e; cd {RECIPES}; cp -a debian broken; cp -a active-directory broken-directory; "
        "sed -i -e \"s/seconds: 600/seconds: 60/\" -e \"s/file: .*/file: broken.qcow2/\" broken/recipe.yaml; "
        "sed -i -e \"s/seconds: 900/seconds: 60/\" -e \"s/file: .*/file: broken.qcow2/\" broken-directory/recipe.yaml; "
        f"[ -e broken/recipe.yaml ] || exit 1; qemu-img create -q -f qcow2 {IMAGES}/base/broken.qcow2 4G"
    )
    node.sudo(f"sh -c '{script}'")
    for name in ("broken", "broken-directory"):
        node.sudo(f"richtfest recipe check {RECIPES}/{name}")


def check_bad_ones_are_said(node, head):
    """Four that can't be, and one that can: all in one run."""
    put_profile(node, head + BAD + LATER)
    code, failed = apply(node)
    assert code == 3
    assert set(failed) == set(REASONS), failed
    for step, reason in REASONS.items():
        assert re.search(reason, failed[step]), (step, failed[step])
    healthy, shown, code = health(node)
    assert healthy == {"good": True, "huge": False, "dead": False, "dc9": False, "orphan": False, "later": True}, shown
    assert code == 3 and "NOT healthy" in shown
    for reason in ("huge is not started: it needs", "dead is not healthy", "not begun, because this has failed: Wait until dc9"):
        assert reason in shown, shown


def remove_bad_ones(node):
    """As an admin would: what boots nothing does not shut down either."""
    for name in ("dead", "dc9"):
        node.sudo(f"virsh -q -c qemu:///system destroy {name}")
    for name in ("huge", "dead", "dc9", "orphan"):
        node.sudo(f"richtfest guest delete {name} --with-its-disk")
    assert node.sudo(f"sh -c 'ls {IMAGES}/*.qcow2'").stdout.split() == [f"{IMAGES}/good.qcow2", f"{IMAGES}/later.qcow2"]


def check_a_full_pool(node, head):
    """A guest for which there is no room is not begun; with room it is made."""
    put_profile(node, head + LATER + FULL)
    script = f"set -e; free=$(df --output=avail -B1M {IMAGES} | tail -n 1); fallocate -l $((free - 300))M {IMAGES}/filler"
    node.sudo(f"sh -c '{script}'")
    code, failed = apply(node)
    assert code == 3 and set(failed) == {"disk/fat"}, failed
    assert re.search(r"the disk of fat: it takes \S+ MB to begin with, and the pool \S+ has \S+ \S+ left", failed["disk/fat"]), failed
    healthy, shown, code = health(node)
    assert healthy == {"good": True, "later": True, "fat": False} and code == 3, shown
    assert "the disk of fat: it takes" in shown, shown
    assert node.sudo(f"find {IMAGES} -name '*.new'").stdout == ""
    node.sudo(f"rm {IMAGES}/filler")
    code, failed = apply(node)
    assert code == 0, failed
    healthy, shown, _ = health(node)
    assert healthy["fat"], shown


def check_wrong_profiles(node, head):
    """1 and the place of each mistake; the guests stay as they are."""
    before = node.sudo("virsh -c qemu:///system list --all").stdout
    for guest, message in WRONG.items():
        put_profile(node, f"{head}  - {guest}\n")
        done = node.sudo("richtfest apply --node", check=False)
        assert done.returncode == 1, (guest, done)
        assert re.search(rf"profile\.yaml:\d+:\d+: error: guests\S*{message}", done.stderr), (guest, done.stderr)
    assert node.sudo("virsh -c qemu:///system list --all").stdout == before
    put_profile(node, head)


def test_guests_that_cannot_be_leave_the_others(lab, url_iso, site, key, shipped_profile):
    node, head = install(lab, url_iso, site, key, shipped_profile)
    check_wrong_profiles(node, head)
    bad_recipes(node)
    check_bad_ones_are_said(node, head)
    remove_bad_ones(node)
    check_a_full_pool(node, head)
