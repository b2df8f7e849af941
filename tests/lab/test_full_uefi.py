# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way, as the customer's: bare disks, a profile from a URL, a mirrored node, a healthy directory; looked at
from outside, and then everything again with the ISO still in the drive."""

import json
import os
import re

import pytest

from richtfest_lab import profile
from richtfest_lab.command_line import nic_mac
from richtfest_lab.disks import Disk
from richtfest_lab.kerberos import Kerberos
from richtfest_lab.machine import Spec, forwards
from richtfest_lab.node import COCKPIT, SSH, Node, says_nothing
from richtfest_lab.reports import passwords_in
from richtfest_lab.wire import Wire

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
        forwards=forwards(SSH, COCKPIT, GREETER), balloon=True, wire=True,
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
    """A browser finds the login page; the handed-over password opens it, and behind it the machines' page; no other one does."""
    status, page = node.cockpit_page()
    assert status == 200 and "cockpit" in page.lower()
    status, pages = node.cockpit_login(node.password, "@localhost/manifests.json")
    assert status == 200 and {"machines", "system"} <= set(json.loads(pages)), (status, pages[:500])
    assert node.cockpit_login("wrong-Passw0rd")[0] == 401


GREETER = 8080  # a port that nobody has opened


def heard(port):
    """Whether the greeter is heard from outside."""
    return not says_nothing(port)


def check_other_ports(node):
    """Something that greets whoever connects is not heard outside: the packet filter holds, whatever listens, for IPv4 and IPv6. With
    a rule for it, it is heard: the lab is not deaf."""
    outside, mac = node.machine.port(GREETER), nic_mac(0)
    node.sudo(f"systemd-run --quiet --unit=rf-lab-greeter systemd-socket-activate --listen=[::]:{GREETER} --accept --inetd "
              "/bin/echo hello")
    for local in ("127.0.0.1", "::1"):
        hear = f"for i in 1 2 3 4 5; do exec 3<>/dev/tcp/{local}/{GREETER} && timeout 10 head -c5 <&3 && break; sleep 1; done"
        assert node.ssh(f"bash -c '{hear}' 2>/dev/null").stdout == "hello", local
    links = [link for link in json.loads(node.ssh("ip -j address").stdout) if link.get("address") == mac]
    address = next(entry["local"] for entry in links[0]["addr_info"] if entry["scope"] == "link")
    with Wire(node.machine.folder) as wire:
        wire.check_alive(mac, address)
        assert not heard(outside)
        assert wire.knock(mac, address, GREETER) == "silent"
        rule = node.sudo(f"nft --echo --handle insert rule inet richtfest input tcp dport {GREETER} accept").stdout
        assert heard(outside)
        assert wire.knock(mac, address, GREETER) == "open"
        handle = re.search(r"# handle (\d+)", rule).group(1)
        node.sudo(f"nft delete rule inet richtfest input handle {handle}")
        assert wire.knock(mac, address, GREETER) == "silent"
    node.sudo("systemctl stop rf-lab-greeter")
    rules = node.sudo("nft list ruleset").stdout
    assert re.search(r"hook input priority [^;]+; policy drop;", rules), rules
    assert str(GREETER) not in rules


def check_disks(node):
    """Every array has both members, and the root is on btrfs."""
    arrays = node.arrays()
    assert len(arrays) == 2, arrays
    for name, (level, members, state) in arrays.items():
        assert (level, len(members), state) == ("raid1", 2, "UU"), (name, level, members, state)
    assert node.ssh("findmnt -no FSTYPE /").stdout.strip() == "btrfs"


def ask_status(node, form=""):
    """`richtfest status`. Asked again where a probe came too late: two emulated processors serve the guest and all who ask."""
    for _ in range(3):
        done = node.sudo(f"richtfest status {form}", check=False)
        if done.returncode == 0:
            return done.stdout
    raise AssertionError(done.stdout + done.stderr)


def check_status(node):
    """The node says of itself what the outside sees."""
    status = json.loads(ask_status(node, "--json"))
    assert status["healthy"] is True
    assert [(guest["name"], guest["healthy"]) for guest in status["guests"]["guests"]] == [("dc1", True)]
    table = ask_status(node)
    assert "dc1" in table and "musterkunde-n1" in table


def check_directory(node, lab, reports, realm):
    """The password that was handed over opens the directory, for whoever reaches it over the network. Returns it."""
    armored = reports.handed_over("guest", "dc1")
    assert armored, "no password was handed over"
    text = node.key.decrypt(armored)
    passwords = passwords_in(text)
    assert passwords, f"no password in what was handed over ({len(text)} bytes)"
    principal = f"administrator@{realm}"
    address = node.status()["guests"]["guests"][0]["address"]
    with node.tunnel(address, 88) as port:
        kerberos = Kerberos(lab.folder, realm, port)
        code, said = kerberos.login(principal, "wrong-Passw0rd")
        assert code != 0 and "Password incorrect" in said, "any password opens the directory" if code == 0 else said
        code, said = kerberos.login(principal, passwords[0])
        assert code == 0, said
        code, said = kerberos.tickets()
        assert code == 0 and f"krbtgt/{realm}@{realm}" in said, said
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


def test_from_bare_disks_to_a_healthy_directory(lab, url_iso, site, key, kinit, shipped_profile):
    node, realm = install(lab, url_iso, site, key, shipped_profile)
    reports, console = site.reports, node.machine.console
    check_status(node)
    check_logins(node)
    check_cockpit(node)
    check_disks(node)
    check_other_ports(node)
    passwords = check_directory(node, lab, reports, realm)
    check_secrets(node, reports, console, passwords)
    check_again(node, lab, reports)
    check_status(node)
