# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way, as the customer's: bare disks, a profile from a URL, a mirrored node, a healthy directory; looked at
from outside, and then everything again with the ISO still in the drive."""

import json
import os
import re

import pytest

from richtfest_lab import profile
from richtfest_lab.disks import Disk
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import COCKPIT, SSH, Node, says_nothing
from richtfest_lab.reports import passwords_in

pytestmark = pytest.mark.core

MEMORY = int(os.environ.get("RF_LAB_MEMORY") or 24000)  # MiB; thin: the host gives what is touched
CORES = int(os.environ.get("RF_LAB_CORES") or 6)


def install(lab, url_iso, site, key, shipped_profile):
    """From power-on to the end of the node's first run."""
    text = profile.for_lab(shipped_profile, key, site.url("/report"))
    for change in profile.shrink(text, cores=CORES, memory=MEMORY):
        print(f"the lab's machine is smaller: {change}")
    iso, _, page = url_iso
    site.pages[page] = text.text
    site.start()
    spec = Spec(
        name="n1", firmware="uefi", cores=CORES, memory=MEMORY, disks=[Disk("d0"), Disk("d1")], iso=iso,
        forwards=forwards(SSH, COCKPIT, 8080), balloon=True,
    )
    machine = lab.start(spec)
    installed = site.reports.wait_run_end(1, 480, lab.trouble)
    assert installed["state"] == "done"
    machine.wait_reboot(1, 90)
    site.reports.wait_run_end(2, 900, lab.trouble)
    return Node(machine, key).wait_ssh(60).learn(site.reports), text.get("guests.0.settings.realm")


def check_logins(node):
    """Keys and nothing else."""
    assert node.ssh("id -un").stdout.strip() == node.user
    for user in (node.user, "root"):
        for method in ("password", "keyboard-interactive"):
            code, said = node.refusal(user, method)
            assert code == 255 and "Permission denied (publickey)" in said, (user, method, said)
    done = node.key.ssh(node.machine.port(SSH), "true", user="root", check=False)
    assert done.returncode == 255 and "Permission denied" in done.stderr
    shadow = node.sudo("getent shadow root").stdout.split(":")[1]
    assert shadow.startswith(("!", "*")), "root has a password"


def check_cockpit(node):
    """A browser finds the login page."""
    status, page = node.cockpit_page()
    assert status == 200 and "cockpit" in page.lower()


def check_other_ports(node):
    """Something that greets whoever connects is not heard outside: the packet filter holds, whatever listens."""
    greeter = (
        "import socket;s=socket.create_server(('0.0.0.0',8080))\n"
        "while True: s.accept()[0].sendall(b'hello')"
    )
    started = node.sudo(f'systemd-run --quiet --unit=rf-lab-greeter python3 -c "{greeter}"', check=False)
    if started.returncode == 0:
        inside = node.ssh("sleep 2; timeout 5 python3 -c \"import socket;"
                          "print(socket.create_connection(('127.0.0.1',8080)).recv(9))\"")
        assert "hello" in inside.stdout
        assert says_nothing(node.machine.port(8080))
        node.sudo("systemctl stop rf-lab-greeter")
    rules = node.sudo("nft list ruleset").stdout
    assert re.search(r"hook input priority [^;]+; policy drop;", rules), rules


def check_disks(node):
    """Every array has both members, and the root is on btrfs."""
    arrays = node.arrays()
    assert len(arrays) == 2, arrays
    for name, (level, members, state) in arrays.items():
        assert (level, len(members), state) == ("raid1", 2, "UU"), (name, level, members, state)
    assert node.ssh("findmnt -no FSTYPE /").stdout.strip() == "btrfs"


def check_status(node):
    """The node says of itself what the outside sees."""
    done = node.sudo("richtfest status --json", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    status = json.loads(done.stdout)
    assert status["healthy"] is True
    assert [(guest["name"], guest["healthy"]) for guest in status["guests"]["guests"]] == [("dc1", True)]
    table = node.sudo("richtfest status").stdout
    assert "dc1" in table and "musterkunde-n1" in table


def check_directory(node, reports, realm):
    """The password that was handed over opens the directory. Returns it."""
    armored = reports.handed_over("guest", "dc1")
    assert armored, "no password was handed over"
    text = node.key.decrypt(armored)
    passwords = passwords_in(text)
    assert passwords, f"no password in what was handed over ({len(text)} bytes)"
    principal = f"administrator@{realm}"
    code, said = node.guest_exec("dc1", "/usr/bin/kinit", principal, input=f"{passwords[0]}\n")
    assert code == 0, said
    code, said = node.guest_exec("dc1", "/usr/bin/klist")
    assert code == 0 and f"krbtgt/{realm}@{realm}" in said, said
    code, _ = node.guest_exec("dc1", "/usr/bin/kinit", principal, input="wrong-Passw0rd\n")
    assert code != 0, "any password opens the directory"
    return [*passwords, node.password]


def check_secrets(node, reports, console, passwords):
    """No password where anybody could read it."""
    said = json.dumps(reports.all()) + console.text()
    assert not any(password in said for password in passwords), "a password is in the reports or on the console"
    script = (
        "umask 077; cat >/run/rf-lab-secrets; "
        "journalctl --no-pager -o cat | grep -qFf /run/rf-lab-secrets && echo journal; "
        "find /etc /var/lib/richtfest /var/log /var/lib/libvirt /run -xdev -type f -perm /044 -size -4M "
        "-exec grep -lFf /run/rf-lab-secrets {} + ; rm /run/rf-lab-secrets; true"
    )
    found = node.sudo(f"sh -c '{script}'", input="\n".join(passwords) + "\n").stdout.split()
    assert found == [], f"a password can be read in {found}"


def picture(node):
    """What must be the same after a boot that had nothing to do."""
    return {
        "blkid": sorted(node.sudo("blkid -o export -s UUID -s PARTUUID -s TYPE -s LABEL").stdout.split()),
        # without the generation, which every write to it raises
        "subvolumes": re.sub(r"gen \d+ ", "", node.sudo("btrfs subvolume list -u /").stdout).split("\n"),
        "root": node.ssh("findmnt -no SOURCE,UUID /").stdout,
        "domain": node.sudo("virsh -c qemu:///system domuuid dc1").stdout.strip(),
        "host key": node.sudo("cat /var/lib/richtfest/ssh/ssh_host_ed25519_key.pub").stdout,
        "machine-id": node.ssh("cat /etc/machine-id").stdout,
    }


def check_again(node, lab, reports):
    """Rebooted with the ISO still first in the boot order: the installed node comes up, and finds nothing to do."""
    before, boot = picture(node), node.boot_id()
    node.sudo("systemctl reboot", check=False)
    node.machine.wait_reboot(2, 120)
    reports.wait_run_end(3, 900, lab.trouble)
    node.wait_ssh(60)
    assert node.boot_id() != boot
    assert picture(node) == before
    third = reports.find(run=reports.runs()[2])
    applied = {event["step"] for event in third if event.get("step") and event["state"] == "done"}
    unexpected = {step for step in applied if not re.search(r"(?:health|start)/", step)}
    assert not unexpected, f"done once more: {unexpected}"


def test_from_bare_disks_to_a_healthy_directory(lab, url_iso, site, key, shipped_profile):
    node, realm = install(lab, url_iso, site, key, shipped_profile)
    reports, console = site.reports, node.machine.console
    check_status(node)
    check_logins(node)
    check_cockpit(node)
    check_disks(node)
    check_other_ports(node)
    passwords = check_directory(node, reports, realm)
    check_secrets(node, reports, console, passwords)
    check_again(node, lab, reports)
    check_status(node)
