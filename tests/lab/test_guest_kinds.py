# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that are not only a recipe: one of a cloud image that the node fetches, one as Windows wants it, one in the provider's network
over a bridge of the node's own card, two in VLANs of a further card, one that waits for an artefact. And a change of weight and limits
while a guest runs."""

import hashlib
import io
import json
import os
import socket
import subprocess
import tarfile

import pytest

from richtfest_lab import host, profile, recipe_lab
from richtfest_lab.command_line import nic_mac
from richtfest_lab.disks import Disk
from richtfest_lab.httpd import GUEST_SEES
from richtfest_lab.machine import Spec, forwards, free_port
from richtfest_lab.node import SSH, Node
from richtfest_lab.office import Office

from test_bad_guests import RUN_SECONDS, apply, health, put_profile

pytestmark = pytest.mark.long

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MEMORY, CORES = 8192, 4
CARD = "52:54:00:77:00:02"
RECIPES, BASE = "/usr/share/richtfest/recipes", "/var/lib/libvirt/images/base"
ROUTER, PBX = "10.0.2.2", "10.0.2.50"
NETWORK = (
    "network:\n"
    f"  uplink: {{match: {{mac: '{nic_mac(0)}'}}, address: dhcp}}\n"
    "  guests: {subnet: 10.20.0.0/24}\n"
    f"  bridges: [{{name: lan, uplink: true}}, {{name: office, mac: '{CARD}'}}]\n"
)
SMALL = "cores: 1, memory: 512 MB, disk: 8 GB"
GUESTS = (
    f"  - {{name: pbx, recipe: debian, {SMALL}, bridge: lan, lan: {{address: {PBX}/24, gateway: {ROUTER}, open: [tcp/22]}}}}\n"
    f"  - {{name: v20, recipe: debian, {SMALL}, bridge: office, vlan: 20, lan: {{address: 192.168.20.5/24, open: [tcp/22]}}}}\n"
    f"  - {{name: web, recipe: image, {SMALL}, settings: {{url: '@URL@', sha256: '@SUM@', format: qcow2, health: agent}}}}\n"
)
WINDOWS = (
    "  - {name: win, recipe: image, cores: 2, memory: 1 GB, disk: 8 GB, settings: {url: '@URL@', sha256: '@SUM@', format: qcow2, "
    "health: running, firmware: uefi, tpm: true, drivers: plain}}\n"
)
TUNED = GUESTS.replace("name: v20,", "name: v20, weight: 300, io: {bandwidth: 50 MB, iops: 2000},")
LATE = f"  - {{name: late, recipe: late, {SMALL}}}\n"


@pytest.fixture(scope="module")
def cloud_image(tmp_path_factory, program):
    """A disk image of somebody's: here the plain Debian's, as its publisher would offer it."""
    folder = str(tmp_path_factory.mktemp("images"))
    recipe_lab.build_images(program, folder, ["debian"], host.CACHE, os.path.join(ROOT, "postinstall/recipes"))
    whole = os.path.join(folder, "whole.qcow2")  # a publisher's file stands for itself, ours are each the difference to a common one
    subprocess.run([host.need("qemu-img", "qemu-utils"), "convert", "-c", "-O", "qcow2", os.path.join(folder, "debian.qcow2"), whole],
                   check=True)
    with open(whole, "rb") as file:
        return file.read()


def text_of(shipped_profile, key, site):
    """The sample customer's node with bridges, and without guests."""
    text = profile.for_lab(shipped_profile, key, site.url("/report")).remove("guests")
    profile.shrink(text, cores=CORES, memory=MEMORY)
    text.remove("network")
    return text.text.rstrip() + "\n" + NETWORK + "guests:\n"


def image_guest(text, site, image):
    """With the image's address and checksum filled in."""
    site.pages["/cloud.qcow2"] = image
    return text.replace("@URL@", site.url("/cloud.qcow2")).replace("@SUM@", hashlib.sha256(image).hexdigest())


def install(lab, url_iso, site, key, head, guests, office):
    """A node with these guests, all healthy."""
    iso, _, page = url_iso
    site.pages[page] = head + guests
    site.start()
    spec = Spec(name="n1", cores=CORES, memory=MEMORY, disks=[Disk("d0"), Disk("d1")], iso=iso, forwards=forwards(SSH), balloon=True,
                extra=office.arguments())
    machine = lab.start(spec)
    assert site.reports.wait_run_end(1, 600, lab.trouble)["state"] == "done"
    machine.wait_reboot(1, 90)
    assert site.reports.wait_run_end(2, RUN_SECONDS, lab.trouble)["state"] == "done"
    return Node(machine, key).wait_ssh(120).learn(site.reports)


def check_uplink_bridge(node):
    """The node has its address at the bridge, and the guest its own in the same network: who is there reaches what it has opened."""
    addresses = {link["ifname"]: link for link in json.loads(node.ssh("ip -j -4 address").stdout)}
    assert [entry["local"] for entry in addresses["rfb-lan"]["addr_info"]] == ["10.0.2.15"], addresses
    assert banner(node, PBX, 22).startswith(b"SSH-2.0-")
    assert banner(node, PBX, 80) == b""
    code, said = node.guest_exec("pbx", "/usr/sbin/ip", "-4", "route", "get", "192.0.2.1")
    assert code == 0 and "10.20.0.1" in said, said  # the way out stays the node's network


def banner(node, address, port, seconds=20):
    """What a service in the provider's network says first, to a host of that network; b"" where nobody answers."""
    here = free_port()
    node.machine.qmp.monitor(f"hostfwd_add net0 tcp:127.0.0.1:{here}-{address}:{port}")
    with socket.create_connection(("127.0.0.1", here), seconds) as client:
        client.settimeout(seconds)
        try:
            return client.recv(100)
        except OSError:
            return b""


def check_vlans(node, office):
    """In its VLAN a guest answers, at the ports that it has opened; in no other one, and the node nowhere."""
    assert office.whose("192.168.20.9", "192.168.20.5", 20) is not None
    assert office.ping("192.168.20.9", "192.168.20.5", 20)
    assert office.knock("192.168.20.9", "192.168.20.5", 20, 22) == "open"
    assert office.knock("192.168.20.9", "192.168.20.5", 20, 80) == "silent"
    for vlan in (30, None):
        assert office.whose("192.168.20.9", "192.168.20.5", vlan, 4) is None, vlan
    for vlan in (20, None):
        assert office.whose("10.20.0.9", "10.20.0.1", vlan, 4) is None, "the node answers there"


def check_image(node, image):
    """The guest is that image, with its own name and the admin's key."""
    code, said = node.guest_exec("web", "/usr/bin/hostname")
    assert code == 0 and said.strip() == "web", said
    code, said = node.guest_exec("web", "/usr/bin/cat", f"/home/{node.user}/.ssh/authorized_keys")
    assert code == 0 and "ssh-ed25519" in said, said
    held = node.sudo("sh -c 'sha256sum /var/lib/libvirt/images/fetched/*'").stdout
    assert hashlib.sha256(image).hexdigest() in held, held


def picture(node, name):
    """What a change of weight and limits must leave alone: the very process."""
    return node.sudo(f"virsh -q -c qemu:///system domstate {name}").stdout, node.sudo(f"cat /run/libvirt/qemu/{name}.pid").stdout


def check_tuning(node, text):
    """The running guest has them at once, and goes on; the next run has nothing to do."""
    before = picture(node, "v20")
    put_profile(node, text)
    code, failed = apply(node)
    assert code == 0, failed
    assert picture(node, "v20") == before
    shares = node.sudo("virsh -q -c qemu:///system schedinfo v20 --live").stdout
    limits = node.sudo("virsh -q -c qemu:///system blkdeviotune v20 vda --live").stdout
    assert "300" in shares.split("cpu_shares")[1].split("\n")[0], shares
    assert "50000000" in limits and "2000" in limits, limits
    assert node.apply_again() == []


def check_windows(node, text):
    """UEFI with Secure Boot and a TPM, SATA, Intel's card, a screen by a socket: libvirt takes it, and it runs."""
    put_profile(node, text)
    code, failed = apply(node)
    assert code == 0, failed
    live = node.sudo("virsh -q -c qemu:///system dumpxml win").stdout
    for part in ("bus='sata'", "<model type='e1000e'/>", "<backend type='emulator' version='2.0'", "secure='yes'", "<video>"):
        assert part in live, (part, live)
    assert node.sudo("virsh -q -c qemu:///system domstate win").stdout.strip() == "running"


def tarball(name, content):
    """A release of something that Debian does not carry."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def late_recipe(node, site, packed):
    """A user's recipe beside ours that needs an artefact, which the ISO was built without."""
    entry = {"name": "greeting", "version": "1.0", "state": "waiting", "licence": "GPL-3.0-or-later", "file": "greeting-1.0.tar.gz",
             "url": site.url("/greeting-1.0.tar.gz"), "mirrors": [], "sha256": hashlib.sha256(packed).hexdigest(), "size": 100000,
             "format": "tar.gz", "strip": 1, "recipes": "late"}
    known = json.loads(node.sudo(f"cat {BASE}/artefacts.json").stdout)
    known["artefacts"].append(entry)
    node.sudo(f"sh -c 'cat >{BASE}/artefacts.json'", input=json.dumps(known))
    run = "import sys; sys.path.insert(0, \"/usr/lib/richtfest\"); import guest; guest.artefacts()"
    more = f"\nruncmd:\n  - [/usr/bin/python3, -c, '{run}']\n"
    node.sudo(f"cp -a {RECIPES}/debian {RECIPES}/late")
    node.sudo(f"sh -c 'cat >>{RECIPES}/late/recipe.yaml'", input="artefacts: [greeting]\n")
    node.sudo(f"sh -c 'cat >>{RECIPES}/late/user-data.j2'", input=more)


def check_late(node, site, text):
    """It waits, which is said and keeps nobody else; when the artefact can be had it comes up with it."""
    packed = tarball("greeting-1.0/hello.txt", b"Glueck auf\n")
    late_recipe(node, site, packed)
    put_profile(node, text)
    code, failed = apply(node)
    assert code == 3 and set(failed) == {"artefact/late"}, failed
    healthy, shown, code = health(node)
    assert code == 3 and not healthy["late"] and healthy["v20"], shown
    assert f"waiting for artefact greeting 1.0 (http://{GUEST_SEES}" in shown, shown
    site.pages["/greeting-1.0.tar.gz"] = packed
    code, failed = apply(node)
    assert code == 0, failed
    assert node.guest_exec("late", "/usr/bin/cat", "/usr/share/richtfest/artefacts/greeting/hello.txt") == (0, "Glueck auf\n")
    assert "artefacts" not in node.sudo("virsh -q -c qemu:///system dumpxml --inactive late").stdout


def test_guests_of_other_kinds(lab, url_iso, site, key, shipped_profile, cloud_image):
    head = text_of(shipped_profile, key, site)
    with Office(CARD) as office:
        guests, tuned, windows = (image_guest(text, site, cloud_image) for text in (GUESTS, TUNED, TUNED + WINDOWS))
        node = install(lab, url_iso, site, key, head, guests, office)
        check_uplink_bridge(node)
        check_vlans(node, office)
        check_image(node, cloud_image)
        check_tuning(node, head + tuned)
        check_late(node, site, head + tuned + LATE)
        check_windows(node, head + windows + LATE)
