# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's roots, by BIOS and by UEFI: apt's snapshots and the way back, a root deployed beside the running one with the ISO still in the drive,
and two that are broken: one that does not start at all, one that starts and is not healthy. The node comes back by itself each time."""

import json
import re
import time

import pytest

from richtfest_lab import small
from richtfest_lab.disks import GB, Disk
from richtfest_lab.errors import LabError
from richtfest_lab.installation import profile_of
from richtfest_lab.machine import Spec
from richtfest_lab.node import Node
from richtfest_lab.workbench import Workbench

pytestmark = pytest.mark.long

TOP = "/run/lab-top"
BOOT_SECONDS = 600  # an emulated machine's boot, with the run that follows
PANIC_SECONDS = 60  # panic=60 of the node's kernel
TRIES = 3


def install(lab, url_iso, site, key, shipped_profile, firmware):
    """A small node; the ISO stays in the drive, and its GRUB boots the node."""
    machine = small.power_on(lab, url_iso, site, key, shipped_profile, firmware=firmware)
    assert site.reports.wait_run_end(1, 420, lab.trouble)["state"] == "done"
    machine.wait_reboot(1, 60)
    assert site.reports.wait_run_end(2, 400, lab.trouble)["state"] == "done"
    return Node(machine, key).wait_ssh(180).learn(site.reports)


def roots(node):
    """`richtfest root list --json`, and the roots by their numbers."""
    listed = json.loads(node.sudo("richtfest root list --json").stdout)
    return listed, {root["number"]: root for root in listed["roots"]}


def try_roots(node):
    """The same while the node may be going down or coming up: None then."""
    try:
        return roots(node)[0]
    except (LabError, ValueError):
        return None


def boot_until(node, settled, timeout):
    """Restarts the node, however often it then does so itself, until `settled` says yes to its list."""
    before = node.boot_id()
    node.sudo("systemctl reboot", check=False)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        time.sleep(5)
        try:
            if node.ssh("cat /proc/sys/kernel/random/boot_id", check=False, timeout=45).stdout.strip() in ("", before):
                continue
        except LabError:
            continue
        listed = try_roots(node)
        if listed and settled(listed):
            return roots(node)
    raise LabError(f"not in {timeout} s\n{node.machine.console.tail(60)}")


def runs_well(number):
    """That root runs, and nothing is on trial."""
    return lambda listed: listed["running"] == listed["default"] == number and not listed["on_trial"]


def identity(node):
    """What no other root may change."""
    files = "/var/lib/richtfest/ssh/ssh_host_ed25519_key.pub /etc/machine-id /etc/hostname /var/lib/richtfest/profile.yaml"
    return node.sudo(f"sha256sum {files}").stdout + node.sudo(f"getent shadow {node.user}").stdout.split(":")[1]


def package(node, name):
    """apt installs a package that was made there: no archive is needed."""
    script = (f"set -e; d=$(mktemp -d); mkdir -p $d/p/DEBIAN $d/p/usr/share/{name}; touch $d/p/usr/share/{name}/mark\n"
              f"printf 'Package: {name}\\nVersion: 1\\nArchitecture: all\\nMaintainer: lab <lab@lab.example>\\nDescription: lab\\n' "
              ">$d/p/DEBIAN/control\n"
              f"dpkg-deb --build $d/p $d/{name}.deb >/dev/null; chmod 755 $d; apt-get -q -y install $d/{name}.deb\n")
    return node.sudo("sh", input=script, timeout=300)


def check_apt_takes_snapshots(node):
    """One before each run, and the newest three stay; returns the newest one, which lacks only the last package."""
    for number in range(1, 6):
        said = package(node, f"lab-{number}")
        assert re.search(r"root \d+ is a snapshot of root 1", said.stdout), said.stdout + said.stderr
    listed, by_number = roots(node)
    assert listed["running"] == listed["default"] == 1
    taken = sorted(number for number, root in by_number.items() if root["how"] == "snapshot")
    assert len(taken) == 3 and all(by_number[number]["of"] == 1 and by_number[number]["good"] for number in taken), by_number
    return taken[-1]


def check_apt_goes_on_without_one(node):
    """A snapshot that can't be taken is said, and the package is there."""
    node.sudo("mv /usr/bin/btrfs /usr/bin/btrfs.away")
    said = package(node, "lab-6")
    node.sudo("mv /usr/bin/btrfs.away /usr/bin/btrfs")
    assert "no snapshot of the root was taken" in said.stdout + said.stderr
    node.ssh("test -e /usr/share/lab-6/mark")


def check_rollback(node, newest):
    """Back to before the last package; the profile and the identity are no part of it."""
    before = identity(node)
    assert f"root {newest} is booted next, on trial" in node.sudo("richtfest root rollback").stdout
    assert "on trial" in node.sudo("richtfest status", check=False).stdout
    listed, by_number = boot_until(node, runs_well(newest), BOOT_SECONDS)
    assert listed["before"] == 1 and by_number[newest]["good"], listed
    assert node.ssh("ls -d /usr/share/lab-*").stdout.split() == [f"/usr/share/lab-{number}" for number in range(1, 5)]
    assert re.search(rf"subvol=/?roots/{newest}\b", node.ssh("findmnt -no OPTIONS /").stdout)
    assert identity(node) == before
    assert node.sudo("richtfest status").returncode == 0


def deploy(node, medium, *more):
    """From a drive or an ISO; returns the number of the root that is booted next."""
    done = node.sudo(f"richtfest root deploy {medium} {' '.join(more)}", timeout=1200)
    return int(re.search(r"root (\d+) is booted next, on trial", done.stdout).group(1))


def check_same_medium(node, running):
    """The first root is of this very ISO: it is switched to, and nothing is unpacked. What was not booted yet can be taken back."""
    numbers = set(roots(node)[1])
    assert deploy(node, "/dev/sr0") == 1
    assert set(roots(node)[1]) == numbers
    assert f"root {running} is booted from now on" in node.sudo(f"richtfest root rollback {running}").stdout
    listed, _ = roots(node)
    assert listed["default"] == running and not listed["on_trial"], listed


def check_deploy(node, running):
    """A new root, with everything that makes this node, and without what was installed by hand."""
    before = identity(node)
    number = deploy(node, "/dev/sr0", "--again")
    assert roots(node)[0]["running"] == running
    listed, by_number = boot_until(node, runs_well(number), BOOT_SECONDS)
    assert by_number[number]["how"] == "deployed" and listed["before"] == running, listed
    assert identity(node) == before
    assert node.ssh("ls -d /usr/share/lab-*", check=False).stdout == ""
    assert node.sudo("richtfest status").returncode == 0
    assert node.sudo("richtfest verify-boot").returncode == 0


def in_root(node, number, script):
    """Does something to a root that does not run."""
    node.sudo("sh", input=f"set -e; mkdir -p {TOP}; mount -o subvolid=5 /dev/md/system {TOP}; cd {TOP}/roots/{number}\n{script}\n"
                          f"cd /; btrfs filesystem sync {TOP}; umount {TOP}\n")


def keep_medium(node):
    """The ISO as a file on the node, and the drive empty: from here on the disks' own loaders boot it."""
    path = "/var/lib/libvirt/images/lab.iso"
    node.sudo(f"dd if=/dev/sr0 of={path} bs=4M status=none", timeout=600)
    node.machine.eject()
    node.machine.spec.iso = None
    return path


def check_given_up(node, site, number, running, timeout):
    """The node came back by itself, says why, and reports it."""
    listed, by_number = boot_until(node, runs_well(running), timeout)
    assert by_number[number]["failed"] and not by_number[number]["good"], by_number
    failed = site.reports.wait(lambda: [event for event in site.reports.find("", "failed") if f"root {number} did not" in event.get("message", "")],
                               120, "the report of the fall back", allow_failed=True)
    assert failed[0]["code"] == 3
    site.reports.forgive()
    status = node.sudo("richtfest status", check=False)
    assert f"Root {number} did not become healthy on its trial" in status.stdout, status.stdout
    assert status.returncode == 0


def check_broken_roots(node, site, medium, running):
    """One without an init (three boots, a panic each); one without a kernel (GRUB itself goes on); one without SSH (the timer)."""
    number = deploy(node, medium, "--again")
    in_root(node, number, "rm usr/lib/systemd/systemd")
    check_given_up(node, site, number, running, (TRIES + 1) * (BOOT_SECONDS // 2 + PANIC_SECONDS))
    number = deploy(node, medium, "--again")
    in_root(node, number, "for kernel in boot/vmlinuz-*; do echo no kernel >$kernel; done")
    check_given_up(node, site, number, running, BOOT_SECONDS)
    number = deploy(node, medium, "--again")
    in_root(node, number, "ln -sf /dev/null etc/systemd/system/ssh.service; ln -sf /dev/null etc/systemd/system/ssh.socket\n"
                          "mkdir -p etc/systemd/system/richtfest-trial.timer.d\n"
                          "printf '[Timer]\\nOnBootSec=\\nOnBootSec=150s\\n' >etc/systemd/system/richtfest-trial.timer.d/lab.conf")
    check_given_up(node, site, number, running, (TRIES + 1) * BOOT_SECONDS)


def check_prune(node, running):
    """What is needed stays."""
    refused = node.sudo(f"richtfest root prune {running}", check=False)
    assert refused.returncode == 2 and f"root {running} stays: it runs" in refused.stderr
    node.sudo("richtfest root prune", timeout=600)
    listed, by_number = roots(node)
    assert set(by_number) == {running} and listed["default"] == running, listed


@pytest.mark.parametrize("firmware", ["uefi", "bios"])
def test_roots_come_and_go(lab, url_iso, site, key, shipped_profile, firmware):
    """With the ISO in the drive all the time: its GRUB reads the same choice, and counts on the disks' ESPs."""
    node = install(lab, url_iso, site, key, shipped_profile, firmware)
    newest = check_apt_takes_snapshots(node)
    check_rollback(node, newest)
    check_same_medium(node, newest)
    check_deploy(node, newest)


@pytest.mark.parametrize("firmware", ["uefi", "bios"])
def test_a_broken_root_is_given_up(lab, url_iso, site, key, shipped_profile, firmware):
    node = install(lab, url_iso, site, key, shipped_profile, firmware)
    check_apt_goes_on_without_one(node)
    medium = keep_medium(node)
    check_broken_roots(node, site, medium, 1)
    check_prune(node, 1)


SINGLE = profile_of("single", 1)
STEPS = ["root/clear", "root/unpack", "root/configure", "state", "root/carry", "payload", "flush", "root/switch"]
DEPLOY = "richtfest root deploy /run/initramfs/live --profile /run/profile.yaml --again"
LOOK = ("mdadm --assemble --scan --run --homehost=any --config=partitions >/dev/null 2>&1; udevadm settle; mkdir -p /run/top; "
        "mount -o subvolid=5 /dev/md/system /run/top && sed -n 2p /run/top/richtfest/grub.cfg && ls /run/top/roots; umount /run/top")


def look(bench):
    """(the choice, the names below roots) as they are on the disk."""
    lines = bench.run(LOOK)[1].split("\n")
    place = next(place for place, line in enumerate(lines) if line.startswith("# {"))
    return json.loads(lines[place][2:]), lines[place + 1:-1]


def test_a_deployment_may_be_cut_off_anywhere(lab, built_iso):
    """In the ISO's shell, for a node that does not start any more: the power goes in each step, and the first root stays the one that is booted;
    what was begun is begun again, and in the end the new one is."""
    spec = Spec(name="bench", memory=1536, disks=[Disk("d0", 40 * GB)], iso=built_iso)
    with Workbench(spec, lab.path("bench")) as bench:
        code, said = bench.apply(SINGLE, seconds=900)
        assert code == 0, said
        assert look(bench)[0] == {"root": 1, "before": 0, "trial": ""}
        for step in STEPS:
            bench.put("/run/profile.yaml", SINGLE)
            code, said = bench.run(f"RICHTFEST_KILL_AT={step}:before {DEPLOY}", 600, check=False)
            assert code == 137, (step, said)
            bench.power_cut()
            bench.start()
            choice, names = look(bench)
            assert choice == {"root": 1, "before": 0, "trial": ""}, (step, choice)
            assert "1" in names and all(name == "1" or ".new" in name for name in names), (step, names)
        bench.put("/run/profile.yaml", SINGLE)
        bench.run(DEPLOY, 600)
        choice, names = look(bench)
        assert (choice["root"], choice["before"], names) == (2, 1, ["1", "2"]) and choice["trial"], (choice, names)
