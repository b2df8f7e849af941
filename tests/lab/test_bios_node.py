# SPDX-License-Identifier: GPL-3.0-or-later
"""A smaller server with BIOS: from the ISO to the booted node, without guests. The profile is in the ISO, and a company's own CA with
it, which the installer and the node need to send their reports. The medium is pulled while the root is unpacked, and comes back; it
is gone at the first boot; and at the end the first disk is gone too."""

import json
import re

import pytest

from richtfest_lab import small
from richtfest_lab.httpd import GUEST_SEES, Server
from richtfest_lab.iso import Iso
from richtfest_lab.machine import free_port
from richtfest_lab.reports import Reports

pytestmark = pytest.mark.core


@pytest.fixture
def site(lab, company):
    """It takes the reports, by https."""
    server = Server(free_port(), company.issue(GUEST_SEES), Reports(lab.path("events.jsonl")))
    yield server
    server.stop()


def power_on(lab, iso, site, key, company, shipped_profile):
    """Starts it, with all that it needs to know in the ISO."""
    path = lab.path("customer.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(small.profile_text(site, key, shipped_profile))
    iso.profile(path, "--ca", company.certificate)
    site.start()
    return lab.start(small.spec(iso.path, firmware="bios", bus="virtio-blk"))


def pull_the_medium_while_it_unpacks(lab, machine, reports):
    """Half a server is said to be one, and the power and the medium come back."""
    reports.wait_event("root/unpack", "progress", 420, lab.trouble)
    machine.eject()
    failed = reports.wait_run_end(1, 180, lab.trouble, allow_failed=True)
    assert (failed["state"], failed["code"]) == ("failed", 3)
    assert re.search(r"medium can't be read any more; attach it again", failed["message"]), failed["message"]
    assert "Unpack the root" in failed["message"]
    reports.forgive()
    machine.power_cut()
    machine.start()


def check_resumed(reports, run):
    """What was done before was found again."""
    last = {event["step"]: event for event in reports.find(run=run) if event.get("step")}
    for step in ("partition/1", "partition/2", "filesystem/esp-1", "filesystem/esp-2", "filesystem/system", "filesystem/images"):
        assert last[step]["state"] == "skipped", last[step]
    for step in ("array/system", "array/data"):
        assert last[step]["title"].startswith("Assemble"), last[step]
    assert last["root/unpack"]["state"] == "done"


def check_node(node):
    """Up, whole, and by BIOS."""
    assert node.ssh("test -d /sys/firmware/efi", check=False).returncode != 0
    arrays = node.arrays()
    assert arrays and all(state == "UU" for _, _, state in arrays.values()), arrays
    assert node.sudo("richtfest status").returncode == 0
    assert "musterkunde-n1" in node.sudo("richtfest status").stdout


def check_tries_again(node, lab, reports):
    """A run that failed while working is repeated, without anybody's doing."""
    runs = len(reports.runs())
    node.sudo("mv /usr/sbin/nft /usr/sbin/nft.away")
    node.sudo("rm -f /etc/nftables.conf")
    started = node.sudo("systemctl start richtfest-apply.service", check=False)
    assert started.returncode != 0, "a node without nft is no node"
    failed = reports.wait_run_end(runs + 1, 60, lab.trouble, allow_failed=True)
    assert (failed["state"], failed["code"]) == ("failed", 3), failed
    reports.forgive()
    node.sudo("mv /usr/sbin/nft.away /usr/sbin/nft")
    assert reports.wait_run_end(runs + 2, 120, lab.trouble)["state"] == "done"
    node.ssh("test -s /etc/nftables.conf")


def verify_boot(node):
    """`richtfest verify-boot`: its exit code and {member: disk}."""
    done = node.sudo("richtfest verify-boot --json", check=False)
    return done.returncode, {disk["member"]: disk for disk in json.loads(done.stdout)}


def after_packages(node):
    """Runs what apt would run after it has changed packages."""
    hook = re.search(r'DPkg::Post-Invoke:: "(if .*verify-boot.*)";', node.ssh("apt-config dump DPkg::Post-Invoke").stdout).group(1)
    node.sudo("sh", input=hook + "\n")


def check_every_disk_boots(node):
    """Proved from the bytes: a loader that is gone, or another one, is found on the very disk; and mended."""
    code, disks = verify_boot(node)
    assert code == 0 and set(disks) == {1, 2}, disks
    esp, disk = f"/dev/{disks[1]['name']}2", f"/dev/{disks[2]['name']}"
    node.sudo("sh", input=f"set -e; mkdir /run/lab-esp; mount {esp} /run/lab-esp; rm /run/lab-esp/EFI/BOOT/BOOTX64.EFI\n"
                          "umount /run/lab-esp\n")
    node.sudo(f"dd if=/dev/urandom of={disk} bs=1 count=16 seek=200 conv=notrunc,fsync")
    code, disks = verify_boot(node)
    assert code == 3 and disks[1]["wrong"] == ["/EFI/BOOT/BOOTX64.EFI is not there"], disks
    assert len(disks[2]["wrong"]) == 1 and disks[2]["wrong"][0].startswith("GRUB for BIOS"), disks
    after_packages(node)
    code, disks = verify_boot(node)
    assert code == 0 and not any(disk["mended"] for disk in disks.values()), disks


def check_trust(node):
    """The CA outlives the next update-ca-certificates(8), which makes the bundle anew."""
    trusted = "/usr/local/share/ca-certificates/richtfest-1.crt"
    for command in ("true", "update-ca-certificates"):
        node.sudo(command)
        assert node.ssh(f"openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt {trusted}").stdout.endswith("OK\n")


def test_bios_up_to_the_booted_node(lab, built_iso, program, site, key, company, shipped_profile):
    iso = Iso(built_iso, lab.path("embedded.iso"), program)
    machine = power_on(lab, iso, site, key, company, shipped_profile)
    pull_the_medium_while_it_unpacks(lab, machine, site.reports)
    node = small.up_to_the_node(lab, machine, site, key, run=2)
    check_resumed(site.reports, site.reports.runs()[1])
    check_node(node)
    check_every_disk_boots(node)
    check_trust(node)
    check_tries_again(node, lab, site.reports)
    assert machine.reboots() <= 2  # one of its own; SeaBIOS turns a soft reset into a second, hard one
    small.lose_first_disk(node, lab, site)
    small.check_runs_on_one_disk(node)
